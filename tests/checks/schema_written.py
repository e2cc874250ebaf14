"""A schema written as a text, and what of it is not known."""

from checks.schema.read import read
from checks.tree import Tree

BUILDERS = 'import { pgTable, pgEnum, integer, text, serial, index, check, pgView, pgSchema } from "drizzle-orm/pg-core";\nimport { sql } from "drizzle-orm";\n'


def lacks(source, **more):
    """What is unresolved in schema.ts: line, what, why."""
    files = {"schema.ts": source, **{name.replace("__", "/") + ".ts": text for name, text in more.items()}}
    schema = read(Tree.of(files), ["schema.ts"], format="v0")
    return [(lack.line, lack.what, lack.why) for lack in schema.unresolved], schema
