"""The loss landscape page in AppTest: trained, surveyed, shown; extreme settings, links, what is worked out again."""

import csv
import io
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from optviz.experiments.loss_landscape import figures as views
from optviz.experiments.loss_landscape import spec as core
from optviz.experiments.loss_landscape.planes import pca_plane
from optviz.experiments.loss_landscape.spec import LossLandscape
from optviz.experiments.optimizer_comparison.spec import OptimizerComparison
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.plot.style import LIGHT, style
from optviz.shell.lessons import LESSONS
from optviz.shell.share import (
    LinkError,
    SharedScene,
    decode,
    encode,
)
from optviz.spec import Choice
from optviz.training import Split, load, train
from tests.page import components, numbers, open_page, panels, plots, session, sound, text, trained

SGD, ADAM = OptimizerConfig(Choice("sgd", {"lr": 0.1})), OptimizerConfig(Choice("adam", {"lr": 0.005}))
SMALL = LossLandscape(OptimizerComparison((SGD, ADAM), Network((64, 12, 10)), iterations=40, batch=32), resolution=11, n_samples=100)


def surveyed(at):
    """Train, and come back until the plane is known."""
    at = trained(at, "loss_landscape")
    for _ in range(100):
        if not any(b.key == "stop-survey" for b in at.button):
            break
        sound(at.run())
    return sound(at)


def opened(loss_landscape):
    return surveyed(open_page("loss_landscape", loss_landscape))


def rows(at):
    html = next(h.value for h in at.get("html") if "Where every path ends" in h.value)
    return [
        [c.split(">")[-1] for c in row.replace("</th>", "</td>").split("</td>")[:-1]]
        for row in html.split("<tbody>")[1].split("</tr>")[:-1]
    ]


def all_of(loss_landscape):
    """The survey without the page."""
    data = load(loss_landscape.trainings[0])
    now = core.loss_surface(loss_landscape, [list(train(t, data))[-1] for t in loss_landscape.trainings])
    while not now.whole:
        now = core.survey_on(now, data)
    return now, data


def test_it_opens_with_three_optimizers_and_nothing_trained():
    at = open_page("loss_landscape")
    assert session(at).specs["loss_landscape"] == LossLandscape()
    assert list(plots(at)) == ["landscape-loss", "landscape-accuracy"]
    assert {"Plane", "SGD", "Momentum", "Adam"} <= set(panels(at))
    assert not at.error


def test_training_leads_to_the_plane_and_the_paths_on_it():
    at = opened(SMALL)
    [loss_surface] = at.session_state.loss_surfaces.values()
    drawn = plots(at)["landscape-contour"]
    assert loss_surface.z.shape == (11, 11)
    assert np.array_equal(
        numbers(views.ground(loss_surface, LIGHT, False, log=False)["data"][0]["z"]), loss_surface.z.astype(np.float32)
    )
    lines = {t["name"]: t for t in drawn["data"] if t["mode"] == "lines"}
    for name, path in zip(("SGD", "Adam"), loss_surface.projected, strict=True):
        assert numbers(lines[name]["x"]) == pytest.approx(path[:, 0])
        assert numbers(lines[name]["y"]) == pytest.approx(path[:, 1])
        assert lines[name]["text"] == ["0", "5", "10", "15", "20", "25", "30", "35", "40"]
    assert [r[0] for r in rows(at)] == ["SGD", "Adam"]
    assert [r[-1] for r in rows(at)] == ["in the middle of the plane", "trained"]
    assert rows(at)[0][4] == "0"
    assert "condition number" in text(at)
    assert components(at, "player")[0]["steps"] == 8
    along = {t["uid"]: t for t in plots(at)["landscape-heights"]["data"]}
    assert numbers(along["l1"]["y"]) == pytest.approx(loss_surface.true[1])
    assert numbers(along["l1p"]["y"]) == pytest.approx(loss_surface.on_plane[1])


