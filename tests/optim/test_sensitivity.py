"""Ends, sweeps, tuning, basins and sharpness: against single runs, closed forms and NumPy's own."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from optviz import (
    FUNCTIONS,
    NOISES,
    OPTIMIZERS,
    SCHEDULES,
    WRAPPERS,
    Segment,
    basins,
    final,
    minimize,
    parse_formula,
    sharpness,
    sweep,
    tune,
)
from optviz.optim.sensitivity import ends, enter, ranks, starts
from optviz.optim.sensitivity.stability import edge_of_stability
from tests.optim.runs import equal, somewhere
from tests.table import table

STEPS = 60
BOWL, TILTED, WELL = FUNCTIONS["bowl"], FUNCTIONS["tilted_bowl"], FUNCTIONS["double_well"]
NOISE = NOISES["gaussian"](scale=0.3)


def same_end(end, run):
    assert equal(end.point, run.points[-1])
    assert equal(end.value, run.values[-1])
    assert np.array_equal(end.diverged_at, run.diverged_at)
    assert np.array_equal(end.undefined, run.undefined)
    for count, expected in zip(end.evaluations, run.evaluations, strict=True):
        assert np.array_equal(count, expected)


@pytest.fixture
def small_chunks(monkeypatch):
    """A batch in several parts, the last of them smaller."""
    monkeypatch.setattr(ends, "ROWS", 5)
    monkeypatch.setattr(starts, "ROWS", 5)


@pytest.mark.parametrize("key", [*OPTIMIZERS, *WRAPPERS])
@table("surface", ["himmelblau", "mccormick"])
def test_the_end_is_that_of_the_whole_run_bit_for_bit(key, surface, small_chunks):
    f = FUNCTIONS[surface]
    opt = OPTIMIZERS[key]() if key in OPTIMIZERS else WRAPPERS[key](OPTIMIZERS["nesterov"]())
    at = somewhere(f, (3, 4))
    same_end(final(f, opt, at, STEPS), minimize(f, opt, at, STEPS))
    same_end(final(f, opt, at[0, 0], STEPS), minimize(f, opt, at[0, 0], STEPS))


@table("key", ["newton", "cg", "nelder_mead", "lbfgs", "trust_region"])
def test_rows_that_have_come_to_rest_and_leave_end_as_in_the_whole_run(key):
    f, opt = FUNCTIONS["himmelblau"], OPTIMIZERS[key]()
    at = somewhere(f, (40,))
    same_end(final(f, opt, at, 200), minimize(f, opt, at, 200))


SGD, MOMENTUM, ADAM = (OPTIMIZERS[key] for key in ("sgd", "momentum", "adam"))
COLUMN = np.geomspace(0.01, 30, 7)[:, None]


@table(
    "f, opt, more",
    [
        (FUNCTIONS["himmelblau"], SGD(lr=COLUMN), {}),  # most rows diverge
        (parse_formula("log(x) + y**2"), SGD(lr=COLUMN), {}),  # which leave where f is defined
        (FUNCTIONS["levy"], WRAPPERS["averaged"](MOMENTUM(lr=COLUMN)), {"noise": NOISE, "seed": 3}),
        (BOWL, ADAM(lr=COLUMN), {"noise": NOISE, "seed": np.arange(7)}),
        (BOWL, ADAM(lr=COLUMN), {"schedule": SCHEDULES["step"](every=10, gamma=0.0)}),  # rests
        (
            BOWL,
            SGD(lr=COLUMN / 100),
            {
                "schedule": SCHEDULES["step"](every=5, gamma=0.0),
                "then": (
                    Segment(20, SGD(lr=0.1)),
                    Segment(30, ADAM(lr=COLUMN)),
                    Segment(40, ADAM()),
                ),
            },
        ),
        (BOWL, OPTIMIZERS["newton"](), {"then": (Segment(9, OPTIMIZERS["nelder_mead"]()),)}),
    ],
)
def test_the_end_of_columns_noise_schedules_and_forks(f, opt, more, small_chunks):
    at = somewhere(f, (7,))
    same_end(final(f, opt, at, STEPS, **more), minimize(f, opt, at, STEPS, **more))


def test_no_starts_have_no_ends():
    ends = final(FUNCTIONS["bowl"], OPTIMIZERS["sgd"](), np.empty((0, 2)), 5)
    assert (ends.point.shape, ends.value.shape) == ((0, 2), (0,))


def test_where_f_settles_at_a_level():
    """One level for all, and one for each that its end decides; momentum's ends lie on all sides."""
    at, opt = somewhere(BOWL, (9,)), MOMENTUM(lr=0.1)
    runs = [minimize(BOWL, opt, start, 300) for start in at]
    for level in (0.02, lambda points, values: np.where(points[:, 0] > 0, 0.0, 0.2)):
        settled_at = final(BOWL, opt, at, 300, level=level, tolerance=0.05).settled_at
        for i, run in enumerate(runs):
            target = level(run.points[-1:], run.values[-1:])[0] if callable(level) else level
            outside = np.abs(run.values - target) > 0.05
            last = int(np.flatnonzero(outside)[-1]) + 1 if outside.any() else 0
            assert settled_at[i] == (last if last <= 300 else -1)
        assert max(settled_at) > 20
    assert -1 in settled_at


