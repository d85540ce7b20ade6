"""Play, grab, look inside, fork, predict, share, take home: each in a real browser."""

import csv
import itertools
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from optviz import FUNCTIONS, OPTIMIZERS, minimize
from optviz.experiments.trajectories.run import run
from optviz.experiments.trajectories.spec import BOOK, Choice, Objective, Scene, View
from optviz.optim.config import OptimizerConfig
from optviz.shell.share import Controls, SharedScene, decode, encode
from tests.browser.test_trajectories import RANGE, path, rate, wait_for_other_path
from tests.calm import QUIET, at_rest, width_of, zoom

STEP = ".ov-player[data-step='{}']"
PLAYING = ".ov-player[data-playing='{}']"


def button(page, name):
    return page.get_by_role("button", name=name, exact=False).first


def cells(page, row=0):
    return [
        c.replace("−", "-")
        for c in page.locator(".ov-timetable tbody tr").nth(row).locator("td").all_inner_texts()
    ]


def end_of(page, optimizer=0, chart="contour"):
    """The last pixel of an optimizer's drawn line, taken back through the axes."""
    return page.evaluate(
        """([chart, optimizer]) => {
          const plot = document.querySelector(`.st-key-${chart} .ov-layer:nth-child(2)`);
          const line = plot.querySelectorAll('.scatterlayer path.js-line')[optimizer];
          const [x, y] = line.getAttribute('d').split(/[ML]/).at(-1).split(',').map(Number);
          const { xaxis, yaxis } = plot._fullLayout;
          return [xaxis.p2c(x), yaxis.type === 'log' ? Math.log10(yaxis.p2c(y)) : yaxis.p2c(y)];
        }""",
        [chart, optimizer],
    )


def points(optimizer=0, scene=BOOK):
    return run(scene.objective, scene.optimizers[optimizer]).points


def shared(scene, view=View(), **controls):
    return (
        f"?s={encode(SharedScene('trajectories', replace(scene, view=view), Controls(**controls)))}"
    )


def take_start(page):
    """Press the mouse on the start; where that is on the screen."""
    grip = page.locator(".ov-grip").bounding_box()
    x, y = grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    return x, y


def start_of(page):
    """The start in the address."""
    return np.array(decode(re.search(r"s=([^&]+)", page.url)[1]).scene.objective.start)


