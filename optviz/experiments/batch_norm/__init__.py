"""What if every layer's inputs were put right? Figures 6.16 to 6.19: batch normalization."""
