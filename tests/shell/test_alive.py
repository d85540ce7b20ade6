"""Pages with trainings as a visitor finds them: they begin by themselves, and a change trains again."""

import json
import re
from dataclasses import replace

import pytest
from streamlit.elements.widgets.button import ButtonMixin
from streamlit.testing.v1 import AppTest

from optviz.experiments.optimizer_comparison.spec import OptimizerComparison
from optviz.experiments.page import Context
from optviz.experiments.training_charts import compares
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.plot import LIGHT
from optviz.shell.export.menu import charts_html
from optviz.shell.registry import PAGES
from optviz.spec import Choice
from optviz.training import TrainingSettings, load
from optviz.training import scheduler as scheduling
from optviz.training.cost import Pace, cost_of
from optviz.training.scheduler import scheduler
from optviz.ui.components import PageContents
from optviz.ui.form import Form
from optviz.ui.job_runner import amount_of, states_of
from optviz.ui.training import optimizer_menu
from tests import memo
from tests.page import components, go, numbers, open_page, plots, session, sound
from tests.plot.test_changes import merged

KEY = "optimizer_comparison"
TRAINED = [key for key, page in PAGES.items() if any(view.jobs for view in page.views.values())]
SGD = OptimizerConfig(Choice("sgd", {"lr": 0.05}))
SMALL = OptimizerComparison(
    network=Network((64, 10, 10)), iterations=40, batch=16, optimizers=(SGD,)
)
LARGE = replace(SMALL, network=Network((64, 400, 400, 10)), batch=2000, iterations=5000)


@pytest.fixture(autouse=True)
def short_slices(monkeypatch):
    """A run of the page trains for a fifth of the time that it has: nobody here waits for the end of a long one."""
    monkeypatch.setattr(scheduling, "SLICE", scheduling.SLICE / 5)


def results(at):
    return session(at).results[KEY]


def done(at, key=KEY, name=KEY):
    """How many iterations of what the page shows are done."""
    page, S = PAGES[key], session(at)
    jobs = page.view_of(S.specs[key]).jobs(S.specs[key])
    return amount_of(jobs, states_of(S.results[name], jobs)).done


def rested(at):
    for _ in range(50):
        if not results(sound(at)).running:
            return sound(at.run())
        at.run()
    raise AssertionError("the training does not end")


def changed(at, spec):
    session(at).specs[KEY] = spec
    return sound(at.run())


def loss_lines(at):
    """The curves of the loss by uid."""
    figure = next(f for name, f in plots(at).items() if name.endswith("curves-0"))
    return {t["uid"]: t for t in figure["data"] if t["mode"] == "lines"}


def button(at):
    [found] = [b.label for b in at.button if b.key == f"train-{KEY}"]
    return found


@pytest.mark.parametrize("key", TRAINED)
def test_a_page_opens_alive(key):
    page = PAGES[key]
    view = next(name for name, view in page.views.items() if view.jobs)  # not all have any
    scene = page.adjusted(replace(page.opening, view=view)) if len(page.views) > 1 else None
    at = open_page(key, scene, alive=True)
    [(name, held)] = session(at).results.items()
    assert held.running
    assert at.button(key=f"stop-{name}").label == "Stop"
    assert done(sound(at.run()), key, name) > 0


def test_a_cheap_change_trains_by_itself_and_what_was_before_stays_until_the_next():
    at = rested(open_page(KEY, SMALL, alive=True))
    assert done(at) == 40
    first = loss_lines(at)
    assert set(first) == {"r0", "r0r"}, "nothing was there before"
    faster = replace(SGD, method=Choice("sgd", {"lr": 0.2}))
    at = rested(changed(at, replace(SMALL, optimizers=(faster,))))
    second = loss_lines(at)
    assert done(at) == 40
    assert set(second) == {"r0", "r0r", "r0before"}
    assert (numbers(second["r0before"]["y"]) == numbers(first["r0"]["y"])).all()
    assert not second["r0before"]["showlegend"]
    assert "before" in second["r0before"]["hovertemplate"]
    at = rested(changed(at, replace(SMALL, batch=32)))
    third = loss_lines(at)
    assert (numbers(third["r0before"]["y"]) == numbers(second["r0"]["y"])).all()


