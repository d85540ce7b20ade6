"""From declarations to widgets: the two components, the cache, the scene's controls."""
