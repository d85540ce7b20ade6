"""A race of optimizers on one function: the spec of it, running it, and what is said of the result."""

from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from optviz.functions.library import FUNCTIONS, Function, parse_formula
from optviz.functions.parse import FormulaError
from optviz.optim import OPTIMIZERS
from optviz.optim.config import (
    MAX_STEPS,
    OptimizerConfig,
    check_optimizer,
    names,
)
from optviz.optim.initial_points import INITIAL_POINTS
from optviz.optim.minimize import Run, minimize
from optviz.optim.noise import NOISES
from optviz.plot.contour import Landscape
from optviz.spec import Choice, SpecError, canonical_json

TYPED = "formula"  # the function key of a scene whose formula a person typed
NO_NOISE = "none"
MAX_OPTIMIZERS, MAX_SEED = 12, 9999


@dataclass(frozen=True)
class Objective:
    """Everything that all optimizers share: the function, where they start, how long, and what noise."""

    function: str = "bowl"
    formula: str = ""
    # of a typed formula; a shipped function has its own
    domain: tuple[tuple[float, float], tuple[float, float]] = ((-5.0, 5.0), (-5.0, 5.0))
    start: tuple[float, float] = (-7.0, 2.0)
    steps: int = 30
    noise: Choice = Choice(NO_NOISE)
    seed: int = 0

    @cached_property
    def f(self) -> Function:
        """The function; FormulaError where a typed formula is refused."""
        if self.function == TYPED:
            return _typed(self.formula, self.domain)
        return FUNCTIONS[self.function]

    def landscape_key(self) -> str:
        """What the picture under the paths depends on, as canonical JSON."""
        return canonical_json(
            [self.function, self.formula, self.domain]
            if self.function == TYPED
            else [self.function]
        )


@lru_cache(64)
def _typed(formula, domain):
    """One Function for one formula, so that its code is derived once and not for every start."""
    return parse_formula(formula, domain)


@dataclass(frozen=True)
class Scene:
    """A whole race: equal scenes show equal pictures."""

    objective: Objective
    optimizers: tuple[OptimizerConfig, ...]
    tolerance: float = 1e-3

    @property
    def names(self) -> list[str]:
        """A distinct name for each optimizer: with the hyperparameters in which twins differ, or else numbered."""
        return names(self.optimizers)


def check(scene: Scene) -> None:
    """SpecError where a scene from outside could not have been set on the page."""
    p = scene.objective
    if p.function not in (*FUNCTIONS, TYPED):
        raise SpecError(f"there is no function {p.function[:30]!r}")
    if not all(-100 <= low < high <= 100 for low, high in p.domain):
        raise SpecError("the frame of the formula is not within ±100")
    try:
        domain = p.f.domain
        if p.formula:  # also where it waits for another function to be put away
            _typed(p.formula, p.domain)
    except FormulaError as error:
        raise SpecError(f"{error}") from None
    if not all(low <= c <= high for c, (low, high) in zip(p.start, domain, strict=True)):
        raise SpecError("the start is outside the picture")
    for name, value, low, high in (
        ("steps", p.steps, 1, MAX_STEPS), ("seed", p.seed, 0, MAX_SEED), ("tolerance", scene.tolerance, 1e-12, 1),
        ("number of optimizers", len(scene.optimizers), 0, MAX_OPTIMIZERS),
    ):  # fmt: skip
        if not low <= value <= high:
            raise SpecError(f"{name} is from {low:g} to {high:g}, not {value:g}")
    if p.noise != Choice(NO_NOISE):
        p.noise.check(NOISES, "noise")
    for config in scene.optimizers:
        check_optimizer(config)


def track_key(objective: Objective, config: OptimizerConfig) -> str:
    """What one path depends on, as canonical JSON: not on the other optimizers."""
    return canonical_json([asdict(objective), asdict(config)])


def run(objective: Objective, config: OptimizerConfig, start=None, steps: int | None = None) -> Run:
    """One optimizer's path, or a batch of them from other starts `(..., 2)`."""
    noise = (
        NOISES["uniform"](scale=0.0)
        if objective.noise.key == NO_NOISE
        else objective.noise.build(NOISES)
    )
    (_, opt, schedule), *then = config.segments()
    return minimize(
        objective.f, opt, objective.start if start is None else start, objective.steps if steps is None else steps,
        noise, schedule, objective.seed, then,
    )  # fmt: skip


def multistart(objective: Objective, config: OptimizerConfig) -> Run | None:
    """The optimizer from its further starts, `(steps+1, k, 2)`; None where it has none."""
    if config.initial_points is None:
        return None
    return run(
        objective,
        config,
        config.initial_points.build(INITIAL_POINTS).points(objective.start, objective.f.domain),
    )


def on_function(objective: Objective, key: str) -> Objective:
    """The objective moved to another shipped function, with that one's start and noise."""
    f = FUNCTIONS[key]
    noise = Choice(NO_NOISE) if f.noise is None else Choice(f.noise.key, {"scale": f.noise.scale})
    return replace(objective, function=key, start=tuple(map(float, f.start)), noise=noise)


# The book's figures 6.3 and 6.5-6.8 in one: its function, start, number of updates and rates.
BOOK = Scene(
    Objective(),
    (
        OptimizerConfig(Choice("sgd", {"lr": 0.95})),
        OptimizerConfig(Choice("momentum", {"lr": 0.1, "momentum": 0.9})),
        OptimizerConfig(Choice("adagrad", {"lr": 1.5, "eps": 1e-7})),
        OptimizerConfig(Choice("adam", {"lr": 0.3})),
    ),
)


def minima(f: Function, landscape: Landscape | None = None, most: int = 30) -> np.ndarray:
    """The known minima of f, `(k, 2)`; of a typed formula those that are found on its domain.

    Found: grid points below all their neighbors, polished by damped Newton steps, kept where the
    gradient vanishes and the Hessian is positive. More than `most` of them (a flat valley) are none.
    """
    if f.key != TYPED:
        return f.minima
    land = landscape or Landscape.of(f)
    z = np.where(np.isfinite(land.z), land.z, np.inf)
    rim = np.pad(z, 1, constant_values=np.inf)
    n, m = z.shape
    around = [
        rim[1 + i : 1 + i + n, 1 + j : 1 + j + m]
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
        if (i, j) != (0, 0)
    ]
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
