"""The 8×8 digits that ship with the package."""

from functools import cache
from pathlib import Path

import numpy as np

FILE = Path(__file__).parent / "digits.npz"
ATTRIBUTION = (
    "E. Alpaydin & C. Kaynak (1998), Optical Recognition of Handwritten Digits, "
    "UCI Machine Learning Repository, DOI 10.24432/C50P49, CC BY 4.0"
)


@cache
def digits() -> tuple[np.ndarray, np.ndarray]:
    """x `(1797, 64)` in 0…1 and t `(1797,)` of 0…9, both read-only.

    The source counts 0 to 16 in each pixel.
    """
    with np.load(FILE) as stored:
        x, t = stored["x"] / 16.0, stored["t"].astype(int)
    for array in (x, t):
        array.setflags(write=False)
    return x, t
