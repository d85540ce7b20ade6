"""Pictures as the browser gets them, made once for all who look at the same."""

import json
from functools import cached_property
from hashlib import sha1
from weakref import WeakKeyDictionary

from optviz.plot import Figure, to_plotly
from optviz.ui.cache import Kept

# What parts have made of trainings, and what was sent of it; apart from what took longer to work
# out, as a training that is watched has others every second.
PICTURES = Kept(16 << 20)
HELD = 3  # a figure and what is sent of it, in lengths of that as JSON, roughly


class Sent:
    """A figure as it is sent."""

    def __init__(self, figure: Figure):
        self.figure = to_plotly(figure)

    @cached_property
    def _mark(self) -> tuple[str, int]:
        text = json.dumps(self.figure, sort_keys=True).encode()
        return sha1(text).hexdigest()[:12], len(text)

    @property
    def version(self) -> str:
        """A name for all that is to be seen."""
        return self._mark[0]

    @property
    def bytes(self) -> int:
        """The memory that it takes, with the figure."""
        return HELD * self._mark[1]


_SENT: WeakKeyDictionary[Figure, Sent] = WeakKeyDictionary()


def sent(figure: Figure) -> Sent:
    """A figure as it is sent: the same one as long as there is the figure."""
    if (found := _SENT.get(figure)) is None:
        found = _SENT[figure] = Sent(figure)
    return found
