"""Optimizers, in order of growing complexity: first order, adaptive, curvature, wrappers around any."""
# ruff: noqa: I001  the order of these imports is the order of the menus

from optviz.optim import first_order
from optviz.optim import adaptive
from optviz.optim import second_order
from optviz.optim import wrappers
from optviz.optim.base import OPTIMIZERS, WRAPPERS, Optimizer

__all__ = ["OPTIMIZERS", "WRAPPERS", "Optimizer", "adaptive", "first_order", "second_order", "wrappers"]
