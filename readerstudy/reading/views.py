"""Pages of the reading app."""