def test_memory_does_not_grow_with_the_steps():
    at, peaks = somewhere(BOWL, (100_000,)), []
    for steps in (2, 40):
        tracemalloc.start()
        final(BOWL, ADAM(), at, steps)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    kept = 100_000 * (3 * 8 + 3 * 8 + 8 + 8 + 8 + 1)  # what is returned
    assert peaks[1] < 1.02 * peaks[0]
    assert peaks[1] - 2 * kept < 64e6


VALUES = {"lr": np.geomspace(1e-2, 3, 6), "momentum": np.array([0.0, 0.5, 0.9])}


@table(
    "f, opt, axes, made",
    [
        (BOWL, MOMENTUM(), VALUES, lambda v: (MOMENTUM(**v), {})),
        (BOWL, MOMENTUM(lr=0.3), {"y": [1, 2], "x": [-4.0]}, lambda v: (MOMENTUM(lr=0.3), v)),
        (BOWL, OPTIMIZERS["lbfgs"](), {"lr": [0.5, 1], "memory": [1, 4]}, None),
        (BOWL, ADAM(), {"bias_correction": [False, True], "lr": [0.1, 0.4]}, None),
    ],
)
def test_a_sweep_is_its_single_runs(f, opt, axes, made, small_chunks):
    made = made or (lambda v: (replace(opt, **v), {}))
    swept = sweep(f, opt, axes, f.start, STEPS)
    for i in np.ndindex(*map(len, axes.values())):
        setting = {k: np.array(v)[j].item() for j, (k, v) in zip(i, axes.items(), strict=True)}
        single, start = made(setting)
        at = (start.get("x", f.start[0]), start.get("y", f.start[1]))
        run = minimize(f, single, at, STEPS)
        assert np.array_equal(swept.values[i], run.values[-1], equal_nan=True), setting
        assert swept.diverged_at[i] == run.diverged_at
        assert swept.evaluations[i] == sum(run.evaluations)
    best = np.nanmin(swept.values)
    single, start = made(swept.best())
    at = (start.get("x", f.start[0]), start.get("y", f.start[1]))
    assert minimize(f, single, at, STEPS).values[-1] == best


def test_a_sweep_inside_a_wrapper_over_seeds_and_starts():
    opt, at = WRAPPERS["clipped"](SGD(), max_norm=2.0), somewhere(BOWL, (3,))
    axes = {"lr": [0.1, 0.7], "seed": [4, 8], "max_norm": [0.5, 3.0]}
    swept = sweep(BOWL, opt, axes, at, STEPS, noise=NOISE)
    assert swept.values.shape == (2, 2, 2, 3)
    for i, j, k, row in np.ndindex(2, 2, 2, 3):
        single = WRAPPERS["clipped"](SGD(lr=axes["lr"][i]), max_norm=axes["max_norm"][k])
        run = minimize(BOWL, single, at[row], STEPS, NOISE, seed=axes["seed"][j])
        assert swept.values[i, j, k, row] == run.values[-1]
    assert swept.best().keys() == axes.keys()


