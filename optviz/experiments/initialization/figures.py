"""What initial weights do to a training: gradients by layer, weight matrices as pictures, whether units differ."""

from collections import Counter
from dataclasses import dataclass
from html import escape

import numpy as np

from optviz.nn import INITIALIZERS, Network
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import hyperparameters
from optviz.plot.style import (
    Style,
    Theme,
    number,
    packed,
    packed_grid,
    style,
)
from optviz.spec import Choice, SpecError
from optviz.training import Training, rank
from optviz.training import check as check_training

MAX_RULES = 8  # compared at once
MAX_KEPT = 50  # snapshots of a training
KEPT_NUMBERS = 10**7  # in all of them together
SIDE = 100  # rows and columns of a matrix in its picture
MAX_PICTURES = 4  # matrices side by side
EQUAL = 1e-6  # of the largest weight: nearer units are the same but for rounding, as `rank` has it


def every(iterations: int, numbers: int) -> int:
    """Iterations between two snapshots of so many numbers: 20, or 40, 80 … where these would be too many."""
    snapshot_every = 20
    while iterations > MAX_KEPT * snapshot_every or (
        snapshot_every < iterations and iterations // snapshot_every * numbers > KEPT_NUMBERS
    ):
        snapshot_every *= 2
    return snapshot_every


# The book's figure 6.15 on the digits, at a rate that tells the three apart within 300 iterations.
BOOK = Training(
    Network(), OptimizerConfig(Choice("sgd", {"lr": 0.05})),
    initializers=(Choice("normal", {"sigma": 0.01}), Choice("book"), Choice("he_normal")), eval_every=20, snapshot_every=20,
)  # fmt: skip

# Sigmoid, because with ReLU zeros would stay zeros: here they move, all together. In float64, where equal is equal.
SYMMETRY = Training(
    Network((64, 8, 8, 10), Choice("sigmoid"), dtype="float64"), OptimizerConfig(Choice("sgd", {"lr": 1.0})), iterations=600,
    initializers=(Choice("zeros"), Choice("constant"), Choice("book")), eval_every=20, snapshot_every=20,
)  # fmt: skip


def check(training: Training) -> None:
    """SpecError where a training from outside could not have been set on the page."""
    if not 1 <= len(training.initializers) <= MAX_RULES:
        raise SpecError(
            f"1 to {MAX_RULES} initializers are compared, not {len(training.initializers)}"
        )
    check_training(training)


def names(rules: tuple[Choice, ...]) -> list[str]:
    """What each initializer is called: with its hyperparameters where it has some, numbered where two are the same."""
    plain = [_name(rule) for rule in rules]
    many, seen = Counter(plain), Counter()
    out = []
    for name in plain:
        seen[name] += 1
        out.append(f"{name} #{seen[name]}" if many[name] > 1 else name)
    return out


def _name(part):
    rule = part.build(INITIALIZERS)
    values = {k.name: getattr(rule, k.name) for k in hyperparameters(type(rule))}
    symbols = {"sigma": "σ", "gain": "g"}
    return rule.label + (
        f" ({', '.join(f'{symbols.get(k, k)} = {v:g}' for k, v in values.items())})"
        if values
        else ""
    )


def gradients(norms: dict[int, np.ndarray], iterations: int, shown: int, theme: Theme) -> dict:
    """The length of the gradient of each weight matrix over the kept iterations, a line for each.

    A length of exactly 0 has no place on a logarithmic axis: the line has a gap there, and `flow` says it.
    """
    y = np.array([norms[t] for t in sorted(norms)])
    y = np.where(np.isfinite(y) & (y > 0), y, np.nan)
    lines = [(f"W{i + 1}", y[:, i], style(i, theme)) for i in range(y.shape[1])]
    axis = {"type": "log", "exponentformat": "power", "title": {"text": "length of the gradient"}}
    return _over_time(lines, sorted(norms), axis, iterations, shown, theme)


def ranks(
    found: dict[int, list[int]], names, looks, most: int, iterations: int, shown: int, theme: Theme
) -> dict:
    """The rank of one weight matrix over the kept iterations, a line for each initializer."""
    y = np.array([found[t] for t in sorted(found)], float)
    lines = [(name, y[:, i], look) for i, (name, look) in enumerate(zip(names, looks, strict=True))]
    axis = {"range": [0, 1.05 * most], "title": {"text": "rank"}}
    return _over_time(lines, sorted(found), axis, iterations, shown, theme)


