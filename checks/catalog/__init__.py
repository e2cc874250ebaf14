"""The schema as data: read from pg_catalog, dumped as text, compared, and the difference as SQL."""
