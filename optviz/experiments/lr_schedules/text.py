"""What is said of schedules: tables, jumps of the rate, and a range test in words."""

import numpy as np

from optviz.experiments.lr_schedules.run import TOO_LARGE, Jump, Reading, factor_of, jumps, settled
from optviz.experiments.lr_schedules.spec import every
from optviz.experiments.page import Caption, Expander
from optviz.optim.hyperparameter import sentence
from optviz.optim.schedules import SCHEDULES, Step
from optviz.plot import Column, Table, number, over_seeds
from optviz.plot.equations import equations
from optviz.plot.training import status
from optviz.translation import N_, _

MAX_JUMPS = 3  # that are told of one schedule


def standings(lines, planned) -> Table:
    """Both ends of the rate, the loss, both accuracies, and what became of each."""
    columns = (
        "",
        _("iterations"),
        Column(_("rate at first"), 3),
        Column(_("rate at the end"), 3),
        Column(_("loss on the training set"), 3),
        Column(_("over the last tenth"), 3),
        Column(_("training accuracy"), 3, percent=True),
        Column(_("validation accuracy"), 3, percent=True),
        _("status"),
    )
    rows = []
    for line, r in zip(lines, planned, strict=True):
        now, i = line.progress, line.i
        ends = (r[0], r[-1]) if len(r) else (np.nan, np.nan)
        losses = (over_seeds(v[i])[0] for v in (now.cross_entropy[-1, 0], settled(now)))
        shares = (over_seeds(now.accuracy[-1, k, i])[0] for k in (0, 1))
        rows.append([line.name, now.iteration, *ends, *losses, *shares, status(now, i)])
    return Table(_("How every schedule stands"), columns, rows, [line.style for line in lines])


def remarks(lines) -> str:
    """What the jumps of the rate did, and which stands best, in Markdown."""
    told = [_of_jumps(line, found) for line in lines if (found := jumps(line.progress))]
    return "\n\n".join(filter(None, [*told, _best(lines)]))


def _of_jumps(line, found: list[Jump]):
    cut = isinstance(factor_of(line.progress.training.optimizer), Step)
    sentences = [
        _of_jump(jump, cut) for jump in found[:MAX_JUMPS] if np.isfinite(jump.after + jump.before)
    ]
    if not sentences:
        return ""
    if len(found) > MAX_JUMPS:
        sentences.append(_("There are {n} more.").format(n=len(found) - MAX_JUMPS))
    return f"**{line.name}**: {' '.join(sentences)}"


def _of_jump(jump, cut):
    messages = {
        (True, True): N_(
            "At iteration {t} the rate is multiplied by {factor}, and the mean loss of {n} "
            "mini-batches fell from {before} before it to {after} from it on."
        ),
        (True, False): N_(
            "At iteration {t} the rate is multiplied by {factor}, and the mean loss of {n} "
            "mini-batches rose from {before} before it to {after} from it on."
        ),
        (False, True): N_(
            "At iteration {t} the rate begins anew, and the mean loss of {n} mini-batches fell "
            "from {before} before it to {after} from it on."
        ),
        (False, False): N_(
            "At iteration {t} the rate begins anew, and the mean loss of {n} mini-batches rose "
            "from {before} before it to {after} from it on."
        ),
    }
    return _(messages[cut, bool(jump.after < jump.before)]).format(
        t=jump.iteration,
        factor=number(jump.factor, 3),
        n=jump.window,
        before=number(jump.before, 3),
        after=number(jump.after, 3),
    )


def _best(lines):
    """Which stands lowest once all are through."""
    if len(lines) < 2 or not all(line.progress.done for line in lines):
        return ""
    ends = [(float(over_seeds(settled(line.progress)[line.i])[0]), line.name) for line in lines]
    alive = sorted((loss, name) for loss, name in ends if np.isfinite(loss))
    if not alive:
        return _("All have diverged.")
    (low, best), (high, worst) = alive[0], alive[-1]
    told = [
        _(
            "**Over the last tenth** of the training the loss on the training set is lowest with "
            "{best}: {low}."
        ).format(best=best, low=number(low, 3))
    ]
    if len(alive) > 2:
        message = _("Then comes {second} with {loss}.")
        told.append(message.format(second=alive[1][1], loss=number(alive[1][0], 3)))
    if len(alive) > 1:
        message = _("It is highest with {worst}: {high}.")
        told.append(message.format(worst=worst, high=number(high, 3)))
    if lost := [name for loss, name in ends if not np.isfinite(loss)]:
        told.append(_("Diverged: {names}.").format(names=", ".join(lost)))
    seeds = len(lines[0].progress.training.seeds)
    told.append(
        _("That is one seed; take several before you believe a small difference.")
        if seeds == 1
        else _("Medians over {n} seeds.").format(n=seeds)
    )
    return " ".join(told)


