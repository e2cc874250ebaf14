"""The statements that make a database as a snapshot describes it, for where the chain itself cannot be run."""

import re
from collections.abc import Iterator

from checks.drizzle import snapshot_schema
from checks.drizzle.model import Chain, Snapshot
from checks.schema import ddl as schema_ddl
from checks.schema.model import Schema
from checks.witnesses import grammar

_EXTENSION = re.compile(r"create\s+extension\b", re.IGNORECASE)
_ROLE = re.compile(r'CREATE ROLE "((?:[^"]|"")*)"')


def ddl(chain: Chain, snapshot: Snapshot) -> list[str]:
    """Statements for an empty database, in an order in which they run.

    Extensions are in no snapshot: they are those that the chain creates. What else hand-written SQL made (functions,
    triggers, domains) no snapshot knows, and a default that calls it fails.

    Raises:
        Unreconstructable: the snapshot is damaged, or (v1) one that it builds on is missing.
    """
    return of_schema(chain, snapshot_schema.of(chain, snapshot))


def of_schema(chain: Chain, schema: Schema) -> list[str]:
    """Statements that make a schema on an empty database that is like the one of the chain: with its extensions."""
    made = [
        statement.removesuffix("\n").replace(" INDEX CONCURRENTLY ", " INDEX ")
        for statement in schema_ddl.statements(schema)
    ]
    return [*_extensions(chain), *(_forgiving(statement) for statement in made)]


def _extensions(chain: Chain) -> Iterator[str]:
    """The extensions of the chain, each once."""
    seen: set[str] = set()
    for migration in chain.migrations:
        if "extension" not in migration.text.lower():
            continue
        for statement in migration.statements:
            if not _EXTENSION.match(statement.sql):
                continue
            tree = grammar.parse(statement.sql)
            name = tree.node.get("extname", "") if tree.node is not None else ""
            if name and name not in seen:
                seen.add(name)
                yield f'CREATE EXTENSION IF NOT EXISTS "{name}" CASCADE;'


def _forgiving(statement: str) -> str:
    """Schemas and roles may be there already: a platform's, or the cluster's."""
    if statement.startswith("CREATE SCHEMA "):
        return statement.replace("CREATE SCHEMA ", "CREATE SCHEMA IF NOT EXISTS ", 1)
    if (role := _ROLE.match(statement)) is None:
        return statement
    statement = statement.replace("CREATEDB", "").replace(" WITH ;", ";")  # the branch role has it not to give
    name = role[1].replace('""', '"').replace("'", "''")
    return f"DO $role$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN {statement} END IF; END $role$;"
