"""Figures as what Plotly.js draws: a dict of traces and layout, ready for JSON."""

from dataclasses import replace
from itertools import count

import numpy as np

from optviz.plot.figure import MARGIN, Axis, Figure, Note, Scene
from optviz.plot.marks import Band, Bars, Dots, Line, Mark, Rule, Text, hover_template
from optviz.plot.style import number, pack_array
from optviz.plot.writers.paper import coordinates
from optviz.plot.writers.traces import trace, without_none

TOP = {"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "font": {"size": 12}}
INSIDE = {"orientation": "h", "x": 1, "y": 0.02, "xanchor": "right", "yanchor": "bottom"}
LEGENDS = {
    "top": {**TOP, "yanchor": "bottom"},
    "window": {**TOP, "yref": "container", "yanchor": "top"},
    "inside": {**INSIDE, "font": {"size": 11}, "bgcolor": "rgba(0,0,0,0)"},
}
CAMERA = {"eye": {"x": -1.02, "y": -1.72, "z": 1.66}, "center": {"x": 0, "y": 0, "z": -0.26}}
MIN_DECADES, MAX_TICKS = 0.7, 8  # a log axis shorter than that is left to Plotly
POWER_SIZE = 10.5  # Plotly writes 10² a quarter larger than that


def to_plotly(figure: Figure) -> dict:
    """`{"data": [...], "layout": {...}}`, and `"height"` in CSS where the figure has one.

    ValueError where two marks have one uid.
    """
    refs = _axis_names(figure)
    axes = _axes(figure, refs)
    data, uids, notes, shapes = [], set(), [], []
    for i, (panel, ref) in enumerate(refs.items()):
        for mark in panel.marks:
            if isinstance(mark, Rule):
                shapes.append(_shape(mark, ref, len(refs) > 1))
                continue
            uid = _uid(mark, i, uids)
            uids.add(uid)
            data.append({**trace(mark), "uid": uid, **_common(mark, ref), **mark.extra})
        logs = [axes[_key(name)].get("type") == "log" for name in ref]
        titles = [_title(panel)] if panel.title else []
        notes += [_note(note, ref, logs) for note in (*titles, *panel.notes)]
    layout = {"margin": {**MARGIN, **figure.margin}}
    if figure.scene:
        layout["scene"] = _scene(figure.scene)
    else:
        layout |= {"hovermode": figure.hover, "dragmode": figure.drag, **axes}
    layout |= without_none(
        legend=LEGENDS.get(figure.legend),
        showlegend=figure.show_legend if figure.legend else False,
        annotations=notes or None,
        shapes=shapes or None,
    )
    height = {"height": figure.css_height} if figure.css_height else {}
    return {"data": data, "layout": {**layout, **figure.extra}, **height}


def layer(*marks: Mark) -> dict:
    """Marks without axes, as what lies under a figure."""
    return {"data": to_plotly(Figure(marks))["data"], "layout": {}}


def _uid(mark, panel, taken):
    if mark.uid in taken:
        raise ValueError(f"two marks have the uid {mark.uid!r}")
    base = f"{type(mark).__name__.lower()}-{panel}-{mark.name}"
    names = (base if n == 1 else f"{base}-{n}" for n in count(1))
    return mark.uid or next(name for name in names if name not in taken)


def _common(mark, ref):
    """The attributes common to all traces, those that the mark sets."""
    legend = mark.legend
    if legend is None and not mark.name and isinstance(mark, Line | Band | Dots | Bars | Text):
        legend = False
    x, y = ref
    out = without_none(
        name=mark.name or None,
        legendgroup=mark.group or None,
        showlegend=legend,
        opacity=mark.opacity,
        customdata=None if mark.values is None else pack_array(mark.values),
        meta=mark.meta,
        xaxis=None if x == "x" else x,
        yaxis=None if y == "y" else y,
    )
    if not isinstance(mark.hover, str):
        return {**out, "hovertext": list(mark.hover), "hoverinfo": "text"}
    return out | ({"hovertemplate": hover_template(mark)} if mark.hover else {"hoverinfo": "skip"})


def _shape(rule, ref, several):
    x, y = ref
    full = rule.across or not several
    along = ("paper", "paper") if full else (f"{x} domain", f"{y} domain")
    if rule.x is not None:
        ends = {"x0": rule.x, "x1": rule.x, "y0": 0, "y1": 1, "xref": x, "yref": along[1]}
    else:
        ends = {"x0": 0, "x1": 1, "y0": rule.y, "y1": rule.y, "xref": along[0], "yref": y}
    line = {"color": rule.style.color, "width": rule.width, "dash": rule.style.dash}
    return {"type": "line", **ends, "line": line, **rule.extra}


def _title(panel):
    font = {"size": 12, "color": panel.title_color}
    (left, right), top = panel.x_domain, panel.y_domain[1]
    if panel.title_inside:
        return Note(panel.title, right - 0.01, top, "right top", **font)
    return Note(panel.title, (left + right) / 2, top, "center bottom", **font)


def _note(note: Note, ref, logs):
    x_anchor, y_anchor = note.anchor.split()
    x_ref, y_ref = ref if note.data else ("paper", "paper")
    x, y = note.x, note.y
    if note.data:  # Plotly wants the exponent on a logarithmic axis here, though not of a shape
        x = np.log10(x) if logs[0] else x
        y = np.log10(y) if logs[1] else y
    font = without_none(size=note.size, color=note.color or None)
    out = {"text": note.text, "x": float(x), "y": float(y), "font": font}
    out |= {"xref": x_ref, "yref": y_ref}
    out |= {"xanchor": x_anchor, "yanchor": y_anchor, "showarrow": note.arrow is not None}
    if note.arrow is not None:
        out |= {"ax": note.arrow[0], "ay": note.arrow[1], "arrowhead": 2, "arrowsize": 1.2}
        out |= {"arrowcolor": note.color} if note.color else {}
    if note.background:
        out |= {"bgcolor": note.background, "opacity": 0.9, "borderpad": 2}
    if note.shift:
        out |= {"xshift": note.shift, "align": "left"}
    return out | note.extra


def _key(name):
    """What the layout calls the axis that a trace calls x2."""
    return f"{name[0]}axis{name[1:]}"


def _axis_names(figure):
    """The x and the y axis of every panel as traces call them: x, y, x2 …"""
    refs = {panel: [] for panel in figure.frames}
    for letter in "xy":
        for n, panels in enumerate(figure.panels_by_axis(letter), 1):
            for panel in panels:
                refs[panel].append(f"{letter}{n}" if n > 1 else letter)
    return refs


def _axes(figure, refs):
    """Every axis of the layout; with several panels, each has its domain and its anchor."""
    axes = {}
    for k, letter in enumerate("xy"):
        for panels in figure.panels_by_axis(letter):
            owner = panels[0]
            axis = getattr(owner, letter)
            if axis.log and axis.ticks is None and axis.step is None:
                limits = axis.limits or _extent([m for p in panels for m in p.marks], k)
                axis = replace(axis, **_log_ticks(limits))
            axes[_key(refs[owner][k])] = out = _axis(axis, letter)
            if len(refs) > 1:
                # on the lowest of the panels that share an x axis, the leftmost that share a y axis
                edge = min(panels, key=lambda p: p.y_domain[0] if letter == "x" else p.x_domain[0])
                out["domain"] = list(owner.x_domain if letter == "x" else owner.y_domain)
                out["anchor"] = refs[edge][1 - k]
            if len(panels) > 1:
                out["mirror"] = "all"  # a frame around every one of them
    return axes


def _axis(axis: Axis, letter):
    explicit = not isinstance(axis.ticks, int | None)
    size = axis.tick_size or (POWER_SIZE if axis.log and not explicit else None)
    zero = axis.zero if isinstance(axis.zero, str) else None
    out = without_none(
        type="log" if axis.log else "category" if axis.categories else None,
        range=_range(axis),
        autorange="reversed" if axis.reversed and axis.limits is None else None,
        fixedrange=axis.fixed or None,
        title=_axis_title(axis, letter) if axis.title else None,
        zeroline=bool(axis.zero),
        zerolinecolor=zero,
        zerolinewidth=1.5 if zero else None,
        showgrid=axis.grid,
        exponentformat="power" if axis.log or axis.powers else None,
        tickformat=axis.format or None,
        ticksuffix=axis.suffix or None,
        nticks=None if explicit else axis.ticks,
        tickvals=[float(t) for t in axis.ticks] if explicit else None,
        ticktext=None if axis.labels is None else list(axis.labels),
        dtick=axis.step,
        tickangle=axis.tick_angle,
        tickfont={"size": size} if size else None,
        showticklabels=None if axis.tick_labels else False,
    )
    return out | axis.extra


def _axis_title(axis, letter):
    standoff = 4 if axis.standoff is None and letter == "x" else axis.standoff
    font = {"size": axis.title_size} if axis.title_size else None
    return without_none(text=axis.title, standoff=standoff, font=font)


def _range(axis):
    if axis.limits is None:
        return None
    ends = _exponents(axis.limits) if axis.log else [float(v) for v in axis.limits]
    return ends[::-1] if axis.reversed else ends


def _exponents(limits):
    return [float(np.log10(max(v, np.finfo(float).tiny))) for v in limits]


def _log_ticks(limits):
    """Ticks of a logarithmic axis, each with its complete number: for 5 × 10⁻² Plotly would write a
    small 5.
    """
    low, high = sorted(_exponents(limits))
    decades = high - low
    if decades >= 3.5 * MIN_DECADES:
        return {"step": max(1, int(-(-decades // MAX_TICKS)))}
    if not decades > MIN_DECADES:
        return {}
    steps = (1, 2, 5) if decades < 2 * MIN_DECADES else (1, 3)
    powers = range(int(np.floor(low)), int(np.ceil(high)) + 1)
    ticks = [m * 10.0**k for k in powers for m in steps]
    return {"ticks": ticks, "labels": [number(tick) for tick in ticks]}


def _extent(marks, k):
    """The least and the largest positive number of marks along an axis; 1, 1 if there is none."""
    arrays = [np.ravel(a) for mark in marks for a in coordinates(mark, k)]
    values = np.concatenate(arrays or [np.ones(1)])
    values = values[np.isfinite(values) & (values > 0)]
    return (values.min(), values.max()) if values.size else (1.0, 1.0)


def _scene(scene: Scene):
    axes = {f"{c}axis": _axis(getattr(scene, c), c) for c in "xyz"}
    for axis in axes.values():
        axis.pop("zeroline")
        axis.get("title", {}).pop("standoff", None)
    aspect = dict(zip("xyz", scene.aspect, strict=True))
    return {**axes, "aspectmode": "manual", "aspectratio": aspect, "camera": CAMERA}
