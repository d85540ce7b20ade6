"""Networks of several widths, each at ten rates, in the standard parametrization and in μP.

With μP, weights and rates of each layer follow from its width so that updates move the activations
of all layers as much in wide networks as in narrow ones: the best rate then stays. (Yang & Hu et
al. 2022, Tensor programs V: Tuning large neural networks via zero-shot hyperparameter transfer.)
"""

from dataclasses import dataclass, replace

import numpy as np

from optviz.nn import Network
from optviz.optim import OPTIMIZERS
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import hyperparameter
from optviz.spec import Choice, SpecError, items, option
from optviz.training import VALIDATION, Split, Training, TrainingSettings, Trial
from optviz.translation import N_

WIDTHS = (32, 64, 128, 256, 512)
LOWEST = {"adam": 2.0**-11, "sgd": 2.0**-6, "momentum": 2.0**-9}  # of its rates
CELLS = 10  # of the grid of rates, each twice the one before
PARAMETRIZATIONS = (N_("Standard"), N_("μP"))


@dataclass(frozen=True)
class Width(TrainingSettings):
    """What all networks share. The hidden layers of `network` say how many there are, `widths` how
    wide they are.
    """

    network: Network = Network((64, 32, 32, 10), Choice("tanh"), Choice("book"))
    split: Split = Split(500, validation=VALIDATION)
    batch: int = hyperparameter(64, 1, 512, "B", log=True, help="examples in a mini-batch")
    iterations: int = hyperparameter(20, 10, 300, "T", log=True, help="updates of every network")
    seeds: tuple[int, ...] = (0, 1)
    optimizer: str = option("adam", {k: OPTIMIZERS[k].label for k in LOWEST}, "Optimizer")
    widths: tuple[int, ...] = items(WIDTHS, 1, len(WIDTHS), "widths")
    base_width: int = hyperparameter(
        32, 8, 512, "n₀", log=True, help="width at which both parametrizations are the same"
    )

    @property
    def rates(self) -> np.ndarray:
        """The grid `(CELLS,)`."""
        return LOWEST[self.optimizer] * 2.0 ** np.arange(CELLS)

    @property
    def trainings(self) -> list[Training]:
        """One for each width, of all rates; then the same with μP."""
        trials = tuple(Trial({"lr": float(rate)}) for rate in self.rates)
        depth = len(self.network.sizes) - 2
        inputs, outputs = self.network.sizes[0], self.network.sizes[-1]
        networks = [
            replace(self.network, sizes=(inputs, *[n] * depth, outputs), base_width=base)
            for base in (0, self.base_width)
            for n in self.widths
        ]
        config = OptimizerConfig(Choice(self.optimizer))
        return [
            self.training(config, network=network, trials=trials, eval_every=self.iterations)
            for network in networks
        ]

    def validate(self) -> None:
        """SpecError for widths that are not offered, and where a network cannot be trained."""
        if list(self.widths) != [n for n in WIDTHS if n in self.widths]:
            raise SpecError(f"widths are some of {WIDTHS}, the least first")
        super().validate()
