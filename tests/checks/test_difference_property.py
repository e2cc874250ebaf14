"""Random schemas and random edits: the difference arrives, whatever the two are."""

from collections.abc import Iterator
from random import Random

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.branches.embedded import Embedded
from checks.catalog import difference, dump, words
from tests.checks.catalog_states import arrive, state

VALUES = {
    "integer": "1", "bigint": "2", "text": "'x'", "varchar(10)": "'y'", "numeric(8,2)": "3.5", "timestamptz": "now()",
    "uuid": "'00000000-0000-0000-0000-000000000001'", "jsonb": "'{}'", "boolean": "true", "integer[]": "'{1}'",
    "date": "CURRENT_DATE",
}  # fmt: skip
FUNCTIONS = (
    "CREATE FUNCTION f(a integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT a + 1'",
    "CREATE FUNCTION f(a integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT a + 2'",
    "CREATE FUNCTION f(b integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN b; END'",
    "CREATE FUNCTION f(a integer) RETURNS bigint IMMUTABLE LANGUAGE sql BEGIN ATOMIC SELECT a::bigint; END",
)


class Maker:
    """Writes the SQL of a random schema; names are few, so that two schemas have much in common."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.sql: list[str] = []
        self.types = dict(VALUES)
        self.schema = self.pick('"S é"', "public")
        self.function = ""
        self.tables: dict[int, tuple[str, dict[str, str]]] = {}

    def pick(self, *choices: str) -> str:
        """One of them."""
        return self.random.choice(choices)

    def maybe(self, chance: float) -> bool:
        """True as often as `chance` says."""
        return self.random.random() < chance

    def make(self) -> str:
        """The whole schema."""
        if self.schema != "public":
            self.sql.append(f"CREATE SCHEMA {self.schema}")
        self.sql += self._types()
        if self.maybe(0.6):
            self.function = "f"
            self.sql.append(self.pick(*FUNCTIONS))
        for number in range(3):
            if self.maybe(0.8):
                self.sql += self._table(number)
        self.sql += self._foreign_keys()
        self.sql += self._views()
        if self.maybe(0.5):
            self.sql += self._partitions()
        if self.maybe(0.3):
            self.sql += self._family()
        if self.maybe(0.3):
            self.sql.append(
                f"CREATE SEQUENCE sq AS {self.pick('integer', 'bigint')} INCREMENT {self.pick('1', '2', '-1')}"
            )
        return ";\n".join(self.sql)

    def _types(self) -> Iterator[str]:
        for name in ("mood", f'{self.schema}."E 1"'):
            if self.maybe(0.6):
                labels = self.random.sample(["'a'", "'b'", "'c'", "'d'"], self.random.randint(1, 4))
                self.types[name] = labels[0]
                self.types[f"{name}[]"] = "'{}'"
                yield f"CREATE TYPE {name} AS ENUM ({', '.join(labels)})"
        if self.maybe(0.5):
            self.types["dom"] = "'1'"
            check = self.pick("", "CHECK (VALUE IS NOT NULL)", "CONSTRAINT dc CHECK (VALUE::text <> 'q')")
            yield f"CREATE DOMAIN dom AS {self.pick('text', 'integer', 'varchar(20)')} {check}"

    def _table(self, number: int) -> Iterator[str]:  # noqa: C901 - one chance after the other
        name = f'{self.schema if number == 2 else "public"}."T{number}"'
        columns: dict[str, str] = {}
        lines: list[str] = []
        for column in ("c0", "c1", "c2", "c3"):
            if self.maybe(0.8):
                columns[column] = self.pick("integer", "bigint") if column == "c0" else self.pick(*self.types)
                lines.append(
                    f"{column} {columns[column]} {self._extra(column, columns[column])} {self.pick('', '', 'NOT NULL')}"
                )
        if "c0" in columns and self.maybe(0.4):
            columns["g"] = "generated"
            lines.append(f"g bigint GENERATED ALWAYS AS (c0 * {self.pick('1', '2')}) STORED")
        if self.maybe(0.3):
            self.random.shuffle(lines)
        if "c0" in columns:
            lines += [
                self.pick(
                    f"CONSTRAINT pk{number} PRIMARY KEY (c0)", f"CONSTRAINT uq{number} UNIQUE (c0)", "CHECK (c0 > 0)"
                )
            ]
        yield f"CREATE {self.pick('', '', '', 'UNLOGGED ')}TABLE {name} ({', '.join(lines)}) {self.pick('', 'WITH (fillfactor = 70)')}"
        self.tables[number] = (name, columns)
        for column, kind in columns.items():
            if kind != "jsonb" and self.maybe(0.3):
                yield f"CREATE INDEX ix{number}{column} ON {name} ({column} {self.pick('', 'DESC')}) {self.pick('', f'WHERE {column} IS NOT NULL')}"
            if kind == "text" and self.maybe(0.3):
                yield f"CREATE INDEX le{number}{column} ON {name} (lower({column}))"
            if self.maybe(0.2):
                yield f"COMMENT ON COLUMN {name}.{column} IS {self.pick(repr('one'), repr('two'))}"
        if "c0" in columns and self.maybe(0.3):
            yield f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"
            yield f"CREATE POLICY pol ON {name} FOR {self.pick('ALL', 'SELECT')} USING (c0 > {self.pick('0', '1')})"
        if self.maybe(0.2):
            of = self.pick("", "OF c0") if "c0" in columns else ""
            yield f"CREATE TRIGGER trg BEFORE UPDATE {of} ON {name} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"
        if self.maybe(0.2):
            yield f"GRANT {self.pick('SELECT', 'ALL')} ON {name} TO PUBLIC"

    def _extra(self, column: str, kind: str) -> str:
        if column == "c0" and self.maybe(0.4):
            return self.pick("GENERATED ALWAYS AS IDENTITY", "GENERATED BY DEFAULT AS IDENTITY (START 5 INCREMENT 2)")
        if kind == "integer" and self.function and self.maybe(0.3):
            return "DEFAULT f(3)"
        return f"DEFAULT {self.types[kind]}" if self.maybe(0.4) else ""

    def _foreign_keys(self) -> Iterator[str]:
        if any("pk0 " in line for line in self.sql):
            for number in (1, 2):
                if number in self.tables and "c0" in self.tables[number][1] and self.maybe(0.6):
                    action = self.pick("", "ON DELETE CASCADE", "DEFERRABLE")
                    if not any("UNLOGGED" in line for line in self.sql):
                        yield f'ALTER TABLE {self.tables[number][0]} ADD CONSTRAINT fk{number} FOREIGN KEY (c0) REFERENCES "T0" (c0) {action}'

    def _views(self) -> Iterator[str]:
        made: list[tuple[str, str]] = []
        for number, (name, columns) in self.tables.items():
            if columns and self.maybe(0.5):
                chosen = [column for column in columns if self.maybe(0.7)] or list(columns)[:1]
                kind = self.pick("VIEW", "VIEW", "MATERIALIZED VIEW")
                yield f"CREATE {kind} v{number} AS SELECT {', '.join(chosen)} FROM {name}"
                made.append((f"v{number}", chosen[0]))
                if self.maybe(0.3):
                    yield f"GRANT SELECT ON v{number} TO PUBLIC; COMMENT ON {kind} v{number} IS 'v'"
        if made and self.maybe(0.6):
            view, column = self.random.choice(made)
            yield f"CREATE VIEW w AS SELECT count(*) AS n, max({column}::text) AS m FROM {view}"

    def _partitions(self) -> Iterator[str]:
        key = self.pick(", PRIMARY KEY (k)", "", ", x bigint")
        yield f"CREATE TABLE p (k integer NOT NULL, v text {self.pick('', 'NOT NULL', 'DEFAULT 1')} {key}) PARTITION BY RANGE (k)"
        for number in range(2):
            if self.maybe(0.7):
                yield f"CREATE TABLE p{number} PARTITION OF p FOR VALUES FROM ({number}) TO ({number + 1})"
            elif self.maybe(0.5):
                yield f"CREATE TABLE p{number} (k integer NOT NULL, v text)"
        yield from (
            line
            for line in (
                "CREATE INDEX pix ON p (v)",
                "CREATE UNIQUE INDEX pux ON p (k)",
                "ALTER TABLE p ADD CONSTRAINT pck CHECK (k >= 0)",
            )
            if self.maybe(0.4)
        )

    def _family(self) -> Iterator[str]:
        yield "CREATE TABLE parent (id integer, a text)"
        if self.maybe(0.6):
            yield "CREATE TABLE child (b integer) INHERITS (parent)"
        yield from (
            line
            for line in (
                "ALTER TABLE parent ADD CONSTRAINT pa CHECK (id > 0)",
                "ALTER TABLE parent ALTER a SET DEFAULT 'z'",
            )
            if self.maybe(0.4)
        )


@pytest.fixture(scope="module")
def one(branches: Embedded):
    """A branch that all examples share, each undoing what it does."""
    with branches.branch(seconds=280) as branch, branch.connect() as session:
        session.execute("SET client_min_messages = error")
        yield session


def check(session: psycopg.Connection, a: str, b: str) -> None:
    """The difference arrives both in SQL and in text, and the dump tells apart what equality does."""
    before, after = state(session, a), state(session, b)
    same = difference.equal(before, after)
    assert same == (dump.text(before) == dump.text(after))
    assert same == (difference.unified(before, after) == "")
    assert same == (words.summary(before, after) == [])
    arrive(session, a, b)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(first=st.integers(0, 10**6), second=st.integers(0, 10**6))
def test_the_difference_of_two_random_schemas_arrives(one: psycopg.Connection, first: int, second: int) -> None:
    """Whatever they have in common."""
    check(one, Maker(Random(first)).make(), Maker(Random(second)).make())


@pytest.mark.long
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(first=st.integers(0, 10**6), second=st.integers(0, 10**6))
def test_the_difference_of_many_random_schemas_arrives(one: psycopg.Connection, first: int, second: int) -> None:
    """The same, longer, and different every time."""
    check(one, Maker(Random(first)).make(), Maker(Random(second)).make())
