"""The loss landscape: its page once through, its figures, words and files, and what the lessons say."""

from dataclasses import replace

import numpy as np
import pytest

from optviz.experiments.loss_landscape import figures, text
from optviz.experiments.loss_landscape import run as core
from optviz.experiments.loss_landscape.page import PAGE
from optviz.experiments.loss_landscape.planes import pca_plane
from optviz.experiments.loss_landscape.spec import LossLandscape, centered
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.plot import LIGHT, method_styles, to_plotly
from optviz.shell.lessons import LESSONS
from optviz.spec import Choice
from optviz.training import Split, load, scheduler, train
from tests import memo
from tests.page import (
    at_rest,
    components,
    csv_rows,
    labeled,
    numbers,
    open_page,
    panels,
    plots,
    session,
    sound,
    trained,
)
from tests.page import text as words

SGD = OptimizerConfig(Choice("sgd", {"lr": 0.1}))
ADAM = OptimizerConfig(Choice("adam", {"lr": 0.005}))
SMALL = LossLandscape(
    Network((64, 12, 10)),
    optimizers=(SGD, ADAM),
    iterations=40,
    batch=32,
    resolution=11,
    n_samples=100,
)
CONTOUR, SOLID, ALONG = (f"loss_landscape-pictures-0-{k}" for k in ("0-0", "0-1", "1"))


def surfaces(at):
    """What the session holds of loss surfaces."""
    return [
        state
        for state in session(at).results["loss_landscape"].states.values()
        if isinstance(state, core.LossSurface)
    ]


def computed(spec):
    """The surface without the page."""
    data = load(spec.trainings[0])
    surface = core.begin(spec, core.paths_of([memo.trained(t, data) for t in spec.trainings]))
    while not surface.complete:
        surface = core.advance(surface, data)
    return surface, data


@pytest.fixture(scope="module")
def small():
    return computed(SMALL)[0]


def test_the_page_trains_goes_on_to_the_plane_and_shows_it():
    at = open_page("loss_landscape", SMALL)
    assert session(at).specs["loss_landscape"] == SMALL
    assert list(plots(at)) == ["loss_landscape-curves-0", "loss_landscape-curves-1"]
    assert {"Plane", "SGD", "Adam", "Start"} <= set(panels(at))
    at = trained(at, "loss_landscape")
    [surface] = surfaces(at)
    assert list(plots(at)) == [CONTOUR, ALONG]
    assert components(at, "player")[0]["steps"] == 8
    assert "Around the middle the loss" in words(at)
    assert not at.error

    at.session_state["folded-loss_landscape-Landscape-3"] = True
    sound(at.run())
    assert len(plots(at)) == 4, "how they trained is still there"
    picture = next(g for g in at.get("button_group") if "Surface" in str(g.proto))
    picture.set_value("surface").run()
    assert [c["name"] for c in components(at, "surface")] == [SOLID]
    low = components(at, "surface")[0]["data"][0]["z"]
    at.toggle(key="loss_landscape-true-False").set_value(True).run()
    assert components(at, "surface")[0]["data"][0]["z"] != low
    assert surfaces(at) == [surface], "what is only shown otherwise is not computed anew"

    paths = {id(path.params) for path in surface.paths}
    menu = labeled(at.selectbox, "Plane")
    menu.set_value("random").run()
    at_rest(at, "loss_landscape")
    assert session(at).specs["loss_landscape"].margin == 1.0
    assert "Two random directions" in words(at)
    declared = {k["name"]: k for k in panels(at)["Plane"]["hyperparameters"]}
    assert set(declared) == {"margin", "resolution", "n_samples", "seed"}
    assert declared["margin"]["default"] == 1.0
    first, second = surfaces(at)
    assert first is surface
    assert {id(path.params) for path in second.paths} == paths, "the planes share the paths"


def test_it_can_be_stopped_on_the_way_and_goes_on(monkeypatch):
    at = trained(open_page("loss_landscape", SMALL), "loss_landscape")
    monkeypatch.setattr(scheduler, "SLICE", 0.02)
    monkeypatch.setattr(core, "MAX_NUMBERS", 10**5)
    session(at).specs["loss_landscape"] = replace(SMALL, resolution=101, n_samples=1500)
    at.run()
    at.button(key="stop-loss_landscape").click().run()
    before = surfaces(at)[-1]
    sound(at.run())
    assert 0 < before.done == surfaces(at)[-1].done < len(before.loss)
    at.button(key="train-loss_landscape").click().run()
    assert surfaces(at)[-1].done > before.done


def test_without_a_plane_it_says_why_and_keeps_the_curves():
    wild = OptimizerConfig(Choice("sgd", {"lr": 10.0}))
    network = Network((64, 50, 50, 50, 50, 10))
    at = open_page("loss_landscape", replace(SMALL, optimizers=(wild, ADAM), network=network))
    at = trained(at, "loss_landscape")
    assert any("SGD diverged at iteration" in i.value for i in at.info)
    assert "loss_landscape-curves-0" in plots(at), "nothing is lost"
    next(s for s in at.selectbox if s.label.startswith("Plane centered")).set_value(1).run()
    at_rest(at, "loss_landscape")
    assert CONTOUR in plots(at)
    assert not at.error


