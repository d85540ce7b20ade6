"""Optimizers, in order of growing complexity: first order, adaptive, curvature, wrappers around any."""
# ruff: noqa: I001  the order of these imports is the order of the menus

from optviz.core.optimizers import first
from optviz.core.optimizers import adaptive
from optviz.core.optimizers import curvature
from optviz.core.optimizers import wrappers
from optviz.core.optimizers.base import OPTIMIZERS, WRAPPERS, Optimizer

__all__ = ["OPTIMIZERS", "WRAPPERS", "Optimizer", "adaptive", "curvature", "first", "wrappers"]