def _over_time(lines, at, axis, iterations, shown, theme):
    here = {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": shown,
        "x1": shown,
        "y0": 0,
        "y1": 1,
    }
    return {
        "data": [
            {
                "type": "scatter", "mode": "lines+markers", "uid": f"g{i}", "name": name, "x": packed(np.array(at, float)), "y": packed(y),
                "line": {"color": look.color, "dash": look.dash, "width": 2, "simplify": False},
                "marker": {"symbol": look.marker, "size": 6, "color": look.color},
                "hovertemplate": f"{escape(name)}: %{{y:.3g}}<extra></extra>",
            }
            for i, (name, y, look) in enumerate(lines)
        ],
        "layout": {
            "margin": {"l": 68, "r": 12, "t": 30, "b": 42}, "hovermode": "x", "dragmode": "pan",
            "xaxis": {"title": {"text": "iteration", "standoff": 4}, "range": [0, max(iterations, 1)], "zeroline": False},
            "yaxis": {"zeroline": False, **axis},
            "legend": {"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "font": {"size": 12}},
            "shapes": [{**here, "line": {"color": theme.faint, "width": 1.5, "dash": "4px,3px"}}],
        },
    }  # fmt: skip


def flow(norms: np.ndarray, weights: np.ndarray) -> str:
    """What the lengths of the gradients say beside those of the weight matrices, in a sentence or two."""
    if not np.isfinite(norms).all():
        return "**The gradient has overflowed**: it is no longer finite."
    still = [f"W{i + 1}" for i, g in enumerate(norms) if g == 0]
    if len(still) == len(norms):
        return "**No gradient at all**: it is exactly 0 for every weight matrix, so that no weight can move."
    if still:
        return f"**No gradient reaches {', '.join(still)}**: it is exactly 0 there; W{len(norms)} gets {number(norms[-1], 3)}."
    ends = f"{number(norms[0], 3)} for W1, {number(norms[-1], 3)} for W{len(norms)}"
    share = float((norms / np.maximum(weights, 1e-300)).max())
    if share < 1e-3:
        return (
            f"**Vanishing**: the gradient's length is {ends}. No matrix gets more than {number(share, 2)} of its own length, "
            "so that hardly anything is learned."
        )
    ratio = norms[0] / norms[-1]
    if ratio < 0.02 or ratio > 50:
        way = "fades" if ratio < 1 else "grows"
        return f"**The gradient {way}** on its way back by a factor of {number(max(ratio, 1 / ratio), 2)}: {ends}."
    return f"The gradient reaches every layer: its length is {ends}."


def lengths_table(rows: list[tuple[str, np.ndarray, Style]], shown: int) -> str:
    """The gradients' lengths of every initializer at an iteration."""
    if not rows:
        return ""
    head = "".join(f'<th scope="col">W{i + 1}</th>' for i in range(len(rows[0][1])))
    body = "".join(
        f'<tr><th scope="row" style="border-left: 0.35rem solid {look.color}">{escape(name)}</th>'
        + "".join(f"<td>{number(v, 3)}</td>" for v in norms) + "</tr>"
        for name, norms, look in rows
    )  # fmt: skip
    label = f"Length of the gradient of each weight matrix at iteration {shown}"
    return (
        f'<div class="ov-table" tabindex="0" role="region" aria-label="{label}">'
        f'<table><thead><tr><th scope="col">gradient</th>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


@dataclass(frozen=True, eq=False)
class Matrix:
    """How far the units of a weight matrix `(n_in, n_out)` tell themselves apart.

    The hidden units are its columns; of the last matrix, whose columns are the classes, its rows.
    """

    w: np.ndarray
    last: bool
    rank: int
    strengths: np.ndarray  # singular values, the largest first
    apart: float  # the farthest that two units are from each other in any weight
    largest: float

    @classmethod
    def of(cls, w, last: bool = False) -> "Matrix":
        w = np.asarray(w, float)
        if not np.isfinite(w).all():
            return cls(w, last, 0, np.full(1, np.nan), np.nan, np.nan)
        return cls(
            w, last, rank(w), np.linalg.svd(w, compute_uv=False), float(np.ptp(w, axis=0 if last else 1).max()),
            float(np.abs(w).max()),
        )  # fmt: skip

    @property
    def units(self) -> int:
        return self.w.shape[0 if self.last else 1]

    @property
    def equal(self) -> bool:
        """Whether all units are the same but for rounding."""
        return self.apart <= EQUAL * self.largest


def seen(m: Matrix, shown: int, gradient: float) -> str:
    """What there is to see in the matrix at an iteration. `gradient` is the length of its gradient there."""
    if not np.isfinite(m.largest):
        return "**Diverged**: there are no numbers to look at any more."
    when = f"after {shown} updates" if shown else "before the first update"
    which = "rows (what each unit sends on)" if m.last else "columns (what each unit listens to)"
    if m.largest == 0:
        why = (
            "Its gradient is exactly 0 as well, so it stays so."
            if gradient == 0
            else f"Its gradient is not: its length is {number(gradient, 3)}."
            if np.isfinite(gradient)
            else ""
        )
        return f"**Exactly zero**: every one of the {m.w.size:,} weights is 0 {when}. {why}".strip()
    directions = f"Rank {m.rank} of at most {min(m.w.shape)}"
    if m.units == 1:
        return f"**A single unit**: there is none for it to be equal to. {directions}."
    if m.equal:
        which = which.replace(" (", ", ").replace(")", ",")
        differ = (
            "do not differ at all"
            if m.apart == 0
            else f"differ by {number(m.apart, 2)} at most, which is rounding"
        )
        return (
            f"**All {m.units} units are equal** {when}: the {which} {differ}. {directions}: the layer can say no more "
            "than one unit could."
        )
    if m.rank == 1:
        return f"**Rank 1**: {when} the {which} are multiples of one of them, though they differ by up to {number(m.apart, 3)}."
    return f"**Different**: {when} the {which} differ by up to {number(m.apart, 3)}. {directions}."


def strengths(m: Matrix) -> str:
    """The leading singular values, for reading."""
    some = ", ".join(number(s, 3) for s in m.strengths[:6])
    return f"Singular values{' (the first six)' if len(m.strengths) > 6 else ''}: {some}"


def _places(n, most):
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int))


