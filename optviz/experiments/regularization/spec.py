"""One network on few examples, and regularizers, alone and together; or other widths and other
numbers of examples.
"""

from dataclasses import dataclass, replace

from optviz.data import size_of
from optviz.nn import Network
from optviz.optim import OPTIMIZERS
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import Hyperparameter, hyperparameter
from optviz.spec import Choice, SpecError, choice, items, option
from optviz.training import VALIDATION, Penalty, Split, Training, TrainingSettings
from optviz.translation import N_

MAX_REGULARIZERS = 6
VIEWS = {
    "regularizers": N_("Regularizers"),
    "width": N_("Width"),
    "examples": N_("Number of examples"),
}
WIDTHS = (2, 4, 8, 16, 32, 64, 128, 256)  # units of every hidden layer
EXAMPLES = (50, 100, 200, 400, 800, 1600)  # for training, as far as there are
EVAL_EVERY = 30  # iterations: ten epochs of 300 examples in batches of 100
# The parts of a regularizer. A part that is 0 is not used: a logarithmic slider has no 0.
L2 = Hyperparameter(
    "l2", 0.01, 1e-5, 10.0, r"\lambda_2", log=True, help="½·λ₂·ΣW² is added to the loss"
)
L1 = Hyperparameter(
    "l1", 0.0003, 1e-6, 10.0, r"\lambda_1", log=True, help="λ₁·Σ|W| is added to the loss"
)
LEFT_OUT = Hyperparameter(
    "dropout",
    0.1,
    0.01,
    0.95,
    "p",
    help="share of the hidden units that are dropped, redrawn for each example and step",
)
PARTS = {part.name: part for part in (L2, L1, LEFT_OUT)}


@dataclass(frozen=True)
class Regularizer:
    """One training's means against overfitting; with nothing set it is the baseline."""

    l2: float = 0.0
    l1: float = 0.0
    dropout: float = 0.0
    normalize: bool = False  # batch normalization, before the activation
    optimizer: Choice | None = choice(None, OPTIMIZERS, "Trained by")  # None: that of all

    def validate(self) -> None:
        """SpecError where a part that is used is outside of its range."""
        for name, part in PARTS.items():
            if value := getattr(self, name):
                try:
                    part.check_range(value)
                except ValueError as error:
                    raise SpecError(f"{error}") from None


BASELINE = Regularizer()


@dataclass(frozen=True)
class Regularization(TrainingSettings):
    """What all trainings share, and what each adds. The others are compared with the first.

    As it opens: a deep network on few examples, validated on other people's handwriting.
    """

    network: Network = Network((64, *[100] * 6, 10))
    split: Split = Split(300, True, validation=VALIDATION)
    batch: int = hyperparameter(100, 1, 2000, "B", log=True, help="examples in a mini-batch")
    iterations: int = hyperparameter(
        903,
        30,
        5000,
        "T",
        log=True,
        help="updates of every network; an epoch is (examples / batch) updates",
    )
    seeds: tuple[int, ...] = (0, 1, 2)
    optimizer: OptimizerConfig = OptimizerConfig(Choice("sgd", {"lr": 0.05}))
    regularizers: tuple[Regularizer, ...] = items(
        (BASELINE, Regularizer(l2=0.01), Regularizer(dropout=0.1)),
        1,
        MAX_REGULARIZERS,
        "regularizers",
    )
    view: str = option("regularizers", VIEWS, N_("View"))

    @property
    def varied(self) -> list[int]:
        """The widths or the numbers of examples that a view shows side by side."""
        max_rows = size_of(self.dataset).points - 1
        sweeps = {"width": WIDTHS, "examples": [n for n in EXAMPLES if n <= max_rows]}
        return list(sweeps.get(self.view, ()))

    @property
    def trainings(self) -> list[Training]:
        """One for each regularizer, with the same starts and mini-batches; in a sweep one for each
        value, with the first regularizer.
        """
        if self.view == "regularizers":
            return [self._training(regularizer) for regularizer in self.regularizers]
        base, (inputs, *hidden, classes) = self._training(self.regularizers[0]), self.network.sizes
        if self.view == "examples":
            return [replace(base, split=replace(self.split, rows=n)) for n in self.varied]
        widths = [(inputs, *[n] * len(hidden), classes) for n in self.varied]
        return [replace(base, network=replace(base.network, sizes=sizes)) for sizes in widths]

    def _training(self, regularizer):
        normalize = "before" if regularizer.normalize else self.network.normalize
        return self.training(
            OptimizerConfig(regularizer.optimizer) if regularizer.optimizer else self.optimizer,
            network=replace(self.network, dropout=regularizer.dropout, normalize=normalize),
            eval_every=EVAL_EVERY,
            penalty=Penalty(regularizer.l2, regularizer.l1),
        )

    def validate(self) -> None:
        """SpecError where one of them cannot be trained."""
        if self.network.dropout:
            raise SpecError("dropout belongs to a regularizer, not to the shared network")
        super().validate()


def another(spec: Regularization) -> Regularizer:
    """The first of the common regularizers that is not in the list yet."""
    common = (
        Regularizer(l2=0.01),
        Regularizer(dropout=0.1),
        Regularizer(l2=0.01, dropout=0.1),
        Regularizer(normalize=True),
        Regularizer(l1=0.0003),
        BASELINE,
    )
    return next((r for r in common if r not in spec.regularizers), Regularizer(l2=0.02))


# Figures 6.20, 6.21 and 6.23 of Saitoh, Deep Learning from Scratch: its rate, λ and ratio. The book
# takes MNIST's first 300 images and all of its test set; of the digits that come with the app these
# are 300 random ones, tested on the same writers.
BOOK = Regularization(
    regularizers=(BASELINE, Regularizer(l2=0.1), Regularizer(dropout=0.15)),
    optimizer=OptimizerConfig(Choice("sgd", {"lr": 0.01})),
    split=Split(300),
    iterations=603,
)
_OPENING = Regularization()
WRITERS = replace(
    _OPENING, regularizers=(*_OPENING.regularizers, Regularizer(l2=0.01, dropout=0.1))
)
LABELS = Regularization(
    regularizers=(BASELINE, Regularizer(l2=0.02), Regularizer(dropout=0.15)),
    split=Split(300, noise=0.2, validation=VALIDATION),
    iterations=1203,
)
NORMS = Regularization(
    regularizers=(BASELINE, Regularizer(l2=0.01), Regularizer(l1=0.0003), Regularizer(l1=0.001))
)
NORMALIZED = replace(
    LABELS, regularizers=(BASELINE, Regularizer(normalize=True), Regularizer(dropout=0.15))
)
# Adam alone, with λ in its loss, and with the same λ outside of it.
_ADAM = Choice("adam", {"lr": 0.001})
ADAM = Regularization(
    regularizers=(
        Regularizer(optimizer=_ADAM),
        Regularizer(l2=0.1, optimizer=_ADAM),
        Regularizer(optimizer=Choice("adamw", {"lr": 0.001, "weight_decay": 0.1})),
    )
)
