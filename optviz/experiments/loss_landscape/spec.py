"""The loss of a real network over a plane through its trained weights, and the optimizers' paths on it.

A network has thousands of weights and a picture two directions. Which two is a choice: those along which
the paths moved most (PCA of the snapshots), or two random ones, scaled unit by unit to the weights.
(Li, Xu, Taylor, Studer & Goldstein 2018, Visualizing the loss landscape of neural nets, sections 4 and 7.)
"""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from optviz.experiments.loss_landscape.planes import Plane, pca_plane, random_plane
from optviz.experiments.optimizer_comparison.spec import OptimizerComparison
from optviz.nn import (
    DTYPES,
    MiniBatch,
    Network,
    one_hot,
    softmax_cross_entropy,
    stream,
)
from optviz.nn.streams import DIRECTIONS
from optviz.optim.config import OptimizerConfig, names
from optviz.spec import Choice, SpecError, validate
from optviz.training import (
    MAX_SEED,
    Data,
    Progress,
    Training,
)

PLANES = {"pca": "the paths’ own plane (PCA)", "random": "random directions"}
MIN_RESOLUTION, MAX_RESOLUTION, MAX_ROWS, MIN_REACH, MAX_REACH = 5, 101, 1500, 0.05, 5.0
MAX_KEPT = 60  # points of a path
KEPT_NUMBERS = 10**7  # in all paths together
CHUNK_NUMBERS = 10**6  # in the parameters and signals of the networks that go through side by side
NARROW = 0.25  # the frame is at least so high for its width, and so wide for its height
TINY = 1e-4  # how far apart two gradients are whose difference is the curvature
NEAR = 0.05  # of half the frame: how far from the middle the curvature is measured

# The same start and the same batches; at these rates all three arrive, the third one elsewhere.
THREE = (
    OptimizerConfig(Choice("sgd", {"lr": 0.1})),
    OptimizerConfig(Choice("momentum", {"lr": 0.02, "momentum": 0.9})),
    OptimizerConfig(Choice("adam", {"lr": 0.002})),
)


@dataclass(frozen=True)
class LossLandscape:
    """Who trains on what, which plane, and how finely the loss on it is worked out."""

    race: OptimizerComparison = field(
        default_factory=lambda: OptimizerComparison(Network((64, 50, 50, 10)), optimizers=THREE)
    )
    middle: int = 0  # the end of this optimizer's path is the point through which the plane is laid
    plane: str = "pca"
    seed: int = 0  # of the random directions
    margin: float = 0.5  # of the frame beyond the paths, 1 doubles it; random: in lengths of each unit's weights
    resolution: int = 51  # points of the grid along each side
    n_samples: int = 500  # training rows, the first of them, on which the loss is worked out

    @property
    def trainings(self) -> list[Training]:
        """One for each optimizer, with snapshots along its path."""
        return [replace(t, snapshot_every=self.snapshot_every) for t in self.race.trainings]

    @property
    def snapshot_every(self) -> int:
        """Iterations between two snapshots: 5, or 10, 20 … where these would be too many."""
        snapshot_every, numbers = 5, len(self.race.optimizers) * self.race.network.size
        while self.race.iterations > snapshot_every * MAX_KEPT or (
            self.race.iterations > snapshot_every
            and self.race.iterations // snapshot_every * numbers > KEPT_NUMBERS
        ):
            snapshot_every *= 2
        return snapshot_every

    @property
    def names(self) -> list[str]:
        """Of the optimizers."""
        return names(self.race.optimizers)


def check(loss_landscape: LossLandscape) -> None:
    """SpecError where a terrain from outside could not have been set on the page."""
    validate(loss_landscape.race)
    if len(loss_landscape.race.seeds) != 1:
        raise SpecError("a landscape is that of one seed")
    if loss_landscape.plane not in PLANES:
        raise SpecError(f"a plane is {' or '.join(PLANES)}, not {loss_landscape.plane[:30]!r}")
    for name, value, low, high in (
        ("the optimizer in the middle", loss_landscape.middle, 0, max(len(loss_landscape.race.optimizers) - 1, 0)),
        ("seed of the directions", loss_landscape.seed, 0, MAX_SEED), ("margin", loss_landscape.margin, MIN_REACH, MAX_REACH),
        ("resolution", loss_landscape.resolution, MIN_RESOLUTION, MAX_RESOLUTION), ("rows to be judged on", loss_landscape.n_samples, 1, MAX_ROWS),
    ):  # fmt: skip
        if not low <= value <= high:
            raise SpecError(f"{name} is from {low:g} to {high:g}, not {value:g}")


