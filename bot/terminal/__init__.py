"""The doors from a terminal, one file a command."""