def test_what_is_kept_stands_beside_what_comes_next_until_it_is_taken_away():
    at = rested(open_page(KEY, SMALL, alive=True))
    first = loss_lines(at)["r0"]["y"]
    at.button(key=f"keep-{KEY}").click().run()
    assert "kept0" not in loss_lines(at), "it is what is there"
    at = rested(changed(at, replace(SMALL, batch=32)))
    assert (numbers(loss_lines(at)["kept0"]["y"]) == numbers(first)).all()
    at.button(key=f"keep-{KEY}").click().run()
    at = rested(changed(at, replace(SMALL, batch=64)))
    lines = loss_lines(at)
    assert (numbers(lines["kept0"]["y"]) == numbers(first)).all()
    assert [lines[f"kept{i}"]["name"] for i in (0, 1)] == ["batch 16", "batch 32"]
    [shown] = [b for b in at.get("button_group") if b.label.startswith("Kept")]
    assert shown.options == ["1: batch 16", "2: batch 32"]
    second, link = lines["kept1"]["y"], components(at, "address")[-1]["link"]
    shown.unselect(0).run()
    left = [t for uid, t in loss_lines(sound(at)).items() if uid in ("kept0", "kept1")]
    assert [(t["name"], t["y"]) for t in left] == [("batch 32", second)]
    # who opens the link finds both, trained anew where nobody has them
    scheduler().shutdown()
    scheduler.cache_clear()
    at = rested(open_page(KEY, alive=True, s=link.removeprefix("?s=")))
    lines = loss_lines(at)
    assert (numbers(lines["kept0"]["y"]) == numbers(first)).all()
    assert lines["kept1"]["y"] == second


SEEDS = replace(SMALL, seeds=(0, 1))


def test_of_several_seeds_median_and_band_are_kept_also_in_the_page_to_take_home():
    at = rested(open_page(KEY, SEEDS, alive=True))
    first = loss_lines(at)
    at.button(key=f"keep-{KEY}").click().run()
    at = rested(changed(at, replace(SEEDS, batch=32)))
    html = charts_html("Which?", session(at).states[PageContents], "light")
    [data] = re.findall(r'id="data">(.*?)</script>', html)
    name = f"{KEY}-curves-0"
    [figure] = [p["data"] for p in json.loads(data) if p["data"].get("name") == name]
    traces = {trace["uid"]: trace for trace in figure["data"]}
    of_first = [uid for uid in first if uid.startswith("r0")]
    kept = [uid for uid in traces if uid.startswith("kept0")]
    assert {uid.removeprefix("kept0") for uid in kept} >= {
        uid.removeprefix("r0") for uid in of_first
    }
    assert traces["kept0"]["name"] == "batch 16"
    assert (numbers(traces["kept0"]["y"]) == numbers(first["r0"]["y"])).all()


def test_every_seed_of_a_branch_leaves_the_same_seed_of_its_parent():
    at = rested(open_page(KEY, SEEDS, alive=True))
    at = rested(fork(at, 10).run())
    parent, branch = session(at).specs[KEY].optimizers
    fast = replace(branch, method=Choice("sgd", {"lr": 0.5}))
    at = rested(changed(at, replace(SEEDS, optimizers=(parent, fast))))
    last = [results(at).states[key] for key in results(at).seen][-4:]
    losses = {(s.training.optimizer == fast, s.training.seeds[0]): s.loss for s in last}
    for seed in (0, 1):
        old, new = losses[False, seed], losses[True, seed]
        assert (new[:11] == old[:11]).all()
        assert (new[11:] != old[11:]).all()
    assert (losses[True, 0][:10] != losses[True, 1][:10]).all()


def test_what_is_kept_is_in_the_file_of_the_curves():
    page, [training] = PAGES[KEY], SMALL.trainings
    states = [memo.trained(training, load(training))]
    alone = Context(page, SMALL, states, LIGHT)
    beside = replace(alone, kept_lines=[alone.lines[0]._replace(name="batch 16")])
    [download] = page.views[""].downloads
    one, both = (download.make(context).splitlines() for context in (alone, beside))
    assert both[: len(one)] == one
    assert both[len(one) :] == [row.replace("SGD,", "batch 16,") for row in one[1:]]


def test_a_dear_change_waits_and_says_how_long_it_takes():
    at = rested(open_page(KEY, SMALL, alive=True))
    at = changed(at, LARGE)
    assert not results(at).running
    assert "about" in button(at)
    assert done(at) == 0
    assert "r0before" in loss_lines(at), "the curves that were there"


