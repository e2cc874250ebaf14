"""Pairs of schemas that differ in little: the difference is told, and arrives, both ways."""

import psycopg
import pytest

from checks.catalog import difference, read, statements
from tests.checks.catalog_states import arrive, known_here, state

PARTED = "CREATE TABLE p (k int, v text) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);"
PARENT = "CREATE TABLE a (x int, y text, CONSTRAINT c CHECK (x > 0));"
TRIGGER = "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
NOT_NULL_ABOVE = "CREATE TABLE a (x int NOT NULL); CREATE TABLE b (y int) INHERITS (a)"
PAIRS = {
    "a column is inherited, or declared here too": (
        f"{PARENT} CREATE TABLE b (z int) INHERITS (a); CREATE INDEX bi ON b (x)",
        f"{PARENT} CREATE TABLE b (x int, z int) INHERITS (a); CREATE INDEX bi ON b (x)",
    ),
    "a check is inherited, or declared here too": (
        f"{PARENT} CREATE TABLE b (z int) INHERITS (a)",
        f"{PARENT} CREATE TABLE b (z int, CONSTRAINT c CHECK (x > 0)) INHERITS (a)",
    ),
    "a table inherits all its columns, or had them before": (
        f"{PARENT} CREATE TABLE b (z int) INHERITS (a); CREATE TABLE bb (q int) INHERITS (b)",
        f"{PARENT} CREATE TABLE b (x int, y text, z int); CREATE TABLE bb (x int, q int) INHERITS (b)",
    ),
    "a child keeps the column that its parent loses": (
        "CREATE TABLE a (x int, y text); CREATE TABLE b (x int NOT NULL, z int) INHERITS (a)",
        "CREATE TABLE a (y text); CREATE TABLE b (x int, z int) INHERITS (a)",
    ),
    "a child's column comes with its parent's, and must not be null": (
        "CREATE TABLE a (y text); CREATE TABLE b (z int) INHERITS (a)",
        "CREATE TABLE a (y text, x int); CREATE TABLE b (z int) INHERITS (a); ALTER TABLE b ALTER x SET NOT NULL, ALTER x SET DEFAULT 1",
    ),
    "a child keeps the NOT NULL that its parent loses": (
        NOT_NULL_ABOVE,
        "CREATE TABLE a (x int); CREATE TABLE b (y int) INHERITS (a); ALTER TABLE b ALTER x SET NOT NULL",
    ),
    "a partition has a check of its own, or its parent's": (
        f"{PARTED} ALTER TABLE p ADD CONSTRAINT c CHECK (k > 0)",
        f"{PARTED} ALTER TABLE p1 ADD CONSTRAINT c CHECK (k > 0)",
    ),
    "a partitioned index lacks a part": (
        f"{PARTED} CREATE INDEX pi ON p (v)",
        f"{PARTED} CREATE INDEX pi ON ONLY p (v)",
    ),
    "a part is not attached": (
        f"{PARTED} CREATE INDEX pi ON ONLY p (v); CREATE INDEX p1_v_idx ON p1 (v)",
        f"{PARTED} CREATE INDEX pi ON p (v)",
    ),
    "the last partition without a part goes": (
        f"{PARTED} CREATE INDEX pi ON ONLY p (v)",
        "CREATE TABLE p (k int, v text) PARTITION BY LIST (k); CREATE INDEX pi ON p (v)",
    ),
    "a key of a partitioned table lacks a part": (
        f"{PARTED} ALTER TABLE p ADD CONSTRAINT u UNIQUE (k)",
        f"{PARTED} ALTER TABLE ONLY p ADD CONSTRAINT u UNIQUE (k)",
    ),
    "partitions leave, and a key to a partitioned table goes": (
        f"{PARTED} ALTER TABLE p ADD UNIQUE (k); CREATE TABLE q (k int) PARTITION BY LIST (k); CREATE TABLE q1 PARTITION OF q FOR VALUES IN (1); ALTER TABLE q ADD CONSTRAINT f FOREIGN KEY (k) REFERENCES p (k)",
        "CREATE TABLE p1 (k int, v text); CREATE TABLE q1 (k int)",
    ),
    "a trigger is switched off in one partition": (
        f"{TRIGGER} {PARTED} CREATE TRIGGER g AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION tf()",
        f"{TRIGGER} {PARTED} CREATE TRIGGER g AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION tf(); ALTER TABLE p1 DISABLE TRIGGER g",
    ),
    "a partition computes a column in its own way": (
        "CREATE TABLE p (k int, g int GENERATED ALWAYS AS (1) STORED) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)",
        "CREATE TABLE p (k int, g int GENERATED ALWAYS AS (1) STORED) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p (g GENERATED ALWAYS AS (2) STORED) FOR VALUES IN (1)",
    ),
    "the sequence of an identity column is granted and commented on": (
        "CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY)",
        "CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY); GRANT USAGE ON SEQUENCE t_a_seq TO PUBLIC; COMMENT ON SEQUENCE t_a_seq IS 'counts'",
    ),
    "an operator family has a member of its own": (
        "CREATE OPERATOR FAMILY f USING btree",
        "CREATE OPERATOR FAMILY f USING btree; ALTER OPERATOR FAMILY f USING btree ADD OPERATOR 1 < (int4, int8), FUNCTION 1 (int4, int8) btint48cmp(int4, int8)",
    ),
    "an operator is another one under its class": tuple(
        "CREATE FUNCTION lt(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 < $2';"
        "CREATE FUNCTION cm(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 0';"
        f"CREATE OPERATOR <# (FUNCTION = lt, LEFTARG = int, RIGHTARG = int{more});"
        "CREATE OPERATOR CLASS oc FOR TYPE int USING btree AS OPERATOR 1 <#, FUNCTION 1 cm(int, int);"
        "CREATE TABLE t (a int); CREATE INDEX ti ON t (a oc)"
        for more in ("", ", RESTRICT = scalarltsel")
    ),
    "a distance orders": tuple(
        f"CREATE OPERATOR CLASS gp FOR TYPE point USING gist AS {order}FUNCTION 8 gist_point_distance (internal, point, smallint, oid, internal)"
        for order in ("", "OPERATOR 15 <-> (point, point) FOR ORDER BY float_ops, ")
    ),
    "a materialized view's column is counted closely": (
        "CREATE MATERIALIZED VIEW m AS SELECT 'x'::text AS a",
        "CREATE MATERIALIZED VIEW m AS SELECT 'x'::text AS a; ALTER MATERIALIZED VIEW m ALTER a SET STATISTICS 7, ALTER a SET STORAGE PLAIN",
    ),
    "a server has a comment, and its type is another": (
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE f (a int) SERVER s",
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s TYPE 'x' FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE f (a int) SERVER s; COMMENT ON SERVER s IS 's'",
    ),
    "a cast is needed by what is made with it": (
        "CREATE TYPE ct AS (x int); CREATE FUNCTION c2i(ct) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1.x'; CREATE CAST (ct AS int) WITH FUNCTION c2i(ct)",
        "CREATE TYPE ct AS (x int); CREATE FUNCTION c2i(ct) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1.x'; CREATE CAST (ct AS int) WITH FUNCTION c2i(ct) AS ASSIGNMENT; CREATE TABLE t (b int DEFAULT (ROW(1)::ct)::int)",
    ),
    "the type of a table gets a field": (
        "CREATE TYPE c AS (a int, b text); CREATE TABLE t OF c (PRIMARY KEY (a))",
        "CREATE TYPE c AS (a int, b text, d int); CREATE TABLE t OF c (PRIMARY KEY (a))",
    ),
    "a table takes the name of a type in use": (
        "CREATE TYPE c AS (a int); CREATE TABLE t (x c, y c[])",
        "CREATE TABLE c (a int); CREATE TABLE t (x c, y c[])",
    ),
    "an enum that a table is partitioned by loses a value": (
        "CREATE TYPE e AS ENUM ('a', 'b'); CREATE TYPE c AS (x e); CREATE TABLE t (x c); CREATE TABLE p (k e) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p FOR VALUES IN ('a')",
        "CREATE TYPE e AS ENUM ('a'); CREATE TYPE c AS (x e); CREATE TABLE t (x c); CREATE TABLE p (k e) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p FOR VALUES IN ('a')",
    ),
    "a published row filter goes with its column": (
        "CREATE TABLE t (a int PRIMARY KEY, b text); CREATE PUBLICATION p FOR TABLE t WHERE (a > 1)",
        "CREATE TABLE t (b text); CREATE PUBLICATION p FOR TABLE t",
    ),
    "a sequence moves to another table, which is unlogged": (
        "CREATE TABLE t (a serial)",
        "CREATE UNLOGGED TABLE u (a serial); ALTER SEQUENCE u_a_seq RENAME TO t_a_seq",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_what_differs_in_little_is_told_and_arrives(superuser: psycopg.Connection, name: str) -> None:
    """Both ways, and from nothing."""
    a, b = PAIRS[name]
    if not known_here(superuser, a, b):
        pytest.skip("this PostgreSQL does not know it")
    before, after = state(superuser, a), state(superuser, b)
    assert not difference.equal(before, after)
    assert difference.unified(before, after)
    arrive(superuser, a, b)
    arrive(superuser, b, a)
    arrive(superuser, "", a)
    arrive(superuser, "", b)


def test_rows_stay_in_a_table_that_becomes_a_child(superuser: psycopg.Connection) -> None:
    """Columns that it had are its parent's afterwards, with the values in them."""
    own = f"{PARENT} CREATE TABLE b (x int, y text, z int); INSERT INTO b VALUES (1, 'one', 10), (2, NULL, 20)"
    wanted = state(superuser, f"{PARENT} CREATE TABLE b (z int) INHERITS (a)")
    with superuser.transaction(force_rollback=True):
        superuser.execute(own)
        for statement in statements.sql(read.read(superuser), wanted):
            superuser.execute(statement.sql.encode())
        assert superuser.execute("SELECT x, y, z FROM a JOIN b USING (x, y) ORDER BY 1").fetchall() == [(1, "one", 10)]
        assert superuser.execute("SELECT x, y, z FROM b ORDER BY 1").fetchall() == [(1, "one", 10), (2, None, 20)]
