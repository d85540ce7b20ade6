"""How lines are distinguished, with and without color, how numbers and arrays are handed over."""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from optviz.optim import OPTIMIZERS
from optviz.optim.config import OptimizerConfig

Colors = Sequence[str] | Sequence[tuple[float, str]]  # from low to high, evenly or at given shares


@dataclass(frozen=True)
class Theme:
    """Colors of one theme. `lines` is ordered so that neighbors differ in hue and in lightness."""

    ink: str
    faint: str
    low: str
    high: str
    level: str
    minimum: str
    lines: tuple[str, ...]
    ring: str  # a contour line, on any color of the maps
    page: str  # what a thin line around another is drawn in
    maps: dict[str, tuple[str, ...]]


# Of a landscape, from low to high, each of steadily rising lightness and safe for the color-blind:
# blues of one hue; cividis (Nuñez, Anderton & Renslow 2018), viridis (Smith & van der Walt 2015).
MAPS = ("strong", "cividis", "viridis", "pale")
CIVIDIS = ("#00224e", "#35456c", "#666970", "#948e77", "#c8b866", "#fee838")
VIRIDIS = ("#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#fde725")


# Okabe & Ito (2008), Color universal design; the dark set is lightened for black.
LIGHT = Theme(
    ink="#1b2733",
    faint="#5d6b7a",
    low="#bdd0e4",
    high="#fbfcfd",
    level="#8ea3b9",
    minimum="#1b2733",
    lines=("#0072B2", "#D55E00", "#007A5A", "#8C3F7F", "#1b2733", "#9A6B00", "#2E9BD6", "#B3203A"),
    ring="rgba(27, 39, 51, 0.35)",
    page="#ffffff",
    maps={
        "strong": ("#3f73a8", "#6f9fcb", "#a3c4e0", "#d3e3ef", "#fbfbf7"),
        "cividis": CIVIDIS,
        "viridis": VIRIDIS,
        "pale": ("#bdd0e4", "#fbfcfd"),
    },
)
DARK = Theme(
    ink="#eef3f8",
    faint="#a3b1bf",
    low="#0b1622",
    high="#34475b",
    level="#57708a",
    minimum="#ffffff",
    lines=("#56B4E9", "#FF9A4D", "#37D6A5", "#F29BD0", "#ffffff", "#F0E442", "#9FB6FF", "#FF7B7B"),
    ring="rgba(255, 255, 255, 0.28)",
    page="#0e1117",
    maps={
        "strong": ("#050b14", "#0d2440", "#1b426b", "#356796", "#5f91bd"),
        "cividis": CIVIDIS,
        "viridis": VIRIDIS,
        "pale": ("#0b1622", "#34475b"),
    },
)
THEMES = {"light": LIGHT, "dark": DARK}

# Lengths of line and gap in pixels; Plotly takes them as "8px,4px".
DASHES = ((), (9, 5), (2, 3), (9, 3, 2, 3), (16, 5), (16, 3, 2, 3), (9, 3, 2, 3, 2, 3), (2, 6))
MARKERS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon")


@dataclass(frozen=True)
class Style:
    """The look of one line, the same in every figure."""

    color: str
    dashes: tuple[int, ...] = ()
    marker: str = "circle"

    @property
    def dash(self) -> str:
        """The dashes as Plotly takes them."""
        return ",".join(f"{n}px" for n in self.dashes) or "solid"

    @property
    def solid(self) -> "Style":
        """The same without dashes, for a companion of the line."""
        return replace(self, dashes=())


def style(i: int, theme: Theme) -> Style:
    """The style of line i. Beyond eight, dashes and markers shift against the colors."""
    n = len(theme.lines)
    return Style(theme.lines[i % n], DASHES[(i + i // n) % n], MARKERS[(i + i // n) % n])


# What the book compares comes first, so that these four differ in color.
BOOK_METHODS = ("sgd", "momentum", "adagrad", "adam")


def method_styles(configs: Sequence[OptimizerConfig], theme: Theme) -> list[Style]:
    """The style of each optimizer: that of its method, wherever it is listed. Twins share the color
    and differ in dashes and marker.
    """
    order = [*BOOK_METHODS, *(key for key in OPTIMIZERS if key not in BOOK_METHODS)]
    keys, n, styles = [config.method.key for config in configs], len(theme.lines), []
    for i, key in enumerate(keys):
        place = order.index(key)
        variant = (place + place // n + 5 * keys[:i].count(key)) % n
        styles.append(Style(theme.lines[place % n], DASHES[variant], MARKERS[variant]))
    return styles


def blend_colors(share, colors: Colors) -> np.ndarray:
    """The colors at shares of the way through `colors`, as RGB `(..., 3)` bytes."""
    if isinstance(colors[0], str):
        colors = [*zip(np.linspace(0, 1, len(colors)), colors, strict=True)]
    stops = [stop for stop, _color in colors]
    parts = np.array([[*bytes.fromhex(color[1:])] for _stop, color in colors], float)
    channels = [np.interp(share, stops, channel) for channel in parts.T]
    return np.stack(channels, -1).round().astype(np.uint8)


def mix_color(colors: Colors, share: float) -> str:
    """The color at a share of the way through `colors`."""
    return f"#{blend_colors(share, colors).tobytes().hex()}"


def pack_array(array) -> dict:
    """An array as Plotly reads it fastest: base64 of its bytes, in the smallest type that holds it
    exactly. NaN survives, unlike in JSON.
    """
    a = np.ascontiguousarray(array, float)
    with np.errstate(all="ignore"):
        integers = a == np.rint(a)  # False where it is NaN
        dtypes = ("i2", "i4", "f4", "f8") if integers.all() else ("f4", "f8")
        candidates = ((dtype, a.astype(dtype)) for dtype in dtypes)
        dtype, a = next(pair for pair in candidates if ((pair[1] == a) | (a != a)).all())
    return {"dtype": dtype, "bdata": base64.b64encode(a.tobytes()).decode()}


def pack_grid(grid) -> dict:
    """A matrix in single precision, which is finer than a pixel of a contour."""
    a = np.ascontiguousarray(grid, np.float32)
    data = base64.b64encode(a.tobytes()).decode()
    return {"dtype": "f4", "bdata": data, "shape": f"{a.shape[0]}, {a.shape[1]}"}


def zero_rounding_errors(value, scale: float, share: float = 1e-12):
    """The values, with 0 for those that are mere rounding errors of numbers of this scale."""
    return np.where(np.abs(value) <= share * scale, 0.0, value)[()]


def percentage(share, decimals: int = 1) -> str:
    """A share for reading: percent with so many decimals; two significant digits where tiny."""
    percent = 100 * float("nan" if share is None else share)
    if not math.isfinite(percent):
        return "–"
    tiny = 0 < abs(percent) < 0.1
    text = number(percent, 2) if tiny else f"{percent:.{decimals}f}".replace("-", "−")
    return f"{text}%"


def percentage_points(difference: float) -> str:
    """A difference of two shares for reading, in percentage points with its sign, never −0.0."""
    text = f"{round(100 * difference, 1) + 0.0:+.1f}" if math.isfinite(difference) else "–"
    return text.replace("-", "−")


def number(value, digits: int = 4) -> str:
    """A number for reading: `digits` significant digits, a true minus, no trailing zeros."""
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{value:.{digits}g}"
    return text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e").replace("-", "−")
