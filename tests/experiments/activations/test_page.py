"""The activations page in AppTest: every activation and initializer, extreme sizes, own data, links and lessons."""

import csv
import io
import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from optviz.experiments.activations import figures as views
from optviz.experiments.activations.page import MAX_ROWS, read_rows
from optviz.experiments.activations.spec import Activations, DeepStack, through
from optviz.nn import ACTIVATIONS, INITIALIZERS
from optviz.plot.style import LIGHT
from optviz.shell.lessons import LESSONS
from optviz.shell.share import (
    LinkError,
    Shared,
    SharedScene,
    decode,
    encode,
)
from optviz.spec import Choice
from tests.page import APP, components, go, numbers, panels, session


def opened(comparison=None, **query):
    at = AppTest.from_file(str(APP), default_timeout=60)
    at.run()
    go(at, "activations")
    if comparison is not None:
        query["s"] = encode(SharedScene("activations", comparison))
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception, [e.message for e in at.exception]
    return at


def figures(at):
    return [c for c in components(at, "plot") if c["name"].startswith("layers")]


def test_it_opens_with_the_book_s_first_figure():
    at = opened()
    [figure] = figures(at)
    assert len(figure["data"]) == 10, "forward and backward for five layers"
    layers = through(DeepStack())
    shares = numbers(figure["data"][0]["y"])
    assert shares.sum() == pytest.approx(1)
    assert shares[0] + shares[-1] > 0.6, "saturated at both ends"
    assert f"{layers[0].forward.std:.3g}" in " ".join(h.value for h in at.get("html"))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_every_activation_with_every_initializer(activation, initializer):
    figure = views.histograms(
        through(DeepStack(activation=Choice(activation), initializer=Choice(initializer), samples=50)), LIGHT
    )
    json.dumps(figure)
    assert all(np.isfinite(numbers(t["x"])).all() and np.isfinite(numbers(t["y"])).all() for t in figure["data"])


@pytest.mark.parametrize(
    "stack",
    [
        DeepStack(layers=1), DeepStack(layers=12), DeepStack(units=1), DeepStack(units=500, layers=2), DeepStack(samples=2),
        DeepStack(initializer=Choice("normal", {"sigma": 0.0})), DeepStack(initializer=Choice("zeros")),
        DeepStack(layers=12, activation=Choice("relu"), initializer=Choice("normal", {"sigma": 10.0})),
        DeepStack(layers=12, activation=Choice("identity"), initializer=Choice("constant")),
    ],
    ids=str,
)  # fmt: skip
def test_extreme_settings(stack):
    at = opened(Activations((stack,)))
    assert len(figures(at)[0]["data"]) == 2 * stack.layers
    assert any("**" in m.value for m in at.markdown)


def test_two_settings_side_by_side():
    at = opened()
    at.button(key="second").click().run()
    assert len(figures(at)) == 2
    assert session(at).specs["activations"].stacks[1].initializer == Choice("book")
    epoch = session(at).epoch
    at.selectbox(key=f"activation-1-{epoch}").set_value("tanh").run()
    assert not at.exception
    assert session(at).specs["activations"].stacks[0].activation.key == "sigmoid"
    assert {"Setting A", "Setting B"} <= set(panels(at))
    at.button(key="alone").click().run()
    assert len(figures(at)) == 1


def test_one_range_for_all_layers():
    at = opened(Activations((DeepStack(activation=Choice("relu"), initializer=Choice("book")),)))
    ends = [figures(at)[0]["layout"][f"xaxis{k or ''}"]["range"][1] for k in ("", 2, 3, 4, 5)]
    assert ends == sorted(ends, reverse=True)
    at.toggle(key="together").set_value(True).run()
    assert len({figures(at)[0]["layout"][f"xaxis{k or ''}"]["range"][1] for k in ("", 2, 3, 4, 5)}) == 1


def test_what_the_histogram_hides_is_said():
    [layers] = [through(DeepStack(initializer=Choice("book")))]
    assert "hides something" in views.remark(layers)
    for activation, rule, word in (
        ("sigmoid", Choice("normal", {"sigma": 1.0}), "Saturated"), ("tanh", Choice("normal", {"sigma": 0.01}), "dies out"),
        ("relu", Choice("normal", {"sigma": 10.0}), "explodes"), ("relu", Choice("he_normal"), "healthy"),
    ):  # fmt: skip
        assert word in views.remark(through(DeepStack(activation=Choice(activation), initializer=rule)))


def test_the_address_carries_the_comparison():
    two = Activations((DeepStack(layers=3, seed=7), DeepStack(activation=Choice("gelu"), initializer=Choice("orthogonal"))))
    at = opened(two)
    assert session(at).specs["activations"] == two
    link = figures(at)[0]["link"]
    assert decode(link.removeprefix("?s="), "activations").scene == two
    assert len(link) < 150


@pytest.mark.parametrize(
    "bad",
    [
        Activations(()),
        Activations((DeepStack(),) * 3),
        Activations((DeepStack(layers=13),)),
        Activations((DeepStack(activation=Choice("x")),)),
    ],
)
def test_a_link_to_what_there_is_not(bad):
    with pytest.raises(LinkError):
        decode(encode(SharedScene("activations", bad)), "activations")
    at = opened(bad)
    assert session(at).specs["activations"] == Activations()
    assert "in its place" in at.warning[0].value


def test_a_link_of_another_page_says_so():
    from optviz.experiments.trajectories.spec import BOOK

    with pytest.raises(LinkError, match="trajectories"):
        decode(encode(Shared(BOOK)), "activations")
    with pytest.raises(LinkError, match="activations"):
        decode(encode(SharedScene("activations", Activations())), "trajectories")


@pytest.mark.parametrize("key", [k for k, lesson in LESSONS.items() if lesson.page == "activations"])
def test_lessons_open_here(key):
    at = opened(lesson=key)
    assert session(at).specs["activations"] == LESSONS[key].scene
    text = " ".join(m.value for m in at.markdown)
    assert LESSONS[key].title in text
    assert "{" not in text.split("Look for")[1].split("$")[0]


def test_own_rows_are_standardized():
    x = read_rows(b"a,b,c\n1,2,5\n3,4,5\n5,9,5\n")
    assert x.shape == (3, 3)
    assert x.mean(0) == pytest.approx(0, abs=1e-12)
    assert x.std(0) == pytest.approx([1, 1, 0], abs=1e-12)
    assert read_rows("1;2\n3;5\n".encode("utf-8-sig")).shape == (2, 2)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "fewer than two rows"), (b"1,2\n", "fewer than two rows"), (b"1,2\n3\n", "Row 2 has 1 entries"),
        (b"1,2\n3,x\n", "is not a number"), (b"1,2\n3,nan\n", "is not a number"), (b"1,2\n3,1e999\n", "is not a number"),
        (b"\xff\xfe\x00", "not a text file"), (b"1,2\n" * (MAX_ROWS + 1), "At most"), (b",".join([b"1"] * 600) + b"\n" + b",".join([b"1"] * 600), "At most"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_named(content, word):
    with pytest.raises(ValueError, match=word):
        read_rows(content)


def test_the_table_as_csv():
    at = opened()
    [button] = at.get("download_button")
    assert button.proto.label == "Table as CSV"
    rows = views.rows(through(DeepStack()))
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    assert len(rows) == 5
    assert all(len(r) == len(views.HEADINGS) for r in rows)
