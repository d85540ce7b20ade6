"""What the tests of trainings share."""

import numpy as np
import pytest

from optviz.training import Data


@pytest.fixture(scope="session")
def data():
    """Forty points in space for training, twenty for the test, in two classes."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 3))
    t = (x.sum(-1) > 0).astype(int)
    return Data(x[:40], t[:40], x[40:], t[40:])
