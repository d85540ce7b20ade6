"""A hyperparameter search as a Python script that stands alone."""

from optviz.experiments.hyperparameter_search.text import search_name
from optviz.nn import softmax_cross_entropy
from optviz.optim.base import with_hyperparameter
from optviz.shell.export import write
from optviz.shell.export.loops import SEARCH
from optviz.shell.export.training_script import network_lines, script, without_constants
from optviz.spec import Choice
from optviz.training.loop import pick_trials
from optviz.tuning import Search
from optviz.tuning.samplers import SAMPLERS
from optviz.tuning.spec import PROPOSALS

CALL = (
    "search(axes, trials, sampler, halving, stops, network, optimizer, penalty, data, batch, seed)"
)


def search_script(question: str, search: Search, link: str = "") -> str:
    """A program that makes the same proposals, trains the same trials and stops the same ones, and
    prints every trial and the best, to the last bit; for each of the search's samplers.

    ValueError where the optimizer takes over from another one on the way.
    """
    if search.optimizer.fork:
        raise ValueError("the optimizer of a search has no fork")
    base = without_constants(search.base)
    [(_step, opt, schedules)] = base.segments()
    searches = [(one, one.sampler.build(SAMPLERS)) for one in search.searches]
    axes = {axis.key: (axis.low, axis.high) for axis in search.space.axes}
    rules = [Choice("normal")] if "sigma" in axes else []
    used = [with_hyperparameter, pick_trials, softmax_cross_entropy]
    used += [type(part) for one, sampler in searches for part in (sampler, one.halving) if part]
    lines = [
        f"axes = {axes}  # powers of ten",
        f"trials, batch, seed = {search.trials}, {search.batch}, {search.seed}",
        *write.optimizer(opt),
        f"optimizer = opt, {write.schedules(schedules)}",
        *network_lines(base, search.validation),
    ]
    for one, sampler in searches:
        if len(searches) > 1:
            lines.append(f"print({write.quote(search_name(one))})")
        lines += [
            f"sampler, stops = {write.call(sampler)}, {one.stops}",
            f"halving = {write.call(one.halving) if one.halving else None}",
            CALL,
        ]
    loop = SEARCH.replace("PROPOSALS", str(PROPOSALS))
    return script(question, [base], loop, "\n".join(lines), link, used, rules)
