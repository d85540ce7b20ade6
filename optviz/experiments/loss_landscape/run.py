"""From finished trainings to the loss over a plane through their weights, a slice at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from optviz.experiments.loss_landscape.planes import Plane, pca_plane, random_plane
from optviz.experiments.loss_landscape.spec import LossLandscape
from optviz.nn import DTYPES, MiniBatch, Network, one_hot, softmax_cross_entropy
from optviz.spec import canonical_json, to_dict
from optviz.training import Data, Progress, diagnostics
from optviz.training.cost import PRODUCTS
from optviz.training.jobs import Amount, Job

MAX_NUMBERS = 10**6  # in the parameters and signals of the networks that go through side by side
MIN_ASPECT = 0.25  # the frame is at least so high for its width, and so wide for its height
NEAR = 0.05  # of half the frame: how far from the middle the curvature is measured


class Path(NamedTuple):
    """The snapshots of one optimizer's training."""

    iterations: np.ndarray  # (k,)
    params: np.ndarray  # (k, P), finite
    diverged_at: int  # iteration, -1 where it did not

    @classmethod
    def from_progress(cls, progress: Progress) -> "Path":
        """The snapshots of a training and its current point; only finite ones if it diverged."""
        points = {t: params_at[0] for t, params_at in progress.snapshots.items()}
        points[progress.iteration] = progress.params[0, 0]
        iterations = [t for t in sorted(points) if np.isfinite(points[t]).all()]
        empty = np.empty((0, progress.params.shape[-1]))
        params = np.stack([points[t] for t in iterations]) if iterations else empty
        return cls(np.array(iterations, int), params.astype(float), int(progress.diverged_at[0, 0]))


_paths: WeakKeyDictionary[Progress, Path] = WeakKeyDictionary()


def paths_of(progresses: Sequence[Progress]) -> tuple[Path, ...]:
    """The paths of trainings, each made once: all planes share them."""
    for progress in progresses:
        if progress not in _paths:
            _paths[progress] = Path.from_progress(progress)
    return tuple(_paths[progress] for progress in progresses)


class Track(NamedTuple):
    """A path of k points and its projection on the plane; NaN where a loss is not known yet."""

    name: str
    path: Path
    points: np.ndarray  # (k, 2) of the plane, the nearest ones
    off: np.ndarray  # (k,): how far from these the path is
    below: np.ndarray  # (k,): the loss at these
    true: np.ndarray  # (k,): the loss where the path really was


@dataclass(frozen=True, eq=False)
class LossSurface:
    """The loss over a plane and along the paths, as far as it is known; NaN beyond.

    A value like `Progress`: nothing in it is changed later, and `advance` gives the next one.
    """

    spec: LossLandscape
    plane: Plane
    paths: tuple[Path, ...]
    x: np.ndarray  # (n,) along the first direction
    y: np.ndarray  # (n,) along the second
    points: np.ndarray  # (m, 2) of the plane: the grid by rows, then what is nearest to the paths
    loss: np.ndarray  # at the points, then where the paths really were
    done: int = 0  # how many of these are known
    key: str = ""  # what it depends on

    @classmethod
    def empty(cls, spec: LossLandscape, plane: Plane, paths, x, y, key: str = "") -> "LossSurface":
        """A surface on grid lines of a plane, before any loss is known."""
        grid = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
        points = np.concatenate([grid, *(plane.coordinates(path.params) for path in paths)])
        loss = np.full(2 * len(points) - len(grid), np.nan)
        return cls(spec, plane, tuple(paths), x, y, points, loss, key=key)

    @property
    def complete(self) -> bool:
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
    def tracks(self) -> list[Track]:
        """The paths with what is known of them."""
        n, m = len(self.x) ** 2, len(self.points)
        ends = np.cumsum([len(path.iterations) for path in self.paths])[:-1]
        parts = (self.points[n:], self.loss[n:m], self.loss[m:])
        rows = zip(self.spec.names, self.paths, *(np.split(p, ends) for p in parts), strict=True)
        return [
            Track(name, path, points, self.plane.off(path.params), below, true)
            for name, path, points, below, true in rows
        ]

    @cached_property
    def shares(self) -> np.ndarray:
        """Shares `(2,)` of the paths' variance, without those that diverged."""
        return self.plane.shares(_trained(self.paths))

    def weights(self, start: int, stop: int) -> np.ndarray:
        """The networks `(k, P)` that have the losses from entry `start` to `stop`."""
        on_plane, m = self.plane.at(self.points[start:stop]), len(self.points)
        if stop <= m:
            return on_plane
        on_paths = np.concatenate([path.params for path in self.paths])
        return np.concatenate([on_plane, on_paths[max(start - m, 0) : stop - m]])


@dataclass(frozen=True)
class NoSurface:
    """That there is no plane: the optimizer in the middle diverged, or (-1) nothing moved."""

    diverged_at: int = -1


def _trained(paths):
    return np.concatenate([p.params for p in paths if p.diverged_at < 0])


def begin(spec: LossLandscape, paths: tuple[Path, ...], key: str = "") -> LossSurface | NoSurface:
    """The plane through the paths of finished trainings, before any loss is known."""
    middle = paths[spec.middle]
    if middle.diverged_at >= 0:
        return NoSurface(middle.diverged_at)
    origin = middle.params[-1]
    if spec.plane == "random":
        plane = random_plane(spec.network, origin, spec.seed)
        x = y = np.linspace(-spec.margin, spec.margin, spec.resolution)
    else:
        params = _trained(paths)
        try:
            plane = pca_plane(origin, params, spec.seed)
        except ValueError:
            return NoSurface()
        x, y = _frame(plane.coordinates(params), spec)
    return LossSurface.empty(spec, plane, paths, x, y, key)


