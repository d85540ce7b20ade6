"""What turns a figure or a table into Plotly, a small SVG, or text."""