class TestPlayback:
    def test_keys_scrubber_and_play_go_through_the_steps_and_all_stand_at_the_same(self, page):
        page.keyboard.press("Home")
        page.wait_for_selector(STEP.format(0))
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowLeft")
        page.wait_for_selector(STEP.format(2))
        assert end_of(page) == pytest.approx(points()[2], abs=0.05)
        step, loss = end_of(page, chart="curves")
        assert step == pytest.approx(2, abs=0.1)
        value = FUNCTIONS["bowl"].value(points()[2])
        assert loss == pytest.approx(np.log10(value), abs=0.03)
        assert float(cells(page)[2]) == pytest.approx(value, rel=6e-4)
        assert cells(page)[6] == "under way"
        for chart in ("contour", "curves"):
            assert page.locator(f".st-key-{chart} .ov-plot").get_attribute("data-step") == "2"
        page.keyboard.press("End")
        page.wait_for_selector(STEP.format(30))
        assert cells(page)[6] == "still moving"
        page.get_by_role("slider", name="Step").fill("12")
        page.wait_for_selector(STEP.format(12))
        assert end_of(page, 3) == pytest.approx(points(3)[12], abs=0.05)
        page.keyboard.press("End")
        page.wait_for_selector(STEP.format(30))

        page.get_by_label("Speed").select_option("4")
        page.locator("h1").first.click()
        page.keyboard.press(" ")
        page.wait_for_selector(PLAYING.format("true"))
        page.wait_for_function("() => +document.querySelector('.ov-player').dataset.step > 3")
        page.keyboard.press(" ")
        page.wait_for_selector(PLAYING.format("false"))
        stopped = page.locator(".ov-step").inner_text()
        page.wait_for_timeout(300)
        assert page.locator(".ov-step").inner_text() == stopped
        assert stopped != "step 30 / 30"
        button(page, "Play").click()
        page.wait_for_selector(STEP.format(30) + PLAYING.format("false").removeprefix(".ov-player"))
        page.wait_for_function(
            "() => document.querySelector('.ov-timetable tbody td:last-child').innerText === 'still moving'"
        )

    def test_it_plays_on_through_a_knob_and_a_zoom(self, page):
        page.get_by_label("Speed").select_option("0.5")
        button(page, "Play").click()
        page.wait_for_function("() => +document.querySelector('.ov-player').dataset.step >= 1")
        rate(page).press("ArrowLeft")
        plot = page.locator(".st-key-contour .nsewdrag").last.bounding_box()
        page.mouse.move(plot["x"] + plot["width"] / 2, plot["y"] + plot["height"] / 2)
        zoom(page, -300)
        page.wait_for_function(f"() => ({RANGE})()[0] > -9.9")
        at_rest(page)
        assert page.locator(".ov-player").get_attribute("data-playing") == "true"
        button(page, "Pause").click()
        value = float(page.get_by_label("learning rate, exact value").first.input_value())
        other = minimize(FUNCTIONS["bowl"], OPTIMIZERS["sgd"](lr=value), (-7, 2), 30).points
        step = int(page.locator(".ov-player").get_attribute("data-step"))
        assert 1 < step < 30
        button(page, "One step back").click()
        button(page, "One step on").click()
        at = int(page.locator(".ov-player").get_attribute("data-step"))
        assert end_of(page) == pytest.approx(other[at], abs=0.05), (
            "the new rate, at the same step, in the zoomed frame"
        )

    def test_six_paths_of_500_steps_are_drawn_at_the_screen_s_own_pace(self, opened):
        """No timing: every frame that the browser paints while it plays shows another picture."""
        keys = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
        scene = Scene(
            Objective("bowl", steps=500),
            tuple(OptimizerConfig(Choice(k, {"lr": 0.05})) for k in keys),
        )
        page = opened(shared(scene))
        seen = page.evaluate(
            """() => new Promise(done => {
              const lines = [...document.querySelectorAll('.st-key-contour .scatterlayer path.js-line')];
              const drawn = []; document.querySelector('.ov-play').click();
              const tick = () => { drawn.push(lines.map(l => l.getAttribute('d').length).join()); drawn.length < 40 ? requestAnimationFrame(tick) : done(drawn); };
              requestAnimationFrame(() => requestAnimationFrame(tick));
            })"""
        )
        assert len(set(seen)) >= 38

    def test_for_who_prefers_calm_nothing_plays_but_what_they_play(self, window, opened):
        window.emulate_media(reduced_motion="reduce")
        page = opened()
        assert page.locator(".ov-step").inner_text() == "step 30 / 30"
        page.get_by_role("slider", name="Step").fill("5")
        page.wait_for_selector(STEP.format(5))
        assert page.locator(".ov-player").get_attribute("data-playing") == "false"
        page.get_by_label("Speed").select_option("4")
        page.locator(".ov-play").click()
        page.wait_for_selector(STEP.format(30))


