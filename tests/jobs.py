"""Jobs for the tests of what runs jobs, where the processes of an executor find them too."""

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from optviz.training import Amount, Job


@dataclass(frozen=True)
class Counting(Job):
    """Counts to its length, one a slice; what it is asked to do it notes in a file, a byte a slice.

    At `fails` it raises; at `dies` it kills its process, once.
    """

    key: str
    length: int = 3
    notes: str = ""
    fails: int = -1
    dies: int = -1
    seconds: float = 0.0
    weight: int = 0  # bytes of its state
    cost: float = 0.0

    def begin(self):
        return 0, b"x" * self.weight

    def resume(self, state):
        return state if state[0] <= self.length else None

    def advance(self, state, budget):
        at, weight = state
        time.sleep(self.seconds)
        if self.notes:
            with Path(self.notes).open("ab") as notes:
                notes.write(b".")
        if at == self.fails:
            raise ValueError("the data do not fit.")
        if at == self.dies and not Path(f"{self.notes}.died").exists():
            Path(f"{self.notes}.died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return at + 1, weight

    def progress(self, state):
        return Amount(state[0], self.length)


def look_around():
    """In the process that runs it: what of the screen is loaded, its niceness, its BLAS threads."""
    screen = {"streamlit", "plotly", "app", "__mp_main__"}
    return sorted(screen & sys.modules.keys()), os.nice(0), os.environ["OPENBLAS_NUM_THREADS"]
