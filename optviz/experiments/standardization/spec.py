"""Why data are moved to the origin first: one line between two clouds, told in two kinds of coordinates.

(CS231n 2017, lecture 7: far from the origin a classifier is sensitive to small changes of its weights.)
"""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from optviz.data import TOY_SETS, standardized
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.optim.methods.first_order import SGD
from optviz.optim.minimize import Run, minimize
from optviz.optim.theory import Curvature, curvature
from optviz.spec import Choice, SpecError
from optviz.training import INPUTS, Split, Training
from optviz.training import check as check_training

VIEWS = ("line", "loss", "digits")
MAX_ANGLE, MAX_POINTS, MAX_STEPS, MAX_SEED = 45.0, 1000, 300, 9999
# The rate of a descent is, of RATES, the one that comes lowest without a step uphill, or the one that comes lowest
# whatever happens on the way; or both descents have one and the same.
CHOICES = ("steady", "lowest", "same")
RATES = np.geomspace(1e-5, 1e4, 55)  # six to a decade
# Where a line parts the classes without a mistake, longer and longer weights have less and less loss.
# This penalty on the weights of the standardized data gives every set of points a minimum.
PENALTY = 1e-4
BLOCK = 1 << 20  # numbers held at a time

# The net and rate of the reference in section "Data normalization": with raw counts a matter of luck.
DIGITS = Training(
    Network((64, 50, 50, 10)), OptimizerConfig(Choice("sgd", {"lr": 0.1})), Choice("digits"), Split(), 128, 200, (0, 1, 2, 3, 4), eval_every=10,
)  # fmt: skip


@dataclass(frozen=True)
class Standardization:
    """Two clouds of points, a line between them, a descent to it; and digits in several kinds of inputs."""

    points: int = 500
    spread: float = 0.42  # standard deviation of a cloud
    gap: float = 2.0  # from center to center
    offset: float = 10.0  # from the origin to the point between the clouds
    stretch: float = 1.0  # of the second feature: what it counts in smaller units
    seed: int = 21  # one that is like the mean of many
    angle: float = 5.0  # degrees by which the best line's weights are turned
    choice: str = "steady"  # of the learning rates, one of CHOICES
    rate: float = 0.1
    steps: int = 100
    digits: Training = field(default=DIGITS)
    view: str = "line"

    @property
    def trainings(self) -> list[Training]:
        """The same training on four kinds of inputs."""
        return [replace(self.digits, inputs=kind) for kind in INPUTS]


def check(scaling: Standardization) -> None:
    """SpecError where what comes from outside could not have been set on the page."""
    for name, value, low, high in (
        ("number of points", scaling.points, 10, MAX_POINTS),
        ("spread of a cloud", scaling.spread, 0.05, 1.0),
        ("distance between the clouds", scaling.gap, 0.0, 5.0),
        ("distance from the origin", scaling.offset, 0.0, 50.0),
        ("stretch of the second feature", scaling.stretch, 0.1, 10.0),
        ("seed", scaling.seed, 0, MAX_SEED),
        ("angle", scaling.angle, -MAX_ANGLE, MAX_ANGLE),
        ("rate", scaling.rate, RATES[0], RATES[-1]),
        ("number of steps", scaling.steps, 1, MAX_STEPS),
    ):
        if not low <= value <= high:
            raise SpecError(f"{name} is from {low:g} to {high:g}, not {value:g}")
    for name, value, known in (
        ("what is shown", scaling.view, VIEWS),
        ("the choice of the rates", scaling.choice, CHOICES),
    ):
        if value not in known:
            raise SpecError(f"{name} is one of {', '.join(known)}, not {value[:30]!r}")
    if scaling.digits.inputs != "given" or scaling.digits.trials or scaling.digits.initializers:
        raise SpecError("the four trainings differ in their inputs and in nothing else")
    for training in scaling.trainings:
        check_training(training)


