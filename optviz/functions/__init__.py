"""Functions to minimize: typed formulas, their derivatives, and the library of test functions."""
