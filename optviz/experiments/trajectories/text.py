"""What the page says."""

from collections import Counter
from functools import reduce

from optviz.experiments.trajectories.wording import for_sign, format_point
from optviz.functions.elementary import CALLS
from optviz.optim import OPTIMIZERS, WRAPPERS
from optviz.optim.base import setting
from optviz.optim.hyperparameter import sentence
from optviz.optim.minima import minima_of
from optviz.optim.schedules import SCHEDULES
from optviz.optim.summary import WINDOW, Status
from optviz.optim.theory import Stability
from optviz.plot import Table, equations, number
from optviz.translation import N_, _, ngettext

MAX_PLACES = 6  # of minima that are listed
MAX_CURVATURES = 4

FORMULA_HELP = _(
    "Write it as usual, for example 100(y − x²)² + sin²(πx)/2 + |y|. You can use x, y, numbers, "
    "pi, e, + − · / ^ √ and the functions {functions}."
).format(functions=" ".join(sorted(CALLS)))
QUESTIONS = {"where": N_("Where will it be?"), "who": N_("Who arrives first?")}
STATUS = {
    Status.UNDEFINED: N_("stopped at step {step}: f is not defined there"),
    Status.DIVERGED: N_("diverged at step {step}"),
    Status.CONVERGED: N_("converged"),
    Status.LEFT_DOMAIN: N_("left the domain at step {step}"),
    Status.BELOW_KNOWN_MINIMUM: N_("below the lowest known minimum"),
    Status.AT_MINIMUM: N_("at rest at a local minimum"),
    Status.AT_SADDLE: N_("at rest at a saddle"),
    Status.AT_MAXIMUM: N_("at rest at a local maximum"),
    Status.FLAT: N_("on flat ground"),
    Status.MOVING: N_("still moving"),
}
FAR = 100  # widths of the domain: paths farther outside are running away


def status(summary) -> str:
    """How a path ended."""
    message = STATUS[summary.status]
    if summary.status is Status.UNDEFINED and summary.step == 0:
        message = N_("cannot start: f is not defined here")
    elif summary.status is Status.LEFT_DOMAIN and summary.gap < 0:
        message = N_("left the domain at step {step}, below the lowest known minimum")
    elif summary.status is Status.LEFT_DOMAIN and summary.outside > FAR:
        message = N_("running away: left the domain at step {step}")
    elif summary.status is Status.MOVING and summary.first_touch is not None:
        message = N_("still moving: does not stay within the tolerance")
    return for_sign(message, summary.sign).format(step=summary.step)


# Beside the controls.


def refused_formula(error, current: str) -> str:
    """Why a formula is refused."""
    return _("{error}. The picture still shows {formula}").format(error=error, formula=current)


def undefined_start(start) -> str:
    """The warning that a formula is not defined where the paths start."""
    return _(
        "This formula is not defined at the start {point}: move the start under “Start, steps, "
        "noise”."
    ).format(point=format_point(start))


def frame_notes(letters) -> dict[str, str]:
    """Notes below edges of the frame that do not fit together."""
    message = _("must be greater than {c} from")
    return {f"{c}_to": message.format(c=c) for c in letters}


def start_notes(scene) -> dict[str, str]:
    """Notes below the start if f is not defined there."""
    value = scene.objective.f.value(scene.objective.start)
    field = "start_x" if scene.objective.f.univariate else "start_y"
    return {} if abs(value) < float("inf") else {field: _("f is not defined at this start")}


ANY, LOWEST, ON_THE_WAY = "any", "lowest", "on the way"
RATE_NOTES = {  # by the minima whose limit is exceeded, and whether a schedule turns the rate
    (ANY, False): N_(
        "beyond {limit}, the largest stable rate here, at {place}: it cannot settle at an optimum"
    ),
    (ANY, True): N_(
        "ends at {lr}, beyond {limit}, the largest stable rate here, at {place}: it cannot settle "
        "at an optimum"
    ),
    (LOWEST, False): N_(
        "beyond {limit}, the largest stable rate at the lowest minimum, {place}: it can settle "
        "only at a higher one"
    ),
    (LOWEST, True): N_(
        "ends at {lr}, beyond {limit}, the largest stable rate at the lowest minimum, {place}: it "
        "can settle only at a higher one"
    ),
    (ON_THE_WAY, True): N_(
        "ends at {lr}, within {limit}, the largest stable rate at {place}, but exceeds it "
        "earlier, first at step {first}, last at step {last}"
    ),
}