def _frame(points, spec):
    """Grid lines around points `(k, 2)`, wider than they lie by the margin."""
    low, high = points.min(0), points.max(0)
    half = (high - low) / 2
    half = np.maximum(half, MIN_ASPECT * half.max()) * (1 + spec.margin)
    center = (low + high) / 2
    return [np.linspace(m - h, m + h, spec.resolution) for m, h in zip(center, half, strict=True)]


def advance(surface: LossSurface, data: Data) -> LossSurface:
    """The surface with a few more points, so that a step takes little time and memory."""
    network, n_samples = surface.spec.network, surface.spec.n_samples
    signals = 2 * min(n_samples, len(data.x)) * sum(network.sizes)
    stop = surface.done + max(1, MAX_NUMBERS // (network.size + signals))
    stop = min(stop, len(surface.loss))
    loss = surface.loss.copy()
    weights = surface.weights(surface.done, stop)
    loss[surface.done : stop] = losses(network, weights, data, n_samples)
    return replace(surface, loss=loss, done=stop)


@dataclass(frozen=True, eq=False)
class SurfaceJob(Job):
    """The loss surface of finished trainings in slices; `source` tells whose files the data are."""

    spec: LossLandscape
    paths: tuple[Path, ...]
    data: Callable[[], Data]
    source: str = ""

    @cached_property
    def key(self) -> str:
        return canonical_json(["surface", to_dict(self.spec), self.source])

    @property
    def length(self) -> int:
        return self.spec.resolution

    @property
    def cost(self) -> float:
        return self.length**2 * self.spec.n_samples * self.spec.network.size / PRODUCTS

    def begin(self) -> LossSurface | NoSurface:
        return begin(self.spec, self.paths, self.key)

    def step(self, state: LossSurface) -> LossSurface:
        return advance(state, self.data())

    def progress(self, state: LossSurface | NoSurface) -> Amount:
        return Amount(0, 0) if isinstance(state, NoSurface) else Amount(state.done, len(state.loss))


def losses(network: Network, params, data: Data, n_samples: int, dtype=None) -> np.ndarray:
    """The mean cross-entropy `(k,)` of networks `(k, P)` on the first training examples.

    In the network's precision, or another one; NaN where it is not finite. Nothing is dropped out,
    and no penalty counts; a batch normalization takes mean and variance from these examples,
    because running ones belong to one point alone.
    """
    dtype = dtype or DTYPES[network.dtype]
    x, t = data.x[:n_samples].astype(dtype), data.t[:n_samples]
    with np.errstate(all="ignore"):
        outputs = network.forward(params.astype(dtype), x).outputs[-1]
        target = one_hot(t, network.sizes[-1], dtype)
        values = softmax_cross_entropy(outputs, target)[0].astype(float)
    return np.where(np.isfinite(values), values, np.nan)


class Curvature(NamedTuple):
    """The bowl that fits the plane at its middle."""

    largest: float  # second derivative in the direction in which the loss bends most
    smallest: float

    @property
    def condition(self) -> float:
        """The ratio of the curvatures across and along; NaN where it is no bowl."""
        return self.largest / self.smallest if self.smallest > 0 else np.nan


def curvature(surface: LossSurface, data: Data) -> Curvature:
    """From second differences around the middle, in float64, per unit of length squared.

    Those per unit of the axes are eᵀHe with e the directions, which are neither units nor quite at
    right angles where they are random: with E Eᵀ = L Lᵀ the curvature itself is L⁻¹(E H Eᵀ)L⁻ᵀ.
    """
    half = [NEAR * (axis[-1] - axis[0]) / 2 for axis in (surface.x, surface.y)]
    steps = np.array([(i, j) for j in (-1, 0, 1) for i in (-1, 0, 1)]) * half
    weights, spec = surface.plane.at(steps), surface.spec
    f = losses(spec.network, weights, data, spec.n_samples, np.float64)
    [[a, b, c], [d, e, g], [h, i, j]] = f.reshape(3, 3)
    xx, yy = (d - 2 * e + g) / half[0] ** 2, (b - 2 * e + i) / half[1] ** 2
    xy = (a - c - h + j) / (4 * half[0] * half[1])
    directions = surface.plane.directions
    gram = directions @ directions.T
    if not np.isfinite([xx, yy, xy]).all() or not np.linalg.det(gram) > 0:
        return Curvature(np.nan, np.nan)
    to_units = np.linalg.inv(np.linalg.cholesky(gram))
    smallest, largest = np.linalg.eigvalsh(to_units @ [[xx, xy], [xy, yy]] @ to_units.T)
    return Curvature(float(largest), float(smallest))


def sharpness(surface: LossSurface, data: Data, steps: int = 30) -> float:
    """The largest second derivative at the middle in any direction among all weights, in float64;
    NaN where the gradient is not finite.
    """
    spec = surface.spec
    x, t = data.x[: spec.n_samples].astype(float), data.t[: spec.n_samples]
    loss = MiniBatch(spec.network, x, one_hot(t, spec.network.sizes[-1]))
    return float(diagnostics.sharpness(loss, surface.plane.origin, steps))
