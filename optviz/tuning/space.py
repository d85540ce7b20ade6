"""What is searched: a box of hyperparameters, each on a logarithmic axis, and the unit cube that stands for it."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from optviz.spec import SpecError

MAX_AXES = 4
BORDER = 0.05  # share of an axis at each end that counts as its border
DECADES = 3.0  # by which a range is widened where the best lies at its border


class Range(NamedTuple):
    """A hyperparameter that can be searched; all limits are powers of ten."""

    key: str
    title: str
    symbol: str
    low: float
    high: float
    usual: tuple[float, float]  # the range that is offered first
    help: str


QUANTITIES: dict[str, Range] = {
    q.key: q
    for q in (
        Range("lr", "learning rate", "η", -8.0, 1.0, (-6.0, -2.0), "the optimizer's step"),
        Range("l2", "weight decay", "λ", -10.0, 1.0, (-8.0, -4.0), "what the squared weights cost"),
        Range("momentum", "1 − momentum", "1−μ", -3.0, 0.0, (-2.0, 0.0), "the share of the velocity lost in a step"),
        Range("sigma", "initial weights' spread", "σ", -4.0, 0.0, (-3.0, 0.0), "standard deviation of the weights"),
    )
}


@dataclass(frozen=True)
class Axis:
    """One hyperparameter and its range, from 10^low to 10^high."""

    key: str
    low: float
    high: float

    @property
    def quantity(self) -> Range:
        return QUANTITIES[self.key]

    def check(self) -> None:
        """SpecError where there is no such quantity or the range is empty or too wide."""
        if self.key not in QUANTITIES:
            raise SpecError(f"there is no hyperparameter {self.key[:30]!r} to search")
        q = self.quantity
        if not q.low <= self.low < self.high <= q.high:
            raise SpecError(
                f"the range of the {q.title} is within 10^{q.low:g} and 10^{q.high:g}, not 10^{self.low:g} to 10^{self.high:g}"
            )


@dataclass(frozen=True)
class Space:
    """Two to four axes. Samplers know only the unit cube, in which every range is from 0 to 1."""

    axes: tuple[Axis, ...]

    def check(self) -> None:
        """SpecError where the space could not have been set on the page."""
        if not 2 <= len(self.axes) <= MAX_AXES:
            raise SpecError(f"a search is over 2 to {MAX_AXES} hyperparameters, not {len(self.axes)}")
        for axis in self.axes:
            axis.check()
        if len({axis.key for axis in self.axes}) < len(self.axes):
            raise SpecError("every hyperparameter is searched once")

    @property
    def _ends(self):
        return np.array([[a.low, a.high] for a in self.axes]).T

    def values(self, points) -> np.ndarray:
        """Hyperparameters `(n, d)` of points `(n, d)` in the unit cube."""
        low, high = self._ends
        return 10.0 ** (low + np.asarray(points) * (high - low))

    def points(self, values) -> np.ndarray:
        """The points `(n, d)` in the unit cube of hyperparameters `(n, d)`."""
        low, high = self._ends
        return (np.log10(values) - low) / (high - low)

    def border(self, point) -> list[tuple[int, bool]]:
        """At which borders a point `(d,)` lies: the axis, and whether it is its upper end."""
        return [(i, bool(u > 0.5)) for i, u in enumerate(point) if min(u, 1 - u) <= BORDER]

    def widened(self, i: int, upper: bool) -> "Space":
        """The space with an axis that reaches farther at one end, as far as makes sense."""
        axis, q = self.axes[i], self.axes[i].quantity
        wider = (
            replace(axis, high=min(axis.high + DECADES, q.high))
            if upper
            else replace(axis, low=max(axis.low - DECADES, q.low))
        )
        return Space((*self.axes[:i], wider, *self.axes[i + 1 :]))


# The book's ranges (Saitoh 2016, figure 6.24), and one in which the best learning rate is not at the border.
BOOK = Space((Axis("lr", -6.0, -2.0), Axis("l2", -8.0, -4.0)))
WIDE = Space((Axis("lr", -6.0, 1.0), Axis("l2", -8.0, -4.0)))