def rate_notes(stabilities: list[Stability], scheduled: bool, f) -> dict[str, str]:
    """Notes below a rate beyond the limit of every minimum or of the lowest, at any step."""
    if not any(s.exceeded for s in stabilities):
        return {}
    best = max(stabilities, key=lambda s: s.limit)
    lowest = max((s for s in stabilities if s.lowest), key=lambda s: s.limit, default=best)
    cases = [(ANY, best, best.lr > best.limit), (LOWEST, lowest, lowest.lr > lowest.limit)]
    cases += [(ON_THE_WAY, s, s.exceeded) for s in (best, lowest)]
    for case, s, exceeded in cases:
        if exceeded:
            first, last = s.exceeded
            numbers = _numbers(lr=s.lr, limit=s.limit)
            message = for_sign(RATE_NOTES[case, scheduled], f.sign)
            return {
                "lr": message.format(place=format_point(s.at, f), first=first, last=last, **numbers)
            }
    return {}


# Below the figures.


def minima(f) -> str:
    """Where the minima are, the lowest and the others."""
    known = minima_of(f)
    listed = known.places
    lowest, local = listed[known.lowest[listed]], listed[~known.lowest[listed]]
    if not len(known):
        message = N_("No minimum is known in this picture.")
    elif not len(local):
        message = N_("Minima: {lowest}.")
    elif len(lowest):
        message = N_("Lowest in the picture: {lowest}; other local minima: {local}.")
    else:
        message = N_("Local minima: {local}; elsewhere in the picture f is lower.")
    places = {"lowest": _places(known, lowest, f), "local": _places(known, local, f)}
    return for_sign(message, f.sign).format(**places)


def _places(known, listed, f):
    line = _("a curve through {point}")
    points = [
        line.format(point=format_point(known.points[i]))
        if known.on_curve[i] and not f.univariate
        else format_point(known.points[i], f)
        for i in listed[:MAX_PLACES]
    ]
    return "; ".join(points) + (" …" if len(listed) > MAX_PLACES else "")


def budget(objective) -> str:
    """How many steps every optimizer takes, and what counts as arrived with noise."""
    steps = objective.steps
    message = ngettext("Every optimizer takes {n} step.", "Every optimizer takes {n} steps.", steps)
    if not objective.noise:
        return message.format(n=steps)
    noise = _("With noise, the mean of the last {n} losses must stay within the tolerance.")
    return f"{message.format(n=steps)} {noise.format(n=WINDOW)}"


def branch(name: str, config, run) -> str:
    """Where a branch starts, and whether it continues with its parent's state."""
    if len(run.warm_started) == 1 and config.fork.step:
        message = _("**{name}** would branch off at step {step}, after the end of the run.")
    elif run.warm_started[-1]:
        message = _("**{name}** branches off {parent} at step {step} and continues with its state.")
    else:
        message = _(
            "**{name}** branches off {parent} at step {step} with a fresh state: it cannot use "
            "the state of another method."
        )
    return message.format(name=name, parent=config.fork.parent.name, step=config.fork.step)


def multistart(name: str, paths, arrivals) -> str:
    """How many of an optimizer's further starts arrived where."""
    known, counts = minima_of(paths.function), Counter(arrivals.tolist())
    arrived = [
        _("{n} at {point}").format(n=counts[i], point=format_point(at, paths.function))
        for i, at in enumerate(known.points[known.places])
        if counts[i]
    ]
    places = "; ".join(arrived) or for_sign(N_("none at a minimum"), paths.function.sign)
    message = _("**{name}** from {n} more starts: {there}.")
    return message.format(name=name, n=paths.points.shape[1], there=places)


def theory(known_curvatures, scene) -> list[str | Table]:
    """The largest stable and the best fixed rates at the minima, Markdown and tables."""
    if not known_curvatures:
        message = N_("No minimum with positive curvature is known here, so no rate can be derived.")
        return [for_sign(message, scene.objective.f.sign)]
    parts = [part for c in known_curvatures[:MAX_CURVATURES] for part in _curvature(c, scene)]
    if len(known_curvatures) > MAX_CURVATURES:
        parts.append(_("and {n} more").format(n=len(known_curvatures) - MAX_CURVATURES))
    return parts


