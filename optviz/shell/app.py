"""What `app.py` serves: the script of a run, and what the server answers beside Streamlit."""

import gc
import sys
from functools import cache, partial
from pathlib import Path

import streamlit as st
from starlette.routing import Route, WebSocketRoute
from streamlit import config
from streamlit.delta_generator_singletons import context_dg_stack, get_default_dg_stack_value

from optviz.shell import status
from optviz.shell.lessons import card as lesson_card
from optviz.shell.lessons import curriculum
from optviz.shell.lessons import plan as lesson_plan
from optviz.shell.links import page_of
from optviz.shell.registry import PAGES
from optviz.shell.render import render
from optviz.training.scheduler import scheduler
from optviz.ui.assets import FRONTEND, answer, publish
from optviz.ui.channel import listen
from optviz.ui.live import survive_restarts
from optviz.ui.meter import timed
from optviz.ui.public import public, quiet_logs
from optviz.ui.session import session

SCRIPT = Path(__file__).parent / "run" / "script.py"
SHEETS = "\n".join(
    FRONTEND[name].read_text("utf8") for name in sorted(FRONTEND) if name.endswith(".css")
)


def routes() -> list[Route | WebSocketRoute]:
    """What the server answers beside Streamlit's own."""
    publish()
    base = f"/{config.get_option('server.baseUrlPath').strip('/')}".rstrip("/")
    return [Route(f"{base}/assets/{{name}}", answer), WebSocketRoute(f"{base}/channel", listen)]


def main() -> None:
    """Draw the page that the address asks for."""
    # a thread that has run a fragment still has that one's container as the current one
    context_dg_stack.set(get_default_dg_stack_value())
    _set_up_interpreter()
    if public():
        quiet_logs()
    scheduler().start("optviz.tuning")  # what trains is ready when somebody opens a training
    st.set_page_config(page_icon="🏔️", layout="wide")
    st.html(f"<style>{SHEETS}</style>")  # here: a component sends its own every time
    page = st.navigation(_menu(), position="top")
    st.set_page_config(page_title=f"{page.title} · optviz")
    survive_restarts()
    with timed("page"):
        page.run()


def _menu():
    """Every page by its drawer, without the lessons' where they are hidden."""
    drawers, controls = {"": []}, session().controls
    for page in PAGES.values():
        drawers.setdefault(page.chapter, []).append(page_of(page.key, partial(render, page)))
    drawers[""].append(page_of("course", curriculum.page))
    if not controls or "lessons" not in controls.hidden:
        drawers[""].append(page_of("lessons", lesson_card.gallery))
        drawers[""].append(page_of("plan", lesson_plan.page))
    drawers[""].append(page_of("status", status.page, visibility="hidden"))
    return drawers


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
