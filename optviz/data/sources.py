"""Where MNIST and Fashion-MNIST come from, where they are looked for, and by what their files are
known.
"""

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path


class DataError(ValueError):
    """Data that cannot be used; the message tells a person why."""


@dataclass(frozen=True)
class Source:
    """A set in four gzipped IDX files: its address, and the size and SHA-256 of each file.

    The environment variable `variable` names a folder with the files, `variable`_URL another
    address.
    """

    key: str
    name: str
    variable: str
    address: str
    files: tuple[tuple[str, int, str], ...]


# The sizes and sums are those of the files as first published (LeCun, Zalando) and as TensorFlow,
# PyTorch and others
# mirror them; the MD5s that torchvision and Zalando print belong to the same files.
MNIST = Source(
    "mnist",
    "MNIST",
    "OPTVIZ_MNIST",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    (
        (
            "train-images-idx3-ubyte.gz",
            9912422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        (
            "train-labels-idx1-ubyte.gz",
            28881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        (
            "t10k-images-idx3-ubyte.gz",
            1648877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        (
            "t10k-labels-idx1-ubyte.gz",
            4542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
)
FASHION = Source(
    "fashion",
    "Fashion-MNIST",
    "OPTVIZ_FASHION",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    (
        (
            "train-images-idx3-ubyte.gz",
            26421880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        (
            "train-labels-idx1-ubyte.gz",
            29515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        (
            "t10k-images-idx3-ubyte.gz",
            4422102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        (
            "t10k-labels-idx1-ubyte.gz",
            5148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ),
)
SOURCES = {source.key: source for source in (MNIST, FASHION)}


def cache_folder() -> Path:
    """The user's cache folder for this program: $XDG_CACHE_HOME/optviz, or what the platform has
    for it.
    """
    # what is no absolute path is to be ignored, says the XDG Base Directory Specification
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if named.is_absolute():
        return named / "optviz"
    try:
        home = Path.home()
    except RuntimeError:  # a user without a home, as in some containers
        return Path(tempfile.gettempdir()) / "optviz"
    if sys.platform == "win32":
        return (
            Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "optviz" / "cache"
        )
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "optviz"


def write_atomically(file: Path, content: bytes) -> None:
    """Write a file by way of another name: of two processes that begin together none reads half of
    it. OSError where it cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(f".{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(file)


def folder_of(key: str) -> Path:
    """Where the files of a set are looked for: the folder that the environment names, or else where
    `fetch` puts them.
    """
    named = os.environ.get(SOURCES[key].variable)
    return Path(named).expanduser() if named else cache_folder() / key
