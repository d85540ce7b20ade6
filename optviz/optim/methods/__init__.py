"""The optimizers, in order of growing complexity, and wrappers around any of them."""
# ruff: noqa: I001  the order of these imports is the order of the menus

from optviz.optim.methods import first_order
from optviz.optim.methods import adaptive
from optviz.optim.methods import adam
from optviz.optim.methods import adam_variants
from optviz.optim.methods import schedule_free
from optviz.optim.methods import second_order
from optviz.optim.methods import classic
from optviz.optim.methods import matrix
from optviz.optim.methods import wrappers
