"""optviz: see how optimizers learn. Run with `streamlit run app.py`."""

from pathlib import Path

import streamlit as st

st.set_page_config(page_title="optviz", page_icon="🏔️", layout="wide")
st.html(Path(__file__).parent / "optviz" / "ui" / "page.css")
pages = Path(__file__).parent / "optviz" / "pages"
st.navigation(
    [
        st.Page(pages / "trajectories.py", title="Trajectories", icon=":material/conversion_path:", default=True),
        st.Page(pages / "activations.py", title="Activations", icon=":material/bar_chart:"),
        st.Page(pages / "lessons.py", title="Lessons", icon=":material/school:"),
    ],
    position="top",
).run()