def test_what_is_only_shown_otherwise_works_out_nothing():
    at = opened(SMALL)
    before = {k: id(v) for k, v in at.session_state.loss_surfaces.items()}
    levels = next(g for g in at.get("button_group") if "log levels" in str(g.proto))
    levels.set_value("log").run()
    picture = next(g for g in at.get("button_group") if "Surface" in str(g.proto))
    picture.set_value(True).run()
    sound(at)
    assert "landscape-solid" in {c["name"] for c in components(at, "surface")}
    low = components(at, "surface")[0]["data"][0]["z"]
    at.toggle(key="landscape-true").set_value(True).run()
    assert components(at, "surface")[0]["data"][0]["z"] != low
    assert {k: id(v) for k, v in at.session_state.loss_surfaces.items()} == before


def test_how_they_trained_is_still_there():
    at = opened(SMALL)
    at.session_state["landscape-training"] = True
    sound(at.run())
    assert {"landscape-contour", "landscape-heights", "landscape-loss", "landscape-accuracy"} == set(plots(at))


def test_another_plane_trains_nothing_and_the_first_is_kept():
    at = opened(SMALL)
    paths = {id(now) for now in at.session_state.labs["loss_landscape"]["kept"].values()}
    [first] = at.session_state.loss_surfaces
    menu = at.selectbox(key=f"landscape-plane-{session(at).epoch}")
    menu.set_value("random").run()
    assert session(at).specs["loss_landscape"].margin == 1.0
    for _ in range(50):
        if not any(b.key == "stop-survey" for b in at.button):
            break
        sound(at.run())
    assert {id(now) for now in at.session_state.labs["loss_landscape"]["kept"].values()} == paths
    assert len(at.session_state.loss_surfaces) == 2
    assert "Two random directions" in text(at)
    assert "seed" in {k["name"] for k in panels(at)["Plane"]["hyperparameters"]}
    kept = id(at.session_state.loss_surfaces[first])
    session(at).specs["loss_landscape"] = SMALL
    sound(at.run())
    assert "landscape-contour" in plots(at), "at once"
    assert id(at.session_state.loss_surfaces[first]) == kept


def test_the_survey_can_be_stopped_and_goes_on(monkeypatch):
    monkeypatch.setattr("optviz.ui.old_job_runner.BUDGET", 0.02)
    at = open_page("loss_landscape", replace(SMALL, resolution=101, n_samples=1500))
    at.button(key="train-landscape").click().run()
    for _ in range(400):
        if any(b.key == "stop-survey" for b in sound(at).button):
            break
        at.run()
    at.button(key="stop-survey").click().run()
    [before] = at.session_state.loss_surfaces.values()
    at.run()
    [now] = at.session_state.loss_surfaces.values()
    assert 0 < now.done == before.done < len(now.loss)
    at.button(key="go-on-survey").click().run()
    [after] = at.session_state.loss_surfaces.values()
    assert after.done > now.done


@pytest.mark.parametrize(
    "terrain",
    [
        replace(SMALL, race=replace(SMALL.race, network=Network((64, 10)))), replace(SMALL, plane="random", middle=1),
        LossLandscape(OptimizerComparison((ADAM,), Network((2, 2)), Choice("moons"), Split(150), 16, 20), resolution=5),
        LossLandscape(OptimizerComparison((SGD, ADAM), Network((2, 8, 3), Choice("tanh")), Choice("spirals", {"arms": 3}), Split(150), 16, 20), 1, resolution=9),
        replace(SMALL, race=replace(SMALL.race, optimizers=(SGD,), iterations=10)),
        replace(SMALL, race=replace(SMALL.race, network=Network((64, 12, 12, 10), initializer=Choice("normal", {"sigma": 0.0})))),
        replace(SMALL, plane="random", race=replace(SMALL.race, network=Network((64, 12, 10), initializer=Choice("normal", {"sigma": 0.0})))),
        replace(SMALL, race=replace(SMALL.race, network=Network((64, 12, 10), initializer=Choice("normal", {"sigma": 100.0})))),
        replace(SMALL, plane="random", margin=5.0, race=replace(SMALL.race, network=Network((64, *[12] * 8, 10), normalize="after", dropout=0.5))),
        replace(SMALL, n_samples=1, resolution=6, race=replace(SMALL.race, batch=1)),
    ],
)  # fmt: skip
def test_extreme_settings(loss_landscape):
    at = opened(loss_landscape)
    assert session(at).specs["loss_landscape"] == loss_landscape
    assert len(rows(at)) == len(loss_landscape.race.optimizers)
    assert not at.error


