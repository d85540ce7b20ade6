"""Controls of a training: its data, network, optimizer and numbers. Every page with a training draws its choice of them."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from optviz.data import DATASETS, TOY_SETS
from optviz.nn import ACTIVATIONS, INITIALIZERS, Network
from optviz.optim import OPTIMIZERS
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import Hyperparameter, hyperparameters, sentence
from optviz.optim.schedules import SCHEDULES
from optviz.spec import Choice
from optviz.training import MAX_BATCH, unsuited
from optviz.ui.components import hyperparameter_panel
from optviz.ui.data_source import data_source_controls, data_sources_key, label
from optviz.ui.session import session

SHARED = (
    Hyperparameter("hidden", 4, 0, 12, "L", help="hidden layers"),
    Hyperparameter("units", 100, 2, 300, "n", help="units in each of them"),
    Hyperparameter("batch", 128, 1, MAX_BATCH, "B", log=True, help="rows in a mini-batch"),
    Hyperparameter("iterations", 300, 10, 5000, "T", log=True, help="updates of every network"),
    Hyperparameter("rows", 1500, 50, 1700, log=True, help="rows for training; the rest is for testing"),
    Hyperparameter("seeds", 1, 1, 5, help="trainings of each, from other starts, shown as median and band"),
)
MAX_ROWS = 60_000  # for training; MNIST has no more
# Rates that suit a network; the declared ones suit two-dimensional functions.
RATES = {"sgd": 0.05, "momentum": 0.01, "nesterov": 0.01, "adagrad": 0.01, "adadelta": 1.0, "lion": 1e-3, "lbfgs": 0.1}


def usual(key: str) -> Choice:
    """An optimizer at a rate that suits a network."""
    return Choice(key, {"lr": RATES.get(key, 1e-3)})


def turned(part: Choice, new: dict) -> Choice:
    """A part with some of its hyperparameters turned."""
    return Choice(part.key, part.values | new)


def rows_of(dataset: Choice) -> int:
    """How many rows there are."""
    return dataset.build(TOY_SETS).points if dataset.key in TOY_SETS else DATASETS[dataset.key].rows


def fitting(network: Network, dataset: Choice) -> Network:
    """The network with the inputs and outputs that the data have."""
    data = DATASETS[dataset.key]
    classes = len(data.labels) or dataset.build(TOY_SETS).classes
    return replace(network, sizes=(data.features, *network.sizes[1:-1], classes))


def read(value) -> dict:
    """The numbers of a training, or of what is like one, by the names of its hyperparameters."""
    sizes = value.network.sizes
    numbers = {
        "hidden": len(sizes) - 2, "units": sizes[1] if len(sizes) > 2 else 100, "batch": value.batch,
        "iterations": value.iterations, "rows": value.split.rows, "noise": value.split.noise, "seeds": len(value.seeds),
        "dropout": value.network.dropout,
    }  # fmt: skip
    penalty = getattr(value, "penalty", None)
    return numbers | ({"l2": penalty.l2, "l1": penalty.l1} if penalty else {})


def written(value, new: dict) -> dict:
    """The parts of a training that say so."""
    v = read(value) | new
    network, split = value.network, value.split
    sizes = (network.sizes[0], *[v["units"]] * v["hidden"], network.sizes[-1])
    rows = max(1, min(v["rows"], rows_of(value.dataset) - 1))
    parts = {
        "network": replace(network, sizes=sizes, dropout=v["dropout"]), "batch": v["batch"], "iterations": v["iterations"],
        "split": replace(split, rows=rows, noise=v["noise"]),
    }  # fmt: skip
    if v["seeds"] != len(value.seeds):
        parts["seeds"] = tuple(range(v["seeds"]))
    if penalty := getattr(value, "penalty", None):
        parts["penalty"] = replace(penalty, l2=v["l2"], l1=v["l1"])
    return parts


class TrainingControls:
    """Controls of one training, or of what is like one: it has a network, data, a split, numbers, perhaps an optimizer.

    `get()` gives what is set now, `put(**parts)` sets parts of it.
    """

    def __init__(self, name: str, get: Callable[[], object], put: Callable[..., None]):
        self.name, self.get, self.put = name, get, put

    def _key(self, what):
        return f"{self.name}-{what}-{session().epoch}"

    def choice(self, label: str, keys, chosen, told, choose, mark: str = "") -> None:
        """A menu; `choose(key)` is called when a person chooses. Another `mark`, where labels change, makes it anew."""
        key, keys = self._key(label.lower() + mark), list(keys)
        st.selectbox(
            label, keys, keys.index(chosen), told, key=key, on_change=lambda: choose(st.session_state[key])
        )  # fmt: skip

    def hyperparameters(self, what: str, label: str, declared, values, turn, look=None) -> None:
        """A panel of hyperparameters, where there are any."""
        if declared:
            hyperparameter_panel(self._key(what), label, declared, values, turn, look=look)

    def data(self) -> None:
        """Which data, what they are made like, and which of their rows are for training."""
        dataset = self.get().dataset
        labels = {k: label(k) for k in DATASETS}
        self.choice("Data", labels, dataset.key, labels.get, lambda k: self._put_data(Choice(k), 50), data_sources_key())
        data_source_controls(dataset.key)
        if dataset.key in TOY_SETS:
            self.hyperparameters(
                f"data-{dataset.key}", "Data", hyperparameters(TOY_SETS[dataset.key]), dataset.values,
                lambda new: self._put_data(turned(self.get().dataset, new), 1),
            )  # fmt: skip
        if dataset.key == "digits":
            key = self._key("writers")
            st.toggle(
                "Test on other writers", self.get().split.first, key=key, help="The first rows are for training, in place of a "
                "random choice: the digits stand in the order in which they were collected, so the test is in other hands.",
                on_change=lambda: self.put(split=replace(self.get().split, first=st.session_state[key])),
            )  # fmt: skip

    def _put_data(self, dataset, least):
        """Other data: the network gets their inputs and classes, and some rows, `least` or more, are left for the test."""
        value = self.get()
        rows = max(1, min(value.split.rows, rows_of(dataset) - least))
        self.put(
            dataset=dataset, network=fitting(value.network, dataset), split=replace(value.split, rows=rows)
        )  # fmt: skip

    def activation(self) -> None:
        """The activation function, and its hyperparameters."""
        self._part("Activation", "activation", ACTIVATIONS)

    def initializer(self) -> None:
        """The rule of the initial weights, and its hyperparameters."""
        self._part("Initial weights", "initializer", INITIALIZERS)

    def _part(self, label, field, registry):
        part = getattr(self.get().network, field)
        self.choice(
            label, registry, part.key, lambda k: registry[k].label,
            lambda k: self.put(network=replace(self.get().network, **{field: Choice(k)})),
        )  # fmt: skip
        self.hyperparameters(
            f"{field}-{part.key}", label, hyperparameters(registry[part.key]), part.values,
            lambda new: self.put(network=replace(self.get().network, **{field: turned(getattr(self.get().network, field), new)})),
        )  # fmt: skip

    def numbers(self, declared=SHARED, title: str = "Network and training") -> None:
        """Hyperparameters of the names that `read` knows; rows go as far as the data do."""
        dataset = self.get().dataset
        most = min(rows_of(dataset) - 1, MAX_ROWS)
        declared = tuple(replace(k, low=min(k.low, most), high=most) if k.name == "rows" else k for k in declared)
        self.hyperparameters(
            f"numbers-{title}-{most}", title, declared, read(self.get()), lambda new: self.put(**written(self.get(), new))
        )  # fmt: skip

    def optimizer(self, schedule: bool = True) -> None:
        """The optimizer with its hyperparameters, and a schedule of its rate."""
        config, network = self.get().optimizer, self.get().network
        keys = [k for k in OPTIMIZERS if not unsuited(k, network)]
        part = config.method
        self.choice(
            "Optimizer", keys, part.key, lambda k: OPTIMIZERS[k].label, lambda k: self.put(optimizer=OptimizerConfig(usual(k)))
        )  # fmt: skip
        st.caption(f"{sentence(OPTIMIZERS[part.key])} {left_out(network)}")
        self.hyperparameters(
            f"optimizer-{part.key}", "Optimizer", hyperparameters(OPTIMIZERS[part.key]), part.values,
            lambda new: self.put(optimizer=replace(self.get().optimizer, method=turned(self.get().optimizer.method, new))),
        )  # fmt: skip
        if schedule:
            self.schedule(config, lambda config: self.put(optimizer=config))

    def schedule(self, config: OptimizerConfig, put, label: str = "Schedule") -> None:
        """The schedule of an optimizer's rate; `put(optimizer)` is called with another. `label` is that of its hyperparameters."""
        part = config.schedules.get("lr", Choice("constant"))
        self.choice(
            "Schedule of the rate", SCHEDULES, part.key, lambda k: k.replace("_", " "),
            lambda k: put(replace(config, schedules={} if k == "constant" else {"lr": Choice(k)})),
        )  # fmt: skip
        self.hyperparameters(
            f"schedule-{part.key}", label, hyperparameters(SCHEDULES[part.key]), part.values,
            lambda new: put(replace(config, schedules={"lr": turned(part, new)})),
        )  # fmt: skip


def left_out(network: Network) -> str:
    """Which optimizers the menu does not offer for a network, and why."""
    dense = [k for k in OPTIMIZERS if unsuited(k, network)]
    return (
        f"Not offered: {' and '.join(OPTIMIZERS[k].label for k in dense)}. {unsuited(dense[0], network)}"
        if dense
        else ""
    )
