"""Fetching MNIST and Fashion-MNIST while one watches: a thread that works, and a fragment that looks at it.

What is fetched belongs to everybody: it goes to the cache folder of the server, and only what has the right SHA-256
gets there, whoever asked for it and wherever it came from. So there is one fetch of a set at a time; who presses
the button while it runs watches the same one, and anybody can stop it: nothing is lost, and nobody can keep the
others waiting with an address that never ends.

An address that is typed has the server knock at doors of its own network, and tells what answered. So it can be
typed only where the server listens to its own machine alone (`server.address` in .streamlit/config.toml); elsewhere
it is shown, and set by those who run the server. (Behind a proxy on the same machine all visitors look like
neighbors: there, start with `--server.address 0.0.0.0` and let the firewall keep the port.)
"""

import os
import threading

import streamlit as st

from optviz.data import (
    SOURCES,
    DataError,
    cache_folder,
    fetch,
)

EVERY = 0.25  # seconds between two looks
HERE_ALONE = ("localhost", "127.0.0.1", "::1")


class Fetch:
    """One fetch into a folder, begun. `done` is in bytes, None before the first; `complaint` says what failed."""

    def __init__(self, key, folder, address):
        self.done: int | None = None
        self.complaint = ""
        self._stop = threading.Event()
        # not to be waited for when the server ends: what came is kept
        self._thread = threading.Thread(target=self._work, args=(key, folder, address), daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """A stopped one may still wait for an answer; whoever fetches next waits for its end, in `fetch`."""
        return self._thread.is_alive() and not self._stop.is_set()

    def stop(self):
        self._stop.set()

    def join(self):
        self._thread.join()

    def _work(self, key, folder, address):
        try:
            fetch(key, folder, address, self._came, self._stop.is_set)
        except DataError as error:
            self.complaint = f"{error}"

    def _came(self, done, total):
        self.done = done


_fetches: dict = {}  # folder -> the last fetch into it, for all visitors


def whole(key: str) -> int:
    """How many bytes the four files have."""
    return sum(size for _, size, _ in SOURCES[key].files)


def here(key: str) -> int:
    """How many of them are in the cache folder, finished or not."""

    def size(path):
        try:
            return path.stat().st_size
        except OSError:
            return 0

    folder = cache_folder() / key
    return sum(min(n, max(size(folder / name), size(folder / f"{name}.part"))) for name, n, _ in SOURCES[key].files)


def usual_address(key: str) -> str:
    """Where it comes from when nobody says anything else."""
    return os.environ.get(f"{SOURCES[key].variable}_URL") or SOURCES[key].address


def fetcher(key: str) -> None:
    """The address, the button, and how far it is. The page runs again when a fetch has ended."""
    S, source, fetched = st.session_state, SOURCES[key], _fetches.get(cache_folder() / key)
    running = fetched is not None and fetched.running
    typed, address = f"typed-address-{key}", f"address-{key}"
    free = st.get_option("server.address") in HERE_ALONE
    st.text_input(
        "Address of the four files", S.get(typed, "") if free else "", key=address, max_chars=500, placeholder=usual_address(key),
        disabled=running or not free, on_change=lambda: S.update({typed: S[address]}),
        help=f"Empty: {usual_address(key)}. Size and SHA-256 of each file are checked, wherever it comes from."
        + ("" if free else f" Whoever runs this server can set another one in ${source.variable}_URL."),
    )  # fmt: skip
    if running:
        st.button(
            "Stop fetching", key=f"stop-fetch-{key}", icon=":material/pause:", width="stretch", on_click=fetched.stop
        )
    else:
        have = here(key)
        what = "Fetch" if not have else "Go on fetching" if have < whole(key) else "Check, and fetch what is wrong"
        st.button(
            what if have == whole(key) else f"{what} ({megabytes(whole(key))} MB)", key=f"fetch-{key}", icon=":material/download:",
            type="secondary" if have == whole(key) else "primary", width="stretch",
            on_click=lambda: begin(key, (S.get(typed, "") if free else "").strip()),
        )  # fmt: skip

    # its buttons stand outside: a fragment that is to come back by itself must be begun by a run of the page
    @st.fragment(run_every=EVERY if running else None)
    def watch():
        if running and not fetched.running:
            st.rerun()
        done, n = fetched.done if running else here(key), whole(key)
        if done is None:
            st.progress(here(key) / n, "Waiting for an answer …")
        elif running or 0 < done < n:
            st.progress(done / n, f"{megabytes(done)} of {megabytes(n)} MB" + ("" if running else " are here"))

    watch()
    if fetched is not None and not running and fetched.complaint:
        st.error(fetched.complaint, icon=":material/error:")


def begin(key: str, address: str = "") -> Fetch:
    """Fetch a set from an address (empty: the usual one), unless that is being done already."""
    folder = cache_folder() / key
    now = _fetches.get(folder)
    if now is None or not now.running:
        now = _fetches[folder] = Fetch(key, folder, address or usual_address(key))
    return now


def megabytes(n: int) -> str:
    return f"{n / 1e6:.1f}"
