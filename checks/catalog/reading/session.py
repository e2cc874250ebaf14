"""One look at a database: what is asked, and which oid is which object."""

import re
import select
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result

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

_PRESENT = "SELECT " + ", ".join(f"EXISTS (SELECT FROM {catalog} WHERE oid >= 16384)" for catalog in RARE)  # noqa: S608 - as above

_SELF = """
SELECT current_setting('server_version_num')::int, pg_get_userbyid(datdba)::text, current_user::text,
       'pg_class'::regclass::oid, 'pg_type'::regclass::oid, 'pg_proc'::regclass::oid, 'pg_constraint'::regclass::oid,
       'pg_rewrite'::regclass::oid, 'pg_namespace'::regclass::oid, 'pg_extension'::regclass::oid, 'pg_attrdef'::regclass::oid
FROM pg_database WHERE datname = current_database()
"""


_OIDS = """
SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN unnest(%s::text[], %s::text[]) AS wanted (schema, name) ON wanted.schema = n.nspname AND wanted.name = c.relname
"""

_NEAR = re.compile(r"/\*near ([\w.:]+)\*/")
_TEXTS = 1009  # text[]
_ESCAPED = re.compile(r"\\(.)")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


_NONE: Mapping[int, tuple[str, object]] = {}


class Names:
    """The names of columns by their place, which is a relation and a number."""

    def __init__(self, columns: Mapping[int, Mapping[int, tuple[str, object]]]) -> None:
        self._columns = columns

    def only(self, relations: Collection[int]) -> None:
        """Forget those of relations that are not in view."""
        self._columns = {relid: names for relid, names in self._columns.items() if relid in relations}

    def of(self, relid: int) -> Mapping[int, tuple[str, object]]:
        """Number and name, with more that is known of each, of one relation's."""
        return self._columns.get(relid, _NONE)

    def get(self, place: tuple[int, int], otherwise: str = "") -> str:
        """The name there."""
        found = self._columns.get(place[0])
        return found[place[1]][0] if found is not None and place[1] in found else otherwise

    def __contains__(self, place: tuple[int, int]) -> bool:
        return place[1] in self._columns.get(place[0], ())

    def __getitem__(self, place: tuple[int, int]) -> str:
        return self._columns[place[0]][place[1]][0]


