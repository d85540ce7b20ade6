"""optviz: see how optimizers learn. Run with `streamlit run app.py`."""

import os

import streamlit as st

# Before NumPy is loaded. Our matrices are small: threads of the library's own wait for each other
# most of the time, and get in the way of a search, which trains on two of ours.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from optviz.shell.menu import menu
from optviz.training.scheduler import scheduler
from optviz.ui.assets import FRONTEND
from optviz.ui.session import session

scheduler().start("optviz.tuning")  # what trains is ready when somebody opens a training
st.set_page_config(page_icon="🏔️", layout="wide")
for sheet in ("page.css", "table.css"):
    st.html(FRONTEND / sheet)
controls = session().controls
pages = menu(lessons=not (controls and "lessons" in controls.hidden))
page = st.navigation(pages, position="top")
st.set_page_config(page_title=f"{page.title} · optviz")
page.run()
