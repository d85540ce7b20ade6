"""What stands around the experiments: registry, links, lessons, curriculum, data and export."""
