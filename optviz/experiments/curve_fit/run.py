"""The fit as a job: all initial weights side by side, every update from all points."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from optviz.data import CURVES
from optviz.experiments.curve_fit.spec import CurveFit
from optviz.nn import MiniBatch, squared_error
from optviz.optim.schedules import SCHEDULES
from optviz.spec import canonical_json, to_dict
from optviz.training import Amount, Job

CHUNK = 50  # iterations of a step
UPDATE = 1e-4  # seconds of one, roughly
# After how many updates the weights are kept: ever less often, as they move ever less.
STOPS = tuple(np.unique(np.geomspace(1, 20_000, 60).round().astype(int)).tolist())


@dataclass(frozen=True, eq=False)
class Fit:
    """The state of the fits: an immutable value.

    I networks, one for each of the initial weights; those that diverge are NaN from there on.
    """

    spec: CurveFit
    params: np.ndarray  # (I, P)
    state: dict  # the optimizer's
    past: np.ndarray  # (iteration, I): mean squared error before each update
    snapshots: dict[int, np.ndarray]  # iteration -> (I, P)

    @property
    def iteration(self) -> int:
        """The number of updates done."""
        return len(self.past)

    @cached_property
    def loss(self) -> np.ndarray:
        """The mean squared error `(iteration + 1, I)` after so many updates."""
        with np.errstate(all="ignore"):
            return np.concatenate([self.past, objective(self.spec).value(self.params)[None]])

    @property
    def done(self) -> bool:
        return self.iteration >= self.spec.iterations

    @property
    def stored(self) -> dict[int, np.ndarray]:
        """The parameters `(I, P)` at every iteration at which they are stored."""
        return {**self.snapshots, self.iteration: self.params}

    @property
    def training(self) -> CurveFit:
        """What distinguishes the lines of a chart."""
        return self.spec

    def single(self, i: int) -> "Fit":
        """Only the network of the i-th initial weights, without the state to continue from."""
        spec = replace(self.spec, initializers=self.spec.initializers[i : i + 1])
        snapshots = {t: params[[i]] for t, params in self.snapshots.items()}
        return Fit(spec, self.params[[i]], {}, self.past[:, [i]], snapshots)

    def at(self, iteration: int) -> tuple[int, np.ndarray]:
        """The last iteration up to this one whose parameters are stored, and these `(I, P)`."""
        t = max(t for t in self.stored if t <= iteration)
        return t, self.stored[t]


def objective(spec: CurveFit) -> MiniBatch:
    """The mean squared error over all points as a function of the parameters `(I, P)`."""
    return MiniBatch(spec.network, *CURVES[spec.curve].sample(spec.points), loss=squared_error)


def begin(spec: CurveFit) -> Fit:
    """Before the first update."""
    with np.errstate(all="ignore"):
        params = np.stack([spec.network.init(spec.seed, rule) for rule in spec.initializers])
        state = spec.optimizer.build().init(params)
    return Fit(spec, params, state, np.empty((0, len(params))), {0: params})


def advance(fit: Fit, steps: int) -> Fit:
    """The fits after `steps` more updates, or as many as are left."""
    spec, f, opt = fit.spec, objective(fit.spec), fit.spec.optimizer.build()
    schedules = {name: part.build(SCHEDULES) for name, part in spec.optimizer.schedules.items()}
    params, state, losses, snapshots = fit.params, fit.state, [], {}
    first, last = fit.iteration, min(fit.iteration + steps, spec.iterations)
    for t in range(first, last):
        scheduled = opt
        for name, factor in schedules.items():
            scheduled = scheduled.scaled(name, float(factor(t)))
        with np.errstate(all="ignore"):
            after, state = scheduled.step(f, params, state)
            losses.append(f.value(params))
            params = np.where(np.isfinite(after).all(-1, keepdims=True), after, np.nan)
        if t + 1 in STOPS:
            snapshots[t + 1] = params
    if not losses:
        return fit
    past = np.concatenate([fit.past, losses])
    return Fit(spec, params, state, past, {**fit.snapshots, **snapshots})


@dataclass(frozen=True)
class FitJob(Job):
    """The fits of a spec in slices; a longer one continues from the state of a shorter one."""

    spec: CurveFit

    @cached_property
    def key(self) -> str:
        return canonical_json(["curve_fit", to_dict(replace(self.spec, iterations=10))])

    @property
    def length(self) -> int:
        return self.spec.iterations

    @property
    def cost(self) -> float:
        return self.spec.iterations * UPDATE

    def begin(self) -> Fit:
        return begin(self.spec)

    def resume(self, state: Fit) -> Fit | None:
        if state.iteration > self.spec.iterations:
            return None
        return state if state.spec == self.spec else replace(state, spec=self.spec)

    def step(self, state: Fit) -> Fit:
        return advance(state, CHUNK)

    def progress(self, state: Fit) -> Amount:
        return Amount(state.iteration, self.spec.iterations)


def outputs(spec: CurveFit, params: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The outputs `(I, n)` of networks `(I, P)` for x `(n,)`."""
    with np.errstate(all="ignore"):
        return spec.network.outputs(params, x[:, None])[..., 0]


def matrices(spec: CurveFit, params: np.ndarray) -> dict[str, np.ndarray]:
    """W1 `(1, h)`, b1 `(h,)`, W2 `(h, 1)` and b2 `(1,)` of one network `(P,)`."""
    views = [spec.network.views(params)[k] for k in spec.network.affine]
    return {f"{name}{k}": v[name] for k, v in enumerate(views, 1) for name in ("W", "b")}


def units(spec: CurveFit, params: np.ndarray) -> np.ndarray:
    """Each hidden unit as a column `(3, h)`: its weight, its bias, its outgoing weight."""
    m = matrices(spec, params)
    return np.stack([m["W1"][0], m["b1"], m["W2"][:, 0]])
