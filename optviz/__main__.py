"""The command `optviz`: the app from wherever the package is, with any option of `streamlit run`.

Streamlit reads settings beside the main script. Both are therefore written into the user's cache
folder: the package may be where nothing can be written.
"""

import os
import sys
from importlib.metadata import files
from pathlib import Path

from optviz.data import cache_folder, write_atomically

SCRIPT = """\
import streamlit as st

from optviz.shell.app import SCRIPT, routes

app = st.App(SCRIPT, routes=routes())
"""


def _settings() -> str:
    """Those of the checkout, or the ones that the wheel has installed."""
    beside = Path(__file__).parents[1] / ".streamlit" / "config.toml"
    if beside.is_file():
        return beside.read_text()
    return next(f for f in files("optviz") if f.match("share/optviz/config.toml")).read_text()


def prepare(folder: Path) -> Path:
    """The main script with its settings in `folder`. OSError where nothing can be written there."""
    write_atomically(folder / ".streamlit" / "config.toml", _settings().encode())
    write_atomically(folder / "app.py", SCRIPT.encode())
    return folder / "app.py"


def main() -> None:
    """Run the server until it is stopped."""
    try:
        script = prepare(cache_folder() / "app")
    except OSError as error:
        sys.exit(f"optviz: {error}. XDG_CACHE_HOME may name a folder that can be written to.")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")  # what one heap leaves free no other one uses
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", str(script), *sys.argv[1:]])


if __name__ == "__main__":
    main()