def test_nobody_trains():
    at = open_page("loss_landscape", replace(SMALL, race=replace(SMALL.race, optimizers=())))
    assert any("Nobody trains" in i.value for i in at.info)


def test_who_has_diverged_cannot_be_in_the_middle_and_it_says_so():
    wild = OptimizerConfig(Choice("sgd", {"lr": 10.0}))
    race = replace(SMALL.race, optimizers=(wild, ADAM), network=Network((64, 50, 50, 50, 50, 10)))
    at = opened(replace(SMALL, race=race))
    assert any("SGD diverged at iteration" in i.value for i in at.info)
    assert "landscape-loss" in plots(at), "nothing is lost"
    at.selectbox(key=f"landscape-in the middle: the end of-{session(at).epoch}").set_value(1).run()
    for _ in range(50):
        if not any(b.key == "stop-survey" for b in at.button):
            break
        sound(at.run())
    assert rows(at)[0][-1].startswith("diverged at iteration")
    assert rows(at)[1][-1] == "in the middle of the plane"


def test_paths_that_do_not_move_have_no_plane():
    """Without an update there is none; with a single one the path is straight."""
    still = OptimizerConfig(Choice("sgd", {"lr": 0.1}), (), {"lr": Choice("linear", {"steps": 1, "floor": 0.0})})
    rest = replace(SMALL, race=replace(SMALL.race, optimizers=(SGD,), iterations=0))
    core.check(rest)
    at = open_page("loss_landscape", rest)
    assert any("paths do not move" in i.value for i in at.info)
    once, _ = all_of(replace(SMALL, race=replace(SMALL.race, optimizers=(still,))))
    assert once.shares == pytest.approx([1, 0], abs=1e-9)
    assert "straight" in views.shown(once)


def test_removing_optimizers_keeps_somebody_in_the_middle():
    at = opened(replace(SMALL, middle=1))
    at.session_state["settings-0"] = True
    at.run()
    at.button(key="remove-0").click().run()
    sound(at)
    assert session(at).specs["loss_landscape"].middle == 0
    assert session(at).specs["loss_landscape"].race.optimizers == (ADAM,)


def test_the_page_s_address():
    loss_landscape = LossLandscape(
        OptimizerComparison((ADAM,), Network((2, 30, 2)), Choice("moons"), Split(150), 16, 50, (3,)), 0, "random", 4, 2.0, 21, 50
    )
    at = open_page("loss_landscape", loss_landscape)
    link = plots(at)["landscape-loss"]["link"]
    assert decode(link.removeprefix("?s="), "loss_landscape").scene == loss_landscape


@pytest.mark.parametrize(
    "bad", [LossLandscape(resolution=1000), LossLandscape(middle=7), LossLandscape(OptimizerComparison(seeds=(0, 1))), LossLandscape(plane="bent"), LossLandscape(margin=99.0)]
)  # fmt: skip
def test_a_link_to_what_cannot_be_set(bad):
    with pytest.raises(LinkError):
        decode(encode(SharedScene("loss_landscape", bad)), "loss_landscape")


def test_the_grid_and_the_paths_as_csv():
    now, _ = all_of(SMALL)
    grid = list(csv.DictReader(io.StringIO(views.grid_csv(now))))
    assert len(grid) == 121
    assert [float(grid[13][k]) for k in ("first", "second", "loss")] == [now.x[2], now.y[1], now.z[1, 2]]
    found = list(csv.DictReader(io.StringIO(views.paths_csv(now))))
    assert len(found) == 18
    assert (found[-1]["optimizer"], found[-1]["iteration"]) == ("Adam", "40")
    assert float(found[-1]["loss"]) == now.true[1][-1]
    assert float(found[-1]["loss_on_plane"]) == now.on_plane[1][-1]
    assert float(found[-1]["distance_from_plane"]) == now.off[1][-1]


def test_a_plane_that_is_flat_but_for_rounding_is_drawn_flat():
    z = 2.3 + 1e-7 * np.random.default_rng(0).standard_normal((5, 5))
    assert views.flat(z)
    assert not views.flat(np.array([[2.30, 2.31]]))
    assert not views.flat(np.full((2, 2), np.nan))
    now, _ = all_of(replace(LESSONS["flat-plain"].scene, resolution=5, n_samples=50))
    assert np.ptp(views.land(now).z) == 0
    assert "the same everywhere" in views.shown(now)


