"""How a repository runs and connects: commands, drivers, and who writes the tracking table."""
