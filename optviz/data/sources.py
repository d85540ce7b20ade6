"""Where MNIST and Fashion-MNIST come from, and in which folders they are looked for."""

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

STEMS = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
NUMERALS = tuple("0123456789")


class DataError(ValueError):
    """Data that cannot be used; the message says why."""


@dataclass(frozen=True)
class Source:
    """A set of 70,000 pictures in four gzipped IDX files, named after STEMS.

    The environment variable `variable` names a folder with the files, `variable`_URL an address in
    place of the `published` one. `sums` are the size and the SHA-256 of each file.
    """

    key: str
    name: str
    attribution: str
    labels: tuple[str, ...]
    variable: str
    published: str
    sums: tuple[tuple[int, str], ...]

    @property
    def address(self) -> str:
        """Where the files are fetched from."""
        return os.environ.get(f"{self.variable}_URL") or self.published

    @property
    def files(self) -> list[tuple[str, int, str]]:
        """Name, size and SHA-256 of each file."""
        return [(f"{stem}.gz", *known) for stem, known in zip(STEMS, self.sums, strict=True)]

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(size for size, _ in self.sums)


# The sizes and sums are those of the files as first published (LeCun, Zalando) and as TensorFlow,
# PyTorch and others mirror them; the MD5s that torchvision and Zalando print are of the same files.
MNIST = Source(
    "mnist",
    "MNIST",
    "Y. LeCun, C. Cortes & C. J. C. Burges (1998), The MNIST database of handwritten digits",
    NUMERALS,
    "OPTVIZ_MNIST",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    (
        (9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        (28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        (1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        (4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    ),
)
FASHION = Source(
    "fashion",
    "Fashion-MNIST",
    "H. Xiao, K. Rasul & R. Vollgraf (2017), Fashion-MNIST, arXiv:1708.07747; © Zalando SE, "
    "MIT license",
    (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    "OPTVIZ_FASHION",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    (
        (26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        (4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    ),
)
SOURCES = {source.key: source for source in (MNIST, FASHION)}


def cache_folder() -> Path:
    """The user's cache folder: $XDG_CACHE_HOME/optviz, or what the platform has in its place."""
    # the XDG Base Directory Specification: paths that are not absolute are to be ignored
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if named.is_absolute():
        return named / "optviz"
    try:
        home = Path.home()
    except RuntimeError:  # a user without a home, as in some containers
        return Path(tempfile.gettempdir()) / "optviz"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local"
        return Path(local) / "optviz" / "cache"
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "optviz"


def write_atomically(file: Path, content: bytes) -> None:
    """Write a file so that no other process ever reads half of it; OSError where it cannot be."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(f".{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(file)


def folder_of(key: str) -> Path:
    """Where a set is looked for: where the environment says, or else where `fetch` puts it."""
    named = os.environ.get(SOURCES[key].variable)
    return Path(named).expanduser() if named else cache_folder() / key
