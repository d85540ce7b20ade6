"""Fully connected networks, forward and backward written out, on one flat array of parameters."""

from optviz.core.networks.activations import ACTIVATIONS, Activation
from optviz.core.networks.initialisers import INITIALISERS, Initialiser
from optviz.core.networks.layers import EVALUATION, Activated, Affine, Layer, Mode
from optviz.core.networks.loss import MiniBatch, one_hot, softmax_cross_entropy
from optviz.core.networks.network import DTYPES, Network, Pass
from optviz.core.networks.streams import BATCHES, DROPOUT, GRADIENTS, INPUTS, WEIGHTS, stream

__all__ = [
    "ACTIVATIONS", "BATCHES", "DROPOUT", "DTYPES", "EVALUATION", "GRADIENTS", "INITIALISERS", "INPUTS", "WEIGHTS",
    "Activated", "Activation", "Affine", "Initialiser", "Layer", "MiniBatch", "Mode", "Network", "Pass",
    "one_hot", "softmax_cross_entropy", "stream",
]  # fmt: skip
