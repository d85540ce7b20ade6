"""Results to Plotly figures, as plain dicts: building `plotly.graph_objects` costs milliseconds a frame."""
