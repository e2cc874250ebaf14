"""Reads a Drizzle project: configuration, journal, snapshots, statements, and what its migrator would do."""