class TestGrab:
    def test_the_start_is_clicked_typed_moved_by_keys_and_dragged_and_a_pan_is_neither(self, page):
        page.get_by_text("Start, steps, noise").click()
        page.get_by_label("start x, exact value").wait_for()
        at_rest(page)
        before = path(page)
        plot = page.locator(".st-key-contour .nsewdrag").last.bounding_box()
        page.mouse.click(plot["x"] + plot["width"] * 0.75, plot["y"] + plot["height"] * 0.375)
        wait_for_other_path(page, before)
        at_rest(page)
        x, y = (float(page.get_by_label(f"start {c}, exact value").input_value()) for c in "xy")
        assert (x, y) == pytest.approx((5.0, 2.5), abs=0.1)
        expected = minimize(FUNCTIONS["bowl"], OPTIMIZERS["sgd"](lr=0.95), (x, y), 30).values[-1]
        assert float(cells(page)[2]) == pytest.approx(expected, rel=6e-4)
        page.get_by_label("start x, exact value").fill("-3")
        at_rest(page)
        assert (
            page.evaluate(
                "() => document.querySelector('.st-key-contour .ov-plot').host.grip.start[0]"
            )
            == -3
        )

        url = page.url
        x, y = plot["x"] + plot["width"] * 0.7, plot["y"] + plot["height"] * 0.8
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 60, y - 20, steps=5)
        page.mouse.up()
        at_rest(page)
        assert page.url == url

        before = start_of(page)
        page.locator(".ov-grip").focus()
        for key in ("ArrowUp", *10 * ["ArrowRight"]):
            page.keyboard.press(key)
            page.wait_for_timeout(200)
        at_rest(page)
        step = 0.01 * np.subtract(*page.evaluate(RANGE)[::-1])
        assert start_of(page) - before == pytest.approx((10 * step, step), abs=0.01), "every press"

        (x, y), seen = take_start(page), set()
        for i in range(30):
            page.mouse.move(x + 3 * i, y + 2 * i)
            page.wait_for_timeout(30)
            seen.add(path(page))
        page.mouse.up()
        at_rest(page)
        assert len(seen) > 4, "the path follows the hand"
        start = start_of(page)
        assert start[0] > -2
        expected = minimize(FUNCTIONS["bowl"], OPTIMIZERS["sgd"](lr=0.95), start, 30).values[-1]
        assert float(cells(page)[2]) == pytest.approx(expected, rel=6e-4)

    def test_what_is_on_auto_is_tuned_while_the_start_is_in_the_hand(self, page):
        rate = page.get_by_label("learning rate, exact value").nth(3)
        page.get_by_role("button", name="Change Adam").click()
        page.get_by_role("radio", name="rate", exact=True).click()
        at_rest(page)
        (x, y), seen = take_start(page), set()
        for i in range(20):
            page.mouse.move(x + 9 * i, y - 3 * i)
            page.wait_for_timeout(60)
            seen.add(rate.input_value())
        page.mouse.up()
        at_rest(page)
        assert len(seen) > 2, "the value follows the hand"
        found = decode(re.search(r"s=([^&]+)", page.url)[1]).scene
        start, rates = found.objective.start, np.geomspace(1e-4, 10, 41)
        ends = [
            minimize(FUNCTIONS["bowl"], OPTIMIZERS["adam"](lr=r), start, 30).values[-1]
            for r in rates
        ]
        best = float(f"{rates[np.nanargmin(ends)]:.3g}")
        assert found.optimizers[3].method.values["lr"] == float(rate.input_value()) == best
        rate.fill("0.5")
        at_rest(page)
        assert float(rate.input_value()) == 0.5, "who sets it takes it off"

    def test_a_ring_of_starts_is_drawn_and_played(self, opened):
        ring = Scene(
            Objective("himmelblau", start=(0.0, 0.0), steps=20),
            (
                OptimizerConfig(
                    Choice("sgd", {"lr": 0.01}), initial_points=Choice("ring", {"count": 8})
                ),
            ),
        )
        page = opened(shared(ring))
        assert (
            page.locator(
                ".st-key-contour .ov-layer:nth-child(2) .scatterlayer path.js-line"
            ).count()
            == 10
        ), "the halo of the first, its line, and eight more"
        page.get_by_role("slider", name="Step").fill("0")
        page.wait_for_selector(STEP.format(0))
        heads = page.evaluate(
            """() => new Set([...document.querySelectorAll('.st-key-contour .scatterlayer path.point')].map(p => p.getAttribute('transform'))).size"""
        )
        assert heads >= 9, "every path stands at its own start"

    def test_home_leads_to_the_frame_of_this_function(self, page):
        page.get_by_role("combobox", name="Function").click()
        page.keyboard.type("Himmelblau")
        page.get_by_role("option", name="Himmelblau").click()
        page.locator("h1", has_text="Himmelblau").wait_for()
        at_rest(page)
        plot = page.locator(".st-key-contour .nsewdrag").last.bounding_box()
        page.mouse.move(plot["x"] + plot["width"] / 2, plot["y"] + plot["height"] / 2)
        zoom(page, -400)
        at_rest(page)
        (x0, x1), _ = FUNCTIONS["himmelblau"].domain
        assert page.evaluate(RANGE)[0] > x0
        page.locator(".st-key-contour .ov-plot").hover()
        page.locator(".st-key-contour [data-title='The whole picture again']").click()
        at_rest(page)
        assert page.evaluate(RANGE) == pytest.approx((x0, x1))