def test_steps_to_a_tolerance():
    axes = {"lr": np.array([1e-3, 0.3, 0.9, 50.0])}
    swept = sweep(BOWL, "sgd", axes, (-7, 2), 400, "steps", tolerance=1e-3)
    # x²/20 from -7, the slower coordinate while the rate is below 2/2.1: 2.45 (1 − lr/10)^2n ≤ 1e-3
    for lr, steps in zip(axes["lr"][1:3], swept.values[1:3], strict=True):
        assert steps == np.ceil(np.log(1e-3 / 2.45) / (2 * np.log(1 - lr / 10)))
    assert swept.values[0] == np.inf  # not in 400 steps
    assert np.isnan(swept.values[3])


@table("text", ["x**2/20 + y**2", TILTED.formula, "3*x**2 + 2*x*y + y**2/2"])
@table("momentum", [0.0, 0.5, 0.9])
def test_the_edge_of_divergence_on_quadratics(text, momentum):
    f = parse_formula(text)
    limit = 2 * (1 + momentum) / np.linalg.eigvalsh(f.hess((0.0, 0.0)))[-1]
    rates = limit * np.geomspace(0.25, 4, 64)
    swept = sweep(f, "momentum", {"lr": rates, "momentum": [momentum]}, (3, 2), 1000)
    grown = ~(swept.values[:, 0] <= f.value((3.0, 2.0)))
    edge = int(grown.argmax())
    assert grown[edge:].all()
    assert rates[edge - 1] <= limit <= rates[edge]


@table(
    "text, start",
    [("x**2/20 + y**2", (-7, 2)), (TILTED.formula, (2, 1)), ("3*x**2 + y**2", (1, 1))],
)
def test_one_tuned_step_is_the_exact_line_search(text, start):
    f, at = parse_formula(text), np.array(start, float)
    g = f.grad(at)
    exact = g @ g / (g @ f.hess(at) @ g)
    tuned = tune(f, "sgd", start, steps=1, budget=60)
    assert tuned.optimizer.lr == pytest.approx(exact, rel=0.04)  # (1e5)^(1/39)^(2/21): 3% apart
    assert tune(f, "newton", start, steps=1, budget=60).optimizer.lr == pytest.approx(1, rel=0.03)


@table("f", [BOWL, TILTED])
def test_the_tuned_rate_of_many_steps_is_the_best_of_theory(f):
    # both eigenvectors alike, as for the slowest start of an exact line search
    low, high = np.linalg.eigvalsh(f.hess((0.0, 0.0)))
    start = np.linalg.eigh(f.hess((0.0, 0.0)))[1] @ (1 / np.sqrt([low, high]))
    tuned = tune(f, "sgd", start, 200, budget=60)
    assert tuned.optimizer.lr == pytest.approx(2 / (low + high), rel=0.04)
    assert tuned.value == minimize(f, tuned.optimizer, start, 200).values[-1]


def test_tuning_over_seeds_two_at_once_and_where_nothing_can_be_tuned():
    seeds = np.arange(8)
    tuned = tune(BOWL, "momentum", (-7, 2), 50, 25, NOISE, seeds, names=("lr", "momentum"))
    ends = [
        minimize(BOWL, tuned.optimizer, (-7, 2), 50, NOISE, seed=s).values[-1] for s in range(8)
    ]
    assert tuned.value == pytest.approx(np.mean(ends), rel=1e-12)
    assert tuned.evaluations == 25 * 8 * 50
    assert tuned.value < np.mean(
        [minimize(BOWL, MOMENTUM(), (-7, 2), 50, NOISE, seed=s).values[-1] for s in range(8)]
    )
    plain = tune(BOWL, "sgd", (-7, 2), 20, names=("momentum",))
    assert plain.optimizer == SGD()
    assert plain.value == minimize(BOWL, SGD(), (-7, 2), 20).values[-1]
    assert plain.evaluations == 20


