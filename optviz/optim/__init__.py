"""The optimizer core: methods, what they are declared with, and the loop that runs them."""

from optviz.optim import methods
from optviz.optim.base import OPTIMIZERS, WRAPPERS, Optimizer
