"""What batch normalization is worth: the same training with and without it, and one small batch step by step.

(Ioffe & Szegedy 2015, Batch normalization; Saitoh 2016, Deep Learning from Scratch, figures 6.16 to 6.19.)
"""

import math
import re
from dataclasses import dataclass, field, replace

import numpy as np

from optviz.nn import PLACES, Network
from optviz.nn.layers import Activated, Affine
from optviz.optim.config import OptimizerConfig
from optviz.spec import Choice, SpecError
from optviz.training import Split, Training, Trial
from optviz.training import check as check_training

VIEWS = ("one", "scales", "rates", "graph")
MAX_VALUES, MAX_ROWS, LARGEST = 25, 6, 1e6
LEVEL = 0.01  # accuracies nearer to each other than this are called level: ten of the figure's thousand rows
RANGES = {  # of what the small example is made of
    "gamma": (-10.0, 10.0), "beta": (-10.0, 10.0), "eps": (1e-10, 1.0),
}  # fmt: skip

# Figure 6.18, and with other initial weights 6.19: five hidden layers, 1000 rows, not quite twenty epochs.
BASE = Training(
    Network((64, 100, 100, 100, 100, 100, 10)), OptimizerConfig(Choice("sgd", {"lr": 0.01})), split=Split(1000), batch=100, iterations=191,
)  # fmt: skip


@dataclass(frozen=True)
class Sweep:
    """Values at equal ratios."""

    many: int
    first: float
    last: float

    @property
    def values(self) -> list[float]:
        return np.geomspace(self.first, self.last, self.many).tolist()


@dataclass(frozen=True)
class Example:
    """One unit's sums x in a mini-batch, and the gradient that arrives at what is made of each."""

    x: tuple[float, ...] = (1.0, 2.0, 4.0, 9.0)
    arriving: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0)  # ∂y
    gamma: float = 1.0
    beta: float = 0.0
    eps: float = 1e-6


