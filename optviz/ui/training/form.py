"""Controls of trainings: the data, the network, the optimizer. Every page with a training uses its
choice of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import streamlit as st

from optviz.data import DATASETS, OWN, TOY_SETS, size_of
from optviz.data.own import size_of as own_size
from optviz.lens import Lens, at
from optviz.nn import Network
from optviz.nn.network import HIDDEN, UNITS
from optviz.optim import OPTIMIZERS, WRAPPERS
from optviz.optim.config import MAX_FORKS, Fork, OptimizerConfig, names
from optviz.optim.hyperparameter import Hyperparameter, hyperparameters, sentence
from optviz.optim.schedules import SCHEDULES
from optviz.plot.style import THEMES, method_styles, style
from optviz.spec import Choice
from optviz.training import SEEDS, VALIDATION
from optviz.training.scheduler import scheduler
from optviz.training.tickets import Ticket
from optviz.translation import _
from optviz.ui.components import button, theme_name
from optviz.ui.controls import ListOf, Menu, Panel, Several, Toggle
from optviz.ui.form import DERIVED, Form, choice_panel, select
from optviz.ui.own_file import own_examples, own_file_controls
from optviz.ui.session import session
from optviz.ui.training.data_source import data_source_controls, data_sources_key, label
from optviz.ui.training.jobs import training_jobs
from optviz.ui.training.optimizer_menu import fits, for_network, optimizer_menu, trainable

WRAPPER_ORDER = ("clipped", "sam", "cautious", "lookahead", "averaged")  # the innermost first
ENDING = ("linear", "cosine", "growth", "warmup_cosine", "one_cycle")  # schedules that have an end


# Places that are not fields: how many hidden layers, how wide they are, how many seeds.


def _with_hidden(sizes, n):
    hidden = sizes[1:-1]
    added = (hidden[-1] if hidden else UNITS.default,) * (n - len(hidden))
    return (sizes[0], *hidden[:n], *added, sizes[-1])


_SIZES = Lens(
    lambda spec: spec.network.sizes,
    lambda spec, v: replace(spec, network=replace(spec.network, sizes=v)),
)
DERIVED |= {
    "hidden": (HIDDEN, _SIZES.then(Lens(lambda sizes: len(sizes) - 2, _with_hidden))),
    "units": (
        UNITS,
        _SIZES.then(
            Lens(
                lambda sizes: sizes[1] if len(sizes) > 2 else UNITS.default,
                lambda sizes, n: (sizes[0], *[n] * (len(sizes) - 2), sizes[-1]),
            )
        ),
    ),
    "seeds": (
        SEEDS,
        Lens(lambda spec: len(spec.seeds), lambda spec, n: replace(spec, seeds=tuple(range(n)))),
    ),
}


def _narrowed(form: Form, declared: Hyperparameter) -> Hyperparameter:
    """Limit the number of training examples to the data's; below 50 is of little use."""
    if declared.name != "rows":
        return declared
    most = min(size_of(form.value.dataset).points - 1, declared.high)
    return replace(declared, low=min(50, most, form.value.split.rows), high=most, log=True)


def Numbers(*paths: str, title: str = "") -> Panel:
    """Sliders of a training's numbers."""
    return Panel(title or _("Network and training"), paths, narrowed=_narrowed)


NUMBERS = ("hidden", "units", "batch", "iterations", "split.rows", "seeds")
ACTIVATION = Menu("network.activation")
INITIALIZER = Menu("network.initializer")


@dataclass
class Rows:
    """How many training examples each page's datasets had when they were last chosen."""

    asked: dict[tuple[str, str], int] = field(default_factory=dict)


