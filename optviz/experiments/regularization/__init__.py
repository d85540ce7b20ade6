"""Why does it fail on what it has not seen? Figures 6.20 to 6.23: weight decay and dropout on few rows."""
