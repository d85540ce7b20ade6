"""The activations page: its picture and its words below Streamlit, then the page itself."""

import json

import numpy as np
import pytest

from optviz.data.own import MAX_ROWS, read_samples
from optviz.experiments.activations import figures, text
from optviz.experiments.activations.page import PAGE
from optviz.experiments.activations.run import propagate
from optviz.experiments.activations.spec import Activations, DeepStack
from optviz.experiments.page import Context
from optviz.nn import ACTIVATIONS, INITIALIZERS
from optviz.plot import LIGHT, to_plotly
from optviz.shell.share import LinkError, SharedScene, decode, encode
from optviz.spec import Choice
from tests import page as page_text
from tests.page import (
    components,
    csv_rows,
    labeled,
    numbers,
    open_page,
    panels,
    plots,
    session,
    sound,
)
from tests.table import table


def normal(sigma):
    return Choice("normal", {"sigma": sigma})


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_with_every_initializer_has_a_picture_and_a_word(activation):
    for initializer in INITIALIZERS:
        stack = DeepStack(3, 20, Choice(activation), Choice(initializer), samples=50)
        layers = propagate(stack)
        figure = to_plotly(figures.histograms(layers, LIGHT))
        json.dumps(figure)
        assert len(figure["data"]) == 6
        assert all(np.isfinite(numbers(t[c])).all() for t in figure["data"] for c in "xy")
        assert "{" not in text.remark(layers)


@pytest.mark.parametrize(
    ("activation", "initializer", "layers", "found"),
    [
        ("sigmoid", normal(1.0), 5, "saturated"),
        ("sigmoid", normal(10.0), 1, "saturated_alone"),
        ("sigmoid", Choice("book"), 5, "between"),
        ("sigmoid", Choice("zeros"), 5, "constant"),
        ("tanh", normal(0.01), 5, "vanishing"),
        ("tanh", Choice("xavier_normal"), 2, "healthy"),
        ("tanh", normal(0.3), 8, "saturated"),  # 29%, and the gradient grows from .999 to 8.57
        ("tanh", normal(0.25), 8, "gradient_grows"),
        ("relu", normal(10.0), 5, "exploding"),
        ("relu", Choice("he_normal"), 5, "healthy"),
        ("relu", Choice("book"), 5, "shrinking"),
        ("identity", normal(0.12), 5, "growing"),
        ("relu", Choice("constant", {"c": 0.01}), 5, "equal"),  # as large in each layer as before
        ("tanh", Choice("constant", {"c": 0.02}), 5, "equal"),
        ("identity", normal(100.0), 12, "exploding"),
    ],
)
def test_what_is_said_first(activation, initializer, layers, found):
    result = propagate(DeepStack(layers, activation=Choice(activation), initializer=initializer))
    assert text.finding(result) == found
    assert "nan" not in text.remark(result)


def test_the_page_opens_with_the_first_figure_of_the_book():
    at = open_page("activations")
    [figure] = plots(at).values()
    assert len(figure["data"]) == 10, "forward and backward for five layers"
    shares = numbers(figure["data"][0]["y"])
    assert shares.sum() == pytest.approx(1)
    assert shares[0] + shares[-1] > 0.6, "saturated at both ends"
    assert f"{propagate(DeepStack())[0].forward.std:.3g}" in page_text.text(at)
    assert (
        components(at, "address")[0]["link"]
        == f"?s={encode(SharedScene('activations', PAGE.opening))}"
    )


def test_two_settings_and_one_range_go_into_the_link_and_back():
    at = open_page("activations")
    labeled(at.button, "Compare with another setting").click().run()
    first, second = session(sound(at)).specs["activations"].stacks
    assert second.initializer == Choice("book")
    at.selectbox[2].set_value("relu").run()
    assert session(sound(at)).specs["activations"].stacks[0] == first
    assert {"Setting A", "Setting B"} <= set(panels(at))
    ends = [
        plots(at)["activations-settings-4"]["layout"][f"xaxis{k}"]["range"][1] for k in ("", 2, 3)
    ]
    assert ends == sorted(ends, reverse=True)
    labeled(at.toggle, "One range for all layers").set_value(True).run()
    layout = plots(sound(at))["activations-settings-4"]["layout"]
    assert len({layout[f"xaxis{k}"]["range"][1] for k in ("", 2, 3, 4, 5)}) == 1
    link = components(at, "address")[0]["link"].removeprefix("?s=")
    assert decode(link, "activations").scene == session(at).specs["activations"]
    labeled(at.button, "Compare with another setting").click().run()
    third = session(sound(at)).specs["activations"].stacks[2]
    assert third.initializer == Choice("he_normal")
    labeled(at.button, "Remove setting C").click().run()
    labeled(at.button, "Remove setting B").click().run()
    assert session(sound(at)).specs["activations"] == Activations((first,), shared_range=True)
    assert len(plots(at)) == 1


def test_the_backward_row_shows_where_the_slope_is_gone():
    """Figure 6.10: with σ = 1 two thirds of the sigmoids of layer 1 have next to no slope."""
    at = open_page("activations")
    labeled(at.selectbox, "Backward").set_value("z").run()
    assert session(sound(at)).specs["activations"].backward == "z"
    [figure] = plots(at).values()
    shares = numbers(figure["data"][5]["y"])
    assert shares.max() > 0.6
    slopes = propagate(DeepStack())[0].slope
    assert (slopes < 0.01).mean() == pytest.approx(0.645, abs=0.01)


