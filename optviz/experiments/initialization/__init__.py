"""Where should training begin? Initial weights compared: curves, layers, and units that stay equal."""
