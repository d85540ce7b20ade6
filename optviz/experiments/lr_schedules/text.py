"""What the page says about schedules: tables, jumps of the rate, a range test in words."""

import numpy as np

from optviz.experiments.lr_schedules.run import TOO_LARGE, Jump, Reading, end_loss, factor_of, jumps
from optviz.experiments.lr_schedules.spec import every
from optviz.experiments.page import Caption, Expander
from optviz.optim.hyperparameter import sentence
from optviz.optim.schedules import SCHEDULES, Step
from optviz.plot import Column, Table, number, over_seeds
from optviz.plot.equations import equations
from optviz.plot.training import status
from optviz.translation import N_, _

MAX_JUMPS = 3  # described for one schedule


def standings(lines, planned) -> Table:
    """The first and last rate, the loss, both accuracies, and the status of each."""
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
        progress, i = line.progress, line.i
        ends = (r[0], r[-1]) if len(r) else (np.nan, np.nan)
        losses = (over_seeds(v[i])[0] for v in (progress.cross_entropy[-1, 0], end_loss(progress)))
        shares = (over_seeds(progress.accuracy[-1, k, i])[0] for k in (0, 1))
        rows.append([line.name, progress.iteration, *ends, *losses, *shares, status(progress, i)])
    return Table(_("How every schedule stands"), columns, rows, [line.style for line in lines])


def remarks(lines) -> str:
    """What the jumps of the rate did, and which stands best, in Markdown."""
    paragraphs = [_describe_jumps(line, jumps(line.progress)) for line in lines]
    return "\n\n".join(filter(None, [*paragraphs, _best(lines)]))


def _describe_jumps(line, line_jumps: list[Jump]):
    cut = isinstance(factor_of(line.progress.training.optimizer), Step)
    sentences = [
        _describe_jump(j, cut) for j in line_jumps[:MAX_JUMPS] if np.isfinite(j.after + j.before)
    ]
    if not sentences:
        return ""
    if len(line_jumps) > MAX_JUMPS:
        sentences.append(_("There are {n} more.").format(n=len(line_jumps) - MAX_JUMPS))
    return f"**{line.name}**: {' '.join(sentences)}"


def _describe_jump(jump, cut):
    messages = {
        (True, True): N_(
            "At iteration {t} the rate is multiplied by {factor}, and the mean loss of {n} "
            "mini-batches falls from {before} before it to {after} after it."
        ),
        (True, False): N_(
            "At iteration {t} the rate is multiplied by {factor}, and the mean loss of {n} "
            "mini-batches rises from {before} before it to {after} after it."
        ),
        (False, True): N_(
            "At iteration {t} the rate restarts, and the mean loss of {n} mini-batches falls from "
            "{before} before it to {after} after it."
        ),
        (False, False): N_(
            "At iteration {t} the rate restarts, and the mean loss of {n} mini-batches rises from "
            "{before} before it to {after} after it."
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
    """Which ends lowest once all are done."""
    if len(lines) < 2 or not all(line.progress.done for line in lines):
        return ""
    ends = [(float(over_seeds(end_loss(line.progress)[line.i])[0]), line.name) for line in lines]
    alive = sorted((loss, name) for loss, name in ends if np.isfinite(loss))
    if not alive:
        return _("All have diverged.")
    (low, best), (high, worst) = alive[0], alive[-1]
    sentences = [
        _(
            "**Over the last tenth** of the training, the lowest loss on the training set is "
            "{low}, with {best}."
        ).format(best=best, low=number(low, 3))
    ]
    if len(alive) > 2:
        message = _("The next lowest is {loss}, with {second}.")
        sentences.append(message.format(second=alive[1][1], loss=number(alive[1][0], 3)))
    if len(alive) > 1:
        message = _("The highest is {high}, with {worst}.")
        sentences.append(message.format(worst=worst, high=number(high, 3)))
    if diverged := [name for loss, name in ends if not np.isfinite(loss)]:
        sentences.append(_("Diverged: {names}.").format(names=", ".join(diverged)))
    seeds = len(lines[0].progress.training.seeds)
    sentences.append(
        _("This is one seed; use several before you trust a small difference.")
        if seeds == 1
        else _("Medians over {n} seeds.").format(n=seeds)
    )
    return " ".join(sentences)


def equations_of(context) -> Expander:
    """The formulas of the schedules in use."""
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
            "For each seed, every optimizer starts from the same weights and trains on the same "
            "mini-batches. Near a minimum the steps of a large rate are longer than the distance "
            "left, and successive mini-batches pull in different directions: the loss stays high "
            "and noisy. With a smaller rate the same network gets down at once: the sudden drop. "
            "Figures in papers show the loss on the training set (here at most the first 2000 "
            "examples), measured every {n} iterations; the mini-batch loss is taken before each "
            "update. With several seeds, the line is the median and the band runs from the "
            "smallest to the largest value. First find a good constant rate, then decide where a "
            "decay should begin: Adam needs one less often than SGD and momentum (CS231n, lecture "
            "7). Data: {attribution}"
        ).format(n=every(context.spec.iterations), attribution=context.attribution)
    )


