"""How the tests hold the page: Streamlit's AppTest, and what the page hands to its two components."""

import base64
import json
from pathlib import Path

import numpy as np
from streamlit.testing.v1 import AppTest

APP = Path(__file__).parent.parent / "app.py"


def open_app() -> AppTest:
    """The app after its first run."""
    return AppTest.from_file(str(APP), default_timeout=60).run()


def components(at: AppTest, name: str) -> list[dict]:
    """The data of every component of one kind, in the order of the page."""
    protos = [c.proto for c in at.get("bidi_component")]
    return [json.loads(p.json) for p in protos if p.component_name.endswith(name)]


def contour(at):
    """The figure on the left."""
    return components(at, "plot")[0]


def curves(at):
    """The figure on the right."""
    return components(at, "plot")[1]


def panels(at) -> dict[str, dict]:
    """The knob panels by their label."""
    return {p["label"]: p for p in components(at, "knobs")}


def numbers(packed) -> np.ndarray:
    """An array as the page hands it to Plotly."""
    if isinstance(packed, list):
        return np.array(packed, float)
    kind = {"f8": float, "f4": np.float32}[packed["dtype"]]
    flat = np.frombuffer(base64.b64decode(packed["bdata"]), kind)
    return flat.reshape([int(n) for n in packed["shape"].split(",")]) if "shape" in packed else flat


def drawn(figure, name) -> np.ndarray:
    """The line of one racer, `(steps+1, 2)`."""
    [trace] = [t for t in figure["data"] if t["name"] == name and t["mode"] == "lines"]
    return np.stack([numbers(trace["x"]), numbers(trace["y"])], -1)
