"""Two witnesses of a migration: `text` reads its SQL, `postgres` says what the database did with it."""
