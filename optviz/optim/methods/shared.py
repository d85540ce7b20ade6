"""Hyperparameters that mean the same in several methods, and what one of them does."""

from optviz.optim.hyperparameter import hyperparameter


def lr(default, help="learning rate: about how far a coordinate moves in a step", low=1e-4):
    """The learning rate."""
    return hyperparameter(default, low, 10.0, r"\eta", log=True, help=help, least=1e-4)


def eps(default=1e-8, low=1e-10):
    """What is added to a divisor."""
    return hyperparameter(
        default,
        low,
        1e-1,
        r"\epsilon",
        log=True,
        help="keeps the division finite",
        valid="(0, inf)",
    )


def momentum():
    """The memory of a velocity; 1 is a ball without friction."""
    return hyperparameter(
        0.9,
        0.0,
        0.999,
        r"\mu",
        near_one=True,
        help="share of the velocity that survives a step",
        valid="[0, 1]",
    )


def first_trial(help, valid="", label="", low=1e-3):
    """A rate that suits Newton's step: 1, unless a search or a radius makes something of it."""
    more = {"help": help, "valid": valid, "label": label, "least": 1e-3}
    return hyperparameter(1.0, low, 10.0, r"\eta", log=True, **more)


def beta1(default=0.9, help="memory of the mean gradient m"):
    """The memory of a mean gradient."""
    return hyperparameter(default, 0.0, 0.999, r"\beta_1", near_one=True, help=help)


def beta2(default=0.999, help="memory of the mean square v"):
    """The memory of a mean square."""
    return hyperparameter(default, 0.0, 0.9999, r"\beta_2", near_one=True, help=help)


def beta3(default, help):
    """A third memory, longer than the others."""
    return hyperparameter(default, 0.0, 0.99999, r"\beta_3", near_one=True, help=help)


def weight_decay():
    """A pull toward the origin that is part of the gradient."""
    return hyperparameter(
        0.0,
        0.0,
        1.0,
        r"\lambda",
        help="pull toward the origin, added to the gradient",
        advanced=True,
    )


def decayed(g, share, x):
    """A gradient with the pull of a weight decay toward the origin, where there is one."""
    return g if isinstance(share, float) and share == 0 else g + share * x


def bias_correction():
    """Whether means that begin at zero are corrected."""
    return hyperparameter(True, help="undo the pull toward zero that m and v start with")