def equations_of(context) -> Expander:
    """The formulas of the schedules that are there."""
    schedules = [config.schedules.get("lr") for config in context.spec.optimizers]
    keys = {schedule.key if schedule else "constant" for schedule in schedules}
    used = [cls for key, cls in SCHEDULES.items() if key in keys]
    message = _("What the learning rate is multiplied by at iteration t")
    return Expander(message, lambda: [_explained(cls) for cls in used])


def _explained(schedule):
    formulas = [f"$$ {line} $$" for line in equations(schedule)]
    return "\n\n".join([f"**{schedule.label}** {sentence(schedule)}", *formulas])


def notes(context) -> Caption:
    """How it was done."""
    return Caption(
        _(
            "Every optimizer has the same start and meets the same mini-batches, seed by seed. "
            "Near a good place the steps of a large rate are longer than the way that is left, and "
            "what one mini-batch wants is not what the next one wants: the loss stays up, "
            "restless. A smaller rate lets the same network come down at once: the sudden drop. "
            "The loss of papers' figures is that on the training set (here at most the first 2000 "
            "examples), measured every {n} iterations; that of mini-batches is before each update. "
            "Of several seeds the median and a band from the least to the largest. First find a "
            "good constant rate, then look where a decay should begin: with Adam it is less often "
            "needed than with SGD and momentum (CS231n, lecture 7). Data: {attribution}"
        ).format(n=every(context.spec.iterations), attribution=context.attribution)
    )


# The range test.


def marked_rates(reading: Reading) -> Table:
    """The learning rates that are marked."""
    found = {
        _("steepest descent"): (
            reading.steepest,
            _("a good rate to begin with: the loss falls fastest here"),
        ),
        _("lowest loss"): (reading.lowest, _("at the edge: a constant rate should be well below")),
        _("blows up"): (
            reading.blown,
            _("too large: the loss has climbed back a quarter of what it came down"),
        ),
    }
    rows = [
        [name, rate, reading.loss_at(rate), meaning if np.isfinite(rate) else _("not seen")]
        for name, (rate, meaning) in found.items()
    ]
    columns = ("", Column(_("rate"), 3), Column(_("smoothed loss there"), 3), _("what it says"))
    return Table(_("The learning rates that are marked"), columns, rows)


def reading_summary(reading: Reading, done: bool) -> str:
    """What the range test says, in sentences."""
    told = [_what_was_read(reading, done)]
    if np.isfinite(reading.left) and (done or np.isfinite(reading.steepest)):
        message = _(
            "At rate {rate} a mini-batch's loss was {factor:g} times that of the beginning: the "
            "rest is not read."
        )
        told.append(message.format(rate=number(reading.left, 3), factor=TOO_LARGE))
    return " ".join(told)


def _what_was_read(reading, done):
    rates = {k: number(getattr(reading, k), 2) for k in ("steepest", "lowest", "blown")}
    if not np.isfinite(reading.steepest):
        if done and reading.flaw == "noisy":
            return _(
                "Not readable: the loss is noisier than what it comes down by. Take larger "
                "mini-batches, more steps or more seeds."
            )
        if done:
            return _(
                "Not readable: the loss hardly comes down, at no rate. Take more steps, or a "
                "network that trains."
            )
        return _("Nothing to read off yet.")
    if np.isfinite(reading.blown):
        message = _(
            "The loss falls fastest at a rate of **{steepest}**, is lowest at {lowest} and begins "
            "to blow up at **{blown}**."
        )
    elif done:
        message = _(
            "The loss falls fastest at a rate of **{steepest}**. It has not blown up: let the test "
            "go to a higher rate."
        )
    else:
        message = _("The loss falls fastest at a rate of **{steepest}**. It has not blown up yet.")
    return message.format(**rates)


def range_notes(context) -> Caption:
    """What a range test is."""
    return Caption(
        _(
            "One training in which the rate grows by the same factor at every step (Smith 2017, "
            "Cyclical learning rates for training neural networks, section 3.3, lets it grow in a "
            "straight line and reads off both ends of the range). Below some rate nothing moves, "
            "then the loss falls, and beyond another the steps are too long. The rates are no "
            "laws: they depend on the batch, the start and on how many steps the test takes; by "
            "the time a rate is reached, those before it have done part of the work. The curve is "
            "the median over the seeds, smoothed over a tenth of the test. Data: {attribution}"
        ).format(attribution=context.attribution)
    )
