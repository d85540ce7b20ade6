"""Alone in its folder, which Streamlit adds to the import path: the script of a run."""
