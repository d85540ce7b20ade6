"""A race of optimizers on one function: the spec of it, running it, and what is said of the result."""

import json
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np

from optviz.core.functions import FUNCTIONS, Function, parse_formula
from optviz.core.noise import NOISES
from optviz.core.optimizers import OPTIMIZERS, WRAPPERS, Optimizer
from optviz.core.runner import Run, minimize
from optviz.core.schedules import SCHEDULES

TYPED = "formula"  # the function key of a scene whose formula a person typed
NO_NOISE = "none"


@dataclass(frozen=True)
class Part:
    """One thing from a registry with its knobs: an optimizer, a wrapper, a schedule, a noise."""

    key: str
    knobs: dict = field(default_factory=dict)

    def build(self, registry, *inner):
        return registry[self.key](*inner, **self.knobs)


@dataclass(frozen=True)
class Racer:
    """An optimizer, what is wrapped around it (innermost first), and schedules by knob name."""

    optimizer: Part
    wrappers: tuple[Part, ...] = ()
    schedules: dict[str, Part] = field(default_factory=dict)

    def build(self) -> Optimizer:
        opt = self.optimizer.build(OPTIMIZERS)
        for part in self.wrappers:
            opt = part.build(WRAPPERS, opt)
        return opt

    @property
    def name(self) -> str:
        """What the racer is called where there is one of its kind."""
        return " + ".join(
            [OPTIMIZERS[self.optimizer.key].label, *(WRAPPERS[w.key].label.lower() for w in self.wrappers)]
        )


@dataclass(frozen=True)
class Problem:
    """Everything that all racers share: the function, where they start, how long, and what noise."""

    function: str = "bowl"
    formula: str = ""
    domain: tuple = ((-5.0, 5.0), (-5.0, 5.0))  # of a typed formula; a shipped function has its own
    start: tuple[float, float] = (-7.0, 2.0)
    steps: int = 30
    noise: Part = Part(NO_NOISE)
    seed: int = 0

    @cached_property
    def f(self) -> Function:
        """The function; FormulaError where a typed formula is refused."""
        if self.function == TYPED:
            return _typed(self.formula, self.domain)
        return FUNCTIONS[self.function]

    def landscape_key(self) -> str:
        """What the picture under the paths depends on, as canonical JSON."""
        return canonical([self.function, self.formula, self.domain] if self.function == TYPED else [self.function])


@lru_cache(64)
def _typed(formula, domain):
    """One Function for one formula, so that its code is derived once and not for every start."""
    return parse_formula(formula, domain)


@dataclass(frozen=True)
class Scene:
    """A whole race: equal scenes show equal pictures."""

    problem: Problem
    racers: tuple[Racer, ...]
    tolerance: float = 1e-3

    @property
    def names(self) -> list[str]:
        """A distinct name for each racer: with the knobs in which twins differ, or else numbered."""
        names = [r.name for r in self.racers]
        return [_told_apart(i, names, self.racers) for i in range(len(names))]


def _told_apart(i, names, racers):
    twins = [j for j, name in enumerate(names) if name == names[i]]
    if len(twins) == 1:
        return names[i]
    knobs = [OPTIMIZERS[racers[j].optimizer.key](**racers[j].optimizer.knobs) for j in twins]
    mine = knobs[twins.index(i)]
    differing = [k for k in mine.__dataclass_fields__ if any(getattr(o, k) != getattr(mine, k) for o in knobs)]
    told = ", ".join(f"{k} {getattr(mine, k):g}" for k in differing)
    labels = sum(getattr(o, k) == getattr(mine, k) for o in knobs for k in differing) == len(differing)
    return f"{names[i]} ({told})" if told and labels else f"{names[i]} #{twins.index(i) + 1}"


def canonical(value) -> str:
    """JSON that is the same text for the same value: what caches are keyed by."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def track_key(problem: Problem, racer: Racer) -> str:
    """What one path depends on, as canonical JSON: not on the other racers."""
    return canonical([asdict(problem), asdict(racer)])


def run(problem: Problem, racer: Racer) -> Run:
    """One racer's path."""
    noise = NOISES["uniform"](scale=0.0) if problem.noise.key == NO_NOISE else problem.noise.build(NOISES)
    schedules = {name: part.build(SCHEDULES) for name, part in racer.schedules.items()}
    return minimize(problem.f, racer.build(), problem.start, problem.steps, noise, schedules or None, problem.seed)


def on_function(problem: Problem, key: str) -> Problem:
    """The problem moved to another shipped function, with that one's start and noise."""
    f = FUNCTIONS[key]
    noise = Part(NO_NOISE) if f.noise is None else Part(f.noise.key, {"scale": f.noise.scale})
    return replace(problem, function=key, start=tuple(map(float, f.start)), noise=noise)


# The book's figures 6.3 and 6.5-6.8 in one: its function, start, number of updates and rates.
BOOK = Scene(
    Problem(),
    (
        Racer(Part("sgd", {"lr": 0.95})),
        Racer(Part("momentum", {"lr": 0.1, "momentum": 0.9})),
        Racer(Part("adagrad", {"lr": 1.5, "eps": 1e-7})),
        Racer(Part("adam", {"lr": 0.3})),
    ),
)