@table(
    "call, message",
    [
        (lambda: sweep(BOWL, "sgd", {"momentum": [0.5]}), "SGD has no hyperparameter 'momentum'"),
        (lambda: sweep(BOWL, "sgd", {"lr": [0.5]}, measure="speed"), "value, steps, not 'speed'"),
        (lambda: sweep(BOWL, "sgd", {"lr": [-1.0]}), "lr must be in"),
        (lambda: sweep(BOWL, "sgd", {"lr": [1e5]}, steps=500).best(), "every setting diverges"),
        (lambda: tune(BOWL, "sgd", budget=0), "at least one run"),
        (lambda: final(BOWL, SGD(), (np.nan, 1)), "finite numbers"),
    ],
)
def test_what_cannot_be_swept_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_basins_of_gradient_flow_end_at_the_ridge(small_chunks):
    # f is x(x + 1)(x - 2) in x, of which 0 is the maximum between
    xs, ys = np.linspace(-2.4, 2.9, 54), np.array([-1.5, 0.0, 1.0])
    result = basins(WELL, SGD(lr=0.02), xs, ys, 1500, tolerance=1e-6)
    places = result.minima[result.index]
    assert np.array_equal(places[..., 0], np.broadcast_to(np.where(xs > 0, 2.0, -1.0), (3, 54)))
    assert np.array_equal(result.minima[:, 1], [0, 0])
    assert (result.diverged_at == -1).all()
    run = minimize(WELL, SGD(lr=0.02), (xs[20], 1.0), 1500)
    outside = np.abs(run.values - WELL.value(result.minima[result.index[2, 20]])) > 1e-6
    assert result.steps[2, 20] == np.flatnonzero(outside)[-1] + 1
    assert basins(WELL, SGD(lr=0.02), [0.0], [1.0], 1500).index == -1  # on the ridge itself


def test_basins_where_it_diverges_or_has_not_arrived():
    result = basins(FUNCTIONS["himmelblau"], SGD(lr=0.02), [3.1, 500.0], [2.1], 100)
    assert result.minima[result.index[0, 0]].tolist() == [3, 2]
    assert result.index[0, 1] == result.steps[0, 1] == -1
    assert result.diverged_at[0, 0] == -1 < result.diverged_at[0, 1]
    assert basins(BOWL, SGD(lr=0.1), [-7.0], [2.0], 3).index == -1


@table("surface", ["bowl", "rosenbrock", "himmelblau", "ackley", "monkey_saddle"])
def test_sharpness_is_the_largest_eigenvalue(surface):
    f = FUNCTIONS[surface]
    run = minimize(f, ADAM(lr=0.2), somewhere(f, (4,)), 20)
    expected = [[np.linalg.eigvalsh(f.hess(x))[-1] for x in row] for row in run.points]
    np.testing.assert_allclose(sharpness(f, run), expected, rtol=1e-10, atol=1e-12)


def test_there_is_no_sharpness_where_there_is_no_point():
    run = minimize(BOWL, SGD(lr=1e5), BOWL.start, 60)
    assert np.array_equal(np.isnan(sharpness(BOWL, run)), np.arange(61) >= run.diverged_at)
    assert run.diverged_at > 0


@table(
    "opt, limit",
    [
        (SGD(lr=0.4), 2 / 0.4),
        (MOMENTUM(lr=0.4, momentum=0.9), 3.8 / 0.4),
        (SGD(lr=0.4, weight_decay=0.5), 2 / 0.4 - 0.5),
        (OPTIMIZERS["nesterov"](lr=0.4, momentum=0.5), 2 * 1.5 / (2 * 0.4)),
    ],
)
def test_the_edge_of_methods_with_one_rate(opt, limit):
    edge = edge_of_stability(minimize(FUNCTIONS["rosenbrock"], opt, (-1.2, 1), 3))
    np.testing.assert_allclose(edge.limit, limit, rtol=1e-12)
    assert edge.sharpness[0] == pytest.approx(np.linalg.eigvalsh([[1330, 480], [480, 200]])[-1])
    assert edge.crossed == 0
    assert not edge.preconditioned