@pytest.mark.parametrize(
    "change",
    [
        {"network": Network((64, 10)), "optimizers": (SGD,), "iterations": 10, "resolution": 5},
        {
            "plane": "random",
            "network": Network((64, *[12] * 8, 10), normalize="after", dropout=0.5),
        },
        {"network": Network((64, 12, 12, 10), initializer=Choice("normal", {"sigma": 0.0}))},
        {"network": Network((64, 12, 10), initializer=Choice("normal", {"sigma": 100.0}))},
        {"n_samples": 1, "resolution": 6, "batch": 1, "middle": 1},
        {
            "network": Network((2, 8, 3), Choice("tanh")),
            "dataset": Choice("spirals", {"arms": 3}),
            "split": Split(150),
        },
    ],
)
def test_extreme_settings_are_drawn_and_told(change):
    spec = replace(SMALL, **change)
    surface, data = computed(spec)
    for log in (None, True, False):
        to_plotly(figures.over_plane(surface, LIGHT, log))
        to_plotly(figures.in_space(surface, LIGHT, log, true=bool(log)))
    to_plotly(figures.along_paths(surface, LIGHT))
    assert len(text.ends(surface, LIGHT).rows) == len(spec.optimizers)
    assert "**" in text.directions(surface)
    assert text.bowl(surface, core.curvature(surface, data), core.sharpness(surface, data))


def test_the_contour_shows_the_grid_and_the_paths(small):
    figure = figures.over_plane(small, LIGHT, log=False)
    [under] = figure.under[1]()["data"]
    assert np.array_equal(numbers(under["z"]), small.z.astype(np.float32))
    assert under["colorbar"]["title"]["text"] == "loss"
    lines = {t["name"]: t for t in to_plotly(figure)["data"] if t["mode"] == "lines"}
    for track in small.tracks:
        assert numbers(lines[track.name]["x"]) == pytest.approx(track.points[:, 0])
        assert numbers(lines[track.name]["y"]) == pytest.approx(track.points[:, 1])
    assert lines["SGD"]["hovertext"][-1].startswith("SGD, iteration 40<br>loss ")
    assert figure.x.title.startswith("along the paths’ first direction (")
    rows = text.ends(small, LIGHT).rows
    assert [(row[0], row[1], row[-1]) for row in rows] == [
        ("SGD", 40, "in the middle of the plane"),
        ("Adam", 40, "trained"),
    ]
    assert rows[0][4] == 0.0
    along = {t["uid"]: t for t in to_plotly(figures.along_paths(small, LIGHT))["data"]}
    assert numbers(along["l1"]["y"]) == pytest.approx(small.tracks[1].true)
    assert numbers(along["l1p"]["y"]) == pytest.approx(small.tracks[1].below)


def test_the_middle_is_there_and_paths_that_do_not_move_have_no_plane():
    assert centered(replace(SMALL, middle=5)).middle == 1
    assert centered(replace(SMALL, optimizers=())).middle == 0
    data = load(SMALL.trainings[0])
    begun = [next(iter(train(replace(t, iterations=0), data))) for t in SMALL.trainings[:1]]
    alone = replace(SMALL, optimizers=(SGD,))
    job = core.SurfaceJob(alone, core.paths_of(begun), lambda: data)
    assert job.begin() == core.NoSurface()
    assert job.progress(job.begin()).complete
    assert "do not move" in text.no_surface(alone, job.begin())
    once = OptimizerConfig(SGD.method, (), {"lr": Choice("linear", {"steps": 1, "floor": 0.0})})
    straight, _ = computed(replace(SMALL, optimizers=(once,)))
    assert straight.shares == pytest.approx([1, 0], abs=1e-9)
    assert "straight" in text.directions(straight)


def test_the_grid_and_the_paths_as_csv(small):
    grid = csv_rows(figures.grid_csv(small))
    assert len(grid) == 121
    found = [float(grid[13][k]) for k in ("first", "second", "loss")]
    assert found == [small.x[2], small.y[1], small.z[1, 2]]
    rows = csv_rows(figures.paths_csv(small))
    assert len(rows) == 18
    assert (rows[-1]["optimizer"], rows[-1]["iteration"]) == ("Adam", "40")
    assert float(rows[-1]["loss"]) == small.tracks[1].true[-1]
    assert float(rows[-1]["loss_on_plane"]) == small.tracks[1].below[-1]
    assert float(rows[-1]["distance_from_plane"]) == small.tracks[1].off[-1]


