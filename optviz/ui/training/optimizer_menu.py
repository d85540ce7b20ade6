"""The menu of optimizers, for functions and for networks."""

from dataclasses import replace

import streamlit as st

from optviz.nn import Network
from optviz.optim import OPTIMIZERS, WRAPPERS
from optviz.optim.base import FAMILIES, STARTERS
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import hyperparameters, sentence
from optviz.plot.equations import unicode_symbol
from optviz.spec import Choice
from optviz.training import why_unsuited
from optviz.translation import _
from optviz.ui.form import Form, select

# Rates that suit a network; the declared ones suit two-dimensional functions. From adabelief on
# they are the best of a grid with two or three rates a decade, by the mean loss of the last 20 of
# 300 iterations on the digits, over five seeds; where three times the rate diverges (Schedule-Free
# SGD) the one below; of Muon, whose 0.005 is better in the end, the one that is best after 100.
RATES = {
    "sgd": 0.05,
    "momentum": 0.01,
    "nesterov": 0.01,
    "adagrad": 0.01,
    "adadelta": 1.0,
    "lion": 1e-3,
    "lbfgs": 0.1,
    "adabelief": 3e-3,
    "yogi": 0.01,
    "adopt": 3e-3,
    "adan": 0.01,
    "ademamix": 3e-3,
    "schedule_free_sgd": 0.3,
    "schedule_free_adamw": 0.01,
    "prodigy": 1.0,
    "muon": 0.01,
    "shampoo": 0.3,
    "soap": 0.01,
    "sophia": 3e-3,
}
BESIDE = {"shampoo": {"every": 10}}  # what else suits one: the roots of large matrices take long


def for_network(key: str) -> Choice:
    """An optimizer at a learning rate that suits a network."""
    return Choice(key, {"lr": RATES.get(key, 1e-3), **BESIDE.get(key, {})})


def trainable(network: Network) -> list[str]:
    """The optimizers that can train this network."""
    return [k for k in OPTIMIZERS if not why_unsuited(k, network)]


def optimizer_labels(network: Network | None = None) -> dict[str, str]:
    """What a menu of optimizers says, by key: family by family, in each the one to take first; a
    search for a family finds it.
    """

    def rank(key):
        family = FAMILIES.index(OPTIMIZERS[key].family)
        foreign = network is None and OPTIMIZERS[key].layered
        return family, foreign, STARTERS.index(key) if key in STARTERS else len(STARTERS)

    labels, families = {}, set()
    for key in sorted(trainable(network) if network else OPTIMIZERS, key=rank):
        cls = OPTIMIZERS[key]
        notes = [_(cls.family)]
        if cls.family not in families:
            notes.append(_("start here"))
        if network is None and cls.layered:
            notes.append(_("networks only"))
        if network is None and cls.dense:
            notes.append(_("not for networks"))
        families.add(cls.family)
        labels[key] = _("{name} — {notes}").format(name=cls.label, notes=", ".join(notes))
    return labels


def optimizer_choices() -> dict[str, str]:
    """Every optimizer with a sentence on it, as Markdown by key."""
    message = _("**{name}** — {sentence}")
    return {
        key: message.format(name=OPTIMIZERS[key].label, sentence=sentence(OPTIMIZERS[key]))
        for key in optimizer_labels()
    }


def chips(config: OptimizerConfig) -> list[str]:
    """What is set and no slider in sight shows: schedules, further initial points. Wrappers are in
    the name.
    """
    symbols = {h.name: h.symbol for h in hyperparameters(OPTIMIZERS[config.method.key])}
    scheduled = [
        f"{unicode_symbol(symbols[name])} {schedule.key.replace('_', ' ')}"
        for name, schedule in config.schedules.items()
    ]
    points = config.initial_points
    return [*scheduled, points.key] if points else scheduled


def not_offered(network: Network) -> str:
    """Which optimizers the menu does not offer for a network, and why."""
    dense = [k for k in OPTIMIZERS if why_unsuited(k, network)]
    if not dense:
        return ""
    labels = ", ".join(OPTIMIZERS[k].label for k in dense)
    p = network.size
    return _(
        "Not for networks: {labels}. Each works with a matrix, or with P + 1 points, of about P × "
        "P numbers: with the {p:,} parameters of this network, {n:,}."
    ).format(labels=labels, p=p, n=p * p)


def optimizer_menu(form: Form, network: Network | None = None) -> None:
    """A menu for the optimizer of the config at the form's place, and a sentence on it. Without a
    network it minimizes a function.
    """

    def change(key):
        if key == form.value.method.key:  # reported again while a training is drawn
            return
        if network is None:
            kept = tuple(w for w in form.value.wrappers if fits(w.key, key))
            form.set(replace(form.value, method=Choice(key), wrappers=kept, schedules={}))
            return
        kept = {n: s for n, s in form.value.schedules.items() if n == "lr"}
        form.set(replace(form.value, method=for_network(key), schedules=kept))

    key = form.value.method.key
    tip = not_offered(network) if network else ""
    labels = optimizer_labels(network)
    select(form, _("Optimizer"), labels, change, key, help=tip, what="optimizer")
    st.caption(f"{sentence(OPTIMIZERS[key])} {'' if network else OPTIMIZERS[key].cite}")
    if network is None and OPTIMIZERS[key].layered:
        st.caption(
            _("Made for the weight matrices of a network: on a function it only shows the idea.")
        )


def fits(wrapper: str, optimizer: str) -> bool:
    """Whether there is something that the wrapper can act on."""
    return not (WRAPPERS[wrapper].of_gradient and OPTIMIZERS[optimizer].family == "derivative-free")
