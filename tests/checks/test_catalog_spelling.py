"""What is spelled here instead of by PostgreSQL, because ten thousand questions take long, is spelled as PostgreSQL does."""

from dataclasses import FrozenInstanceError

import psycopg
import psycopg.sql
import pytest

from bot.branches.embedded import EmbeddedBranch
from checks import quick
from checks.catalog import read
from checks.catalog.tables import Column, Constraint, Index

KEYS = r"""
CREATE SCHEMA "Other ""one";
CREATE TABLE "Other ""one"."T" (a int, "select" int, UNIQUE (a, "select"), UNIQUE ("select"));
CREATE TABLE t (id int PRIMARY KEY, a int, "b\t\n\\" int, c int DEFAULT 7);
ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES t;
ALTER TABLE t ADD FOREIGN KEY (a, "b\t\n\\") REFERENCES "Other ""one"."T" (a, "select");
ALTER TABLE t ADD FOREIGN KEY ("b\t\n\\") REFERENCES "Other ""one"."T" ("select") ON UPDATE CASCADE ON DELETE SET NULL;
ALTER TABLE t ADD FOREIGN KEY (c) REFERENCES t ON DELETE SET DEFAULT ON UPDATE RESTRICT;
ALTER TABLE t ADD FOREIGN KEY (a, c) REFERENCES "Other ""one"."T" (a, "select") MATCH FULL;
ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES t DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES t NOT VALID;
CREATE TABLE parted (id int REFERENCES t ON DELETE CASCADE) PARTITION BY LIST (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
"""
SINCE = {
    150000: 'ALTER TABLE t ADD FOREIGN KEY (a, c) REFERENCES "Other ""one"."T" (a, "select") ON DELETE SET NULL (c)',
    180000: "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES t NOT ENFORCED",
}


def test_foreign_keys(branch: EmbeddedBranch) -> None:
    """Every form of them, and every name."""
    with branch.connect() as session:
        session.execute(KEYS.encode())
        for version, sql in SINCE.items():
            if branch.version >= version:
                session.execute(sql.encode())
        found = {each.name: each.definition for each in read.read(session) if isinstance(each, Constraint)}
        session.execute("SET search_path = pg_catalog")
        query = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND conrelid >= 16384"
        wanted = dict(session.execute(query).fetchall())
    assert {name: found.get(name) for name in wanted} == wanted
    assert len(wanted) == 8 + sum(branch.version >= version for version in SINCE)


def test_columns_of_any_name_and_kind(branch: EmbeddedBranch) -> None:
    """They come as lines of text, and a name may hold what ends a field, a line or an array."""
    names = ["plain", "tab\there", "line\nhere", "back\\slash", "\\N", '{a,"b"}', "", "ünï 🐘", "\x01\r\x7f"]
    names = [name for name in names if name]
    with branch.admin() as session:
        identifiers = [psycopg.sql.Identifier(name).as_string(session) for name in names]
        session.execute(f"CREATE TABLE t ({', '.join(f'{name} text' for name in identifiers)})".encode())
        session.execute(
            f"ALTER TABLE t ALTER {identifiers[1]} SET (n_distinct = -0.5, n_distinct_inherited = 3)".encode()
        )
        session.execute(f"ALTER TABLE t ALTER {identifiers[2]} SET STATISTICS 0".encode())
        session.execute("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w")
        session.execute(
            """CREATE FOREIGN TABLE f (a int OPTIONS (one '1,"2"', two 'x\\y\t}'), gone int, z numeric(9, 2)[]) SERVER s"""
        )
        session.execute('ALTER FOREIGN TABLE f DROP gone; CREATE ROLE "re,ader"; GRANT SELECT (a) ON f TO "re,ader"')
        catalog = read.read(session)
    columns = {each.name: each for each in catalog if isinstance(each, Column) and each.table == "t"}
    assert sorted(columns, key=lambda name: columns[name].position) == names
    assert columns["tab\there"].options == ("n_distinct=-0.5", "n_distinct_inherited=3")
    assert (columns["line\nhere"].statistics, columns["plain"].statistics) == (0, -1)
    foreign = {each.name: each for each in catalog if isinstance(each, Column) and each.table == "f"}
    assert foreign["a"].server_options == ('one=1,"2"', "two=x\\y\t}")
    assert foreign["a"].acl == ('"re,ader"=r',)
    assert (foreign["z"].type, foreign["z"].position) == ("numeric(9,2)[]", 3)


def test_a_question_that_fails_leaves_the_session_usable(
    branch: EmbeddedBranch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while lines of a COPY are still on their way."""
    with branch.connect() as session:
        session.execute("CREATE TABLE t (a int)")
        with monkeypatch.context() as broken:
            broken.setattr(read, "_FIRST", (read.columns.COLUMNS, "SELECT 1 / 0"))
            with pytest.raises(psycopg.errors.DivisionByZero):
                read.read(session)
        with monkeypatch.context() as broken:
            broken.setattr(read.types, "schemas", _fail)
            with pytest.raises(RuntimeError):
                read.read(session)
        assert len([each for each in read.read(session) if isinstance(each, Column)]) == 1


def _fail(*_: object) -> None:
    raise RuntimeError


def test_what_is_made_quickly_is_no_different() -> None:
    """It is equal to what the constructor makes, and as frozen."""
    index = quick.made(Index)("s", "n", "t", "CREATE INDEX", ("a",), clustered=True)
    assert index == Index("s", "n", "t", "CREATE INDEX", ("a",), clustered=True)
    assert (hash(index), type(index)) == (hash(Index("s", "n", "t", "CREATE INDEX", ("a",), clustered=True)), Index)
    with pytest.raises(FrozenInstanceError):
        index.name = "other"  # pyright: ignore[reportAttributeAccessIssue]
    make, rest = quick.parted(Index, "schema", "name")
    assert make("s", "n", tuple(getattr(index, name) for name in rest)) == index
