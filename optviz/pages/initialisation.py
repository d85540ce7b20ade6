"""Where should training begin? Initial weights compared: curves, layers, and units that stay equal."""

from optviz.ui.initialisation import page

page()
