"""Figures and tables as values. Build one from marks; hand it to whoever shows it.

A curve over seeds, the idiom of every page::

    marks = [m for line in lines for m in curve_with_band(
        x, losses[line.id], line.style, name=line.name, uid=line.id, shapes=8)]
    x, y = Axis("iteration", limits=(0, 300)), Axis("loss", log=True)
    return Figure(marks, x, y, height=(15, 42, 32))

Small multiples, with ticks at the outer panels only::

    panels = [Panel([Line(x, y, line_style, name=name, uid=f"{i}", legend=i == 0, hover="{y:.1%}")],
                    Axis("epoch", limits=(0, 5), ticks=3), percent(), title=f"η = {rate:g}")
              for i, (rate, y) in enumerate(runs)]
    return grid(panels, columns=4, share_x=True, share_y=True, legend="window")

A table whose numbers stay numbers until they are read or saved::

    Table(_("How every network stands"), ["", "loss", Column("accuracy", 3, percent=True)],
          [[line.name, loss, accuracy], ...], [line.style, ...]).html()   # or .csv()

`to_plotly(figure)` is for the browser, `to_svg(figure, theme)` a thumbnail, `layer(*marks)` what
lies under a figure.

`marks.py` and `figure.py` document what marks, axes and figures accept. Besides them:

| | |
|---|---|
| curve_with_band | median, band, faint raw values and some markers of a curve over seeds |
| trail | a line over steps that the player cuts, with its head |
| entry | marks that share one entry of the legend |
| bar_with_seeds | a bar with a marker for every seed |
| histogram_bars, histogram_outline, histogram_grid | of one array; of every layer of a network |
| matrix | colored cells with words on them |
| percent, categories, hidden | axes of shares, of names, and none |
| grid, stack, marginals | panels side by side, on one x axis, beside a large one |
| fill_template | a translated hover text with its fixed fields filled in |
"""

from optviz.plot.figure import (
    Axis,
    Figure,
    Note,
    Panel,
    Scene,
    categories,
    grid,
    hidden,
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
    entry,
    fill_template,
)
from optviz.plot.matrix import matrix
from optviz.plot.network import network_graph
from optviz.plot.parallel import Bundle, axis_values, brush, parallel_coordinates
from optviz.plot.series import (
    bar_with_seeds,
    curve_with_band,
    histogram_bars,
    histogram_outline,
    over_seeds,
    thin_indices,
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
    percentage_points,
    style,
    zero_rounding_errors,
)
from optviz.plot.table import Column, Table
from optviz.plot.writers.plotly import layer, to_plotly
from optviz.plot.writers.svg import to_svg
