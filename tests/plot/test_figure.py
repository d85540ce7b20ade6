"""Figures as values: what each mark is for Plotly, as SVG, as CSV and as a table."""

import base64
import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optviz.plot.figure import Axis, Figure, Note, Panel, Scene, grid, marginals, percent, stack
from optviz.plot.marks import (
    Band,
    Bars,
    ColorBar,
    Contour,
    Dots,
    Dots3D,
    Heatmap,
    Line,
    Line3D,
    Rule,
    Surface,
    Text,
    fill_template,
)
from optviz.plot.series import curve_with_band, mean_over_seeds, trail
from optviz.plot.style import LIGHT, Style
from optviz.plot.writers.plotly import to_plotly
from optviz.plot.writers.svg import to_svg

RED, BLUE = Style("#d00000", (9, 5), "square"), Style("#0000d0")
X, Y = [0.0, 1.0, 2.0], [0.25, 0.5, 1.0]
COLORS = ("#000000", "#ffffff")
GRID = {"x": [0.0, 1.0], "y": [0.0, 1.0, 2.0], "z": np.arange(6.0).reshape(3, 2)}
LEVELS = {"start": 0.0, "end": 5.0, "step": 1.0, "line": "#888888"}

MARKS = [
    Line(X, Y, RED, name="loss", hover="{name}: {y:.2f}", markers=2, ends=(Y, Y), shape="hv"),
    Line(X, Y, RED, fill=True, symbols=["x", "circle", "x"]),
    Band(X, [0, 0, 0], Y, RED.color, hatched=True),
    Dots(X, Y, BLUE, size=[3, 4, 5], shade=Y, colors=COLORS, hover=["a", "b", "c"], alpha=0.5),
    Dots(X, Y, BLUE, edge="#000000", edge_width=2, text=["a", "b", "c"], symbols=["x"] * 3),
    Bars(X, Y, RED.color, width=0.5, alpha=0.3),
    Text(X, Y, ["a", "b", "c"], "#000000"),
    Rule(RED, x=1.0),
    Heatmap(GRID["z"], COLORS, span=(0, 5), gap=1),
    Contour(**GRID, colors=COLORS, **LEVELS, bar=ColorBar([0, 5], ["0", "5"], "f", "#333333")),
]
IN_SPACE = [
    Surface(**GRID, colors=COLORS, **LEVELS),
    Line3D(X, Y, Y, RED, name="path"),
    Dots3D(X, Y, Y, RED, name="end"),
]
SCENE = Scene(Axis("x"), Axis("y"), Axis("f", ticks=[0, 1], labels=["0", "1"]), (1, 1, 1))


def numbers(pack_array):
    return np.frombuffer(base64.b64decode(pack_array["bdata"]), pack_array["dtype"])


@pytest.mark.parametrize(
    "figure",
    [
        *(Figure([mark], Axis("x"), Axis("y"), extra={"bargap": 0}) for mark in MARKS),
        Figure(IN_SPACE, scene=SCENE),
    ],
)
def test_plotly_knows_every_attribute_of_every_mark(figure):
    made = to_plotly(figure)
    go.Figure({k: made[k] for k in ("data", "layout")})  # raises for what Plotly does not know
    json.dumps(made, allow_nan=False)
    assert ("scene" in made["layout"]) != ("xaxis" in made["layout"])


def test_a_line_as_it_has_always_been_drawn():
    line = Line(X, Y, RED, name="SGD", uid="a", group="SGD", hover="{name}: {y:.4g}", legend=True)
    [trace] = to_plotly(Figure([line]))["data"]
    assert numbers(trace.pop("x")).tolist() == X
    assert numbers(trace.pop("y")).tolist() == Y
    assert trace == {
        **{"type": "scatter", "mode": "lines", "uid": "a", "name": "SGD", "legendgroup": "SGD"},
        "showlegend": True,
        "hovertemplate": "SGD: %{y:.4g}<extra></extra>",
        "line": {"color": "#d00000", "dash": "9px,5px", "width": 2.4, "simplify": False},
    }


def test_a_band_goes_there_and_back_over_what_is_known():
    [trace] = to_plotly(Figure([Band([0, 1, 2], [0, np.nan, 2], [3, 4, 5], "#d00000")]))["data"]
    assert numbers(trace["x"]).tolist() == [0, 2, 2, 0]
    assert numbers(trace["y"]).tolist() == [3, 5, 2, 0]
    assert trace["opacity"] == 0.18
    assert trace["showlegend"] is False
    apart = Band([0, 1, np.nan, 5, 6], [0, 0, np.nan, 2, 2], [1, 1, np.nan, 3, 3], "#d00000")
    [trace] = to_plotly(Figure([apart]))["data"]
    np.testing.assert_array_equal(numbers(trace["x"]), [0, 1, 1, 0, np.nan, 5, 6, 6, 5])
    np.testing.assert_array_equal(numbers(trace["y"]), [1, 1, 0, 0, np.nan, 3, 3, 2, 2])
    assert to_svg(Figure([apart]), LIGHT).count("<polygon") == 2


