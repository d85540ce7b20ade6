"""What turns a figure or a table into Plotly or a small SVG."""