# The range test.


def marked_rates(reading: Reading) -> Table:
    """The learning rates that are marked."""
    marks = {
        _("steepest descent"): (
            reading.steepest,
            _("a good rate to begin with: the loss falls fastest here"),
        ),
        _("lowest loss"): (
            reading.lowest,
            _("at the limit: a constant rate should be well below it"),
        ),
        _("blows up"): (
            reading.blown,
            _("too large: the loss has regained a quarter of what it had lost"),
        ),
    }
    rows = [
        [name, rate, reading.loss_at(rate), meaning if np.isfinite(rate) else _("not seen")]
        for name, (rate, meaning) in marks.items()
    ]
    columns = ("", Column(_("rate"), 3), Column(_("smoothed loss there"), 3), _("what it means"))
    return Table(_("The learning rates that are marked"), columns, rows)


def reading_summary(reading: Reading, done: bool) -> str:
    """What the range test says, in sentences."""
    sentences = [_describe_reading(reading, done)]
    if np.isfinite(reading.left) and (done or np.isfinite(reading.steepest)):
        message = _(
            "At rate {rate} the loss of a mini-batch was {factor:g} times the initial loss; the "
            "rest is ignored."
        )
        sentences.append(message.format(rate=number(reading.left, 3), factor=TOO_LARGE))
    return " ".join(sentences)


def _describe_reading(reading, done):
    rates = {k: number(getattr(reading, k), 2) for k in ("steepest", "lowest", "blown")}
    if not np.isfinite(reading.steepest):
        if done and reading.flaw == "noisy":
            return _(
                "Not readable: the noise of the loss is larger than its decrease. Use larger "
                "mini-batches, more steps or more seeds."
            )
        if done:
            return _(
                "Not readable: the loss hardly decreases at any rate. Use more steps, or a "
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
            "The loss falls fastest at a rate of **{steepest}**. It has not blown up: extend the "
            "test to a higher rate."
        )
    else:
        message = _("The loss falls fastest at a rate of **{steepest}**. It has not blown up yet.")
    return message.format(**rates)


def range_notes(context) -> Caption:
    """What a range test is."""
    return Caption(
        _(
            "One training in which the rate grows by the same factor at every step (Smith 2017, "
            "Cyclical learning rates for training neural networks, section 3.3, increases it "
            "linearly and reads off both ends of the range). Below some rate nothing moves, then "
            "the loss falls, and beyond another rate the steps are too long. These rates are not "
            "universal: they depend on the batch size, the initial weights and the number of "
            "steps of the test; by the time a rate is reached, the smaller ones have done part of "
            "the work. The curve is the median over the seeds, smoothed over a tenth of the test. "
            "Data: {attribution}"
        ).format(attribution=context.attribution)
    )