class Data:
    """The dataset, its settings, and which of its examples are for training."""

    def draw(self, form: Form) -> None:
        place, key = form.at("dataset"), form.value.dataset.key
        labels = {k: label(k) for k in DATASETS}
        # a browser goes on sending the label it knows: other labels are another menu
        menu_key = "menu" + data_sources_key()

        def choose(key):
            if key == OWN and (examples := own_examples().content):
                return choose_own(own_size(examples))
            self._set_dataset(form, Choice(key), 50)

        def choose_own(size):
            others = size.points // 3
            self._set_dataset(form, Choice(OWN, asdict(size)), others)
            form.at("split", "rows").set(size.points - others)

        select(place, _("Data"), labels, choose, key, what=menu_key)
        data_source_controls(key)
        if key == OWN:
            own_file_controls(choose_own)
        if key in TOY_SETS:
            refitting = replace(
                form, write=lambda spec: self._set_dataset(form, form.lens.get(spec).dataset, 1)
            )
            choice_panel(refitting.at("dataset"), TOY_SETS, _("Data"))
        if key == "digits":
            about = _(
                "Train on the first examples instead of a random choice. The digits are in the "
                "order in which they were collected, so those for validation and for the test "
                "were written by other people."
            )
            Toggle("split.first", _("Test on other writers"), about).draw(form)
        if not hasattr(form.value, "validation"):  # the search has its own
            about = _(
                "Half of the examples that are not for training form the validation set, by which "
                "all curves and verdicts go; the rest form the test set, behind a button that "
                "counts its uses. If this is off, they go by all of these examples, as in the "
                "book and the lectures."
            )
            keep = _("Keep a test set for the end")
            Toggle("split.validation", keep, about, on=VALIDATION, off=0.0).draw(form)

    @staticmethod
    def _set_dataset(form, dataset, reserve):
        """Change the data: the network gets their inputs and classes, at least `reserve` examples
        stay for the test; data chosen before get their number of training examples back.
        """
        spec, rows_by_set, page = form.value, session().state(Rows).asked, session().page
        rows_by_set[page, spec.dataset.key] = spec.split.rows
        rows = rows_by_set.get((page, dataset.key), spec.split.rows)
        rows = max(1, min(rows, size_of(dataset).points - reserve))
        form.set(
            replace(
                spec,
                dataset=dataset,
                network=fitted_to(spec.network, dataset),
                split=replace(spec.split, rows=rows),
            )
        )


def fitted_to(network: Network, dataset: Choice) -> Network:
    """The network with the inputs and outputs that the data have."""
    _points, features, classes = size_of(dataset)
    return replace(network, sizes=(features, *network.sizes[1:-1], classes))


# The optimizer.


def wrapper_controls(form: Form, **panel) -> None:
    """The advanced hyperparameters of the config at the form's place, and what is wrapped around
    its optimizer.
    """
    title = _("More hyperparameters")
    choice_panel(form.at("method"), OPTIMIZERS, title, advanced=True, **panel)
    label = OptimizerConfig.__dataclass_fields__["wrappers"].metadata["label"]
    order = [key for key in WRAPPER_ORDER if fits(key, form.value.method.key)]
    several = Several("wrappers", _(label), order, lambda key: WRAPPERS[key].label, WRAPPERS)
    several.draw(form, **panel)


def schedule_controls(
    form: Form, title: str = "", names: Sequence[str] = ("lr",), steps: int = 0, **panel
) -> None:
    """The schedule of a hyperparameter of the config at the form's place, one of `names`.

    On a function, a schedule with an end gets its number of `steps`; and it is explained.
    """
    place = form.at("schedules")
    name, chosen = next(iter(place.value.items()), (names[0], Choice("constant")))
    menu = _("Schedule of the learning rate") if len(names) == 1 else _("Schedule")

    def choose(key):
        values = {"steps": steps} if steps and key in ENDING else {}
        place.set({} if key == "constant" else {name: Choice(key, values)})

    select(place, menu, {key: cls.label for key, cls in SCHEDULES.items()}, choose, chosen.key)
    if not place.value:
        return
    if steps:
        st.caption(sentence(SCHEDULES[chosen.key]))
    if len(names) > 1:
        labels = {h.name: h.label for h in hyperparameters(OPTIMIZERS[form.value.method.key])}
        select(
            place,
            _("Applied to"),
            {name: labels[name] for name in names},
            lambda other: place.set({other: chosen}),
            name,
            what="of",
        )
    choice_panel(place.at(name), SCHEDULES, title or _("Schedule"), **panel)


