"""One look at a database: what is asked, and which oid is which object."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from checks.catalog import acl
from checks.catalog.model import Catalog, Key, Object
from checks.catalog.outside import Role
from checks.catalog.types import Acl

Row = tuple[Any, ...]

# With pg_catalog alone in the path nothing that a user made can be taken for PostgreSQL's own, pg_temp last because it
# would be first otherwise; the rest decides how constants are printed.
SETTINGS = (
    "SET LOCAL search_path = pg_catalog, pg_temp",
    "SET LOCAL quote_all_identifiers = off",
    "SET LOCAL datestyle = 'ISO, YMD'",
    "SET LOCAL intervalstyle = postgres",
    "SET LOCAL timezone = 'UTC'",
    "SET LOCAL bytea_output = hex",
    "SET LOCAL extra_float_digits = 1",
    "SET LOCAL standard_conforming_strings = on",
    "SET LOCAL jit = off",
    "SET LOCAL enable_nestloop = off",  # all of a catalog is joined, and a young one has no statistics
)

RARE = (
    "pg_extension", "pg_collation", "pg_enum", "pg_policy", "pg_statistic_ext", "pg_event_trigger", "pg_cast",
    "pg_operator", "pg_opfamily", "pg_opclass", "pg_ts_dict", "pg_ts_config", "pg_ts_parser", "pg_ts_template",
    "pg_conversion", "pg_language", "pg_am", "pg_transform", "pg_publication", "pg_subscription",
    "pg_foreign_data_wrapper", "pg_foreign_server", "pg_default_acl", "pg_proc", "pg_type",
)  # fmt: skip
"""Catalogs that most databases add nothing to: planning a question to each takes longer than looking whether it is worth it."""

_PRESENT = "EXISTS (SELECT FROM {0} WHERE oid >= 16384)"


class Session:
    """What is known so far of the database under the eyes."""

    def __init__(self, connection: psycopg.Connection[Any], owner: str | None) -> None:
        self._cursor: psycopg.Cursor[Row] = psycopg.Cursor(connection)
        for setting in SETTINGS:
            self._cursor.execute(setting)
        row = self.ask(
            "SELECT current_setting('server_version_num')::int, pg_get_userbyid(datdba)::text, current_user::text,"
            " 'pg_class'::regclass::oid, 'pg_type'::regclass::oid, 'pg_proc'::regclass::oid, 'pg_constraint'::regclass::oid,"
            " 'pg_rewrite'::regclass::oid, 'pg_namespace'::regclass::oid, 'pg_extension'::regclass::oid,"
            " 'pg_attrdef'::regclass::oid FROM pg_database WHERE datname = current_database()"
        )[0]
        self.version: int = row[0]
        self.me: str = row[2]
        self.own_roles = {row[1], row[2], "pg_database_owner", owner or row[2]}
        (self.pg_class, self.pg_type, self.pg_proc, self.pg_constraint, self.pg_rewrite, self.pg_namespace,
         self.pg_extension, self.pg_attrdef) = row[3:]  # fmt: skip
        present = self.ask(f"SELECT {', '.join(_PRESENT.format(catalog) for catalog in RARE)}")[0]
        self._present: dict[str, bool] = dict(zip(RARE, present, strict=True))
        self.schemas: dict[int, str] = {}
        self.objects: dict[Key, Object] = {}
        self.roles: dict[str, Role] = {}
        self.keys: dict[tuple[int, int], Key] = {}
        self.relations: dict[int, tuple[str, str]] = {}
        self.columns: dict[tuple[int, int], str] = {}
        self.types: dict[tuple[int, int], tuple[str, int, str]] = {}
        self.collations: dict[int, str] = {0: ""}
        self.members: dict[tuple[int, int], int] = {}
        self.comments: dict[tuple[int, int, int], str] = {}
        self.expression_indexes: list[int] = []
        self.needs: dict[Key, set[Key]] = {}
        self.unread: list[str] = []

    def ask(self, query: str, **parameters: object) -> list[Row]:
        """Rows of a query; `%(schemas)s` stands for the schemas in view."""
        if "%(" in query:
            parameters.setdefault("schemas", list(self.schemas))
            return self._cursor.execute(query.encode(), parameters).fetchall()
        return self._cursor.execute(query.encode()).fetchall()

    def has(self, catalog: str) -> bool:
        """Something that a user made is in one of the catalogs of `RARE`."""
        return self._present[catalog]

    def add(self, found: Object, *identity: tuple[int, int]) -> None:
        """Keep an object, known by its class and oid."""
        self.objects[found.key] = found
        for each in identity:
            self.keys[each] = found.key

    def need(self, dependant: Key, needed: Key) -> None:
        """Note that one object cannot be without another."""
        if dependant != needed:
            self.needs.setdefault(dependant, set()).add(needed)

    def owner(self, role: str) -> str:
        """The owner as it is compared: the database's own role has no name."""
        return "" if role in self.own_roles else role

    def acl(self, items: Sequence[str] | None, kind: str, owner: str) -> Acl:
        """Privileges as they are compared."""
        return None if items is None else acl.normal(items, kind, owner, self.version)

    def comment(self, catalog: int, oid: int, sub: int = 0) -> str:
        """What COMMENT said."""
        return self.comments.get((catalog, oid, sub), "")

    def finish(self) -> Catalog:
        """All that was seen."""
        needs: Mapping[Key, frozenset[Key]] = {key: frozenset(needed) for key, needed in self.needs.items()}
        return Catalog(self.version, self.objects, needs, self.roles, tuple(self.unread))


def options(items: Sequence[str] | None) -> tuple[str, ...]:
    """`name=value` pairs in an order of their own."""
    return tuple(sorted(items)) if items else ()