def test_the_initial_weights_and_their_fan_in():
    """Book's and He's σ at 100 inputs; the smooth curve of each has its height 1/(σ√2π)."""
    at = open_page("activations", lesson="activations-fan-in")
    left, right = plots(at).values()
    named = {t["uid"]: t for t in (*left["data"], *right["data"])}
    for i, sigma in enumerate((0.1, 0.02**0.5, 0.01)):
        assert numbers(named[f"own{i}"]["y"])[0] == pytest.approx(sigma)
        height = numbers(named[f"normal{i}"]["y"]).max()
        assert height == pytest.approx(1 / (sigma * (2 * np.pi) ** 0.5))
        drawn = numbers(named[f"drawn{i}"]["y"])
        assert drawn.max() == pytest.approx(height, rel=0.2 if i < 2 else 0.6)


def test_extreme_settings_and_a_link_to_what_there_is_not():
    extreme = DeepStack(12, 500, Choice("identity"), Choice("constant"))
    at = open_page("activations", Activations((DeepStack(1, 1), extreme)))
    assert [len(p["data"]) for p in plots(at).values()] == [2, 24]
    bad = encode(SharedScene("activations", Activations((DeepStack(layers=13),))))
    with pytest.raises(LinkError, match="layers is from 1 to 12"):
        decode(bad, "activations")
    at = open_page("activations", s=bad)
    assert session(at).specs["activations"] == PAGE.opening
    assert "default scene" in at.warning[0].value


def test_own_samples_take_the_place_of_gaussian_numbers():
    at = open_page("activations")
    gaussian = plots(at)["activations-settings-1"]["data"]
    labeled(at.expander, "Own data in place of Gaussian numbers")
    at.session_state["own-samples"] = True
    at.run()
    upload = at.file_uploader[0]
    upload.upload("bad.csv", b"1,2\n3,x\n").run()
    assert "“x” in line 2 is not a number." in sound(at).error[0].value
    at.file_uploader[0].upload("rows.csv", b"a,b\n1,2\n3,9\n8,4\n").run()
    assert "3 rows of 2 numbers" in page_text.text(sound(at))
    assert plots(at)["activations-settings-1"]["data"] != gaussian
    there = open_page("activations", session(at).specs["activations"])
    assert "a link does not include" in there.info[0].value, "who opens the link is told"
    labeled(at.button, "Back to Gaussian numbers").click().run()
    assert not at.info
    assert plots(sound(at))["activations-settings-1"]["data"] == gaussian


def test_own_samples_are_standardized():
    x = read_samples(b"a,b,c\n1,2,5\n3,4,5\n5,9,5\n")
    assert x.mean(0) == pytest.approx(0, abs=1e-12)
    assert x.std(0) == pytest.approx([1, 1, 0], abs=1e-12)


@table(
    "content",
    [
        "1,2\n3,5\n".encode("utf-8-sig"),
        b"1;2\n3;5\n",
        b"1\t2\r\n3\t5\r\n",
        b"1,2\r3,5\r",  # line ends of an old Macintosh
        b"\n1.0;2,0\n\n3,0;5,0\n",
        b'"Gr\xf6\xdfe";"Gewicht"\n"1";"2"\n"3";"5"\n',  # Latin-1
        "\ufeffGröße\tx\n1\t2\n3\t5\n".encode("utf-16-be"),
        "1;2,5\r\n3;4,5".encode("utf-16"),  # Unicode text of a spreadsheet
        "дата;x\n1;2\n3;5\n".encode("cp1251"),
        "身長,x\n1,2\n3,5\n".encode("shift-jis"),
        (b'"' + b"x" * 200_000 + b'","y"\n1,2\n3,5'),
    ],
)
def test_files_as_programs_write_them(content):
    np.testing.assert_array_equal(read_samples(content), [[-1, -1], [1, 1]])


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "fewer than two rows"),
        (b"1,2\n", "fewer than two rows"),
        (b"1,2\n3\n", "Line 2 has 1 entries"),
        (b"a,b\n\n1,2\n3,4\n5,x\n", "“x” in line 5"),
        (b"1;2,5\n3;4.5.1\n", "“4.5.1” in line 2"),
        (b"1,2\n3,nan\n", "is not a number"),
        (b"1,2\n3,1e999\n", "is not a number"),
        (b"\xff\xfe\x00", "not a text file"),
        (b"1,2\n" * (MAX_ROWS + 1), "at most"),
        (b",".join([b"1"] * 600) + b"\n" + b",".join([b"1"] * 600), "at most"),
    ],
)
def test_a_file_that_does_not_do_is_refused_with_a_reason(content, word):
    with pytest.raises(ValueError, match=word):
        read_samples(content)


def test_the_table_as_csv(monkeypatch):
    monkeypatch.setattr(text, "layers_of", propagate)
    stacks = (DeepStack(layers=2), DeepStack(3, activation=Choice("tanh")))
    found = csv_rows(text.numbers_csv(Context(PAGE, Activations(stacks), (), LIGHT)))
    assert [(r["setting"], r["layer"]) for r in found] == [
        *[("sigmoid, normal (σ = 1)", f"{i}") for i in (1, 2)],
        *[("tanh, normal (σ = 1)", f"{i}") for i in (1, 2, 3)],
    ]
    assert float(found[1]["std"]) == propagate(stacks[0])[1].forward.std
