"""How much hangs on a hyperparameter or a start: curves, maps, basins, sharpness."""
