"""Experiments as values: a frozen, JSON-able spec, and what running it returns."""
