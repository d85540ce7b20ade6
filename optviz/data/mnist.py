"""IDX files, the format of MNIST: a magic number, the length of each axis, then the values.

The magic number is two zero bytes, the type of the values (8: unsigned bytes) and the number of
axes, so that images begin with 2051 and labels with 2049. All numbers are big-endian. See
http://yann.lecun.com/exdb/mnist/.
"""

import gzip
import io
import math
import re
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from optviz.data.sources import SOURCES, STEMS, DataError, folder_of

MAX_ROWS = 60_000, 10_000  # for training and for testing: those of MNIST
MAX_VALUES = 28 * 28  # of a row


def load_idx(source, name: str | None = None, max_rows: int = MAX_ROWS[0]) -> np.ndarray:
    """The array of unsigned bytes in an IDX file: a path or the bytes themselves, gzipped or not.

    Messages of DataError call it `name`, or by the name of the file. What promises more than
    `max_rows` rows of 28×28 is refused before it is unpacked.
    """
    name = name or ("The file" if isinstance(source, bytes) else Path(source).name)
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if not zipped:
                return _parse(file, name, max_rows)
            with gzip.GzipFile(fileobj=file) as unzipped:
                return _parse(unzipped, name, max_rows)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{name} is a damaged or truncated gzip file: {error}.") from error
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error}.") from error


def _parse(file, name, max_rows):
    magic = int.from_bytes(first := file.read(4))
    axes = magic - 2048
    if len(first) == 4 and axes not in (1, 2, 3):
        raise DataError(
            f"{name} has a wrong magic number: {magic}. Files of images begin with 2051, "
            "files of labels with 2049."
        )
    lengths = file.read(4 * max(axes, 1))
    if len(first) < 4 or len(lengths) < 4 * axes:
        raise DataError(f"{name} is truncated: it ends before its first value.")
    shape = tuple(np.frombuffer(lengths, ">u4").tolist())
    size = math.prod(shape)
    if shape[:1] > (max_rows,) or size > max_rows * MAX_VALUES:
        raise DataError(
            f"{name} declares {size} bytes in {shape[0]} rows, more than the {max_rows} rows of "
            f"{MAX_VALUES} that are read here."
        )
    values = file.read(size)
    if len(values) < size:
        raise DataError(f"{name} is truncated: it declares {size} values but holds {len(values)}.")
    # reading on to the end also has gzip compare its checksum
    if file.read(1):
        raise DataError(f"{name} has trailing bytes: more than the {size} values that it declares.")
    return np.frombuffer(values, np.uint8).reshape(shape)


def load_mnist(source=None, key: str = "mnist"):
    """((x, t) for training, (x, t) for testing) from four IDX files, read-only.

    x `(n, 784)` is float32 in 0…1, t `(n,)` int. `source` is a folder, or a mapping from file names
    to bytes (an upload); None is the folder of `folder_of(key)`. Any four files that fit together
    will do. DataError where something is missing or wrong, and then nothing is returned.
    """
    hint = f" Fetch it, or name its folder in ${SOURCES[key].variable}." if source is None else ""
    source = folder_of(key) if source is None else source
    files = find_files(source)
    if missing := [name for name in STEMS if name not in files]:
        given = isinstance(source, Mapping)
        where = "among the files given" if given else f"in the folder {source}"
        raise DataError(
            f"{SOURCES[key].name}: {', '.join(missing)} (or with .gz) cannot be found "
            f"{where}.{hint}"
        )
    train_x, train_t, test_x, test_t = (files[name] for name in STEMS)
    return _pair(train_x, train_t, MAX_ROWS[0]), _pair(test_x, test_t, MAX_ROWS[1])


def canonical_name(file: str) -> str:
    """A file's name as LeCun has it: some programs make `… (1).gz` or `….idx3-ubyte` of it."""
    return re.sub(r" ?\(\d+\)", "", file).removesuffix(".gz").replace(".", "-")


def find_files(source) -> dict[str, tuple]:
    """Stem -> (name, path or bytes) of all files of a folder or a mapping; gzipped before plain."""
    if isinstance(source, Mapping):
        files = dict(source)
    else:
        try:
            files = {path.name: path for path in Path(source).iterdir() if path.is_file()}
        except FileNotFoundError:
            files = {}
        except OSError as error:
            raise DataError(f"The folder {source} cannot be read: {error.strerror}.") from error
    return {
        canonical_name(name): (name, files[name])
        for name in sorted(files, key=lambda name: name.endswith(".gz"))
    }


def _pair(images, labels, max_rows):
    """x and t from two (name, path or bytes), which must belong together."""
    (file, pixels), (label_file, t) = (
        (name, load_idx(content, name, max_rows)) for name, content in (images, labels)
    )
    if pixels.ndim == 1 and t.ndim == 3:
        raise DataError(
            f"{file} and {label_file} are swapped: the first holds labels and the second images."
        )
    if pixels.ndim != 3:
        raise DataError(
            f"{file} holds no images: wrong magic number {2048 + pixels.ndim} instead of 2051."
        )
    if t.ndim != 1:
        raise DataError(
            f"{label_file} holds no labels: wrong magic number {2048 + t.ndim} instead of 2049."
        )
    if pixels.shape[1:] != (28, 28):
        raise DataError(
            f"{file} holds images of {pixels.shape[1]}×{pixels.shape[2]} pixels instead of 28×28."
        )
    if len(pixels) != len(t):
        raise DataError(f"{file} holds {len(pixels)} images, but {label_file} has {len(t)} labels.")
    if not len(t):
        raise DataError(f"{file} holds no images.")
    if t.max() > 9:
        row = int(np.argmax(t > 9))
        raise DataError(f"{label_file} gives image {row} the label {t[row]}: labels are 0 to 9.")
    x = pixels.reshape(-1, 784).astype(np.float32)
    x /= 255
    t = t.astype(int)
    for array in (x, t):
        array.setflags(write=False)
    return x, t