def _curvature(c, scene):
    message = (
        N_(
            "At {point} the Hessian has the eigenvalues **λmin = {low}** and **λmax = {high}**: "
            "condition number **{condition}**."
        )
        if c.low
        else N_(
            "At {point} the Hessian has the eigenvalues 0 and **λmax = {high}**: with no "
            "curvature in one direction, there is no best setting."
        )
    )
    f = scene.objective.f
    point, numbers = format_point(c.at, f), _numbers(low=c.low, high=c.high, condition=c.condition)
    yield for_sign(message, f.sign).format(point=point, **numbers)
    head = (
        _("optimizer"),
        _("largest stable rate"),
        _("best fixed setting in the long run"),
        _("convergence factor per step"),
    )
    rows = []
    for key, limit, formula, (*best, factor) in (
        ("sgd", "2/λmax", "η = 2/(λmin+λmax)", c.best_sgd),
        ("momentum", "2(1+μ)/λmax", "η, μ", c.best_momentum),
        ("nesterov", "2(1+μ)/((1+2μ)λmax)", "η, μ", c.best_nesterov),
    ):
        opt = OPTIMIZERS[key]()
        name = opt.label
        if key != "sgd":
            configs = (config for config in scene.optimizers if config.method.key == key)
            ends = (config.optimizer_at(scene.objective.steps - 1) for config in configs)
            momentum = next((setting(end, "momentum") for end in ends), opt.momentum)
            opt = OPTIMIZERS[key](momentum=momentum)
            name = f"{name}, μ = {number(momentum)}"
        limit = f"{limit} = {number(opt.stable_lr(c.high))}"
        best = f"{formula} = {', '.join(map(number, best))}"
        rows.append((name, limit, best, factor) if c.low else (name, limit, None, None))
    yield Table(_("Rates at the minimum {point}").format(point=point), head, rows)


def _numbers(**values):
    return {name: number(value) for name, value in values.items()}


def theory_sources() -> str:
    """How far the theory holds, and where it comes from."""
    return _(
        "All of this is exact on a quadratic; elsewhere it holds near the minimum. A rate beyond "
        "the limits is flagged at its slider. With a schedule, the rate and μ are those of the "
        "last step. Polyak (1964); Lessard, Recht & Packard (2016); Goh (2017), Why momentum "
        "really works."
    )


def equations_of(name: str, config) -> str:
    """An optimizer's equations with its values, and those of its wrappers and schedules."""
    opt = config.method.build(OPTIMIZERS)
    parts = [f"**{name}**: {sentence(type(opt))}", *_displayed(opt)]
    parts += filter(None, [equations.switches(opt), equations.remarks(type(opt))])
    for wrapper in config.wrappers:
        cls = WRAPPERS[wrapper.key]
        parts += [f"_{cls.label}_: {sentence(cls)}", *_displayed(wrapper.build(WRAPPERS, opt))]
    for hyperparameter, schedule in config.schedules.items():
        message = _("At step t, _{hyperparameter}_ is multiplied by")
        parts += [message.format(hyperparameter=hyperparameter)]
        parts += _displayed(schedule.build(SCHEDULES))
    return "\n\n".join([*parts, f"_{type(opt).cite}_"])


def _displayed(component):
    return [f"$$ {e} $$" for e in equations.equations_with_values(component)]


# Predictions.


def where_verdict(name: str, end, distance: float, share: float) -> str:
    """How far a guess was from where a path ended; `share` is of the picture."""
    return _(
        "{name} ends at {point}. Your guess was {apart} away, {share}% of the size of the picture."
    ).format(
        name=name, point=format_point(end), apart=number(distance, 3), share=number(100 * share, 2)
    )


def who_verdict(correct: bool, winners, step: int | None, scene) -> str:
    """Who was the first to stay within the tolerance, and whether that was the guess."""
    if winners and correct:
        message = _(
            "Right: {names} got within {tolerance} of the optimum first, at step {step}, and "
            "stayed there."
        )
    elif winners:
        message = _(
            "Not this time: {names} got within {tolerance} of the optimum first, at step {step}, "
            "and stayed there."
        )
    elif correct:
        message = _(
            "Right: in {steps} steps, no optimizer got within {tolerance} of the optimum and "
            "stayed there."
        )
    else:
        message = _(
            "Not this time: in {steps} steps, no optimizer got within {tolerance} of the optimum "
            "and stayed there."
        )
    both, steps = _("{first} and {second}"), scene.objective.steps
    names = reduce(lambda first, second: both.format(first=first, second=second), winners or [""])
    return message.format(names=names, step=step, tolerance=number(scene.tolerance), steps=steps)


def question(prediction, names, scene) -> str:
    """The question, and how to answer it."""
    if prediction.question == "where" and prediction.point:
        message = _(
            "Click again to change your guess of where **{name}** will be after {steps} steps."
        )
    elif prediction.question == "where":
        message = _("Click on the contour where you think **{name}** will be after {steps} steps.")
    else:
        message = _(
            "Which optimizer will be the first to get within {tolerance} of the best known value "
            "and stay there, in {steps} steps?"
        )
    return message.format(
        name=names[prediction.about], steps=scene.objective.steps, tolerance=number(scene.tolerance)
    )


def score(points, best: int) -> str:
    """The points of all rounds."""
    message = ngettext(
        "Score: **{sum}** of {most} in {n} round",
        "Score: **{sum}** of {most} in {n} rounds",
        len(points),
    )
    return message.format(sum=sum(points), most=best * len(points), n=len(points))
