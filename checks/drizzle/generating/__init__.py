"""Writes the next migration as drizzle-kit 0.x would: what differs, in which order, in which words."""