def test_a_curve_over_seeds():
    values = np.array([[1.0, 2.0, 9.0], [2.0, np.nan, 4.0], [np.nan] * 3])
    band, line, shapes = curve_with_band(X, values, RED, name="SGD", uid="s", shapes=8)
    np.testing.assert_array_equal(line.y, [2, 3, np.nan])
    np.testing.assert_array_equal(band.low, [1, 2, np.nan])
    np.testing.assert_array_equal(band.high, [9, 4, np.nan])
    assert {m.group for m in (band, line, shapes)} == {"SGD"}
    np.testing.assert_array_equal(mean_over_seeds(values), [4, 3, np.nan])
    raw, line = curve_with_band(X, values[:, :1], RED, name="SGD", uid="s", raw=Y)
    assert (raw.opacity, raw.style.dashes, line.style) == (0.3, (), RED)


def test_a_trail_has_its_head_at_the_last_known_point():
    line, shapes = trail(range(12), [*range(10), np.nan, np.nan], RED, uid="t", name="t", shapes=4)
    assert list(shapes.x) == [0, 3, 6, 9]
    assert shapes.meta == {"of": line.uid, "head": 3}
    assert shapes.size == [6, 6, 6, 10]


def test_hover_texts_are_python_templates_and_names_are_not_markup():
    text = fill_template("{name}, {part}: {y:.1%} at {x:.3g}", part="{a} <b>")
    [trace] = to_plotly(Figure([Line(X, Y, RED, name="a<b", hover=text)]))["data"]
    expected = "a&lt;b, {a} &lt;b&gt;: %{y:.1%} at %{x:.3g}<extra></extra>"
    assert trace["hovertemplate"] == expected
    with pytest.raises(KeyError):
        to_plotly(Figure([Line(X, Y, RED, hover="{loss}")]))


def test_ids_are_stable_and_not_shared():
    marks = [Line(X, Y, RED, name="a"), Line(X, Y, RED, name="a"), Line(X, Y, BLUE, name="b")]
    first, again = ([t["uid"] for t in to_plotly(Figure(m))["data"]] for m in (marks, marks[:2]))
    assert len(set(first)) == 3
    assert again == first[:2]
    with pytest.raises(ValueError, match="uid"):
        to_plotly(Figure([replace(mark, uid="same") for mark in marks]))


def test_limits_are_in_the_units_of_the_data():
    x, y = Axis("time", limits=(0, 5)), Axis("loss", log=True, limits=(1e-4, 10))
    figure = Figure([Line(X, Y, RED)], x, y, notes=[Note("here", 2, 0.1, data=True)])
    layout = to_plotly(figure)["layout"]
    np.testing.assert_allclose(layout["yaxis"]["range"], [-4, 1])
    assert layout["yaxis"]["dtick"] == 1
    assert layout["annotations"][0]["y"] == pytest.approx(-1)
    for narrow in (
        to_plotly(Figure([], x, replace(y, limits=(0.02, 0.3)))),
        to_plotly(Figure([Line(X, [0.3, 0.02, 0.1], RED)], x, replace(y, limits=None))),
    ):
        axis = narrow["layout"]["yaxis"]
        labels = dict(zip(axis["ticktext"], axis["tickvals"], strict=True))
        assert labels["0.05"] == pytest.approx(0.05)
        assert {"0.02", "0.1", "0.2"} <= labels.keys(), "each number stands by itself"


def test_small_multiples_have_ticks_at_their_outer_sides():
    panels = [
        Panel([Line(X, Y, RED)], Axis("epoch"), percent("accuracy"), title=t) for t in "abcde"
    ]
    layout = to_plotly(grid(panels, 3, share_x=True, share_y=True))["layout"]
    inner = {n for n, a in layout.items() if "axis" in n and a.get("showticklabels") is False}
    assert inner == {"xaxis", "xaxis2", "yaxis2", "yaxis3", "yaxis5"}
    assert "title" not in layout["xaxis"]
    assert layout["xaxis3"]["title"]["text"] == "epoch"
    assert layout["xaxis5"]["domain"] == layout["xaxis2"]["domain"]
    assert layout["yaxis4"]["domain"][1] < layout["yaxis"]["domain"][0]
    assert [n["text"] for n in layout["annotations"]] == list("abcde")


