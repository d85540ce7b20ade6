"""What becomes of a signal in a deep network: activations and gradients by initial weights."""
