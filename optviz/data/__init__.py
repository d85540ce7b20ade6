"""Data to learn from: digits that ship, MNIST and Fashion-MNIST from files, points in the plane."""

from dataclasses import dataclass
from typing import NamedTuple

from optviz.data.curves import CURVES
from optviz.data.digits import ATTRIBUTION, digits
from optviz.data.download import fetch
from optviz.data.mnist import find_files, load_idx, load_mnist
from optviz.data.own import OwnSet
from optviz.data.preprocessing import standardize
from optviz.data.sources import (
    NUMERALS,
    SOURCES,
    STEMS,
    DataError,
    cache_folder,
    folder_of,
    write_atomically,
)
from optviz.data.toy_sets import TOY_SETS


@dataclass(frozen=True)
class Dataset:
    """A dataset as a menu describes it."""

    key: str
    name: str
    attribution: str
    rows: int | None  # None where a hyperparameter decides
    features: int
    picture: tuple[int, int] | None = None  # height and width
    labels: tuple[str, ...] = ()

    @property
    def needs_folder(self) -> bool:
        """Whether its files must be uploaded or fetched; all others are shipped or generated."""
        return self.key in SOURCES

    def available(self, folder=None) -> bool:
        """Whether it can be loaded now; where it needs files, from a folder (None: `folder_of`)."""
        if not self.needs_folder:
            return True
        try:
            return find_files(folder or folder_of(self.key)).keys() >= set(STEMS)
        except DataError:
            return False


OWN = "own"
SIZED = {**TOY_SETS, OWN: OwnSet}  # those whose hyperparameters say how large they are
DATASETS: dict[str, Dataset] = {
    d.key: d
    for d in (
        Dataset("digits", "Digits 8×8", ATTRIBUTION, 1797, 64, (8, 8), NUMERALS),
        *(
            Dataset(key, source.name, source.attribution, 70000, 784, (28, 28), source.labels)
            for key, source in SOURCES.items()
        ),
        *(
            Dataset(key, cls.label, "made from a seed", None, cls.features)
            for key, cls in TOY_SETS.items()
        ),
        Dataset(OWN, "Own CSV file", "a file of one's own", None, 0),
    )
}


class Size(NamedTuple):
    """How large a set is."""

    points: int
    features: int
    classes: int


def size_of(dataset) -> Size:
    """The size of the set that a `Choice` names."""
    if dataset.key in SIZED:
        made = dataset.build(SIZED)
        return Size(made.points, made.features, made.classes)
    data = DATASETS[dataset.key]
    return Size(data.rows, data.features, len(data.labels))
