"""Fully connected networks, forward and backward written out, on one flat array of parameters."""

from optviz.nn.activations import ACTIVATIONS
from optviz.nn.batch_norm import BatchNorm
from optviz.nn.initializers import INITIALIZERS
from optviz.nn.layers import EVALUATION, Activated, Affine, Dropout, Mode
from optviz.nn.loss import (
    LOSSES,
    MiniBatch,
    Penalty,
    one_hot,
    softmax,
    softmax_cross_entropy,
    squared_error,
)
from optviz.nn.network import DTYPES, Network, accuracy_score
from optviz.nn.streams import BATCHES, DROPOUT, GRADIENTS, INPUTS, LABELS, WEIGHTS, stream