class Path(NamedTuple):
    """Where one optimizer's training has been."""

    iterations: np.ndarray  # (k,)
    params: np.ndarray  # (k, P), finite
    lost: int  # the iteration at which it diverged, -1 where it did not

    @classmethod
    def of(cls, now: Progress) -> "Path":
        """The snapshots of a training, and where it stands; of one that diverged what was finite."""
        points = {t: kept[0] for t, kept in now.snapshots.items()} | {
            now.iteration: now.params[0, 0]
        }
        at = [t for t in sorted(points) if np.isfinite(points[t]).all()]
        params = np.stack([points[t] for t in at]) if at else np.empty((0, now.params.shape[-1]))
        return cls(np.array(at, int), params.astype(float), int(now.diverged_at[0, 0]))


@dataclass(frozen=True, eq=False)
class LossSurface:
    """The loss over a plane and along the paths, as far as it has been worked out; NaN beyond.

    A value like `Progress`: nothing in it is changed later, and `survey_on` returns the next one.
    """

    loss_landscape: LossLandscape
    plane: Plane
    paths: tuple[Path, ...]
    x: np.ndarray  # (n,) along the first direction
    y: np.ndarray  # (n,) along the second
    loss: (
        np.ndarray
    )  # of the grid's points, row by row, then of the projected paths', then of the true paths'
    done: int = 0  # how many of these are known

    @property
    def whole(self) -> bool:
        return self.done == len(self.loss)

    @property
    def z(self) -> np.ndarray:
        """The loss on the grid `(n, n)`, rows are y."""
        n = len(self.x)
        return self.loss[: n * n].reshape(n, n)

    @property
    def domain(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The frame, as a function has one."""
        return (float(self.x[0]), float(self.x[-1])), (float(self.y[0]), float(self.y[-1]))

    @cached_property
    def projected(self) -> tuple[np.ndarray, ...]:
        """Each path on the plane, `(k, 2)`."""
        return tuple(self.plane.coordinates(path.params) for path in self.paths)

    @cached_property
    def off(self) -> tuple[np.ndarray, ...]:
        """How far each point of a path is from the plane, `(k,)`."""
        return tuple(self.plane.off(path.params) for path in self.paths)

    @cached_property
    def shares(self) -> np.ndarray:
        """How much of the paths each direction holds, `(2,)`; those that diverged are not counted."""
        return self.plane.shares(np.concatenate([p.params for p in self.paths if p.lost < 0]))

    @property
    def on_plane(self) -> list[np.ndarray]:
        """The loss below each path, on the plane, `(k,)`."""
        return self._along[: len(self.paths)]

    @property
    def true(self) -> list[np.ndarray]:
        """The loss where each path really was, `(k,)`."""
        return self._along[len(self.paths) :]

    @property
    def _along(self):
        ends = np.cumsum([len(p.iterations) for p in self.paths * 2])[:-1]
        return np.split(self.loss[len(self.x) ** 2 :], ends)

    def weights(self, start: int, stop: int) -> np.ndarray:
        """The networks `(k, P)` whose losses are the entries from `start` to `stop`."""
        n = len(self.x)
        grid = np.arange(start, min(stop, n * n))
        points = np.stack([self.x[grid % n], self.y[grid // n]], -1)
        if stop <= n * n:
            return self.plane.at(points)
        start, stop = max(start - n * n, 0), stop - n * n
        projected = np.concatenate(self.projected)
        true = np.concatenate([p.params for p in self.paths])
        m = len(projected)
        on = self.plane.at(np.concatenate([points, projected[start:stop]]))
        return np.concatenate([on, true[max(start - m, 0) : max(stop - m, 0)]])


def loss_surface(loss_landscape: LossLandscape, progresses: list[Progress]) -> LossSurface:
    """The plane through finished trainings, before any loss is known.

    ValueError, for a person, where there is no such plane: the one in the middle has diverged, or nobody moved.
    """
    paths = tuple(Path.of(now) for now in progresses)
    middle = paths[loss_landscape.middle]
    if middle.lost >= 0:
        raise ValueError(
            f"{loss_landscape.names[loss_landscape.middle]} diverged at iteration {middle.lost}: there are no trained weights to lay "
            "a plane through. Lower its rate, or put another optimizer in the middle."
        )
    origin, network = middle.params[-1], loss_landscape.race.network
    if loss_landscape.plane == "random":
        plane = random_plane(network, origin, loss_landscape.seed)
        x = y = np.linspace(
            -loss_landscape.margin, loss_landscape.margin, loss_landscape.resolution
        )
    else:
        there = np.concatenate([p.params for p in paths if p.lost < 0])
        try:
            plane = pca_plane(origin, there, loss_landscape.seed)
        except ValueError as error:
            raise ValueError(
                f"{error}. Take random directions, or let them train.".capitalize()
            ) from None
        x, y = _frame(plane.coordinates(there), loss_landscape)
    points = len(x) * len(y) + 2 * sum(len(p.iterations) for p in paths)
    return LossSurface(loss_landscape, plane, paths, x, y, np.full(points, np.nan))


def _frame(points, loss_landscape):
    """Grid lines around points `(k, 2)`, wider than they lie by the terrain's reach."""
    low, high = points.min(0), points.max(0)
    half = (high - low) / 2
    half = np.maximum(half, NARROW * half.max()) * (1 + loss_landscape.margin)
    middle = (low + high) / 2
    return [
        np.linspace(m - h, m + h, loss_landscape.resolution)
        for m, h in zip(middle, half, strict=True)
    ]


def survey_on(now: LossSurface, data: Data) -> LossSurface:
    """The survey after a few more points: so many that a moment and little memory suffice."""
    network, rows = now.loss_landscape.race.network, min(now.loss_landscape.n_samples, len(data.x))
    some = max(1, CHUNK_NUMBERS // (network.size + 2 * rows * sum(network.sizes)))
    stop = min(now.done + some, len(now.loss))
    loss = now.loss.copy()
    loss[now.done : stop] = losses(
        network, now.weights(now.done, stop), data, now.loss_landscape.n_samples
    )
    return replace(now, loss=loss, done=stop)


def losses(network: Network, params, data: Data, rows: int, dtype=None) -> np.ndarray:
    """The mean cross-entropy `(k,)` on the first training rows of networks `(k, P)`; NaN where it is not finite.

    In the network's precision, or another one. Nothing is dropped out, and no penalty counts; a batch
    normalization takes mean and variance from these rows, because running ones belong to one point alone.
    """
    dtype = dtype or DTYPES[network.dtype]
    x, t = data.x[:rows].astype(dtype), data.t[:rows]
    with np.errstate(all="ignore"):
        outputs = network.forward(params.astype(dtype), x).outputs[-1]
        found = softmax_cross_entropy(outputs, one_hot(t, network.sizes[-1], dtype))[0].astype(
            float
        )
    return np.where(np.isfinite(found), found, np.nan)


class Curvature(NamedTuple):
    """The bowl that fits the plane at its middle."""

    largest: float  # second derivative in the direction in which the loss bends most
    least: float

    @property
    def condition(self) -> float:
        """How many times as much it bends across as along; NaN where it is no bowl."""
        return self.largest / self.least if self.least > 0 else np.nan


def curvature(now: LossSurface, data: Data) -> Curvature:
    """From second differences around the middle, in float64, per unit of the axes squared."""
    half = [NEAR * (axis[-1] - axis[0]) / 2 for axis in (now.x, now.y)]
    steps = np.array([(i, j) for j in (-1, 0, 1) for i in (-1, 0, 1)]) * half
    f = losses(
        now.loss_landscape.race.network,
        now.plane.at(steps),
        data,
        now.loss_landscape.n_samples,
        np.float64,
    )
    [[a, b, c], [d, e, g], [h, i, j]] = f.reshape(3, 3)
    xx, yy = (d - 2 * e + g) / half[0] ** 2, (b - 2 * e + i) / half[1] ** 2
    xy = (a - c - h + j) / (4 * half[0] * half[1])
    if not np.isfinite([xx, yy, xy]).all():
        return Curvature(np.nan, np.nan)
    least, largest = np.linalg.eigvalsh([[xx, xy], [xy, yy]])
    return Curvature(float(largest), float(least))


def sharpness(now: LossSurface, data: Data, steps: int = 30) -> float:
    """The largest second derivative of the loss at the middle in any direction among all weights, in float64.

    By power iteration: a direction is multiplied by the Hessian, as the difference of two gradients near by, and made
    a unit again; what is left is the direction that it stretches most. NaN where the gradient is not finite.
    """
    network, at = now.loss_landscape.race.network, now.plane.origin
    x, t = (
        data.x[: now.loss_landscape.n_samples].astype(float),
        data.t[: now.loss_landscape.n_samples],
    )
    loss = MiniBatch(network, x, one_hot(t, network.sizes[-1]))
    d = stream(now.loss_landscape.seed, DIRECTIONS).standard_normal(len(at))
    found = np.nan
    for _ in range(steps):
        length = np.sqrt((d**2).sum())
        if not np.isfinite(length) or length == 0:
            return float(length)
        d /= length
        with np.errstate(all="ignore"):
            bent = (loss.grad(at + TINY * d) - loss.grad(at - TINY * d)) / (2 * TINY)
        found, d = float(d @ bent), bent
    return found
