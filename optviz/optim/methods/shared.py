"""Hyperparameters that mean the same in several methods, and the effect of one of them."""

from optviz.optim.hyperparameter import hyperparameter


def lr(default, help="learning rate: about how far a coordinate moves in a step", low=1e-4):
    """The learning rate."""
    return hyperparameter(default, low, 10.0, r"\eta", log=True, help=help, least=1e-4)


def first_trial(help, low=1e-3, **options):
    """A rate for Newton's step, where 1 is natural; the first trial of a search or a radius."""
    return hyperparameter(1.0, low, 10.0, r"\eta", log=True, help=help, least=1e-3, **options)


def eps(default=1e-8, low=1e-10):
    """A small number that is added to a divisor."""
    help = "keeps the division finite"
    return hyperparameter(default, low, 1e-1, r"\epsilon", log=True, help=help, valid="(0, inf)")


def memory(default, high, symbol, help, **options):
    """How much of a mean or of a velocity survives a step: from nothing to nearly all."""
    return hyperparameter(default, 0.0, high, symbol, near_one=True, help=help, **options)


def momentum():
    """The memory of a velocity; 1 is a ball without friction."""
    help = "share of the velocity that survives a step"
    return memory(0.9, 0.999, r"\mu", help, valid="[0, 1]")


def beta1(default=0.9, help="memory of the mean gradient m"):
    """The memory of a mean gradient."""
    return memory(default, 0.999, r"\beta_1", help)


def beta2(default=0.999, help="memory of the mean square v"):
    """The memory of a mean square."""
    return memory(default, 0.9999, r"\beta_2", help)


def beta3(default, help):
    """A third memory, longer than the others."""
    return memory(default, 0.99999, r"\beta_3", help)


def bias_correction():
    """Whether means that begin at zero are corrected."""
    return hyperparameter(True, help="undo the pull toward zero that m and v start with")


def weight_decay():
    """A pull toward the origin that is part of the gradient."""
    help = "pull toward the origin, added to the gradient"
    return hyperparameter(0.0, 0.0, 1.0, r"\lambda", help=help, advanced=True)


def add_decay(g, decay, x):
    """A gradient with the pull of a weight decay toward the origin, if it is not 0."""
    return g if isinstance(decay, float) and decay == 0 else g + decay * x


def decoupled_decay(default=0.0):
    """A pull toward the origin besides the step, which enters no mean of gradients."""
    return hyperparameter(
        default, 0.0, 1.0, r"\lambda", help="pull toward the origin, times the rate"
    )