def test_stacked_panels_share_an_axis_that_stands_on_the_lowest():
    rate = Panel([Line(X, Y, BLUE), Rule(RED, x=1)], y=Axis("rate"))
    figure = stack([Panel([Line(X, Y, RED)], Axis("step"), Axis("loss")), rate], heights=(2, 1))
    layout = to_plotly(figure)["layout"]
    assert layout["xaxis"]["anchor"] == "y2"
    assert layout["xaxis"]["mirror"] == "all", "both panels have a frame"
    assert "xaxis2" not in layout
    np.testing.assert_allclose(layout["yaxis"]["domain"], [1 - 0.94 * 2 / 3, 1])
    assert layout["shapes"][0]["yref"] == "y2 domain"


def test_marginals_lie_on_the_axes_of_the_main_panel():
    main = Panel([Dots(X, Y, RED)], Axis("a"), Axis("b"))
    ends = Panel([Dots(X, Y, RED)], y=Axis("c")), Panel([Dots(X, Y, RED)], x=Axis("d"))
    figure = to_plotly(marginals(main, *ends))
    refs = [(t.get("xaxis", "x"), t.get("yaxis", "y")) for t in figure["data"]]
    assert refs == [("x", "y"), ("x", "y2"), ("x2", "y")]
    assert figure["layout"]["xaxis2"]["anchor"] == "y"
    assert figure["layout"]["yaxis2"]["anchor"] == "x"


def test_the_height_is_the_figure_s_own():
    assert to_plotly(Figure(height=(15, 42, 32)))["height"] == "clamp(15rem, 42vh, 32rem)"
    assert to_plotly(Figure(height=20))["height"] == "20rem"
    assert "height" not in to_plotly(Figure())


@pytest.mark.parametrize(
    "figure",
    [
        *(Figure([m]) for m in MARKS),
        grid([Panel([m]) for m in MARKS], 3),
        marginals(Panel([MARKS[3]]), Panel([MARKS[0]], y=Axis()), Panel([MARKS[0]], x=Axis())),
    ],
)
def test_a_thumbnail_shows_every_mark(figure):
    root = ElementTree.fromstring(to_svg(figure, LIGHT))
    assert root.get("aria-hidden") == "true"
    shown = "".join(ElementTree.tostring(part, encoding="unicode") for part in root)
    for mark in (m for panel in figure.frames for m in panel.marks):
        if isinstance(mark, Heatmap | Contour):
            assert "image/png" in shown
        elif not isinstance(mark, Text):
            style = getattr(mark, "style", None)
            color = style.color if style else mark.color
            assert color in shown or getattr(mark, "shade", None) is not None


def test_what_is_in_space_has_no_thumbnail():
    with pytest.raises(TypeError, match="Surface"):
        to_svg(Figure(IN_SPACE, scene=SCENE), LIGHT)


def test_what_has_the_first_row_below_is_seen_that_way_round():
    bright_above = Heatmap([[0.0], [1.0]], COLORS, span=(0, 1))
    svgs = [to_svg(Figure([bright_above], y=Axis(reversed=r)), LIGHT) for r in (False, True)]
    assert svgs[0] != svgs[1]


any_floats = st.lists(st.floats(), max_size=6)


@given(x=any_floats, y=any_floats, z=any_floats, log=st.booleans(), limited=st.booleans())
@settings(deadline=None, max_examples=60)
def test_nothing_breaks_a_figure(x, y, z, log, limited):
    """NaN, infinities, huge and tiny numbers and no numbers at all can be drawn and kept."""
    n = min(len(x), len(y), len(z))
    x, y, z = x[:n], y[:n], z[:n]
    with np.errstate(all="ignore"):
        marks = [
            Line(x, y, RED, name="line", markers=3, fill=True, ends=(y, z), shape="hvh"),
            Band(x, y, z, "#000000"),
            Dots(x, y, BLUE, shade=z, colors=COLORS),
            Bars(x, y, "#000000"),
            *curve_with_band(x, np.array([y, z]).T, RED, name="seeds", uid="seeds", shapes=4),
            *trail(x, y, RED, uid="trail", name="trail"),
        ]
        limits = (1e-3, 1e3) if limited else None
        axes = (Axis("x", limits=limits, log=log), Axis("y", limits=limits, log=log))
        json.dumps(to_plotly(Figure(marks, *axes)), allow_nan=False)
        drawn = to_svg(Figure(marks, *axes), LIGHT)
        ElementTree.fromstring(drawn)
        assert "nan" not in drawn
        assert "inf" not in drawn
