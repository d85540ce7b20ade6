"""What is searched: hyperparameters on logarithmic axes, and the unit cube that stands for them."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from optviz.lens import at
from optviz.spec import SpecError, items
from optviz.translation import N_

SCORE = "accuracy"  # the validation accuracy, as an axis to filter by
BORDER = 0.05  # share of an axis at each end that counts as its border
DECADES = 3.0  # by which a range is widened where the best lies at its border


class Range(NamedTuple):
    """How far a hyperparameter can be searched; all limits are powers of ten."""

    title: str
    symbol: str
    low: float
    high: float
    default: tuple[float, float]  # the range that is offered first
    help: str


RANGES: dict[str, Range] = {
    "lr": Range(
        N_("learning rate"), "η", -8.0, 1.0, (-6.0, -2.0), N_("the step size of the optimizer")
    ),
    "l2": Range(
        N_("weight decay"), "λ", -10.0, 1.0, (-8.0, -4.0), N_("penalty on the squared weights")
    ),
    "momentum": Range(
        N_("1 − momentum"),
        "1−μ",
        -3.0,
        0.0,
        (-2.0, 0.0),
        N_("the share of the velocity lost in a step"),
    ),
    "sigma": Range(
        N_("std of the initial weights"),
        "σ",
        -4.0,
        0.0,
        (-3.0, 0.0),
        N_("standard deviation of the initial weights"),
    ),
}


@dataclass(frozen=True)
class Axis:
    """One hyperparameter and its range, from 10^low to 10^high."""

    key: str
    low: float
    high: float

    @property
    def declared(self) -> Range:
        """How far it can be searched."""
        return RANGES[self.key]

    def validate(self) -> None:
        """SpecError where there is no such hyperparameter, or the range is empty or too wide."""
        if self.key not in RANGES:
            raise SpecError(f"there is no hyperparameter {self.key[:30]!r} to search")
        limits = self.declared
        if not limits.low <= self.low < self.high <= limits.high:
            raise SpecError(
                f"the range of the {limits.title} is within 10^{limits.low:g} and "
                f"10^{limits.high:g}, not 10^{self.low:g} to 10^{self.high:g}"
            )


@dataclass(frozen=True)
class Space:
    """The axes. Samplers know the unit cube only, in which every range is from 0 to 1."""

    # the book's ranges (Saitoh 2016, figure 6.24)
    axes: tuple[Axis, ...] = items(
        (Axis("lr", -6.0, -2.0), Axis("l2", -8.0, -4.0)), 2, len(RANGES), "searched hyperparameters"
    )

    def validate(self) -> None:
        """SpecError where a hyperparameter is searched twice."""
        if len({axis.key for axis in self.axes}) < len(self.axes):
            raise SpecError("a hyperparameter can be searched only once")

    def values(self, points) -> np.ndarray:
        """Hyperparameters `(n, d)` of points `(n, d)` in the unit cube."""
        low, high = np.array([[axis.low, axis.high] for axis in self.axes]).T
        return 10.0 ** (low + np.asarray(points) * (high - low))

    def border(self, point) -> list[tuple[int, bool]]:
        """At which borders a point `(d,)` lies: the axis, and whether it is its upper end."""
        return [(i, bool(u > 0.5)) for i, u in enumerate(point) if min(u, 1 - u) <= BORDER]

    def widened(self, i: int, upper: bool) -> "Space":
        """The space with an axis that reaches farther at one end, as far as makes sense."""
        axis, limits = self.axes[i], self.axes[i].declared
        if upper:
            wider = replace(axis, high=min(axis.high + DECADES, limits.high))
        else:
            wider = replace(axis, low=max(axis.low - DECADES, limits.low))
        return at("axes", i).set(self, wider)


@dataclass(frozen=True)
class Interval:
    """Trials to look at: from 10^low to 10^high of a hyperparameter, low to high of SCORE."""

    key: str
    low: float
    high: float

    def validate(self) -> None:
        """SpecError where there is no such axis, or nothing between the ends."""
        if self.key not in (*RANGES, SCORE):
            raise SpecError(f"there is no hyperparameter {self.key[:20]} to filter by")
        if not -20 <= self.low <= self.high <= 20:
            raise SpecError("a filter is from a lower to a higher end, both within ±20")


BOOK = Space()
