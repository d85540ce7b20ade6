"""One run of the app: what `app.py` calls, and the script of the command `optviz`."""

import streamlit as st

from optviz.shell.menu import menu
from optviz.training.scheduler import scheduler
from optviz.ui.assets import FRONTEND
from optviz.ui.live import survive_restarts
from optviz.ui.meter import timed
from optviz.ui.public import public, quiet_logs
from optviz.ui.session import session


def main() -> None:
    """Draw the page that the address asks for."""
    if public():
        quiet_logs()
    scheduler().start("optviz.tuning")  # what trains is ready when somebody opens a training
    st.set_page_config(page_icon="🏔️", layout="wide")
    for sheet in sorted(FRONTEND.glob("*.css")):  # here: a component sends its own every time
        st.html(sheet)
    controls = session().controls
    lessons = not (controls and "lessons" in controls.hidden)
    page = st.navigation(menu(lessons), position="top")
    st.set_page_config(page_title=f"{page.title} · optviz")
    survive_restarts()
    with timed("page"):
        page.run()
