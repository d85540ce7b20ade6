"""Inside, fork, predict, lessons, share and take home in AppTest: what the page says and does, without a browser."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from optviz import (
    FUNCTIONS,
    OPTIMIZERS,
    WRAPPERS,
    minimize,
)
from optviz.experiments.trajectories import predict
from optviz.experiments.trajectories.predict import (
    NOBODY,
    WHERE,
    WHO,
    Round,
    judged,
)
from optviz.experiments.trajectories.spec import (
    BOOK,
    Choice,
    Objective,
    Scene,
    run,
)
from optviz.experiments.trajectories.step_inspector.figures import arrows, charts, own_state
from optviz.experiments.trajectories.view import View
from optviz.optim.config import Fork, OptimizerConfig
from optviz.plot.contour import FAR
from optviz.plot import LIGHT, to_plotly
from optviz.shell.export import menu as takehome
from optviz.shell.export import offline
from optviz.shell.lessons import LESSONS
from optviz.shell.share import Controls, Shared, encode
from tests.experiments.trajectories.test_page import one, show
from tests.page import (
    APP,
    components,
    contour,
    curves,
    drawn,
    go,
    numbers,
    open_app,
    panels,
    session,
)


def opened_with(**query):
    at = AppTest.from_file(str(APP), default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception, [e.message for e in at.exception]
    return at


def look_inside(at):
    at.session_state["beside"] = "Inside a step"
    at.run()
    assert not at.exception, [e.message for e in at.exception]
    return at


class TestInside:
    @pytest.mark.parametrize("key", OPTIMIZERS)
    def test_every_optimizer_is_looked_into_by_its_own_declaration(self, key):
        at = look_inside(show(open_app(), one(key)))
        equations = [m.value for m in at.markdown if "aligned" in m.value]
        assert equations, "its equations with numbers"
        path = minimize(FUNCTIONS["bowl"], OPTIMIZERS[key](), (-7, 2), 30)
        assert all("nan" not in e or key in ("bfgs", "lbfgs") for e in equations)
        at.session_state["inside-shown"] = "Over time"
        at.run()
        panels_shown = {t["yaxis"] for t in components(at, "plot")[1]["data"]}
        assert len(panels_shown) == 1 + len([n for n in OPTIMIZERS[key]().state_names if n in path.state]), (
            "and the effective rate"
        )

    @pytest.mark.parametrize("wrapper", WRAPPERS)
    def test_wrappers_too(self, wrapper):
        at = look_inside(show(open_app(), Scene(Objective(), (OptimizerConfig(Choice("adam"), (Choice(wrapper),)),))))
        assert any("aligned" in m.value for m in at.markdown)

    def test_the_arrows_add_up(self):
        """Momentum: what is brought along, times μ, and the rate against the gradient make the step."""
        path = run(BOOK.objective, BOOK.optimizers[1])
        drawn = {v["label"]: np.stack([numbers(v["dx"]), numbers(v["dy"])], -1) for v in arrows(path, LIGHT)["vectors"]}
        assert drawn["step"] == pytest.approx(0.9 * drawn["v"] + 0.1 * drawn["−∇f"], abs=1e-12)

    def test_the_effective_rate_of_sgd_is_its_rate(self):
        figure = to_plotly(charts(run(BOOK.objective, BOOK.optimizers[0]), LIGHT))
        y = numbers(next(t for t in figure["data"] if t["mode"] == "lines")["y"])
        assert y[:-1] == pytest.approx(0.95, rel=1e-9)
        assert np.isnan(y[-1]), "after the last step there is none"

    def test_a_path_that_has_ended(self):
        at = show(
            open_app(), Scene(Objective("formula", "log(x) + y**2", start=(2.0, 1.0)), (OptimizerConfig(Choice("sgd", {"lr": 1.0})),))
        )
        at = look_inside(at)
        assert any("has ended before step" in m.value for m in at.markdown)

    def test_without_optimizers(self):
        at = look_inside(show(open_app(), Scene(Objective(), ())))
        assert any("no optimizer to look into" in m.value for m in at.markdown)


class TestFork:
    def test_the_page_says_what_was_brought_along(self):
        adam = BOOK.optimizers[3]
        kept = replace(adam, method=Choice("adam", {"lr": 1.0}), fork=Fork(adam, 12))
        fresh = OptimizerConfig(Choice("momentum"), fork=Fork(adam, 12))
        at = show(open_app(), replace(BOOK, optimizers=(adam, kept, fresh)))
        text = " ".join(c.value for c in at.caption)
        assert "**Adam from step 12** branches off Adam at step 12, with the state of the path that it left" in text
        assert "**Momentum from step 12** branches off Adam at step 12, afresh" in text
        before, after = drawn(contour(at), "Adam"), drawn(contour(at), "Adam from step 12")
        assert np.array_equal(before[:13], after[:13])
        assert not np.array_equal(before, after)

    def test_a_fork_beyond_the_end_says_so(self):
        scene = replace(BOOK, optimizers=(replace(BOOK.optimizers[0], fork=Fork(BOOK.optimizers[0], 40)),))
        assert "would branch off at step 40" in " ".join(c.value for c in show(open_app(), scene).caption)

    def test_starts_are_counted_where_they_end(self):
        scene = Scene(
            Objective("himmelblau", start=(0.0, 0.0), steps=300), (OptimizerConfig(Choice("sgd", {"lr": 0.01}), initial_points=Choice("grid")),)
        )
        at = show(open_app(), scene)
        text = " ".join(c.value for c in at.caption)
        counts = [int(n) for n in re.findall(r"(\d+) at \(", text)]
        assert "from 25 more starts" in text
        assert sum(counts) == 25
        assert len(counts) == 4, "all four valleys are found"

    def test_a_branch_of_another_method_shows_nothing_of_the_one_before(self):
        """Adam's v is a mean square, Momentum's a velocity."""
        branch = OptimizerConfig(Choice("momentum", {"lr": 0.1}), fork=Fork(BOOK.optimizers[3], 10))
        held = own_state(run(BOOK.objective, branch))
        assert np.isnan(held["v"][:10]).all()
        assert np.isfinite(held["v"][10:]).all()
        warm_started = own_state(run(BOOK.objective, replace(BOOK.optimizers[3], fork=Fork(BOOK.optimizers[3], 10))))
        assert np.isfinite(warm_started["v"]).all(), "the same method goes on with what it had"

    def test_who_runs_away_draws_no_line_back_across_the_picture(self):
        at = show(open_app(), Scene(Objective("rosenbrock", start=(-1.2, 1.0)), (OptimizerConfig(Choice("sgd", {"lr": 0.1})),)))
        points = drawn(contour(at), "SGD")
        (x0, x1), (y0, y1) = FUNCTIONS["rosenbrock"].domain
        far = np.abs((points - [(x0 + x1) / 2, (y0 + y1) / 2]) / [x1 - x0, y1 - y0]).max(-1) > 0.99 * FAR
        assert far.any()
        assert not (far[1:] & far[:-1]).any(), "two far points in a row would be joined through the middle"


class TestPredict:
    ids = ("a", "b", "c", "d")

    def test_points_fall_with_the_distance(self):
        end = run(BOOK.objective, BOOK.optimizers[0]).points[-1]
        frame = np.array([20.0, 10.0])
        for share, points in ((0.0, 10), (0.05, 8), (0.125, 5), (0.25, 0), (3.0, 0)):
            guess = tuple(end + share * frame * (1, 0))
            got, verdict = judged(BOOK, list(self.ids), Round(WHERE, "a", point=guess))
            assert got == points
            assert "SGD is at (−0.3504, 0.08478)" in verdict

    def test_who_arrives_first(self):
        assert judged(BOOK, list(self.ids), Round(WHO, "a", pick="c")) == (
            10, "Right: AdaGrad, at step 29, came within 0.001 of the minimum first.",
        )  # fmt: skip
        assert judged(BOOK, list(self.ids), Round(WHO, "a", pick="a"))[0] == 0

    def test_nobody_may_be_right(self):
        nobody = Scene(Objective(steps=3), BOOK.optimizers)
        assert judged(nobody, list(self.ids), Round(WHO, "a", pick=NOBODY))[0] == 10
        assert judged(nobody, list(self.ids), Round(WHO, "a", pick="c"))[0] == 0

    def test_a_draw_is_won_by_both(self):
        twins = Scene(BOOK.objective, (BOOK.optimizers[2], BOOK.optimizers[2]))
        for pick in "ab":
            points, verdict = judged(twins, ["a", "b"], Round(WHO, "a", pick=pick))
            assert points == 10
            assert "AdaGrad #1 and AdaGrad #2" in verdict

    def test_a_path_that_diverged_is_judged_by_its_last_point(self):
        scene = Scene(Objective(steps=2000), (OptimizerConfig(Choice("sgd", {"lr": 10.0})),))
        points, verdict = judged(scene, ["a"], Round(WHERE, "a", point=(0.0, 0.0)))
        assert points == 0
        assert "nan" not in verdict

    def test_it_is_the_race_that_was_run_that_counts(self):
        at = open_app()
        at.button(key="predict-begin").click().run()
        end = tuple(run(BOOK.objective, BOOK.optimizers[0]).points[-1])
        session(at).round = replace(session(at).round, point=end, land=BOOK.objective.landscape_key())
        at.run()
        at.button(key="reveal").click().run()
        assert at.button(key="again").disabled, "no way out of a bad guess"
        other = replace(BOOK.optimizers[0], method=Choice("sgd", {"lr": 0.01}))
        session(at).specs["trajectories"] = replace(BOOK, optimizers=(other, *BOOK.optimizers[1:]))
        at.run()
        points, _ = judged(session(at).round.scene, list(session(at).round.ids), session(at).round)
        assert points == 10

    def test_a_place_on_another_function_is_no_answer(self):
        at = open_app()
        at.button(key="predict-begin").click().run()
        session(at).round = replace(session(at).round, point=(0.0, 0.0), land=BOOK.objective.landscape_key())
        at.run()
        assert not at.button(key="reveal").disabled
        at.selectbox(key=f"function-{session(at).epoch}").set_value("himmelblau").run()
        assert at.button(key="reveal").disabled

    def test_the_next_question_is_another_one(self):
        at = open_app()
        at.button(key="predict-begin").click().run()
        session(at).round = replace(session(at).round, revealed="x", points=3, verdict="so.")
        at.run()
        at.button(key="again").click().run()
        assert session(at).round.about == session(at).ids[1]
        assert session(at).specs["trajectories"].objective.start != BOOK.objective.start

    def test_while_the_question_stands_the_page_tells_nothing(self):
        at = open_app()
        at.button(key="predict-begin").click().run()
        assert contour(at)["sealed"]
        assert curves(at)["sealed"]
        assert contour(at)["clicks"] == "guess"
        assert at.button(key="reveal").disabled
        at.session_state["take-home"] = True
        at = look_inside(at)
        assert not at.get("download_button")
        assert not any("aligned" in m.value for m in at.markdown)
        session(at).round = replace(
            session(at).round, point=(0.0, 0.0), land=session(at).specs["trajectories"].objective.landscape_key()
        )
        at.run()
        at.button(key="reveal").click().run()
        assert not contour(at)["sealed"]
        assert components(at, "player")[0]["play"] == session(at).round.revealed
        at.button(key="stop-predicting").click().run()
        assert session(at).round is None

    def test_the_score_runs_on(self):
        at = open_app()
        at.button(key="predict-begin").click().run()
        for point in ((0.0, 0.0), (5.0, 5.0)):
            session(at).round = Round(
                WHERE, session(at).ids[0], point, revealed="x", points=5 if point[0] else 9, verdict="so."
            )
            session(at).score = (9,) if not point[0] else (9, 5)
            at.run()
        assert any("Score: **14** of 20 in 2 rounds" in m.value for m in at.markdown)
        assert not at.exception

    def test_the_optimizer_that_was_asked_about_is_removed(self):
        at = open_app()
        at.button(key="predict-begin").click().run()
        about = session(at).round.about
        at.session_state[f"settings-{about}"] = True
        at.run()
        at.button(key=f"remove-{about}").click().run()
        assert not at.exception
        assert session(at).round.about in session(at).ids
        assert predict.BEST == 10


class TestLessons:
    def test_the_gallery_shows_every_lesson(self):
        at = AppTest.from_string("from optviz.shell.lesson_card import gallery\ngallery()", default_timeout=60).run()
        assert not at.exception
        assert {b.label for b in at.button} == {lesson.title for lesson in LESSONS.values()}
        assert len([h for h in at.get("html") if "data:image/svg+xml" in h.value]) == len(LESSONS)

    def test_before_next_reset_close(self):
        first, second, *_ = LESSONS
        at = opened_with(lesson=first)
        assert at.button(key="lesson-Before").disabled
        at.button(key="lesson-Next").click().run()
        assert session(at).lesson == second
        session(at).specs["trajectories"] = replace(session(at).specs["trajectories"], tolerance=0.5)
        at.run()
        at.button(key="lesson-reset").click().run()
        assert session(at).specs["trajectories"] == LESSONS[second].scene
        at.button(key="lesson-close").click().run()
        assert not any("Look for" in m.value for m in at.markdown)
        assert session(at).specs["trajectories"] == LESSONS[second].scene

    def test_a_changed_lesson_is_shared_with_its_card(self):
        scene = replace(LESSONS["zigzag"].scene, tolerance=0.01)
        at = opened_with(lesson="zigzag", s=encode(Shared(scene)))
        assert session(at).specs["trajectories"] == scene
        assert session(at).lesson == "zigzag"
        assert components(at, "address")[0]["link"].endswith("&lesson=zigzag")


class TestShare:
    def test_the_link_on_the_page_opens_the_same_scene(self):
        scene = Scene(
            Objective(
                "formula",
                "x^2 + abs(y)",
                ((-2.0, 3.0), (-1.0, 4.0)),
                (1.0, 2.0),
                17,
                Choice("gaussian", {"scale": 0.5}),
                5,
            ),
            BOOK.optimizers,
            0.02,
        )
        at = open_app()
        session(at).view = View(field=True, metrics=("loss", "length"))
        link = components(show(at, scene), "address")[0]["link"]
        other = opened_with(s=link.removeprefix("?s="))
        assert other.session_state.scene == scene
        assert other.session_state.view == View(field=True, metrics=("loss", "length"))
        assert drawn(contour(other), "Adam") == pytest.approx(drawn(contour(at), "Adam"), abs=0)

    @pytest.mark.parametrize(
        "text", ["", "x", "1.", "2.AAAA", "1.!!!!", "1." + "A" * 9000, "nan", "1.ePlxz3zSG1aeAQAiXUU"]
    )
    def test_a_damaged_link_opens_the_book_s_scene_with_a_word_on_it(self, text):
        at = opened_with(s=text)
        assert session(at).specs["trajectories"] == BOOK
        assert "as it opens by itself" in at.warning[0].value
        at.button(key="complaint-read").click().run()
        assert not at.warning

    def test_a_hostile_formula_in_a_link(self):
        bad = replace(BOOK, objective=replace(BOOK.objective, function="formula", formula="__import__('os').system('x')"))
        from optviz.shell import share
        from optviz.spec import to_dict

        data = json.dumps({"scene": to_dict(bad)})
        packer = share.zlib.compressobj(9, share.zlib.DEFLATED, 15, 9, share.zlib.Z_DEFAULT_STRATEGY, share.WORDS)
        text = f"1.{share._letters(packer.compress(data.encode()) + packer.flush())}"
        at = opened_with(s=text)
        assert session(at).specs["trajectories"] == BOOK
        assert "has no meaning here" in at.warning[0].value

    @pytest.mark.parametrize("group", ["function", "run", "hyperparameters", "optimizers", "view", "results"])
    @pytest.mark.parametrize("way", ["locked", "hidden"])
    def test_every_group_of_controls_can_be_locked_and_hidden(self, group, way):
        at = opened_with(s=encode(Shared(BOOK, controls=Controls(**{way: (group,)}))))
        for box in ("run", "contour-view", "share"):
            at.session_state[box] = True
        at.run()
        assert not at.exception, [e.message for e in at.exception]
        hidden = way == "hidden"
        match group:
            case "function":
                menus = [s for s in at.selectbox if s.label == "Function"]
                assert (not menus) if hidden else menus[0].disabled
            case "run":
                assert (
                    ("Start, steps and tolerance" not in panels(at))
                    if hidden
                    else panels(at)["Start, steps and tolerance"]["locked"]
                )
                assert contour(at)["clicks"] is None
            case "hyperparameters":
                assert ("SGD" not in panels(at)) if hidden else panels(at)["SGD"]["locked"]
            case "optimizers":
                assert not [b for b in at.button if b.label == "Add an optimizer"]
            case "view":
                toggles = [t for t in at.toggle if t.label == "Arrows against the gradient"]
                assert (not toggles) if hidden else toggles[0].disabled
            case "results":
                assert bool(components(at, "table")) != hidden
        assert not [s for s in at.get("button_group") if s.label == "Hyperparameters of the optimizers"], (
            "who has such a link makes no other"
        )

    def test_locks_hold_for_forks_and_lessons(self):
        at = look_inside(opened_with(s=encode(Shared(BOOK, controls=Controls(("optimizers",))))))
        assert at.button(key="fork").disabled
        go(at, "lessons")
        at.run()
        assert at.button(key="open-zigzag").disabled
        at = opened_with(
            s=encode(Shared(LESSONS["zigzag"].scene, controls=Controls((), ("lessons",)))), lesson="zigzag"
        )
        assert not any("Look for" in m.value for m in at.markdown)

    @pytest.mark.parametrize("query", [{"s": "1.abc"}, {"lesson": "nothing"}, {"s": ""}])
    def test_a_link_to_the_gallery_is_nobody_s_concern(self, query):
        at = AppTest.from_file(str(APP), default_timeout=60)
        at.run()
        go(at, "lessons")
        at.query_params.update(query) if hasattr(at.query_params, "update") else None
        at.run()
        assert not at.exception
        assert at.button(key="open-zigzag")

    def test_what_a_teacher_chooses_is_in_the_link_that_is_handed_out(self):
        at = open_app()
        at.session_state["share"] = True
        at.session_state["share-hyperparameters"] = "locked"
        at.session_state["share-results"] = "hidden"
        at.run()
        assert not at.exception
        [address] = [c.value for c in at.code if "?s=" in c.value]
        from optviz.shell.share import decode

        assert decode(address.split("?s=")[1]).controls == Controls(("hyperparameters",), ("results",))
        assert any("data:image/svg+xml" in h.value for h in at.get("html"))


class TestTakeHome:
    def test_the_scene_page_holds_everything_and_asks_for_nothing(self):
        scene = replace(BOOK, objective=replace(BOOK.objective, function="formula", formula="x**2 + 2*y**2"))
        for view in (View(), View(solid=True)):
            text = takehome.scene_page(scene, view, ["a", "b", "c", "d"], "dark", LESSONS["zigzag"])
            page = text.split("<script>", 1)[0] + text.rsplit('</script>\n<script type="application/json"', 1)[1]
            assert not re.search(r"""(?:src|href)=["']?https?:""", page)
            data = json.loads(text.split('id="data">')[1].split("</script>")[0])
            land, _curves, player, _table = (part["data"] for part in data)
            assert player["steps"] == 30
            assert "%%" not in page
            assert "x**2 + 2*y**2" in page
            assert [t["name"] for t in land["data"] if t.get("mode") == "lines"] == [
                "SGD",
                "Momentum",
                "AdaGrad",
                "Adam",
            ]

    def test_no_text_of_a_scene_ends_the_script_early(self):
        text = takehome.scene_page(BOOK, View(), ["</script>", "<!--", "c", "d"], "light")
        assert '</script>"' not in text.split('id="data">')[1].split("</script>")[0]
        assert (
            json.loads(text.split('id="data">')[1].split("</script>")[0])[1]["data"]["data"][0]["legendgroup"]
            == "</script>"
        )

    def test_our_scripts_travel_as_one_address_each(self):
        assert offline.as_module("clock.js") == offline.as_module("clock.js")
        assert (
            offline.as_module("clock.js")
            in __import__("base64").b64decode(offline.as_module("player.js").split(",")[1]).decode()
        )

    def test_everything_is_offered(self):
        at = open_app()
        at.session_state["take-home"] = True
        at.run()
        assert not at.exception
        labels = [b.proto.label for b in at.get("download_button")]
        assert labels == ["Page that plays offline", "Paths as CSV", "Table as CSV", "Python script", "PyTorch script"]

    def test_what_torch_does_not_have_is_named(self):
        at = show(open_app(), replace(BOOK, optimizers=(*BOOK.optimizers, OptimizerConfig(Choice("lion")))))
        at.session_state["take-home"] = True
        at.run()
        labels = [b.proto.label for b in at.get("download_button")]
        assert labels == ["Page that plays offline", "Paths as CSV", "Table as CSV", "Python script"]
        assert any("torch.optim does not do the same as Lion" in c.value for c in at.caption)
