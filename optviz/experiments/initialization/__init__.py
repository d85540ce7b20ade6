"""Where should training begin? Initial weights compared: curves, layers, equal units."""