@dataclass(frozen=True)
class OptimizerForm:
    """One optimizer with its sliders, its wrappers, a schedule of its rate."""

    schedule: bool = True
    wrappers: bool = True
    rate: bool = True  # whether its learning rate is set here

    def draw(self, form: Form) -> None:
        place = form.at("optimizer")
        optimizer_menu(place, form.value.network)
        choice_panel(
            place.at("method"),
            OPTIMIZERS,
            _("Optimizer"),
            only=lambda h: self.rate or h.name != "lr",
        )
        if self.wrappers:
            wrapper_controls(place)
        if self.schedule:
            schedule_controls(place)


def another(spec) -> OptimizerConfig:
    """The first optimizer that the spec does not have yet."""
    used = {config.method.key for config in spec.optimizers}
    return OptimizerConfig(
        for_network(next((k for k in trainable(spec.network) if k not in used), "sgd"))
    )


def fork_controls(form: Form, most: int) -> None:
    """A branch of the optimizer of the config at the form's place, beside it."""
    spec, key = form.read(), form.key("fork-at")
    left, right = st.columns(2, vertical_alignment="bottom")
    with left:
        st.number_input(
            _("Fork at iteration"),
            1,
            spec.iterations,
            value=None,
            key=key,
            placeholder=_("now"),
            help=_(
                "From this iteration on, a copy of the optimizer goes on with its own settings; "
                "both stay. If empty: where the training is now, or halfway once it is over."
            ),
        )

    def fork():
        _fork(form, st.session_state[key], len(spec.optimizers))

    with right:
        full = len(spec.optimizers) >= most or len(form.value.lineage) > MAX_FORKS
        button(_("Fork"), form.key("fork"), fork, icon="call_split", wide=True, disabled=full)


def _fork(form, step, count):
    spec, parent = form.read(), form.value
    if len(spec.optimizers) != count:  # one click may be reported twice
        return
    training = next(t for t in spec.trainings if t.optimizer == parent)
    jobs = training_jobs([training])  # of its seeds
    all_states = [results.states for results in session().results.values()]
    known = [
        [state for states in all_states for key, state in states.items() if key[0] == job.key]
        for job in jobs
    ]
    if step is None:
        iteration = max((state.iteration for states in known for state in states), default=0)
        step = (iteration // training.eval_every + 1) * training.eval_every
        step = step if step < spec.iterations else spec.iterations // 2
    fork = replace(parent.alone, fork=Fork(parent, step))
    for job, states in zip(jobs, known, strict=True):  # before the training goes on from there
        prefix = replace(job, training=replace(job.training, optimizer=fork)).prefix
        scheduler().state(Ticket(prefix), *states)
    place = replace(form, lens=at("optimizers"))
    place.set((*place.value, fork))


def OptimizerList(
    most: int, new: Callable[[Any], OptimizerConfig] = another, scheduled: bool = False
) -> ListOf:
    """Several optimizers, each with its sliders; with `scheduled` the schedule of each stands below
    them.
    """

    def settings(form):
        network = form.read().network
        optimizer_menu(form, network)
        if not scheduled:
            fork_controls(form, most)
        wrapper_controls(form)
        if not scheduled:
            schedule_controls(form)

    def item(form, i, name):
        theme = THEMES[theme_name()]
        styles = method_styles(form.read().optimizers, theme)
        line_style = style(i, theme) if scheduled else styles[i]
        choice_panel(form.at("method"), OPTIMIZERS, name, style=line_style)
        if scheduled:
            schedule_controls(form, _("{name}: schedule").format(name=name))

    return ListOf(
        "optimizers",
        names=lambda spec: names(spec.optimizers),
        item=item,
        settings=settings,
        new=new,
        add=_("Add a schedule") if scheduled else _("Add an optimizer"),
        least=0,
        most=most,
    )
