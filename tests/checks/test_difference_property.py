"""Random schemas and random edits: the difference arrives, whatever the two are."""

import contextlib
from collections.abc import Iterator
from random import Random

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.catalog import difference, dump, words
from tests.checks.catalog_states import arrive, state, undone

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


BASE = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE TABLE org (id int PRIMARY KEY, name text UNIQUE);
CREATE TABLE usr (id serial PRIMARY KEY, org_id int REFERENCES org, m mood DEFAULT 'ok', e email, data jsonb, l mood[] DEFAULT '{sad}');
CREATE INDEX usr_e ON usr (lower(e));
CREATE VIEW uv AS SELECT u.id, o.name, u.m FROM usr u JOIN org o ON o.id = u.org_id;
CREATE MATERIALIZED VIEW um AS SELECT m, count(*) AS n FROM uv GROUP BY m;
CREATE UNIQUE INDEX umi ON um (m);
CREATE POLICY up ON usr FOR SELECT USING (org_id = 1);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER ut BEFORE UPDATE ON usr FOR EACH ROW EXECUTE FUNCTION touch();
GRANT SELECT (id, name) ON org TO PUBLIC;
COMMENT ON COLUMN usr.data IS 'raw';
CREATE TABLE ev (id bigint GENERATED ALWAYS AS IDENTITY, at date NOT NULL, uid int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE ev24 PARTITION OF ev FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE INDEX ev_u ON ev (uid);
CREATE TABLE kid (note text) INHERITS (org);
"""
# What people do to such a schema; some of it undoes, or stands in the way of, other parts.
EDITS = (
    "ALTER TYPE mood RENAME TO feeling", "ALTER TYPE mood ADD VALUE 'happy' BEFORE 'ok'", "ALTER DOMAIN email DROP CONSTRAINT email_check",
    "DROP TYPE mood CASCADE; CREATE TYPE mood AS (a int)", "CREATE SCHEMA app; ALTER TYPE mood SET SCHEMA app", "DROP DOMAIN email CASCADE",
    "ALTER TABLE usr RENAME COLUMN e TO mail", "ALTER TABLE usr RENAME TO users", "CREATE SCHEMA app2; ALTER TABLE usr SET SCHEMA app2",
    "DROP TABLE kid, org CASCADE", "ALTER TABLE usr DROP COLUMN m CASCADE", "ALTER TABLE usr ADD COLUMN age int CHECK (age > 0)",
    "DROP VIEW uv CASCADE; CREATE VIEW uv AS SELECT id, m FROM usr; CREATE VIEW uvv AS SELECT * FROM uv", "ALTER TABLE usr ALTER e TYPE text",
    "DROP FUNCTION touch CASCADE", "ALTER TABLE ev DETACH PARTITION ev24", "DROP TABLE ev24", "ALTER TABLE ev ALTER uid TYPE bigint",
    "CREATE TABLE ev25 PARTITION OF ev FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')", "ALTER TABLE ev ADD CONSTRAINT evf FOREIGN KEY (uid) REFERENCES usr",
    "ALTER TABLE usr DROP CONSTRAINT usr_pkey CASCADE; ALTER TABLE usr ADD PRIMARY KEY (id, e)", "ALTER TABLE ev DROP CONSTRAINT ev_pkey; ALTER TABLE ev ALTER id DROP IDENTITY",
    "ALTER TABLE org RENAME CONSTRAINT org_name_key TO org_n", "ALTER INDEX usr_e RENAME TO ev_e", "ALTER TABLE org ALTER id TYPE bigint",
    "ALTER TABLE usr ALTER id DROP DEFAULT; DROP SEQUENCE usr_id_seq; ALTER TABLE usr ALTER id ADD GENERATED BY DEFAULT AS IDENTITY",
    "DROP INDEX umi; ALTER MATERIALIZED VIEW um RENAME TO um2", "ALTER POLICY up ON usr USING (true)", "ALTER TABLE usr ALTER data TYPE json USING data::json, ALTER data SET NOT NULL",
    "ALTER TABLE usr DISABLE TRIGGER ut; ALTER TABLE usr FORCE ROW LEVEL SECURITY", "ALTER TABLE usr ADD g text GENERATED ALWAYS AS (lower(e::text)) STORED",
    "CREATE FUNCTION q(mood) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'; CREATE INDEX qi ON usr (q(m)); ALTER TABLE usr ADD CONSTRAINT qc CHECK (q(m) > 0)",
    "CREATE PUBLICATION pb FOR TABLE usr (id, org_id)", "CREATE STATISTICS us ON org_id, m FROM usr", "ALTER TABLE usr SET UNLOGGED",
    "CREATE RULE rr AS ON DELETE TO org DO ALSO DELETE FROM usr WHERE org_id = OLD.id", "ALTER TABLE ev RENAME COLUMN uid TO user_id",
    "DROP INDEX ev_u; CREATE INDEX ev_u ON ONLY ev (uid, at)", "ALTER TABLE usr ADD CONSTRAINT ex EXCLUDE USING btree (org_id WITH =) WHERE (org_id > 5)",
    "ALTER TABLE kid NO INHERIT org", "ALTER TABLE kid NO INHERIT org; ALTER TABLE kid INHERIT org", "ALTER TABLE org ADD CONSTRAINT oc CHECK (id > 0)",
    "ALTER TABLE kid ADD CONSTRAINT oc CHECK (id > 0)", "ALTER TABLE org DROP COLUMN name CASCADE", "ALTER TABLE kid ALTER name SET NOT NULL, ALTER name SET DEFAULT 'k'",
    "ALTER TABLE usr ALTER e SET STORAGE EXTERNAL, ALTER e SET STATISTICS 9; ALTER TABLE usr SET (fillfactor = 80); ALTER TABLE usr REPLICA IDENTITY FULL",
    "COMMENT ON SEQUENCE ev_id_seq IS 'n'; GRANT USAGE ON SEQUENCE ev_id_seq TO PUBLIC", "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
)  # fmt: skip


def edited(session: psycopg.Connection, edits: list[str]) -> str:
    """The base with those edits that PostgreSQL lets one make, one after the other."""
    made = BASE
    with undone(session):
        session.execute(BASE.encode())
        for edit in edits:
            with contextlib.suppress(psycopg.Error), session.transaction():
                session.execute(edit.encode())
                made += f"{edit};\n"
    return made


def check(session: psycopg.Connection, a: str, b: str) -> None:
    """The difference arrives both in SQL and in text, and the dump tells apart what equality does."""
    before, after = state(session, a), state(session, b)
    same = difference.equal(before, after)
    assert same == (dump.text(before) == dump.text(after))
    assert same == (difference.unified(before, after) == "")
    assert same == (words.summary(before, after) == [])
    arrive(session, a, b)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(first=st.integers(0, 10**6), second=st.integers(0, 10**6))
def test_the_difference_of_two_random_schemas_arrives(one: psycopg.Connection, first: int, second: int) -> None:
    """Whatever they have in common."""
    check(one, Maker(Random(first)).make(), Maker(Random(second)).make())


@pytest.mark.long
@settings(max_examples=90, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(first=st.integers(0, 10**6), second=st.integers(0, 10**6))
def test_the_difference_of_many_random_schemas_arrives(one: psycopg.Connection, first: int, second: int) -> None:
    """The same, longer, and different every time."""
    check(one, Maker(Random(first)).make(), Maker(Random(second)).make())


_SOME = st.lists(st.sampled_from(EDITS), max_size=5, unique=True)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(first=_SOME, second=_SOME)
def test_the_difference_of_two_edited_schemas_arrives(
    one: psycopg.Connection, first: list[str], second: list[str]
) -> None:
    """Objects that hang on each other, changed, renamed, moved and dropped on either side."""
    check(one, edited(one, first), edited(one, second))


@pytest.mark.long
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(first=_SOME, second=_SOME)
def test_the_difference_of_many_edited_schemas_arrives(
    one: psycopg.Connection, first: list[str], second: list[str]
) -> None:
    """The same, longer, and different every time."""
    check(one, edited(one, first), edited(one, second))
