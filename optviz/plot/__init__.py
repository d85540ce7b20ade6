"""Figures and tables as values. Build one from marks; hand it to whoever shows it.

A curve over seeds, the idiom of every page::

    marks = [m for line in lines for m in curve_with_band(
        x, losses[line.id], line.style, name=line.name, uid=line.id, shapes=8)]
    x, y = Axis("iteration", limits=(0, 300)), Axis("loss", log=True)
    return Figure(marks, x, y, height=(15, 42, 32))

Small multiples, with ticks at the outer panels only::

    panels = [Panel([Line(x, y, look, name=name, uid=f"{i}", legend=i == 0, hover="{y:.1%}")],
                    Axis("epoch", limits=(0, 5), ticks=3), percent(), title=f"η = {rate:g}")
              for i, (rate, y) in enumerate(found)]
    return grid(panels, columns=4, share_x=True, share_y=True, legend="window")

A table whose numbers stay numbers until they are read or saved::

    Table(_("How every network stands"), ["", "loss", Column("accuracy", 3, percent=True)],
          [[line.name, loss, accuracy], ...], [line.style, ...]).html()   # or .csv()

`to_plotly(figure)` is for the browser, `to_svg(figure, theme)` a thumbnail, `layer(*marks)` what
lies under a figure.

| by hand | say |
|---|---|
| {"type": "scatter", "mode": "lines", "line": {...}} | Line(x, y, style, width=2.4) |
| "mode": "lines+markers", "maxdisplayed": 8 | Line(..., markers=8) |
| "line": {"shape": "hv"}; "fill": "tozeroy"; error_y | shape="hv"; fill=True; ends=(low, high) |
| concatenate x, x[::-1], "fill": "toself" | Band(x, low, high, color, hatched=True) |
| band + median + faint raw + some marks | curve_with_band(x, values (n, seeds), ...) |
| line and marks with "meta": {"trail", "of", "head"} | trail(x, y, style, uid=..., name=...) |
| "bar" for the median and a mark for each seed | bar_with_seeds(k, values, height, style) |
| histogram as bars, as "shape": "hvh" | histogram_bars, histogram_outline |
| a histogram for every layer of a network | histogram_grid |
| "hovertemplate": f"{name}: %{{y:.1%}}<extra></extra>" | hover="{name}: {y:.1%}" |
| the same with words of one's own, translated | hover=fill_template(_("..."), part=...) |
| "hoverinfo": "skip" | nothing; hover="" is the default |
| "range": [np.log10(a), np.log10(b)], "type": "log", "dtick" | Axis(limits=(a, b), log=True) |
| "tickformat": ".0%"; tickvals/ticktext under bars | percent("accuracy"); categories(names) |
| "shapes": [{"type": "line", ...}] | Rule(style, x=...) among the marks |
| "annotations": [{"xref": "paper", ...}]; arrows | Note(text, x, y, "right bottom"); arrow= |
| domains, anchors, "xaxis3", notes as titles | Panel(..., title=) in grid, stack, |
| scatter with marginal accuracy | marginals(main, above, beside) |
| LEGEND, "showlegend", margins, .ov-plot { height } | legend=, show_legend=, margin=, height= |
| f'<tr><th scope="row" style="border-left...' | Table(label, columns, rows, styles).html() |
"""

from optviz.plot.figure import (
    Axis,
    Figure,
    Note,
    Panel,
    Scene,
    categories,
    grid,
    marginals,
    percent,
    stack,
)
from optviz.plot.histograms import HistogramRow, histogram, histogram_grid, histogram_range
from optviz.plot.images import ImageGrid, png
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
    Mark,
    Rule,
    Surface,
    Text,
    fill_template,
)
from optviz.plot.matrix import matrix
from optviz.plot.network import network_graph
from optviz.plot.parallel import Bundle, along, brush, parallel_coordinates
from optviz.plot.series import (
    bar_with_seeds,
    curve_with_band,
    histogram_bars,
    histogram_outline,
    over_seeds,
    thinned,
    trail,
)
from optviz.plot.style import (
    DARK,
    LIGHT,
    THEMES,
    Style,
    Theme,
    method_styles,
    number,
    percentage,
    style,
    unless_rounding,
)
from optviz.plot.table import Column, Table
from optviz.plot.writers.plotly import layer, to_plotly
from optviz.plot.writers.svg import to_svg