@table("beta1", [0.0, 0.5, 0.9])
def test_the_edge_of_adam_is_that_of_its_recursion(beta1):
    # with v fixed, m and x follow a linear recursion for each curvature: its spectral radius is 1
    opt = ADAM(lr=0.3, beta1=beta1)
    edge = edge_of_stability(minimize(BOWL, opt, (-7, 2), 5))
    assert edge.preconditioned
    for share, stable in ((0.999, True), (1.001, False)):
        c = share * edge.limit[0]
        step = [[beta1, (1 - beta1) * c], [-0.3 * beta1, 1 - 0.3 * (1 - beta1) * c]]
        assert (np.abs(np.linalg.eigvals(step)).max() < 1) == stable
    # the first step divides by |g|, whatever the betas: curvatures .1/.7 and 2/4 there
    assert edge.sharpness[0] == pytest.approx(2 / 4, rel=1e-6)


def test_there_is_no_edge_of_what_theory_does_not_know():
    assert edge_of_stability(minimize(BOWL, OPTIMIZERS["lion"](), steps=3)) is None


def test_basins_of_several_seeds_are_what_most_of_them_reach():
    xs, noise = np.linspace(-0.5, 0.5, 5), NOISES["gaussian"](scale=8.0)
    many = basins(WELL, SGD(lr=0.02), xs, [0.0], 60, noise, np.arange(7), tolerance=2.0)
    for j, x in enumerate(xs):
        ends = [minimize(WELL, SGD(lr=0.02), (x, 0), 60, noise, seed=s) for s in range(7)]
        # f has minima at -1 and 2, as high as its values there; within 2 of them it has arrived
        votes = {}
        for end in ends:
            near = min((-1, 2), key=lambda m: abs(end.points[-1, 0] - m) ** 2)
            there = abs(end.values[-1] - WELL.value((near, 0.0))) <= 2
            votes[near if there else None] = votes.get(near if there else None, 0) + 1
        place = many.index[0, j]
        winner = many.minima[place, 0] if place >= 0 else None
        assert votes[winner] == max(votes.values())
        assert many.share[0, j] == max(votes.values()) / 7
    assert many.share.min() < 1


# The fair race.


def test_ranks_of_a_table_by_hand():
    """Three racers on four starts: all unlike, two equal, one diverged, two diverged."""
    nan = np.nan
    table_ranks = ranks([[1, 2, nan, nan], [3, 2, 5, nan], [2, 9, 4, 7]])
    assert table_ranks.tolist() == [[1, 1.5, 3, 2.5], [3, 1.5, 2, 2.5], [2, 3, 1, 1]]


@pytest.mark.parametrize("key", ["sgd", "newton", "sophia", "lbfgs", "nelder_mead"])
def test_a_budget_ends_a_run_at_the_last_point_that_it_pays_for(key):
    f, opt, at = (
        FUNCTIONS["rosenbrock"],
        OPTIMIZERS[key](),
        somewhere(FUNCTIONS["rosenbrock"], (5,)),
    )
    end, whole = final(f, opt, at, 25, budget=25), minimize(f, opt, at, 25)
    paid = whole.work.sum(1) <= 25
    last = paid.sum(0) - 1
    columns = range(5)
    assert np.array_equal(end.value, whole.values[last, columns], equal_nan=True)
    assert np.array_equal(sum(end.evaluations), whole.work.sum(1)[last, columns])
    assert sum(end.evaluations).max() <= 25


@table("noise", [None, NOISE])
def test_every_entry_has_the_same_evaluations_and_tuning_never_harms(noise):
    """SGD, Adam and SAM, which asks twice, on a narrow valley; no run comes to rest."""
    sam = WRAPPERS["sam"](OPTIMIZERS["sgd"](lr=0.001))
    racers = [OPTIMIZERS["sgd"](lr=0.001), OPTIMIZERS["adam"](), sam]
    starts, seeds = somewhere(TILTED, (8,)), np.arange(8)
    for opt in racers:
        entry = enter(TILTED, opt, starts, 40, 6, noise, seed=seeds)
        assert (entry.spent == 40).all()
        assert entry.tuning == 5 * 8 * 40
        assert entry.tuned.mean() <= entry.untuned.mean()
        slow = 2 if opt is sam else 1
        single = minimize(TILTED, opt, starts[3], 40 // slow, noise, seed=3)
        assert entry.untuned[3] == single.values[-1]
    assert entry.rate != 0.001