class Session:
    """What is known so far of the database under the eyes."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        owner: str | None,
        *first: str,
        near: Collection[tuple[str, str]] | None = None,
    ) -> None:
        self._connection = connection
        self._cursor: psycopg.Cursor[Row] = psycopg.Cursor(connection)
        self._asked: deque[str] = deque()
        self._answers: dict[str, list[Row]] = {}
        self._texts: dict[str, str] = {}
        self._encoding = "utf-8" if connection.info.encoding == "ascii" else connection.info.encoding
        self.schemas: dict[int, str] = {}
        self._cursor.execute(";".join(SETTINGS).encode())
        self._near = None if near is None else self._numbers(near)
        self.ahead(_SELF, _PRESENT, *first)
        row = self.ask(_SELF)[0]
        self.version: int = row[0]
        self.me: str = row[2]
        self.own_roles = {row[1], row[2], "pg_database_owner", owner or row[2]}
        (self.pg_class, self.pg_type, self.pg_proc, self.pg_constraint, self.pg_rewrite, self.pg_namespace,
         self.pg_extension, self.pg_attrdef) = row[3:]  # fmt: skip
        self._present: dict[str, bool] = dict(zip(RARE, self.ask(_PRESENT)[0], strict=True))
        self.objects: dict[Key, Object] = {}
        self.roles: dict[str, Role] = {}
        self.keys: dict[tuple[int, int], Key] = {}
        self.relations: dict[int, tuple[str, str]] = {}
        self.columns = Names({})
        self.collations: dict[int, str] = {0: ""}
        self.members: dict[tuple[int, int], int] = {}
        self.comments: dict[tuple[int, int, int], str] = {}
        self.expression_indexes: set[int] = set()
        self.needs: dict[Key, set[Key]] = {}
        self.unread: list[str] = []

    def _numbers(self, tables: Collection[tuple[str, str]]) -> list[int]:
        """The oids of tables."""
        rows = self._cursor.execute(_OIDS, ([each[0] for each in tables], [each[1] for each in tables])).fetchall()
        return [row[0] for row in rows]

    def ahead(self, *queries: str) -> None:
        """Put questions that `ask` will put: PostgreSQL answers them, in this order, while the answers before are worked on."""
        self._finish()
        self._asked.extend(queries)
        self._connection.pgconn.send_query(self.filled(";".join(queries)).encode())

    def ask(self, query: str, **numbers: Iterable[int]) -> list[Row]:
        """Rows of a query; `%(schemas)s` stands for the schemas in view, other names for `numbers`."""
        while query in self._asked:
            self._next()
        if query in self._answers:
            return self._answers.pop(query)
        self._finish()
        return self._cursor.execute(self.filled(query, **numbers).encode()).fetchall()

    def close(self) -> None:
        """Leave the connection as it was taken, also where something failed half-way."""
        self._asked.clear()
        self._finish()

    def _finish(self) -> None:
        """Keep the answers to all that was asked ahead."""
        while self._asked:
            self._next()
        while self._connection.pgconn.transaction_status == pq.TransactionStatus.ACTIVE:
            result = self._result()
            if result is not None and result.status == pq.ExecStatus.COPY_OUT:
                self._copied()

    def lines(self, query: str) -> tuple[list[str], bool]:
        """What a COPY that was asked ahead gives; and whether fields are to be `unescaped`."""
        while query in self._asked:
            self._next()
        text = self._texts.pop(query)
        return text.split("\n")[:-1], "\\" in text

    def array(self, field: str) -> list[str] | None:
        """An array of texts in a field of such a line."""
        loader = Transformer(self._connection).get_loader(_TEXTS, pq.Format.TEXT)
        return loader.load(unescaped(field).encode(self._encoding, "surrogateescape")) if field else None

    def _next(self) -> None:
        """Keep the answer to the question whose turn it is."""
        result = self._result()
        if result is not None and result.status == pq.ExecStatus.COPY_OUT:
            self._texts[self._asked[0]] = self._copied()
            result = self._result()
            if result is None or result.status != pq.ExecStatus.COMMAND_OK:
                raise _error(result)
        else:
            self._answers[self._asked[0]] = self._rows(result)
        self._asked.popleft()

    def _rows(self, result: pq.abc.PGresult | None) -> list[Row]:
        """They are many, so they are made at once and not one by one."""
        if result is None or result.status != pq.ExecStatus.TUPLES_OK:
            raise _error(result)
        loader = Transformer(self._connection)
        loader.set_pgresult(result)
        return loader.load_rows(0, result.ntuples, tuple)

    def _copied(self) -> str:
        wire = self._connection.pgconn
        found: list[memoryview] = []
        while True:
            got, data = wire.get_copy_data(1)
            if got > 0:
                found.append(data)
            elif got < 0:
                return b"".join(found).decode(self._encoding, "surrogateescape")
            else:
                select.select([wire.socket], [], [])
                wire.consume_input()

    def _result(self) -> pq.abc.PGresult | None:
        wire = self._connection.pgconn
        while (unsent := wire.flush()) or wire.is_busy():
            select.select([wire.socket], [wire.socket] if unsent else [], [])
            wire.consume_input()
        return wire.get_result()

    def filled(self, query: str, **numbers: Iterable[int]) -> str:
        """Only numbers that PostgreSQL gave are ever put into a query.

        `/*near COLUMN*/` says where a query is narrowed to a few tables, if that is asked for.
        """
        for name, values in {"schemas": self.schemas, **numbers}.items():
            query = query.replace(f"%({name})s", _listed(values))
        if (near := self._near) is not None:
            query = _NEAR.sub(lambda found: f"AND {found[1]} = ANY ({_listed(near)}::oid[])", query)
        return query

    def has(self, catalog: str) -> bool:
        """Something that a user made is in one of the catalogs of `RARE`."""
        return self._present[catalog]

    def add(self, found: Object, *identity: tuple[int, int]) -> None:
        """Keep an object, known by its class and oid."""
        key = found.key
        self.objects[key] = found
        for each in identity:
            self.keys[each] = key

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


def _listed(values: Iterable[int]) -> str:
    return f"'{{{','.join(map(str, map(int, values)))}}}'"


def options(items: Sequence[str] | None) -> tuple[str, ...]:
    """`name=value` pairs in an order of their own."""
    return tuple(sorted(items)) if items else ()


def unescaped(field: str) -> str:
    """A field as COPY writes it: https://www.postgresql.org/docs/18/sql-copy.html#SQL-COPY-FILE-FORMATS."""
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), field) if "\\" in field else field


def _error(result: pq.abc.PGresult | None) -> psycopg.Error:
    return error_from_result(result) if result is not None else psycopg.OperationalError("the session ended")