def test_what_a_person_has_stopped_or_reset_begins_only_when_asked():
    at = open_page(KEY, replace(SMALL, iterations=5000), alive=True)
    at.button(key=f"stop-{KEY}").click().run()
    stopped = done(at)
    assert button(at) == "Resume"
    assert done(sound(at.run())) == stopped
    assert done(changed(at, SMALL)) in (0, 40)
    assert not results(at).running
    at = changed(at, replace(SMALL, batch=20))
    assert (results(at).running, done(at), button(at)) == (False, 0, "Train")
    at = rested(at.button(key=f"train-{KEY}").click().run())
    assert done(at) == 40
    at.button(key=f"reset-{KEY}").click().run()
    assert (results(at).running, done(sound(at.run()))) == (False, 0)


def test_what_others_have_trained_stands_at_once():
    rested(open_page(KEY, SMALL, alive=True))
    at = open_page(KEY, SMALL, alive=True)
    assert not results(at).running
    assert loss_lines(at)["r0"]["y"]


def test_a_network_costs_what_its_products_say_and_the_server_sets_that_right():
    training = TrainingSettings(network=Network((10, 100, 10)), batch=100, iterations=1000)
    one = cost_of(training.training(SGD, seeds=(0,)))
    ten = cost_of(training.training(SGD, seeds=tuple(range(10))))
    assert ten - 0.3 == pytest.approx(10 * (one - 0.3)), "0.3 ms an update stay as they are"
    # 2110 parameters, each in 3 × 100 products, 20 of the optimizer, (1500 + 1000) / 25 of measuring
    assert one == pytest.approx(0.3 + 1000 * 2110 * 420 / 4e9)
    pace = Pace()
    for _ in range(40):
        pace.learn(2.0, 5.0)
    assert pace.seconds([2.0, 2.0, 4.0], 2) == pytest.approx(2.5 * 4.0, rel=1e-3)


def fork(at, step=None):
    """Fork the first optimizer at an iteration, by its popover."""
    at.session_state[session(at).key(f"{KEY}-optimizers-0-of-1-settings")] = True
    at.run()
    if step:
        next(n for n in at.number_input if n.label == "Fork at iteration").set_value(step)
    return next(b for b in at.button if b.label == "Fork").click()


def test_a_training_forks_where_it_is_and_both_branches_stay():
    at = open_page(KEY, replace(SMALL, iterations=2000), alive=True)
    assert 0 < results(at).states[next(iter(results(at).seen))].iteration < 2000
    fork(at).run()
    forked = session(at).specs[KEY].optimizers[1].fork
    assert forked.parent == SGD
    assert 0 < forked.step < 2000
    assert forked.step % 20 == 0, "where it was measured"
    found = results(sound(at))
    done = [state.done for state in found.states.values()]
    assert found.running or (len(done) > 1 and all(done)), "what was under way goes on"


def test_the_branch_of_a_complete_training_goes_its_own_way_from_the_fork_on():
    at = rested(open_page(KEY, SMALL, alive=True))
    at = rested(fork(at, 10).run())
    spec = session(at).specs[KEY]
    slow, fast = spec.optimizers
    assert fast.fork.step == 10
    before = loss_lines(at)
    assert numbers(before["r1"]["y"]) == pytest.approx(numbers(before["r0"]["y"]))
    fast = replace(fast, method=Choice("sgd", {"lr": 0.5}))
    at = rested(changed(at, replace(spec, optimizers=(slow, fast))))
    after = loss_lines(at)
    assert after["r1"]["name"] == "SGD from step 10"
    own, parent = (results(at).states[key].loss for key in list(results(at).seen)[-1:-3:-1])
    assert (own[:11] == parent[:11]).all()
    assert (own[11:] != parent[11:]).all()


def test_a_click_that_is_told_of_twice_while_a_training_is_drawn_counts_once(monkeypatch):
    own = ButtonMixin._button

    def twice(self, *args, on_click=None, **more):
        if callable(on_click):
            once, values = on_click, more.pop("args", None) or ()
            on_click = lambda: (once(*values), once(*values))  # noqa: E731
        return own(self, *args, on_click=on_click, **more)

    monkeypatch.setattr(ButtonMixin, "_button", twice)
    at = open_page(KEY, replace(SMALL, iterations=2000), alive=True)
    at.button(key=session(at).key(f"{KEY}-optimizers-0-of-1-settings") + "-button").click().run()

    def click(label):
        next(b for b in at.button if b.label == label).click().run()
        return len(session(sound(at)).specs[KEY].optimizers)

    assert click("Fork") == 2
    assert click("Add an optimizer") == 3
    at.session_state[session(at).key(f"{KEY}-optimizers-0-of-3-settings")] = True
    at.run()
    assert click("Remove SGD") == 2


