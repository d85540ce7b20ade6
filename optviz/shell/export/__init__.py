"""What can be kept of a page: scripts, tables and pages that need no network."""
