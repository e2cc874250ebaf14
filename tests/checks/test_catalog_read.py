"""Reading a schema from pg_catalog."""

import psycopg
import pytest

from bot.branches.embedded import EmbeddedBranch
from checks.catalog import difference, dump, read
from checks.catalog.tables import Column, Constraint, Default, Table
from tests.checks.catalog_states import state, undone

ONE_OF_EACH = """
CREATE EXTENSION citext; CREATE SCHEMA s; COMMENT ON SCHEMA s IS 'hi';
CREATE TYPE s.color AS ENUM ('red', 'green');
CREATE DOMAIN d AS text DEFAULT 'x' CHECK (VALUE <> '');
CREATE TYPE comp AS (a int, b text COLLATE "C"); CREATE TYPE fr AS RANGE (subtype = float8);
CREATE SEQUENCE sq AS int CYCLE;
CREATE FUNCTION f(a int, b text DEFAULT 'x') RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT a $$;
CREATE TABLE t (id serial PRIMARY KEY, c s.color DEFAULT 'red', e citext NOT NULL UNIQUE, i int GENERATED ALWAYS AS IDENTITY,
                g int GENERATED ALWAYS AS (f(1)) STORED, n numeric(10,2) CHECK (n > 0));
CREATE INDEX ON t (lower(e)) WHERE n > 0;
CREATE VIEW v AS SELECT id, c, e FROM t; CREATE MATERIALIZED VIEW mv AS SELECT * FROM v;
CREATE TABLE p (a int, b text, PRIMARY KEY (a, b)) PARTITION BY RANGE (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (10);
CREATE TABLE fk (t_id int REFERENCES t (id) ON DELETE CASCADE);
COMMENT ON COLUMN t.id IS 'the id'; GRANT SELECT (id) ON t TO PUBLIC; GRANT ALL ON t TO PUBLIC;
ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY po ON t FOR SELECT USING (n > 0);
CREATE TRIGGER tr BEFORE UPDATE OF n ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE AGGREGATE ag (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE PUBLICATION pub FOR TABLE {published}; CREATE STATISTICS st ON id, c FROM t;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC;
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq); CREATE CAST (comp AS text) WITH INOUT;
CREATE TEXT SEARCH CONFIGURATION tc (COPY = english); CREATE RULE ru AS ON INSERT TO fk DO ALSO NOTHING;
"""


def one_of_each(version: int) -> str:
    """The same, as a server of that version knows it: a publication of some columns came with 15."""
    return ONE_OF_EACH.replace("{published}", "t (id, c), TABLE p" if version >= 150000 else "t, p")


def test_every_kind_of_object_is_an_object_of_the_catalog(one: psycopg.Connection) -> None:
    """Each kind has its place, and what PostgreSQL makes by itself for another object has none."""
    catalog = state(one, one_of_each(one.info.server_version))
    kinds = {key[0] for key in catalog.objects}
    assert kinds == {
        "schema", "extension", "type", "domain check", "sequence", "function", "table", "column", "default", "constraint",
        "index", "view", "policy", "trigger", "rule", "publication", "statistics", "default privileges", "operator", "cast",
        "text search configuration",
    }  # fmt: skip
    assert ("sequence", "public", "t_i_seq") not in catalog.objects  # the identity column's own
    column = catalog.objects["column", "public", "t", "i"]
    assert isinstance(column, Column)
    assert column.identity is not None
    assert column.identity.always


def test_the_order_of_columns_makes_no_difference_and_no_text() -> None:
    """Two catalogs are equal exactly where their dumps are."""
    first = Column("public", "t", "a", "integer", "", "", "", "", None, "", "", -1, (), (), inherited=False, position=1)
    second = Column(
        "public", "t", "a", "integer", "", "", "", "", None, "", "", -1, (), (), inherited=False, position=2
    )
    assert first == second


def test_equal_catalogs_have_equal_dumps(one: psycopg.Connection) -> None:
    """The dump is canonical."""
    a = state(one, "CREATE TABLE t (a int, b text NOT NULL DEFAULT 'x'); CREATE STATISTICS st ON a, b FROM t")
    b = state(one, "CREATE TABLE t (b text NOT NULL DEFAULT 'x', a int); CREATE STATISTICS st ON b, a FROM t")
    assert difference.equal(a, b)
    assert dump.text(a) == dump.text(b)
    assert difference.unified(a, b) == ""


@pytest.mark.parametrize("autocommit", [True, False])
def test_nothing_of_the_session_is_changed(branch: EmbeddedBranch, *, autocommit: bool) -> None:
    """Reading leaves settings and transaction as they were, also in the middle of a transaction."""
    with branch.connect(autocommit=autocommit) as session:
        session.execute("CREATE TABLE t (at timestamptz DEFAULT '2024-01-01 00:00+00')")
        session.execute("SET search_path = public; SET timezone = 'Europe/Berlin'; SET datestyle = 'German'")
        catalog = read.read(session)
        settings = session.execute(
            "SELECT current_setting('search_path'), current_setting('timezone'), current_setting('datestyle')"
        ).fetchone()
        assert settings == ("public", "Europe/Berlin", "German, DMY")
        default = catalog.objects["default", "public", "t", "at"]
        assert isinstance(default, Default)
        assert default.expression == "'2024-01-01 00:00:00+00'::timestamp with time zone"
        assert isinstance(catalog.objects["table", "public", "t"], Table)