@dataclass(frozen=True)
class Landscape:
    """The function on a grid over its domain; NaN where it is not defined."""

    x: np.ndarray  # (n,)
    y: np.ndarray  # (n,)
    z: np.ndarray  # (n, n), rows are y
    log: bool  # whether levels in equal ratios show it better than equal differences

    @classmethod
    def of(cls, f: Function, n: int = 150) -> "Landscape":
        (x0, x1), (y0, y1) = f.domain
        x, y = np.linspace(x0, x1, n), np.linspace(y0, y1, n)
        z = f.value(np.stack(np.meshgrid(x, y), -1))
        z[~np.isfinite(z)] = np.nan
        above = z[np.isfinite(z)]
        if not above.size:
            return cls(x, y, z, False)
        low, middle, high = np.quantile(above - above.min(), [0.05, 0.5, 0.98])
        return cls(x, y, z, bool(high > 60 * low and high > 6 * middle))


def minima(f: Function, landscape: Landscape | None = None, most: int = 30) -> np.ndarray:
    """The known minima of f, `(k, 2)`; of a typed formula those that are found on its domain.

    Found: grid points below all their neighbours, polished by damped Newton steps, kept where the
    gradient vanishes and the Hessian is positive. More than `most` of them (a flat valley) are none.
    """
    if f.key != TYPED:
        return f.minima
    land = landscape or Landscape.of(f)
    z = np.where(np.isfinite(land.z), land.z, np.inf)
    rim = np.pad(z, 1, constant_values=np.inf)
    n, m = z.shape
    around = [rim[1 + i : 1 + i + n, 1 + j : 1 + j + m] for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
    rows, columns = np.nonzero((z < np.inf) & (z <= np.min(around, 0)))
    if not 0 < len(rows) <= 20 * most:
        return np.empty((0, 2))
    seeds = np.stack([land.x[columns], land.y[rows]], -1)
    polish = OPTIMIZERS["newton"](saddle_free=True, damping=1e-12, line_search=True)
    ends = minimize(f, polish, seeds, 30).points[-1]
    hess = f.hess(ends)
    flat = np.isfinite(hess).all((-2, -1)) & (np.abs(f.grad(ends)).max(-1) < 1e-6)
    low, high = np.array(f.domain).T
    kept = ends[flat & ((low <= ends) & (ends <= high)).all(-1)]
    kept = kept[np.linalg.eigvalsh(f.hess(kept))[:, 0] > 1e-9] if len(kept) else kept
    kept[np.abs(kept) < 1e-9 * np.subtract(high, low)] = 0.0
    _, first = np.unique(kept.round(5), axis=0, return_index=True)
    return kept[np.sort(first)] if len(first) <= most else np.empty((0, 2))


@dataclass(frozen=True)
class Summary:
    """One line of the table."""

    point: tuple[float, float]  # the last finite one
    value: float
    reached: int | None  # first step whose value is within the tolerance of the least known minimum
    length: float
    gradients: int
    values: int
    hessians: int
    status: str


def gap(f: Function, values, known) -> np.ndarray:
    """Height above the least known minimum; NaN where none is known."""
    return values - (f.value(known).min() if len(known) else np.nan)


def distance(points, known) -> np.ndarray:
    """Distance to the nearest known minimum; NaN where none is known."""
    if not len(known):
        return np.full(points.shape[:-1], np.nan)
    return np.sqrt(((points[..., None, :] - known) ** 2).sum(-1)).min(-1)


def left_at(f: Function, points) -> int | None:
    """First step at which a path `(steps+1, 2)` is outside the domain, None where it never is."""
    low, high = np.array(f.domain).T
    outside = ((points < low) | (points > high)).any(-1)
    return int(outside.argmax()) if outside.any() else None


def summary(run: Run, known, tolerance: float) -> Summary:
    """What became of one path, in words and numbers."""
    f = run.function
    last = int(run.diverged_at) - 1 if run.diverged_at >= 0 else len(run.points) - 1
    last = max(last, 0)
    near = gap(f, run.values, known) <= tolerance
    reached = int(near.argmax()) if near.any() else None
    used = run.evaluations
    return Summary(
        tuple(run.points[last]), float(run.values[last]), reached, float(run.lengths[last]),
        used.gradient, used.value, used.hessian, _status(run, last, near, tolerance),
    )  # fmt: skip


def _status(run, last, near, tolerance):
    f = run.function
    if run.diverged_at == 0:
        return "cannot start: f is not defined here"
    if run.undefined:
        return f"stopped at step {int(run.diverged_at)}: f is not defined there"
    if run.diverged_at >= 0:
        return f"diverged at step {int(run.diverged_at)}"
    if near[last]:
        return "converged"
    low, high = np.array(f.domain).T
    end = run.points[last]
    if ((end < low) | (end > high)).any():
        far = (np.abs(end - (low + high) / 2) > 100 * (high - low)).any()
        return f"{'running away, ' if far else ''}left the domain at step {left_at(f, run.points)}"
    if np.sqrt((run.true_gradients[last] ** 2).sum()) <= tolerance:
        return f"at rest at {_kind_of_rest(f, end)}"
    return "still moving"


def _kind_of_rest(f, at):
    hess = f.hess(at)
    if not np.isfinite(hess).all():
        return "a flat point"
    low, high = np.linalg.eigvalsh(hess)
    if low > 0:
        return "a local minimum"
    return "a saddle" if low < 0 < high else "a flat point"
