"""optviz: see how optimizers learn. Run with `streamlit run app.py`."""

import streamlit as st

from optviz.shell.app import SCRIPT, routes

app = st.App(SCRIPT, routes=routes())
