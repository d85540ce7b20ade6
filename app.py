"""optviz: see how optimizers learn. Run with `streamlit run app.py`."""

from pathlib import Path

import streamlit as st

st.set_page_config(page_title="optviz", page_icon="🏔️", layout="wide")
for sheet in ("page.css", "table.css"):
    st.html(Path(__file__).parent / "optviz" / "ui" / sheet)
pages = Path(__file__).parent / "optviz" / "pages"
controls = st.session_state.get("controls")
lessons = (
    []
    if controls and "lessons" in controls.hidden
    else [st.Page(pages / "lessons.py", title="Lessons", icon=":material/school:")]
)
st.navigation(
    [
        st.Page(pages / "trajectories.py", title="Trajectories", icon=":material/conversion_path:", default=True),
        st.Page(pages / "activations.py", title="Activations", icon=":material/bar_chart:"),
        st.Page(pages / "initialisation.py", title="Initialisation", icon=":material/start:"),
        st.Page(pages / "contest.py", title="Optimizers on digits", icon=":material/emoji_events:"),
        *lessons,
    ],
    position="top",
).run()
