"""Fetching MNIST and Fashion-MNIST while one watches: a thread works, and a fragment looks at it.

What is fetched belongs to everybody: it goes to the cache folder of the server, and only what has
the right SHA-256 gets there, whoever asked for it. So there is one fetch of a set at a time; who
presses the button while it runs watches the same one, and anybody can stop it: nothing is lost. The
address is that of the source, or the one that those who run the server have set.
"""

from threading import Event, Thread

import streamlit as st

from optviz.data import SOURCES, DataError, cache_folder, fetch
from optviz.translation import _
from optviz.ui.components import button

EVERY = 0.25  # seconds between two looks


class Fetch(Thread):
    """One fetch into a folder, begun. `done` is in bytes, None before the first; `complaint` says
    what failed.
    """

    def __init__(self, key, folder):
        super().__init__(daemon=True)  # not waited for when the server ends: what came is kept
        self.key, self.folder = key, folder
        self.done: int | None = None
        self.complaint = ""
        self._stopped = Event()
        self.start()

    @property
    def running(self) -> bool:
        """A stopped one may wait for an answer; the next one waits for its end, in `fetch`."""
        return self.is_alive() and not self._stopped.is_set()

    def stop(self):
        self._stopped.set()

    def run(self):
        try:
            fetch(self.key, self.folder, None, self._note_progress, self._stopped.is_set)
        except DataError as error:
            self.complaint = f"{error}"

    def _note_progress(self, done, total):
        self.done = done


_fetches: dict = {}  # folder -> the last fetch into it, for all visitors


def present_bytes(key: str) -> int:
    """How many bytes of the files are in the cache folder, finished or not."""

    def size(path):
        try:
            return path.stat().st_size
        except OSError:
            return 0

    folder = cache_folder() / key
    return sum(
        min(n, max(size(folder / name), size(folder / f"{name}.part")))
        for name, n, _digest in SOURCES[key].files
    )


def fetch_controls(key: str) -> None:
    """The address, the button, and how far it is; the page runs again when a fetch has ended."""
    fetched = _fetches.get(cache_folder() / key)
    running = fetched is not None and fetched.running
    st.caption(
        _(
            "From {address}; size and SHA-256 of each file are checked. Whoever runs this server "
            "can set another address in ${variable}_URL."
        ).format(address=SOURCES[key].address, variable=SOURCES[key].variable)
    )
    if running:
        stop = _("Stop fetching")
        button(stop, f"stop-fetch-{key}", fetched.stop, icon="pause", wide=True)
    else:
        _fetch_button(key, present_bytes(key), SOURCES[key].size)

    # its buttons stand outside: a fragment that comes back by itself begins with a run of the page
    @st.fragment(run_every=EVERY if running else None)
    def watch():
        if running and not fetched.running:
            st.rerun()
        _progress(fetched.done if running else present_bytes(key), running, key)

    watch()
    if fetched is not None and not running and fetched.complaint:
        st.error(fetched.complaint, icon=":material/error:")


def _fetch_button(key, present, total):
    if not present:
        label = _("Fetch ({size} MB)")
    elif present < total:
        label = _("Resume the download ({size} MB)")
    else:
        label = _("Check, and fetch what is wrong")
    button(
        label.format(size=megabytes(total)),
        f"fetch-{key}",
        begin,
        key,
        icon="download",
        wide=True,
        primary=present != total,
    )


def _progress(done, running, key):
    total = SOURCES[key].size
    if done is None:
        st.progress(present_bytes(key) / total, _("Waiting for an answer …"))
    elif running or 0 < done < total:
        message = _("{done} of {total} MB") if running else _("{done} of {total} MB are here")
        st.progress(done / total, message.format(done=megabytes(done), total=megabytes(total)))


def begin(key: str) -> Fetch:
    """Fetch a set, unless that is being done already."""
    folder = cache_folder() / key
    current = _fetches.get(folder)
    if current is None or not current.running:
        current = _fetches[folder] = Fetch(key, folder)
    return current


def megabytes(n: int) -> str:
    """Bytes for reading."""
    return f"{n / 1e6:.1f}"