@dataclass(frozen=True)
class BatchNormComparison:
    """A training, where its normalized twin has the layer, and what is varied in both."""

    base: Training = field(default=BASE)  # the one without
    place: str = "before"  # one of PLACES
    scales: Sweep = Sweep(16, 1.0, 1e-4)  # standard deviations of the initial weights
    rates: Sweep = Sweep(16, 1e-3, 10.0)
    example: Example = Example()
    view: str = "one"

    @property
    def varied(self) -> list[float]:
        """The values that the view shows side by side; none where it shows one training, or none."""
        sweep = {"scales": self.scales, "rates": self.rates}.get(self.view)
        return sweep.values if sweep else []

    @property
    def trainings(self) -> list[Training]:
        """With and without, for every value: two batches, for a batch has one layout of parameters, and γ and β add to it."""
        if self.view == "graph":
            return []
        if self.view == "scales":
            trials = tuple(Trial(initializer=Choice("normal", {"sigma": s})) for s in self.varied)
        else:
            trials = tuple(Trial(hyperparameters={"lr": rate}) for rate in self.varied)
        # once an epoch, but often enough for a curve where an epoch is long
        eval_every = max(
            1, min(self.base.split.rows // self.base.batch, self.base.iterations // 10)
        )
        plain = replace(self.base, trials=trials, eval_every=eval_every)
        return [replace(plain, network=replace(plain.network, normalize=self.place)), plain]


def check(setting: BatchNormComparison) -> None:
    """SpecError where a setting from outside could not have been set on the page."""
    if setting.view not in VIEWS:
        raise SpecError(f"what is shown is {', '.join(VIEWS)}, not {setting.view[:30]!r}")
    if setting.place not in PLACES or not setting.place:
        raise SpecError(
            f"the layer stands {' or '.join(filter(None, PLACES))}, not {setting.place[:30]!r}"
        )
    base = setting.base
    if base.network.normalize or base.trials or base.initializers:
        raise SpecError("the two trainings differ in batch normalization and in nothing else")
    for name, sweep, low, high in (
        ("scale", setting.scales, 1e-6, 100.0),
        ("rate", setting.rates, 1e-4, 10.0),
    ):
        if not 2 <= sweep.many <= MAX_VALUES:
            raise SpecError(f"number of {name}s is from 2 to {MAX_VALUES}, not {sweep.many}")
        for value in (sweep.first, sweep.last):
            if not low <= value <= high:
                raise SpecError(f"{name} is from {low:g} to {high:g}, not {value:g}")
    check_example(setting.example)
    check_training(base)
    for training in setting.trainings:
        check_training(training)


def check_example(example: Example) -> None:
    """SpecError where a small batch from outside could not have been typed on the page."""
    if not 1 <= len(example.x) <= MAX_ROWS:
        raise SpecError(f"a small batch has 1 to {MAX_ROWS} rows, not {len(example.x)}")
    if len(example.arriving) != len(example.x):
        raise SpecError(
            f"a gradient arrives at each of the {len(example.x)} rows, not {len(example.arriving)}"
        )
    for value in (*example.x, *example.arriving):
        if abs(value) > LARGEST:
            raise SpecError(
                f"numbers of the small batch are from {-LARGEST:g} to {LARGEST:g}, not {value:g}"
            )
    for name, (low, high) in RANGES.items():
        if not low <= (value := getattr(example, name)) <= high:
            raise SpecError(f"{name} is from {low:g} to {high:g}, not {value:g}")


def read_numbers(text: str) -> tuple[float, ...]:
    """The numbers of a text like "1, 2, 4, 9". ValueError, for a person, where it is something else."""
    found = []
    for word in re.split(r"[\s,;]+", text.replace("−", "-").strip(" \t\n,;")):
        try:
            value = float(word)
        except ValueError:
            raise ValueError(
                f"{word[:20]!r} is not a number" if word else "there are no numbers"
            ) from None
        if not math.isfinite(value) or abs(value) > LARGEST:
            raise ValueError(f"numbers are from {-LARGEST:g} to {LARGEST:g}, not {word[:20]}")
        found.append(value)
    if len(found) > MAX_ROWS:
        raise ValueError(f"{MAX_ROWS} rows are the most, not {len(found)}")
    return tuple(found)


# The computational graph of figure 6.17: nine operations forward, the same nine backward.


def forward(example: Example) -> dict[str, np.ndarray]:
    """What each operation gives, `(B,)` or for all rows `()`, in their order."""
    x = np.array(example.x)
    v = {"x": x}
    v["mean"] = x.sum() / len(x)
    v["apart"] = x - v["mean"]
    v["squares"] = v["apart"] ** 2
    v["variance"] = v["squares"].sum() / len(x)
    v["root"] = np.sqrt(v["variance"] + example.eps)
    v["scale"] = 1 / v["root"]
    v["hat"] = v["apart"] * v["scale"]
    v["stretched"] = example.gamma * v["hat"]
    v["y"] = v["stretched"] + example.beta
    return v


def backward(example: Example, v: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What arrives at each of them from ∂y, the last first, by the chain rule of one operation at a time.

    A number that went two ways gets what comes back on both, and one that all rows share the sum over the rows.
    (Kratzert 2016, Understanding the backward pass through batch normalization layer.)
    """
    rows = len(example.x)
    d = {"y": np.array(example.arriving)}
    d["beta"] = d["y"].sum()
    d["stretched"] = d["y"]
    d["gamma"] = (v["hat"] * d["stretched"]).sum()
    d["hat"] = example.gamma * d["stretched"]
    d["scale"] = (v["apart"] * d["hat"]).sum()
    d["root"] = -d["scale"] / v["root"] ** 2
    d["variance"] = d["root"] / (2 * v["root"])
    d["squares"] = np.full(rows, d["variance"] / rows)
    d["apart"] = v["scale"] * d["hat"] + 2 * v["apart"] * d["squares"]
    d["mean"] = -d["apart"].sum()
    d["x"] = d["apart"] + d["mean"] / rows
    return d


# What is inside a network with the layer, and without.


def stations(network: Network, params, x) -> list[dict[str, np.ndarray]]:
    """The numbers `(B, units)` in each hidden layer of one network `(P,)`, in the order in which rows `(B, inputs)` pass them.

    They are "sums", "normalized" where there is batch normalization, by the mean and variance of these rows as in
    training, and "activations".
    """
    with np.errstate(all="ignore"):
        outputs = network.forward(params, np.asarray(x, params.dtype)).outputs
    hidden = []
    for layer, a in zip(network.layers[:-1], outputs, strict=False):
        if isinstance(layer, Affine):
            hidden.append({"sums": a})
        elif isinstance(layer, Activated):
            hidden[-1]["activations"] = a
        elif layer.running_statistics:
            hidden[-1]["normalized"] = a
    return hidden
