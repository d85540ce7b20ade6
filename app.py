"""optviz: see how optimizers learn. Run with `streamlit run app.py`."""

from optviz.shell.app import main

if __name__ == "__main__":  # not in processes that begin by importing it
    main()
