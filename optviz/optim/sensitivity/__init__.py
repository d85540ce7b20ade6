"""The results of many runs: where they end, by hyperparameter, by start, along the path."""

from optviz.optim.sensitivity.ends import Final, final
from optviz.optim.sensitivity.race import Entry, enter, ranks
from optviz.optim.sensitivity.stability import sharpness
from optviz.optim.sensitivity.starts import Basins, basins
from optviz.optim.sensitivity.sweeps import Sweep, Tuned, sweep, tune
