"""optviz: see how optimizers learn. Run with `streamlit run app.py`."""

import streamlit as st

from optviz.shell.app import main, routes

if __name__ == "__main__":  # a run for a visitor
    main()
elif __name__ == "app":  # the server; not in processes that begin by importing it
    app = st.App(__file__, routes=routes())
