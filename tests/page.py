"""How the tests hold the page: Streamlit's AppTest, and what the page hands to its two components."""

import base64
import csv
import io
import json
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from unittest.mock import patch

import numpy as np
import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from optviz.shell.app import SCRIPT
from optviz.shell.registry import PAGES
from optviz.shell.share import LinkError, SharedScene, decode, encode
from optviz.spec import SpecError, validate
from optviz.training.jobs import TrainingJob
from optviz.training.scheduler import scheduler
from optviz.ui.locks import Controls
from optviz.ui.session import Session
from tests import memo

# Every AppTest would read the metadata of all installed packages anew, which takes longer than our page does.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


def open_app() -> AppTest:
    """The app after its first run."""
    return AppTest.from_file(str(SCRIPT), default_timeout=60).run()


class Still(dict):
    """In place of a session's results: nobody has pressed a button, and nothing begins by itself."""

    def setdefault(self, name, results):
        return super().setdefault(name, replace(results, stopped=True))


def open_page(key: str, scene=None, alive: bool = False, **query) -> AppTest:
    """Another page, with a scene that came by a link, and whatever else the address says.

    Its jobs wait for a button, unless it is to be `alive` as it is for a visitor.
    """
    at = AppTest.from_file(str(SCRIPT), default_timeout=60)
    if key != "trajectories":
        if not alive:
            at.session_state["optviz"] = Session(results=Still())
        go(at, key)
    if scene is not None:
        query["s"] = encode(SharedScene(key, scene))
    for name, value in query.items():
        at.query_params[name] = value
    return sound(at.run())


def go(at: AppTest, key: str) -> None:
    """Another page at the next run. AppTest's own `switch_page` knows files alone; ours are functions."""
    at._page_hash = hash_of(key)


@cache
def hash_of(key: str) -> str:
    """What Streamlit calls a page by, for every visitor alike."""
    pages = open_app()._registered_pages.items()
    [found] = [name for name, page in pages if page["url_pathname"] == key]
    return found


def session(at: AppTest):
    """What the app holds for the visitor."""
    return at.session_state["optviz"]


def sound(at: AppTest) -> AppTest:
    """Fails where the script broke off."""
    assert not at.exception, [e.message + "\n".join(e.stack_trace) for e in at.exception]
    return at


def refused(key: str, spec, says: str | None = None) -> None:
    """Fails where the page or a link takes the spec; a refusal `says` this."""
    with pytest.raises(SpecError, match=says):
        validate(spec)
    with pytest.raises(LinkError):
        decode(encode(SharedScene(key, spec)), key)


def running(at: AppTest, name: str) -> bool:
    """Whether the jobs of this name run."""
    return session(at).results[name].running


def trained(at: AppTest, lab: str, sliced: bool = False) -> AppTest:
    """Press Train and come back, as the browser does ten times a second, until all is done.

    What was trained before is looked up, unless it is to go `sliced`, as it does in the browser.
    """
    advance = TrainingJob.advance

    def looked_up(job, state, budget):
        return (
            advance(job, state, budget)
            if state.iteration
            else memo.trained(job.training, job.data())
        )

    with nullcontext() if sliced else patch.object(TrainingJob, "advance", looked_up):
        if not running(at, lab):
            at.button(key=f"train-{lab}").click().run()
        for _ in range(400):
            while not sliced and scheduler().dispatch():  # all of it between two pictures
                pass
            if not running(sound(at), lab):
                results = session(at).results
                at.run()
                follows = any(v.then for v in PAGES[session(at).page].views.values())
                results[lab].stopped = isinstance(results, Still) and not follows  # as before
                return sound(at)
            at.run()
    raise AssertionError("the training does not end")


def plots(at: AppTest) -> dict[str, dict]:
    """The figures by their names."""
    return {c["name"]: c for c in components(at, "plot")}


def text(at: AppTest) -> str:
    """All that can be read on the page."""
    return "\n".join(
        [m.value for m in at.markdown]
        + [h.value for h in at.get("html")]
        + [c.value for c in at.caption]
    )


def components(at: AppTest, name: str) -> list[dict]:
    """The data of every component of one kind, in the order of the page."""
    protos = [c.proto for c in at.get("bidi_component")]
    return [json.loads(p.json)[0] for p in protos if p.component_name.endswith(name)]


def contour(at):
    """The figure on the left."""
    return components(at, "plot")[0]


def curves(at):
    """The figure on the right."""
    return components(at, "plot")[1]


def panels(at) -> dict[str, dict]:
    """The hyperparameter panels by their label."""
    return {p["label"]: p for p in components(at, "hyperparameters")}


def labeled(widgets, label: str):
    """The only control with this label."""
    [found] = [widget for widget in widgets if widget.label == label]
    return found


def at_rest(at: AppTest, lab: str) -> AppTest:
    """Come back until nothing runs, whoever has begun it."""
    for _ in range(200):
        if not running(sound(at), lab):
            return sound(at.run())
        at.run()
    raise AssertionError("it does not end")


def csv_rows(text: str) -> list[dict[str, str]]:
    """The rows of a file, by the names of their columns."""
    return list(csv.DictReader(io.StringIO(text)))


def numbers(packed) -> np.ndarray:
    """An array as the page hands it to Plotly."""
    if isinstance(packed, list):
        return np.array(packed, float)
    flat = np.frombuffer(base64.b64decode(packed["bdata"]), packed["dtype"])
    return flat.reshape([int(n) for n in packed["shape"].split(",")]) if "shape" in packed else flat


def drawn(figure, name) -> np.ndarray:
    """The line of one optimizer, `(steps+1, 2)`."""
    named = [t for t in figure["data"] if t["name"] == name and t["mode"] == "lines"]
    [trace] = [t for t in named if t.get("uid", "")[-1:] not in ("c", "h")]
    return np.stack([numbers(trace["x"]), numbers(trace["y"])], -1)


def open_scene(scene, view=None) -> AppTest:
    """The trajectories with a scene that came by a link."""
    at = AppTest.from_file(str(SCRIPT), default_timeout=60)
    at.query_params["s"] = encode(shared(scene, view))
    return sound(at.run())


def shared(scene, view=None, controls=Controls()):
    """What a link to a scene of the trajectories carries."""
    return SharedScene("trajectories", replace(scene, view=view) if view else scene, controls)
