"""Migrations in the format of drizzle-kit 1.0: the rows of a snapshot compared, as statements, footprints and files."""
