"""Why must weights begin unequal? A small network that is fitted to a curve."""
