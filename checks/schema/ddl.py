"""The DDL of a whole schema, statement for statement as drizzle-kit writes it from nothing."""

from checks.schema import ddl_v0, ddl_v1
from checks.schema.model import Schema


def statements(schema: Schema) -> list[str]:
    """All statements, in the order in which they can be run."""
    return (ddl_v1 if schema.format == "v1" else ddl_v0).statements(schema)
