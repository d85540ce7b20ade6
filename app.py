"""optviz: see how optimizers learn. Run with `streamlit run app.py`."""

from optviz.shell.app import main

main()