def test_a_plane_that_is_flat_but_for_rounding_is_drawn_flat():
    z = 2.3 + 1e-7 * np.random.default_rng(0).standard_normal((5, 5))
    assert text.flat(z)
    assert not text.flat(np.array([[2.30, 2.31]]))
    assert not text.flat(np.full((2, 2), np.nan))
    surface, _ = computed(replace(LESSONS["flat-plain"].scene, resolution=5, n_samples=50))
    assert np.ptp(figures.landscape(surface).z) == 0
    assert "the same everywhere" in text.directions(surface)


@pytest.mark.parametrize(
    ("curvature", "says"),
    [
        ((4.0, 0.5), "condition number 8"),
        ((4.0, -0.5), "not a bowl"),
        ((-1.0, -2.0), "does not curve upward at all"),
        ((np.nan, np.nan), "not finite"),
    ],
)
def test_what_is_said_of_the_curvature(small, curvature, says):
    said = text.bowl(small, core.Curvature(*curvature), 8.0)
    assert says in said
    if np.isfinite(curvature[0]):
        assert "2/8 = 0.25" in said
        assert "SGD here has 0.1" in said


def test_directions_of_zero_length_are_no_plane():
    """Zeros with ReLU stay zeros, to which random directions are scaled; the loss is finite."""
    zeros = replace(SMALL.network, initializer=Choice("zeros"))
    surface, data = computed(replace(SMALL, network=zeros, plane="random"))
    assert np.isfinite(surface.loss).all()
    said = text.bowl(surface, core.curvature(surface, data), core.sharpness(surface, data))
    assert "span no plane" in said


def test_a_thumbnail_shows_the_plane_and_every_path():
    for spec in (SMALL, replace(SMALL, plane="random")):
        svg = PAGE.thumbnail_svg(spec, LIGHT)
        assert all(look.color in svg for look in method_styles(spec.optimizers, LIGHT))
        assert "<image" in svg
    wild = OptimizerConfig(Choice("sgd", {"lr": 10.0}))
    diverged = replace(SMALL, optimizers=(wild,), network=Network((64, *[50] * 4, 10)))
    assert "<image" not in PAGE.thumbnail_svg(diverged, LIGHT)
    assert PAGE.thumbnail_svg(replace(SMALL, optimizers=()), LIGHT)


def test_what_the_lessons_say():
    """In what is shown and in Try next."""
    scene = LESSONS["loss-landscape"].scene
    now, data = computed(scene)
    sgd, momentum, adam = (p.params for p in now.paths)
    assert np.linalg.norm(sgd[10] - momentum[10]) < 0.5 * np.linalg.norm(sgd[10] - adam[10])
    assert core.curvature(now, data).condition > 10, "many times as much across as along"
    for end in (sgd[-1], momentum[-1]):
        line = end + np.linspace(0, 1, 21)[:, None] * (adam[-1] - end)
        found = core.losses(scene.network, line, data, 500)
        assert found.max() < found[0] + 0.02, "hardly a wall"
    assert now.tracks[0].true[0] > now.tracks[0].below[0] + 0.3, (
        "the picture is not where they were"
    )

    scene = LESSONS["random-directions"].scene
    for seed in (0, 1):
        now, data = computed(replace(scene, seed=seed, resolution=11))
        bend = core.curvature(now, data)
        assert 1 <= bend.condition < 6
        assert bend.largest <= core.sharpness(now, data), (
            "no direction is sharper than the sharpest"
        )
        assert now.z.min() == pytest.approx(now.tracks[0].true[-1], abs=0.01)
        assert now.shares.sum() < 0.001

    scene = LESSONS["arcs"].scene
    momentum = (OptimizerConfig(Choice("momentum", {"lr": 0.01})),)
    walk = np.random.default_rng(0).standard_normal((600, 3000)).cumsum(0)[::10]
    plane = pca_plane(walk[-1], walk)
    arcs = [(plane.coordinates(walk), plane.shares(walk))]
    for spec in (
        scene,
        replace(scene, optimizers=momentum),
        replace(scene, optimizers=momentum, seeds=(1,)),
    ):
        now, _ = computed(replace(spec, resolution=5))
        arcs.append((now.tracks[0].points, now.shares))
    for path, shares in arcs:
        assert shares[0] > 0.55
        chord = path[0, 1] + (path[-1, 1] - path[0, 1]) * np.linspace(0, 1, len(path))
        bulge = (path[:, 1] - chord)[len(path) // 4 : len(path) // 2]
        assert abs(bulge.mean()) > 0.1 * np.ptp(path[:, 1]), "an arc"

    scene = LESSONS["flat-plain"].scene
    flat, _ = computed(replace(scene, resolution=11))
    assert text.flat(flat.z)
    assert flat.z.mean() == pytest.approx(np.log(10), abs=0.01), "guessing among ten"
    net = scene.network
    he, bn = (
        computed(replace(scene, resolution=11, network=n))[0]
        for n in (replace(net, initializer=Choice("he_normal")), replace(net, normalize="before"))
    )
    assert he.tracks[0].true[-1] < 0.3
    assert bn.tracks[0].true[-1] < 0.3
    assert he.z.max() > 20 * bn.z.max(), "walls, and low ones"