def corner(m: Matrix, rows: int = 8, columns: int = 6) -> str:
    """Some numbers of the matrix as text, a line for a row: rows from top to bottom, the first columns."""
    picked = _places(m.w.shape[0], rows)
    lines = [" " * 7 + "".join(f"{f'[{j}]':>12}" for j in range(min(columns, m.w.shape[1])))]
    lines += [f"{f'[{i}]':>7}" + "".join(f"{v:>12.4g}" for v in m.w[i, :columns]) for i in picked]
    return "\n".join(lines)


def heatmaps(matrices: list[tuple[str, Matrix]], theme: Theme) -> dict:
    """Weight matrices side by side, each with a scale of its own around 0, whose end is written above it.

    Rows are inputs, columns units. Of large ones some rows and columns are drawn, evenly picked.
    """
    n = len(matrices)
    gap = 0.07 if n > 1 else 0
    width = (1 - gap * (n - 1)) / n
    data = []
    layout = {
        "margin": {"l": 46, "r": 8, "t": 44, "b": 40},
        "showlegend": False,
        "dragmode": False,
        "annotations": [],
    }
    for i, (name, m) in enumerate(matrices):
        axis, left = "" if i == 0 else str(i + 1), i * (width + gap)
        rows, columns = (_places(size, SIDE) for size in m.w.shape)
        end = m.largest if np.isfinite(m.largest) and m.largest > 0 else 1.0
        z = (
            m.w[np.ix_(rows, columns)] / end
        )  # within ±1, which single precision holds whatever the weights are
        data.append(
            {
                "type": "heatmap", "uid": f"w{i}", "name": name, "xaxis": f"x{axis}", "yaxis": f"y{axis}", "zmin": -1, "zmax": 1,
                "x": packed(columns), "y": packed(rows), "z": packed_grid(z), "showscale": False,
                "colorscale": [[0, theme.lines[1]], [0.5, theme.high], [1, theme.lines[0]]],
                "hovertemplate": f"row %{{y}}, column %{{x}}: %{{z:.4g}} × {end:.4g}<extra></extra>",
            }
        )  # fmt: skip
        layout[f"xaxis{axis}"] = {
            "domain": [left, min(left + width, 1)], "anchor": f"y{axis}", "showgrid": False, "zeroline": False, "fixedrange": True,
            "nticks": 5, "title": {"text": "class" if m.last else "unit", "standoff": 2, "font": {"size": 12}},
        }  # fmt: skip
        layout[f"yaxis{axis}"] = {
            "domain": [0, 1], "anchor": f"x{axis}", "showgrid": False, "zeroline": False, "fixedrange": True, "autorange": "reversed",
            "nticks": 6, **({"title": {"text": "input", "standoff": 2, "font": {"size": 12}}} if i == 0 else {}),
        }  # fmt: skip
        told = (
            "diverged"
            if not np.isfinite(m.largest)
            else f"±{number(m.largest, 2)}"
            if m.largest
            else "all 0"
        )
        layout["annotations"].append(
            {
                "text": f"{escape(name)}<br>{told}", "xref": "paper", "yref": "paper", "x": left + width / 2, "y": 1.0,
                "xanchor": "center", "yanchor": "bottom", "showarrow": False, "font": {"size": 12},
            }
        )  # fmt: skip
    return {"data": data, "layout": layout}


SYMMETRIES = ("", "rank", "units apart by", "largest weight", "first singular values")


def symmetry_table(rows: list[tuple[str, Matrix, Style]]) -> str:
    """How far the units of each initializer differ, in numbers."""
    head = "".join(f'<th scope="col">{h}</th>' for h in SYMMETRIES)
    body = "".join(
        f'<tr><th scope="row" style="border-left: 0.35rem solid {look.color}">{escape(name)}</th><td>{m.rank} of {min(m.w.shape)}</td>'
        f"<td>{number(m.apart, 3)}</td><td>{number(m.largest, 3)}</td>"
        f"<td>{', '.join(number(s, 3) for s in m.strengths[:3])}</td></tr>"
        for name, m, look in rows
    )  # fmt: skip
    return (
        '<div class="ov-table" tabindex="0" role="region" aria-label="How far the units of each initializer differ">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