class TestInside:
    def test_the_numbers_are_those_of_the_step_and_a_fork_keeps_both_branches(self, page):
        page.get_by_role("radio", name="Inside a step").click()
        page.get_by_role("radio", name="Momentum").click()
        at_rest(page)
        page.get_by_role("slider", name="Step").fill("1")
        page.get_by_text("From step 1 to step 2").wait_for()
        at_rest(page)
        text = " ".join(page.locator(".st-key-inside annotation").all_text_contents())
        assert "-6.798" in text, "x after two steps by the reference"
        assert "0.92" in text
        assert page.locator("svg.ov-arrows path.ov-arrow").count() == 3, "gradient, velocity, step"
        assert set(page.locator("svg.ov-arrows text").all_text_contents()) == {"−∇f", "v", "step"}
        page.get_by_role("radio", name="Adam").click()
        at_rest(page)
        page.get_by_role("slider", name="Step").fill("12")
        button(page, "Fork at step 12").click()
        page.locator(".ov-timetable tbody tr").nth(4).wait_for()
        page.get_by_text("branches off Adam at step 12 and continues with its state").wait_for()
        at_rest(page)
        page.keyboard.press("Escape")
        page.get_by_role("slider", name="Step").fill("30")
        panel = page.get_by_role("group", name="Adam from step 12")
        panel.get_by_label("learning rate, exact value").fill("1.0")
        at_rest(page)
        here = decode(re.search(r"s=([^&]+)", page.url)[1]).scene
        both = [run(here.objective, r).points for r in here.optimizers[3:]]
        assert np.array_equal(both[0][:13], both[1][:13])
        assert not np.allclose(both[0][13], both[1][13])
        assert float(cells(page, 4)[0]) == pytest.approx(both[1][-1][0], rel=6e-4)
        assert float(cells(page, 3)[0]) == pytest.approx(both[0][-1][0], rel=6e-4)

        page.get_by_role("slider", name="Step").fill("1")
        page.get_by_role("radio", name="Over time").click()
        page.wait_for_selector(".st-key-states .ov-plot[data-step='1']")


class TestPredict:
    def test_where_will_it_be_and_who_arrives_first(self, page):
        button(page, "Predict").click()
        page.locator(".st-key-predict").wait_for()
        page.wait_for_selector(STEP.format(0))
        at_rest(page)
        assert cells(page)[:2] == ["-7", "2"], "the table tells nothing"
        for part in (".st-key-predict", ".st-key-contour .ov-plot", ".ov-player"):
            box = page.locator(part).bounding_box()
            assert 0 < box["y"] < box["y"] + box["height"] <= 720, part
        assert button(page, "Compare").is_disabled(), "the question is about one scene"
        assert button(page, "Reveal").is_disabled()
        page.keyboard.press("ArrowRight")
        at_rest(page)
        assert page.locator(".ov-player").get_attribute("data-step") == "0", "no peeping"
        plot = page.locator(".st-key-contour .nsewdrag").last.bounding_box()
        page.mouse.click(plot["x"] + plot["width"] * 0.5, plot["y"] + plot["height"] * 0.5)
        page.wait_for_function("() => !document.querySelector('.st-key-reveal button').disabled")
        page.get_by_label("Speed").select_option("4")
        button(page, "Reveal").click()
        page.locator(".st-key-predict").get_by_text("of 10 points").wait_for()
        verdict = page.locator(".st-key-predict").inner_text().replace("−", "-")
        assert "SGD ends at (-0.3504, 0.08478)" in verdict
        assert "1 round" in verdict
        apart = float(re.search(r"was ([\d.]+) away", verdict)[1])
        assert apart == pytest.approx(np.hypot(0.35, 0.085), abs=0.12)
        button(page, "Stop predicting").click()
        page.locator(".st-key-predict").wait_for(state="detached")
        assert page.locator(".ov-player").get_attribute("data-step") == "30"

        at_rest(page)
        button(page, "Predict").click()
        page.get_by_role("radio", name="Who arrives first?").click()
        page.get_by_role("combobox", name="Your pick").click()
        page.get_by_role("option", name="AdaGrad").click()
        page.wait_for_function("() => !document.querySelector('.st-key-reveal button').disabled")
        button(page, "Reveal").click()
        page.locator(".st-key-predict").get_by_text(
            "Right: AdaGrad got within 0.001 of the optimum first, at step 29"
        ).wait_for()
        assert "10 of 10" in page.locator(".st-key-predict").inner_text()


# What a picture says that Plotly cannot draw, and after it has been drawn again.
FAILS_ONCE = """async () => {
  const { host } = document.querySelector(".st-key-solid .ov-plot"), { react } = Plotly, { error } = console;
  const said = async () => (host.updateVisibility(), await host.work, host.root.querySelector(".ov-sorry").textContent);
  console.error = () => {};
  Plotly.react = async () => { throw new Error("planted"); };
  const before = await said();
  Object.assign(console, { error });
  Object.assign(Plotly, { react });
  return [before, await said()];
}"""


