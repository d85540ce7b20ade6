"""Figures and tables as plain values, before any screen. Knows no Streamlit."""
