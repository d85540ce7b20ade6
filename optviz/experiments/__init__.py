"""Experiments: a folder each, with its spec, figures, text and page."""
