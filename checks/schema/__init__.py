"""Reads Drizzle's schema files without running them: what tables, enums, indexes and policies they mean, and the DDL of it."""