class TestSolid:
    def test_the_surface_holds_the_same_paths_at_the_same_step_and_keeps_its_camera(self, opened):
        """And the address follows here too."""
        page = opened(shared(BOOK, View(solid=True)))
        page.wait_for_selector(".st-key-solid .ov-plot[data-version]")
        at_rest(page)
        plot = "document.querySelector('.st-key-solid .ov-layer')"
        lines = page.evaluate(
            f"() => {plot}.data.filter(t => t.type === 'scatter3d' && t.mode === 'lines').map(t => [t.name, t.line.color, t.x.length])"
        )
        assert [n for n, *_ in lines] == ["SGD", "Momentum", "AdaGrad", "Adam"]
        assert lines[0][1] == "#0072B2"
        box = page.locator(".st-key-solid .ov-plot").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 90, y + 20, steps=6)
        page.mouse.up()
        eye = f"() => Object.values({plot}._fullLayout.scene._scene.getCamera().eye)"
        at_rest(page)
        turned = page.evaluate(eye)
        assert turned != pytest.approx([-0.75, -1.25, 1.35], abs=0.05)
        page.get_by_role("slider", name="Step").fill("7")
        page.wait_for_selector(".st-key-solid .ov-plot[data-step='7']")
        assert page.evaluate(f"() => {plot}.data.find(t => t.name === 'SGD').x.length") == 57, (
            "eight places a step"
        )
        rate(page).press("ArrowLeft")
        at_rest(page)
        assert page.evaluate(eye) == pytest.approx(turned, abs=1e-3)
        page.get_by_label("learning rate, exact value").first.fill("0.5")
        at_rest(page)
        link = decode(re.search(r"s=([^&]+)", page.url)[1])
        assert link.scene.view.solid
        assert link.scene.optimizers[0].method.values["lr"] == 0.5
        assert page.evaluate(FAILS_ONCE) == ["The picture could not be drawn: planted", ""]


class TestShare:
    def test_the_address_gives_the_same_picture_and_is_the_code_to_scan(self, page, opened):
        page.get_by_label("learning rate, exact value").first.fill("0.5")
        at_rest(page)
        page.get_by_label("learning rate, exact value").nth(3).fill("0.123")
        at_rest(page)
        rows = [cells(page, i) for i in range(4)]
        assert len(page.url) < 200
        other = opened(page.url.split("/")[-1])
        assert [cells(other, i) for i in range(4)] == rows
        assert other.get_by_label("learning rate, exact value").first.input_value() == "0.5"

        button(page, "Share").click()
        image = page.get_by_role("img", name="QR code of the link")
        image.wait_for()
        page.wait_for_function("() => document.querySelector('.ov-qr img').naturalWidth > 0")
        assert image.bounding_box()["width"] > 250
        assert page.locator("code", has_text="?s=2.").inner_text().endswith(page.url.split("/")[-1])
        page.get_by_text("Lock or hide controls").click()
        page.get_by_text("Table, theory, equations").wait_for()
        page.wait_for_function(  # all of it is in sight, once it has unfolded
            "() => { const e = document.querySelector('[data-testid=stPopoverBody]');"
            " const last = [...e.querySelectorAll('[role=radiogroup]')].at(-1);"
            " const bottom = e => e.getBoundingClientRect().bottom;"
            " return bottom(last) < bottom(last.closest('details'))"
            " && e.scrollHeight - e.clientHeight <= 1; }"
        )


class TestLessons:
    def test_one_click_opens_a_scene_with_what_it_says(self, page):
        page.get_by_role("link", name="Lessons").click()
        page.get_by_role("link", name="Zigzag").click()
        page.locator(".st-key-lesson").wait_for()
        page.wait_for_selector(".st-key-curves .ov-plot[data-version]")
        at_rest(page)
        assert page.locator(".ov-timetable tbody tr").count() == 1
        text = page.locator(".st-key-lesson").inner_text()
        assert "Look for." in text
        assert "Try next." in text
        button(page, "Next:").click()
        page.get_by_text("A ball in the bowl").first.wait_for()
        at_rest(page)
        assert "Momentum" in page.locator(".ov-timetable tbody").inner_text()


