"""Fully connected networks, forward and backward written out, on one flat array of parameters."""

from optviz.core.networks.activations import ACTIVATIONS, Activation
from optviz.core.networks.batch_norm import BatchNorm, Normalised
from optviz.core.networks.initialisers import INITIALISERS, Initialiser
from optviz.core.networks.layers import EVALUATION, Activated, Affine, Dropout, Layer, Mode
from optviz.core.networks.loss import MiniBatch, Penalty, one_hot, softmax_cross_entropy
from optviz.core.networks.network import DTYPES, PLACES, Network, Pass, right
from optviz.core.networks.streams import BATCHES, DROPOUT, GRADIENTS, INPUTS, LABELS, WEIGHTS, stream

__all__ = [
    "ACTIVATIONS", "BATCHES", "DROPOUT", "DTYPES", "EVALUATION", "GRADIENTS", "INITIALISERS", "INPUTS", "LABELS", "PLACES",
    "WEIGHTS", "Activated", "Activation", "Affine", "BatchNorm", "Dropout", "Initialiser", "Layer", "MiniBatch", "Mode",
    "Network", "Normalised", "Pass", "Penalty", "one_hot", "right", "softmax_cross_entropy", "stream",
]  # fmt: skip
