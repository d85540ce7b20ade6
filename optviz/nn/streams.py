"""Random numbers that depend only on (seed, purpose, index), not on what was drawn before."""

import numpy as np

WEIGHTS, BATCHES, INPUTS, GRADIENTS, DROPOUT, LABELS, DIRECTIONS, SIGNS = range(8)


def stream(seed: int, purpose: int, *index: int) -> np.random.Generator:
    """The generator for the weights of layer `index`, the mini-batch of step `index`, and so on."""
    return np.random.default_rng((seed, purpose, *index))
