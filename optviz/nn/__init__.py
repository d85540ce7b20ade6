"""Fully connected networks, forward and backward written out, on one flat array of parameters."""

from optviz.nn.activations import ACTIVATIONS, Activation
from optviz.nn.batch_norm import BatchNorm, Normalized
from optviz.nn.initializers import INITIALIZERS, Initializer
from optviz.nn.layers import (
    EVALUATION,
    Activated,
    Affine,
    Dropout,
    Layer,
    Mode,
)
from optviz.nn.loss import (
    LOSSES,
    MiniBatch,
    Penalty,
    one_hot,
    softmax,
    softmax_cross_entropy,
    squared_error,
)
from optviz.nn.network import (
    DTYPES,
    PLACES,
    Network,
    Pass,
    right,
)
from optviz.nn.streams import (
    BATCHES,
    DROPOUT,
    GRADIENTS,
    INPUTS,
    LABELS,
    WEIGHTS,
    stream,
)

__all__ = [
    "ACTIVATIONS",
    "BATCHES",
    "DROPOUT",
    "DTYPES",
    "EVALUATION",
    "GRADIENTS",
    "INITIALIZERS",
    "INPUTS",
    "LABELS",
    "LOSSES",
    "PLACES",
    "WEIGHTS",
    "Activated",
    "Activation",
    "Affine",
    "BatchNorm",
    "Dropout",
    "Initializer",
    "Layer",
    "MiniBatch",
    "Mode",
    "Network",
    "Normalized",
    "Pass",
    "Penalty",
    "one_hot",
    "right",
    "softmax",
    "softmax_cross_entropy",
    "squared_error",
    "stream",
]
