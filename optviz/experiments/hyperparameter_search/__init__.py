"""Which settings should be tried? A search over hyperparameters on validation data. Figure 6.24."""
