"""How optimizers move: paths over a contour, their loss curves, and what theory says beforehand."""