@pytest.mark.parametrize(
    ("bend", "says"),
    [
        (core.Curvature(4.0, 0.5), "condition number 8"), (core.Curvature(4.0, -0.5), "no bowl"),
        (core.Curvature(-1.0, -2.0), "does not bend upwards at all"), (core.Curvature(np.nan, np.nan), "not finite"),
    ],
)  # fmt: skip
def test_what_is_said_of_the_curvature(bend, says):
    now, _ = all_of(SMALL)
    told = views.bowl(now, bend, 8.0)
    assert says in told
    if np.isfinite(bend.largest):
        assert "2/8 = 0.25" in told
        assert "SGD here has 0.1" in told


def test_a_stamp_shows_the_plane_and_every_path():
    for loss_landscape in (SMALL, replace(SMALL, plane="random")):
        root = ET.fromstring(views.thumbnail(loss_landscape, LIGHT))
        paths = [e for e in root.iter() if e.tag.endswith("path")]
        assert [p.get("stroke") for p in paths] == [style(i, LIGHT).color for i in range(2)]
        assert any(e.tag.endswith("image") for e in root.iter())
    rest = replace(SMALL, race=replace(SMALL.race, iterations=0))
    ET.fromstring(views.thumbnail(rest, LIGHT))


def test_what_the_lessons_say():
    """In what is shown and in Try next."""
    scene = LESSONS["loss-landscape"].scene
    now, data = all_of(scene)
    sgd, momentum, adam = (p.params for p in now.paths)
    assert np.linalg.norm(sgd[10] - momentum[10]) < 0.5 * np.linalg.norm(sgd[10] - adam[10])
    assert core.curvature(now, data).condition > 10, "many times as much across as along"
    for end in (sgd[-1], momentum[-1]):
        line = end + np.linspace(0, 1, 21)[:, None] * (adam[-1] - end)
        found = core.losses(scene.race.network, line, data, 500)
        assert found.max() < found[0] + 0.02, "hardly a wall"
    assert now.true[0][0] > now.on_plane[0][0] + 0.3, "the picture is not where they were"

    scene = LESSONS["random-directions"].scene
    for seed in (0, 1):
        now, data = all_of(replace(scene, seed=seed, resolution=11))
        bend = core.curvature(now, data)
        assert 1 <= bend.condition < 6
        assert now.z.min() == pytest.approx(now.true[0][-1], abs=0.01)
        assert now.shares.sum() < 0.001

    scene = LESSONS["arcs"].scene
    momentum = (OptimizerConfig(Choice("momentum", {"lr": 0.01})),)
    walk = np.random.default_rng(0).standard_normal((600, 3000)).cumsum(0)[::10]
    plane = pca_plane(walk[-1], walk)
    arcs = [(plane.coordinates(walk), plane.shares(walk))]
    for race in (scene.race, replace(scene.race, optimizers=momentum), replace(scene.race, optimizers=momentum, seeds=(1,))):
        now, _ = all_of(replace(scene, race=race, resolution=5))
        arcs.append((now.projected[0], now.shares))
    for path, shares in arcs:
        assert shares[0] > 0.75
        chord = path[0, 1] + (path[-1, 1] - path[0, 1]) * np.linspace(0, 1, len(path))
        bulge = (path[:, 1] - chord)[len(path) // 4 : len(path) // 2]
        assert abs(bulge.mean()) > 0.1 * np.ptp(path[:, 1]), "an arc"

    scene = LESSONS["flat-plain"].scene
    flat, _ = all_of(replace(scene, resolution=11))
    assert views.flat(flat.z)
    assert flat.z.mean() == pytest.approx(np.log(10), abs=0.01), "guessing among ten"
    net = scene.race.network
    he, bn = (
        all_of(replace(scene, resolution=11, race=replace(scene.race, network=n)))[0]
        for n in (replace(net, initializer=Choice("he_normal")), replace(net, normalize="before"))
    )
    assert he.true[0][-1] < 0.3
    assert bn.true[0][-1] < 0.3
    assert he.z.max() > 20 * bn.z.max(), "walls, and low ones"