def test_functions_that_look_like_those_of_the_catalog_are_not_run(branch: EmbeddedBranch) -> None:
    """Overloads in public, an operator, and a temporary pg_class are not seen, whatever the session's path is."""
    with branch.connect() as session:
        session.execute(
            """
            CREATE TABLE spy (seen text);
            CREATE FUNCTION public.format_type(oid, bigint) RETURNS text LANGUAGE sql AS $$ INSERT INTO public.spy VALUES ('x') RETURNING seen $$;
            CREATE FUNCTION public.pg_get_expr(anyelement, oid) RETURNS text LANGUAGE sql AS $$ INSERT INTO public.spy VALUES ('x') RETURNING seen $$;
            CREATE FUNCTION public.same(oid, oid) RETURNS bool LANGUAGE sql AS $$ INSERT INTO public.spy VALUES ('x') RETURNING true $$;
            CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = public.same);
            CREATE TEMP TABLE pg_class (oid oid); CREATE TEMP VIEW pg_namespace AS SELECT 1 AS oid;
            SET search_path = public, pg_temp, pg_catalog
            """
        )
        catalog = read.read(session)
        assert session.execute("SELECT count(*) FROM public.spy").fetchone() == (0,)
        assert ("table", "public", "spy") in catalog.objects
        assert ("table", "public", "pg_class") not in catalog.objects


def test_what_is_to_be_ignored_is_not_there(one: psycopg.Connection) -> None:
    """A schema, or one table with its columns, indexes and sequence."""
    with undone(one):
        one.execute(
            "CREATE SCHEMA drizzle; CREATE TABLE drizzle.__m (id serial PRIMARY KEY, h text); CREATE TABLE drizzle.other (a int)"
        )
        assert not [key for key in read.read(one, ignore=["drizzle"]).objects if "drizzle" in key]
        left = {key for key in read.read(one, ignore=["drizzle.__m"]).objects if "drizzle" in key}
        assert left == {("schema", "drizzle"), ("table", "drizzle", "other"), ("column", "drizzle", "other", "a")}


def test_not_null_is_a_property_of_the_column_on_every_version(one: psycopg.Connection) -> None:
    """PostgreSQL 18 keeps NOT NULL as a constraint; only one that is not valid, or not inherited, is told apart."""
    catalog = state(one, "CREATE TABLE t (a int CONSTRAINT mine NOT NULL, b int NOT NULL, c int PRIMARY KEY)")
    constraints = [each.name for each in catalog if isinstance(each, Constraint)]
    assert constraints == ["t_pkey"]
    nulls = {each.name: each.not_null for each in catalog if isinstance(each, Column)}
    assert nulls == {"a": "yes", "b": "yes", "c": "yes"}


def test_a_reader_without_rights_reads_the_same(branch: EmbeddedBranch) -> None:
    """Who may log in may look; the owner, named, is not in the catalog."""
    with branch.connect() as session:
        session.execute("CREATE TABLE t (a int)")
        own = read.read(session)
        session.execute("CREATE ROLE reader")
        session.execute("GRANT reader TO CURRENT_USER")
        session.execute("SET ROLE reader")
        theirs = read.read(session, owner="bulletproof")
    assert difference.equal(own, theirs)


def test_what_is_stored_alike_is_told_in_each_tables_own_words(one: psycopg.Connection) -> None:
    """Generated columns read the second column of their tables, whatever its name is; a default needs no table."""
    catalog = state(
        one,
        """
        CREATE TABLE t (id int DEFAULT 7, b int, g int GENERATED ALWAYS AS (b * 2) STORED);
        CREATE TABLE u (id int DEFAULT 7, other int, g int GENERATED ALWAYS AS (other * 2) STORED);
        CREATE VIEW v AS SELECT id FROM u; ALTER VIEW v ALTER COLUMN id SET DEFAULT 7;
        """,
    )
    spelt = {each.key[2:]: each.expression for each in catalog if isinstance(each, Column) and each.generated}
    assert spelt == {("t", "g"): "(b * 2)", ("u", "g"): "(other * 2)"}
    usual = {each.key[2:]: (each.expression, each.of_view) for each in catalog if isinstance(each, Default)}
    assert usual == {("t", "id"): ("7", False), ("u", "id"): ("7", False), ("v", "id"): ("7", True)}
    assert catalog.needs["column", "public", "u", "g"] == {("column", "public", "u", "other")}


def test_what_columns_share_does_not_hide_what_is_one_columns_own(one: psycopg.Connection) -> None:
    """Of columns that are alike one has a comment, one a grant, one was dropped; the others stay as they are, in their order."""
    catalog = state(
        one,
        """
        CREATE TABLE t (a text, b text, c text, d text); CREATE TABLE u (a text, b text);
        ALTER TABLE t DROP COLUMN b; COMMENT ON COLUMN t.c IS 'mine'; GRANT SELECT (d) ON t TO PUBLIC;
        """,
    )
    columns = [each for each in catalog if isinstance(each, Column)]
    assert [(c.table, c.name, c.position) for c in columns] == [
        ("t", "a", 1),
        ("t", "c", 3),
        ("t", "d", 4),
        ("u", "a", 1),
        ("u", "b", 2),
    ]
    assert {c.key[2:]: c.comment for c in columns if c.comment} == {("t", "c"): "mine"}
    assert {c.key[2:]: c.acl for c in columns if c.acl} == {("t", "d"): ("PUBLIC=r",)}


def test_a_reading_that_fails_leaves_the_session_as_it_was(branch: EmbeddedBranch) -> None:
    """The questions are put together; what is still on its way when one is refused is nobody's answer later."""
    with branch.connect() as session, branch.connect(autocommit=False) as other:
        session.execute("CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t")
        other.execute("LOCK TABLE v IN ACCESS EXCLUSIVE MODE")
        session.execute("SET lock_timeout = '20ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            read.read(session)
        assert session.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert session.execute("SELECT 1").fetchone() == (1,)
        other.rollback()
        assert ("view", "public", "v") in read.read(session).objects
