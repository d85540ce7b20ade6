"""One run of the app: what `app.py` calls, and the script of the command `optviz`."""

import gc
import sys
from functools import cache

import streamlit as st
from streamlit.delta_generator_singletons import context_dg_stack, get_default_dg_stack_value

from optviz.shell.menu import menu
from optviz.training.scheduler import scheduler
from optviz.translation import _
from optviz.ui.assets import FRONTEND, STATIC, UNPUBLISHED
from optviz.ui.beside import routes
from optviz.ui.live import survive_restarts
from optviz.ui.meter import timed
from optviz.ui.public import public, quiet_logs
from optviz.ui.session import session

__all__ = ["main", "routes"]  # what the main script needs

SHEETS = "\n".join(
    FRONTEND[name].read_text("utf8") for name in sorted(FRONTEND) if name.endswith(".css")
)


def main() -> None:
    """Draw the page that the address asks for."""
    # a thread that has run a fragment still has that one's container as the current one
    context_dg_stack.set(get_default_dg_stack_value())
    _set_up_interpreter()
    if public():
        quiet_logs()
    scheduler().start("optviz.tuning")  # what trains is ready when somebody opens a training
    st.set_page_config(page_icon="🏔️", layout="wide")
    if UNPUBLISHED:
        message = _(
            "The folder {folder} cannot be written to, so the plots cannot be loaded. Start the "
            "app with `python -m optviz`: it keeps its files in the user's cache folder."
        )
        st.error(message.format(folder=f"`{STATIC}`"))
        return
    st.html(f"<style>{SHEETS}</style>")  # here: a component sends its own every time
    controls = session().controls
    lessons = not (controls and "lessons" in controls.hidden)
    page = st.navigation(menu(lessons), position="top")
    st.set_page_config(page_title=f"{page.title} · optviz")
    survive_restarts()
    with timed("page"):
        page.run()


@cache
def _set_up_interpreter():
    """Short waits for everybody on one process (measured in `benchmarks/load.py`)."""
    # the thread that answers asks for its turn every ms, not every 5 ms, beside those that draw
    sys.setswitchinterval(0.001)
    # a full collection stops all for .1 to .3 s: about once a minute with a class, and not through
    # what is imported; each run of Streamlit's leaves some 400 objects that only it takes away, and
    # what is seldom freed leaves holes. One of what is younger is short, so that it is not felt.
    gc.collect()
    gc.freeze()
    gc.set_threshold(5000, 4, 30)