@dataclass(frozen=True, eq=False)
class Logistic:
    """Mean logistic loss of weights `(..., 2)` on points `(n, 2)` of classes ±1 with a bias that is kept, plus a penalty.

    $$ L(w) = \\tfrac1n \\textstyle\\sum_i \\log(1 + e^{-y_i (w \\cdot x_i + b)}) + \\tfrac12 \\sum_j r_j w_j^2 $$

    A function as `minimize` takes it.
    """

    x: np.ndarray
    y: np.ndarray
    bias: float
    ridge: np.ndarray  # (2,)
    domain: tuple[tuple[float, float], tuple[float, float]]  # what of it is drawn
    noise = None
    start = (0.0, 0.0)

    def value(self, w) -> np.ndarray:
        """L `(...)`."""
        rows = w.reshape(-1, 2)
        size = max(BLOCK // len(self.x), 1)
        parts = [
            np.logaddexp(0, -self._margins(rows[i : i + size])).mean(-1)
            for i in range(0, len(rows), size)
        ]
        return np.concatenate(parts).reshape(w.shape[:-1]) + 0.5 * (self.ridge * w**2).sum(-1)

    def grad(self, w) -> np.ndarray:
        """Its gradient `(..., 2)`."""
        return self.ridge * w - (self.y * wrong(self._margins(w))) @ self.x / len(self.x)

    def hess(self, w) -> np.ndarray:
        """Its Hessian `(..., 2, 2)`: points near the line count, and those far from the origin the more."""
        p = wrong(self._margins(w))
        return (self.x.T * (p * (1 - p))[..., None, :]) @ self.x / len(self.x) + np.diag(self.ridge)

    def _margins(self, w):
        return self.y * (w @ self.x.T + self.bias)


def wrong(margins) -> np.ndarray:
    """How likely the model holds the other class to be, 1/(1 + exp(margin)), without overflow."""
    return 0.5 * (1 - np.tanh(0.5 * margins))


def best_line(x, y, penalty: float = PENALTY) -> np.ndarray:
    """Weights and bias `(3,)` of logistic regression on points `(n, 2)` of classes ±1, by Newton's method.

    The penalty is on the weights alone. Steps are halved until the loss falls, so that it arrives from anywhere.
    """
    a, ridge = np.c_[x, np.ones(len(x))], penalty * np.array([1.0, 1.0, 0.0])

    def loss(line):
        return np.logaddexp(0, -y * (a @ line)).mean() + 0.5 * (ridge * line**2).sum()

    line = np.zeros(3)
    for _ in range(100):
        p = wrong(y * (a @ line))
        gradient = ridge * line - (y * p) @ a / len(a)
        if np.abs(gradient).max() < 1e-12:
            break
        step = np.linalg.solve((a.T * (p * (1 - p))) @ a / len(a) + np.diag(ridge), gradient)
        before, share = loss(line), 1.0
        while loss(line - share * step) > before and share > 1e-6:
            share /= 2
        line = line - share * step
    return line


@dataclass(frozen=True, eq=False)
class Side:
    """The points in one kind of coordinates, and the best line between the clouds in them."""

    name: str
    x: np.ndarray  # (n, 2)
    y: np.ndarray  # (n,) ±1
    line: np.ndarray  # (3,): w₁, w₂, b
    ridge: np.ndarray  # (2,)

    @cached_property
    def f(self) -> Logistic:
        """The loss over the two weights, with the bias kept at its best value.

        Drawn is a square around 0 and the best weights, and as much again on every side.
        """
        middle, half = self.line[:2] / 2, 0.9 * float(np.hypot(*self.line[:2])) or 1.0
        domain = tuple((float(m - half), float(m + half)) for m in middle)
        return Logistic(self.x, self.y, float(self.line[2]), self.ridge, domain)

    def turned(self, degrees) -> np.ndarray:
        """The line `(..., 3)` with its weights turned about the origin; their length and the bias stay."""
        angle = np.radians(np.asarray(degrees, float))
        (u, v, b), c, s = self.line, np.cos(angle), np.sin(angle)
        return np.stack([c * u - s * v, s * u + c * v, np.broadcast_to(b, angle.shape)], -1)

    def accuracy(self, lines) -> np.ndarray:
        """The share `(...)` of the points on the right side of lines `(..., 3)`."""
        return (self._margins(lines) > 0).mean(-1)

    def loss(self, lines) -> np.ndarray:
        """Mean logistic loss `(...)` of lines `(..., 3)`, without the penalty."""
        return np.logaddexp(0, -self._margins(lines)).mean(-1)

    def misses(self, line) -> np.ndarray:
        """Which points `(n,)` stand on the wrong side of a line."""
        return self._margins(line) <= 0

    def _margins(self, lines):
        return self.y * (lines[..., :2] @ self.x.T + lines[..., 2:])

    @cached_property
    def curvature(self) -> Curvature:
        """Of the loss over the two weights at its minimum: eigenvalues of the Hessian and their ratio."""
        return curvature(self.f, self.line[:2])

    @cached_property
    def condition(self) -> float:
        """Ratio of the largest to the smallest eigenvalue of the Hessian over both weights and the bias."""
        a = np.c_[self.x, np.ones(len(self.x))]
        p = wrong(self._margins(self.line))
        hess = (a.T * (p * (1 - p))) @ a / len(a) + np.diag([*self.ridge, 0.0])
        low, *_, high = np.linalg.eigvalsh(hess)
        return float(high / low) if low > 0 else np.inf

    @cached_property
    def least(self) -> float:
        """The loss at the minimum, penalty included."""
        return float(self.f.value(self.line[:2]))

    def descend(self, rate: float, steps: int) -> Run:
        """Gradient descent over the two weights from zero."""
        return minimize(self.f, SGD(lr=rate), steps=steps)

    def tried(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """The loss after so many steps with each of `RATES`, `(55,)`, and which of them never went uphill."""
        descent, w = SGD(lr=RATES[:, None]), np.zeros((len(RATES), 2))
        loss, steady = self.f.value(w), np.ones(len(RATES), bool)
        with np.errstate(all="ignore"):
            for _ in range(steps):
                before, (w, _) = loss, descent.step(self.f, w, {})
                loss = self.f.value(w)
                steady &= loss <= before + 1e-12  # rounding
        return loss, steady


def sides(scaling: Standardization) -> tuple[Side, Side]:
    """Raw and standardized: one and the same best line, and one and the same loss, in two kinds of coordinates.

    The line is found on standardized data; w·(x − mean)/deviation + b is then written as weights and a bias of x.
    """
    clouds = TOY_SETS["clouds"](scaling.points, scaling.spread, scaling.gap, scaling.offset)
    x, t = clouds.sample(scaling.seed)
    x, y = x * (1.0, scaling.stretch), 2.0 * t - 1
    z, mean, deviation = standardized(x), x.mean(0), x.std(0)
    w1, w2, b = line = best_line(z, y)
    w = np.array([w1, w2]) / deviation
    raw = np.array([*w, b - w @ mean])
    ridge = np.full(2, PENALTY)
    return Side("raw", x, y, raw, ridge * deviation**2), Side("standardized", z, y, line, ridge)


@dataclass(frozen=True, eq=False)
class Descent:
    """The way down on one side."""

    rate: float
    run: Run
    ends: np.ndarray  # (55,) where each of `RATES` would have ended

    @classmethod
    def of(cls, side: Side, scaling: Standardization) -> "Descent":
        """With the rate that the scaling's choice finds, see CHOICES."""
        ends, steady = side.tried(scaling.steps)
        allowed = steady if scaling.choice == "steady" and steady.any() else np.isfinite(ends)
        best = float(RATES[np.argmin(np.where(allowed, ends, np.inf))])
        rate = scaling.rate if scaling.choice == "same" else best
        return cls(rate, side.descend(rate, scaling.steps), ends)

    def off(self, side: Side) -> np.ndarray:
        """How far the weights are from the best ones, as a share of those, `(steps + 1,)`."""
        best = side.line[:2]
        return np.sqrt(((self.run.points - best) ** 2).sum(-1) / (best**2).sum())


def arrival(off, share: float = 0.01) -> int | None:
    """The first step from which on the weights stay so close to the best ones; None where they do not."""
    away = np.flatnonzero(~(off <= share))
    first = int(away[-1]) + 1 if len(away) else 0
    return first if first < len(off) else None