class TestTakeHome:
    def taken(self, page, name):
        button(page, "Export").click()
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        page.keyboard.press("Escape")
        return download.value

    def test_the_scene_page_plays_without_a_network(self, page, browser, tmp_path):
        kept = tmp_path / "kept.html"
        self.taken(page, "Page that plays offline").save_as(kept)
        context = browser.new_context(viewport={"width": 1280, "height": 720}, offline=True)
        window, errors = context.new_page(), []
        window.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        window.on("pageerror", lambda e: errors.append(str(e)))
        window.goto(kept.as_uri())
        window.wait_for_selector("[data-part='0'] .ov-plot[data-version]")
        window.wait_for_selector("[data-part='1'] .ov-plot[data-version]")
        assert window.locator("[data-part='0'] .scatterlayer path.js-line").count() == 9, (
            "four lines, each with its halo, and the border of the domain"
        )
        assert window.locator("[data-part='0'] .contourlayer path").count() > 5
        window.keyboard.press("Home")
        window.wait_for_selector(STEP.format(0))
        window.keyboard.press("ArrowRight")
        assert window.locator(".ov-timetable tbody td").nth(1).inner_text() == "−1.8", (
            "SGD's first step by the reference"
        )
        window.keyboard.press(" ")
        window.wait_for_function("() => +document.querySelector('.ov-player').dataset.step > 3")
        context.close()
        assert errors == []

    def test_paths_scripts_and_the_chart_s_own_pictures(self, page, tmp_path):
        rows = list(
            csv.DictReader(self.taken(page, "Paths as CSV").path().read_text().splitlines())
        )
        last = [r for r in rows if r["optimizer"] == "SGD"][-1]
        assert (int(last["step"]), float(last["loss"])) == (
            30,
            pytest.approx(1.3326803773e-2, rel=1e-9),
        )
        at_rest(page)
        script = tmp_path / "scene.py"
        self.taken(page, "Python script").save_as(script)
        done = subprocess.run(
            [sys.executable, "-I", script], cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert repr(float(points()[-1][0])) in done.stdout
        at_rest(page)
        text = self.taken(page, "PyTorch script").path().read_text()
        assert "torch.optim.SGD" in text
        assert "# Made with optviz: http" in text
        compile(text, "torch_scene.py", "exec")
        for begins, title in ((b"\x89PNG", "Download as PNG"), (b"<svg", "Download as SVG")):
            page.locator(".st-key-contour .ov-plot").hover()
            with page.expect_download() as download:
                page.locator(f".st-key-contour [data-title='{title}']").click()
            content = download.value.path().read_bytes()
            assert content.startswith(begins)
            assert len(content) > 10_000


def test_a_phone_has_one_below_the_other_and_a_finger_plays_and_puts_the_start(
    browser, server, opened
):
    phone = browser.new_context(
        base_url=server, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    phone.add_init_script(QUIET)
    page = opened(window=phone.new_page())
    parts = [
        ".st-key-contour .ov-plot",
        ".ov-player",
        ".st-key-curves .ov-plot",
        ".ov-panel",
        ".ov-table",
    ]
    boxes = [page.locator(s).first.bounding_box() for s in parts]
    for above, below in itertools.pairwise(boxes):
        assert above["y"] + above["height"] <= below["y"] + 1
    assert all(b["x"] >= 0 and b["x"] + b["width"] <= 391 for b in boxes)
    assert width_of(page) <= 390
    assert boxes[0]["y"] < 200, "the contour comes first"

    plot = page.locator(".st-key-contour .nsewdrag").last.bounding_box()
    before = path(page)
    page.touchscreen.tap(plot["x"] + plot["width"] * 0.75, plot["y"] + plot["height"] * 0.375)
    wait_for_other_path(page, before)
    at_rest(page)
    page.locator(".ov-first").tap()
    page.wait_for_selector(STEP.format(0))
    page.locator(".ov-play").tap()
    page.wait_for_function("() => +document.querySelector('.ov-player').dataset.step > 2")
    sizes = [page.locator(s).bounding_box() for s in (".ov-play", ".ov-next", ".ov-grip")]
    assert all(b["width"] >= 44 and b["height"] >= 44 for b in sizes)
    button(page, "Change SGD").tap()
    done = button(page, "Done").bounding_box()
    assert done["y"] + done["height"] <= 844, "in reach of a thumb"
    page.keyboard.press("Escape")
    page.locator("[class*='-sheet-']").wait_for(state="detached")
    phone.close()
