"""Chains that end in every way a chain can end; and how to make a chain of texts."""

import hashlib

from checks.drizzle import statements
from checks.drizzle.model import Chain, Format, Migration, Project, Transaction

BREAK = "\n--> statement-breakpoint\n"


def migration(number: int, text: str, format: Format = "v0", *, when: int | None = None) -> Migration:  # noqa: A002 - the project's word
    """The `number`th migration, `when` seconds after another."""
    at = 1_700_000_000_000 + number * 1000 if when is None else when
    tag = f"{number:04d}_step" if format == "v0" else f"{20231114221320 + number}_step"
    path = f"drizzle/{tag}.sql" if format == "v0" else f"drizzle/{tag}/migration.sql"
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Migration(tag, path, at, number if format == "v0" else None, digest, text, statements.pieces(text))


def chain(
    *texts: str,
    format: Format = "v0",  # noqa: A002 - the project's word
    transaction: Transaction = "one",
    migrator: str = "node-postgres",
) -> Chain:
    """A chain of texts, one second apart."""
    project = Project(root="", format=format, migrations_dir="drizzle", migrator=migrator, transaction=transaction)
    return Chain(project, tuple(migration(n, text, format) for n, text in enumerate(texts)), ())


T = "create table t(id int primary key, a text)"
ENDINGS: dict[str, tuple[str, ...]] = {
    "plain": (T, "alter table t add column b int" + BREAK + "create index on t(b)"),
    "fails in the middle": (T, "alter table t add column b int" + BREAK + "select 1/0" + BREAK + "create table u()"),
    "fails in the second file": (T, "create table u()", "alter table nope add x int"),
    "commits and goes on": (T, "COMMIT;" + BREAK + "create index concurrently i on t(a)" + BREAK + "create table u()"),
    "commits and fails": (T, "COMMIT;" + BREAK + "create table u()" + BREAK + "create table u()", "create table w()"),
    "commits, next file fails": (T + BREAK + "COMMIT", "create table u()" + BREAK + "select 1/0"),
    "begins and commits in one chunk": (T, "BEGIN; create table u(); COMMIT;", "create table w()"),
    "begins and commits in one chunk, then fails": (T, "BEGIN; create table u(); COMMIT;", "create table u()"),
    "begins again after its commit": (T, "COMMIT; BEGIN; create table u();", "create table w()"),
    "begins again and fails": (T, "COMMIT; BEGIN; create table u();", "select 1/0"),
    "rolls back and goes on": (T, "create table u()" + BREAK + "ROLLBACK" + BREAK + "create table w()"),
    "rolls back to a savepoint": (T, "savepoint a; create table u(); rollback to a; create table w();"),
    "a savepoint after its commit": (T + BREAK + "commit", "create table u(); savepoint a; create table w();"),
    "an implicit transaction fails": (T + BREAK + "commit", "create table u(); select 1/0; create table w();"),
    "an implicit transaction commits": (T + BREAK + "commit", "create table u(); commit; create table w(); select 1/0;"),
    "an implicit transaction becomes a regular one": (T + BREAK + "commit", "create table u(); begin; create table w();", "select 1/0"),
    "rolls an implicit transaction back": (T + BREAK + "commit", "create table u(); rollback; create table w();"),
    "a syntax error at the end of a chunk that commits": (T, "create table u(); commit; create tabel w();"),
    "concurrently in the transaction": (T, "create index concurrently i on t(a)"),
    "concurrently among others": (T + BREAK + "commit", "create table u(); create index concurrently i on t(a);"),
    "a new value used at once": ("create type e as enum ('a')" + BREAK + "commit; begin;", "alter type e add value 'b'", "create table t(e e default 'b')"),
    "a new value used after a commit": ("create type e as enum ('a')", "alter type e add value 'b'" + BREAK + "commit", "create table t(e e default 'b')"),
    "settings live on": ("create schema s" + BREAK + "set search_path = s", T, "create table u()"),
    "local settings": ("create schema s" + BREAK + "set local search_path = s", T + BREAK + "commit", "create table u()"),
    "a deferred check": (
        T + BREAK + "create table u(t int references t deferrable initially deferred)" + BREAK + "insert into u values (7)",
        "create table w()",
    ),
    "copies from nowhere": (T, "copy t from stdin"),
    "copies to nowhere": (T, "insert into t values (1, 'x'); copy t to stdout; create table u();"),
    "says nothing": (T, "-- nothing here" + BREAK, "create table u()"),
    "code that traps its error": (T, "do $$ begin perform 1/0; exception when others then create table u(); end $$"),
    "locks after its commit": (T + BREAK + "commit", "lock table t"),
    "locks in a chunk": (T + BREAK + "commit", "lock table t; create table u();"),
    "a command of psql": (T, "\\restrict abc\ncreate table u()"),
    "isolation first": ("set transaction isolation level serializable" + BREAK + T, "create table u()"),
    "isolation late": (T + BREAK + "set transaction isolation level serializable", "create table u()"),
    "a procedure that commits": (
        T + BREAK + "create procedure p() language plpgsql as $$ begin create table u(); commit; create table w(); end $$",
        "call p()",
    ),
    "a procedure that commits outside": (
        T + BREAK + "create procedure p() language plpgsql as $$ begin create table u(); commit; create table w(); end $$" + BREAK + "commit",
        "call p()",
    ),
    "discards all": (T + BREAK + "commit" + BREAK + "discard all", "create table u()"),
    "deallocates all": (T + BREAK + "deallocate all", "alter table t add column b int"),
    "quits the role": (T + BREAK + "create role r" + BREAK + "set role r", "create table u()"),
    "prepares": (T + BREAK + "prepare q as insert into t values (5, 'x')", "execute q" + BREAK + "create table u()"),
    "commits and chains": (T + BREAK + "commit and chain", "create table u()", "select 1/0"),
    "commits after an error is trapped": (T, "create table u(); commit; commit; create table w();"),
    "times out": (T, "set statement_timeout = '20ms'" + BREAK + "alter table t add column b int" + BREAK + "select pg_sleep(5)"),
}  # fmt: skip
