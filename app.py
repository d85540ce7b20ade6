"""optviz: see how optimizers learn. Run with `streamlit run app.py`."""

import os
from pathlib import Path

import streamlit as st

# Before NumPy is loaded. Our matrices are small: threads of the library's own wait for each other most of the time,
# and get in the way of a search, which trains on two of ours.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from optviz.views.pages import PAGES

st.set_page_config(page_title="optviz", page_icon="🏔️", layout="wide")
HERE = Path(__file__).parent / "optviz"
for sheet in ("page.css", "table.css"):
    st.html(HERE / "ui" / sheet)
menu = {"": []}
for page in PAGES.values():
    first = page.key == "trajectories"
    link = st.Page(HERE / "pages" / f"{page.key}.py", title=page.title, icon=f":material/{page.icon}:", default=first)
    menu.setdefault(page.chapter, []).append(link)
menu[""].append(st.Page(HERE / "pages" / "course.py", title="Course", icon=":material/map:"))
controls = st.session_state.get("controls")
if not (controls and "lessons" in controls.hidden):
    menu[""].append(st.Page(HERE / "pages" / "lessons.py", title="Lessons", icon=":material/school:"))
st.navigation(menu, position="top").run()
