"""Judges migrations; knows nothing of GitHub, HTTP, queues or the environment."""
