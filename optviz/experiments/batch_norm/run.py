"""The layer as a graph of nine operations, and the signal inside a network with or without it."""

import numpy as np

from optviz.experiments.batch_norm.spec import Example
from optviz.nn import Network
from optviz.nn.layers import Activated, Affine

# The computational graph of figure 6.17: nine operations forward, the same nine backward.


def forward(example: Example) -> dict[str, np.ndarray]:
    """The inputs and the output of each operation, `(B,)` or for all rows `()`."""
    x = np.array(example.x)
    v = {"x": x, "gamma": np.float64(example.gamma), "beta": np.float64(example.beta)}
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
    """The gradient of each of them from ∂y, the last first, by the chain rule of one operation at a
    time.

    A number that is used twice gets the sum of both gradients, and one that all rows share the sum
    over the rows. (Kratzert 2016, Understanding the backward pass through batch normalization
    layer.)
    """
    rows = len(example.x)
    d = {"y": np.array(example.upstream)}
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


def hidden_activations(network: Network, params, x) -> list[dict[str, np.ndarray]]:
    """The numbers `(B, units)` in each hidden layer of one network `(P,)`, in the order in which
    rows `(B, inputs)` pass them.

    They are "pre-activations", "normalized" where there is batch normalization, by the mean and
    variance of these rows as in training, and "activations".
    """
    with np.errstate(all="ignore"):
        outputs = network.forward(params, np.asarray(x, params.dtype)).outputs
    hidden = []
    for layer, a in zip(network.layers[:-1], outputs, strict=False):
        if isinstance(layer, Affine):
            hidden.append({"pre-activations": a})
        elif isinstance(layer, Activated):
            hidden[-1]["activations"] = a
        elif layer.running_statistics:
            hidden[-1]["normalized"] = a
    return hidden
