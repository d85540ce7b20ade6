"""How long runs of the page take on the server, for those who run it."""

from collections import deque
from contextlib import contextmanager
from time import monotonic

MINUTES = 5
KINDS = ("page", "knob")
_TAKEN = {kind: deque(maxlen=5000) for kind in KINDS}  # when it ended, and the seconds it took


@contextmanager
def timed(kind: str):
    """Note how long it takes; where it breaks off for another run, that as well."""
    begun = monotonic()
    try:
        yield
    finally:
        _TAKEN[kind].append((monotonic(), monotonic() - begun))


def quantile(kind: str, q: float) -> tuple[int, float]:
    """How many runs there were in the last MINUTES, and the seconds in which a share `q` of them
    was done; NaN where there was none.
    """
    since = monotonic() - 60 * MINUTES
    taken = sorted(seconds for ended, seconds in list(_TAKEN[kind]) if ended >= since)
    return len(taken), taken[int(q * (len(taken) - 1))] if taken else float("nan")
