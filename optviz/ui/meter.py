"""How long runs of the page take on the server, for those who run it."""

from collections import deque
from contextlib import contextmanager
from time import monotonic

MINUTES = 5
KINDS = ("page", "knob")
_DURATIONS = {kind: deque(maxlen=5000) for kind in KINDS}  # when it ended, and the seconds it took


@contextmanager
def timed(kind: str):
    """Note how long it takes, also where it breaks off for another run."""
    started = monotonic()
    try:
        yield
    finally:
        _DURATIONS[kind].append((monotonic(), monotonic() - started))


def quantile(kind: str, q: float) -> tuple[int, float]:
    """How many runs there were in the last MINUTES, and the seconds in which a share `q` of them
    was done; NaN where there was none.
    """
    since = monotonic() - 60 * MINUTES
    durations = sorted(seconds for ended, seconds in list(_DURATIONS[kind]) if ended >= since)
    return len(durations), durations[int(q * (len(durations) - 1))] if durations else float("nan")