def test_a_menu_that_says_what_is_there_already_leaves_the_rate(monkeypatch):
    held = {KEY: replace(SMALL, optimizers=(OptimizerConfig(Choice("sgd", {"lr": 0.3})),))}
    form = Form(KEY, lambda: held[KEY], lambda spec: held.update({KEY: spec}), SMALL)
    for said, left in (("sgd", {"lr": 0.3}), ("adam", {"lr": 0.001})):
        monkeypatch.setattr(optimizer_menu, "select", lambda *a, said=said, **k: a[3](said))
        optimizer_menu.optimizer_menu(form.at("optimizers", 0), SMALL.network)
        assert held[KEY].optimizers[0].method == Choice(said, left)


CURVES = [(p.key, name) for p in PAGES.values() for name, v in p.views.items() if compares(v)]


@pytest.mark.parametrize(("key", "view"), CURVES)
def test_every_page_with_these_curves_keeps_them(key, view):
    page = PAGES[key]
    examples = "batch" if hasattr(page.opening, "batch") else "points"
    spec = replace(page.opening, iterations=30, **{examples: 16})  # no page trains for less
    if isinstance(spec, TrainingSettings):
        first, *hidden, last = spec.network.sizes
        narrow = replace(spec.network, sizes=(first, *[10 for _ in hidden], last))
        spec = replace(spec, network=narrow)
    if len(page.views) > 1:
        spec = replace(spec, view=view)
    at = open_page(key, page.adjusted(spec), alive=True)
    [(name, held)] = session(at).results.items()

    def rested():
        for _ in range(200):
            if not held.running:
                return sound(at.run())
            while scheduler().dispatch():  # all of it between two pictures
                pass
            at.run()
        raise AssertionError("the training does not end")

    rested().button(key=f"keep-{name}").click().run()
    session(at).specs[key] = page.adjusted(replace(spec, **{examples: 17}))
    at.run()
    [shown] = [b for b in rested().get("button_group") if b.label.startswith("Kept")]
    assert f"{examples} 16" in shown.options[0]


def at_iteration(n):
    training = replace(SMALL.trainings[0], iterations=n)
    return Context(PAGES[KEY], SMALL, [memo.trained(training, load(training))], LIGHT)


def grown():
    """The open tab at 10 iterations, and what is then sent: nothing new, 20, again, 40 of them."""
    import streamlit as st

    from optviz.shell.parts import growing, tabs
    from optviz.ui.channel import browser
    from optviz.ui.components import page_contents
    from tests.shell.test_alive import KEY, PAGES, at_iteration

    tabs(at_iteration(10), PAGES[KEY].views[""])
    news = []
    for n in (10, 20, 20, 40):
        news.append(growing(at_iteration(n)))
        browser().set_drawn(
            {key: picture.version for key, picture in page_contents().pictures.items()}
        )
    st.session_state["news"], st.session_state["now"] = news, page_contents().pictures


def test_only_what_is_new_in_the_curves_is_sent_while_they_grow():
    at = sound(AppTest.from_function(grown).run())
    still, first, again, second = at.session_state["news"]
    curves = {f"{KEY}-curves-{i}" for i in (0, 1)}
    assert (still, again) == ({}, {})
    assert set(first) == set(second) == curves, "not what is another one as a whole, nor tables"
    shown = plots(at)
    for key in curves:
        assert first[key]["since"] == shown[key]["version"]
        assert second[key]["since"] == first[key]["version"]
        figure = at.session_state["now"][key].figure
        last = merged(merged(shown[key], first[key]), second[key])
        assert (last["data"], last["layout"]) == (figure["data"], figure["layout"])


def test_a_page_that_is_left_waits_for_nothing_more():
    scheduler().shutdown()
    scheduler.cache_clear()
    at = open_page(KEY, replace(SMALL, iterations=5000), alive=True)
    assert scheduler().visitors == 1
    go(at, "regularization")
    sound(at.run())
    assert [held.running for held in session(at).results.values()] == [True, True]
    assert scheduler().visitors == 1, "the other page's"
