"""Why does a network fail on data it has not seen? Figures 6.20 to 6.23: weight decay, dropout."""
