"""What two open pull requests claim, and whether it collides: PostgreSQL runs both, in both orders, and is right."""

import itertools
from collections.abc import Sequence
from functools import cache

import psycopg

from checks import claims, rivals
from checks.rivals import Claim
from tests.checks.drizzle_samples import Story, planned

BASE = """
CREATE TYPE mood AS ENUM ('fine');
CREATE TABLE users (id int PRIMARY KEY, name text, age int);
CREATE TABLE orders (id int PRIMARY KEY, user_id int, total int, CONSTRAINT positive CHECK (total > 0));
CREATE INDEX orders_total ON orders (total);
"""
DEEDS = [
    'CREATE TABLE "tags" ("id" int)',
    'CREATE TABLE IF NOT EXISTS "tags" ("id" int)',
    'CREATE TABLE "other"."tags" ("id" int)',
    'ALTER TABLE "users" ADD COLUMN "nick" text',
    'ALTER TABLE "users" ADD COLUMN IF NOT EXISTS "nick" text',
    'ALTER TABLE "orders" ADD COLUMN "nick" text',
    'ALTER TABLE "users" DROP COLUMN "age"',
    'ALTER TABLE "users" ALTER COLUMN "age" SET DATA TYPE bigint',
    'ALTER TABLE "users" ALTER COLUMN "age" SET NOT NULL',
    'ALTER TABLE "users" RENAME COLUMN "age" TO "years"',
    'ALTER TABLE "users" RENAME TO "people"',
    'DROP TABLE "users"',
    'DROP TABLE "users" CASCADE',
    'DROP TABLE IF EXISTS "users"',
    'ALTER TABLE "orders" ADD CONSTRAINT "fk" FOREIGN KEY ("user_id") REFERENCES "users"("id")',
    'CREATE INDEX "users_age" ON "users" ("age")',
    'CREATE INDEX "users_age" ON "orders" ("total")',
    'ALTER TABLE "orders" DROP CONSTRAINT "positive"',
    'ALTER TABLE "orders" DROP CONSTRAINT "positive"; ALTER TABLE "orders" ADD CONSTRAINT "positive" CHECK (total > 1)',
    "CREATE TYPE \"weather\" AS ENUM ('dry')",
    "ALTER TYPE \"mood\" ADD VALUE 'sad'",
    'CREATE TABLE "gone" ("id" int); DROP TABLE "gone"',
    'CREATE TABLE "own" ("id" int); ALTER TABLE "own" ADD COLUMN "age" int; CREATE INDEX "own_age" ON "own" ("age")',
    'CREATE OR REPLACE VIEW "v" AS SELECT 1 AS one',
    'DROP INDEX "orders_total"',
    "DO $$ BEGIN CREATE TYPE weather AS ENUM ('dry'); EXCEPTION WHEN duplicate_object THEN null; END $$",
]


@cache
def claim(sql: str, name: str = "ours") -> Claim:
    """What a pull request claims that brings one migration with this SQL."""
    base = Story().add("start", BASE)
    head = base.fork().add(name, sql.replace("; ALTER", ";\n--> statement-breakpoint\nALTER"))
    found = claims.read([planned(base.files, head.files)])
    assert found is not None
    return found


def said(one: str, two: str) -> list[str]:
    """What is said of the objects that collide."""
    found = rivals.collisions(claim(one), claim(two, "theirs"), "#7")
    return [conflict.message for conflict in found if conflict.kind == "objects"]


def fails(session: psycopg.Connection, deeds: Sequence[str]) -> bool:
    """Whether PostgreSQL refuses the deeds in this order."""
    with session.transaction(force_rollback=True):
        session.execute(BASE + "CREATE SCHEMA other;")
        try:
            for deed in deeds:
                with session.transaction():
                    session.execute(deed)
        except psycopg.Error:
            return True
    return False


def test_what_is_said_is_certain(branch) -> None:
    """Of all pairs of changes: where objects are said to collide, one order fails (or two types cannot both be); no false word."""
    wrong: list[tuple[str, str, list[str]]] = []
    told = missed = 0
    with branch.connect() as session:
        for one, two in itertools.combinations_with_replacement(DEEDS, 2):
            words = [w for w in said(one, two) if not w.startswith("This one makes")]
            broken = fails(session, [one, two]) or fails(session, [two, one])
            if words and not broken:
                wrong.append((one, two, words))
            told += bool(words) and broken
            missed += broken and not words
    assert wrong == []
    assert told >= 50, "most that fail are said"
    assert missed < told / 2, missed


def test_words() -> None:
    """The objects by their names, three at most; the same seen from either side."""
    assert said(DEEDS[0], DEEDS[0]) == ["Both make the table `tags`."]
    assert said(DEEDS[6], DEEDS[7]) == [
        "This one drops or renames the column `users.age`, which the other one changes."
    ]
    assert said(DEEDS[7], DEEDS[6]) == [
        "The other one drops or renames the column `users.age`, which this one changes."
    ]
    assert said(DEEDS[7], DEEDS[7].replace("bigint", "text")) == [
        "This one makes the column `users.age` `bigint`, the other one `text`."
    ]
    many = "; ".join(f'ALTER TABLE "users" ADD COLUMN "c{n}" int' for n in range(9))
    assert said(many, many)[0].endswith("and 6 more.")


def test_places() -> None:
    """One number of one journal is one conflict, however many migrations follow; another folder is another chain."""
    one, two = claim("SELECT 1"), claim("SELECT 2", "theirs")
    [conflict] = rivals.collisions(one, two, "#7")
    assert (conflict.other, conflict.kind) == ("#7", "idx")
    assert conflict.message == "`0001_ours` here and `0001_theirs` there both are number 1 of the journal."
    assert rivals.collisions(one, claim("SELECT 2"), "#7")[0].kind == "name"
    elsewhere = two.model_copy(update={"places": tuple(p.model_copy(update={"folder": "x"}) for p in two.places)})
    assert rivals.collisions(one, elsewhere, "#7") == []
    assert claims.read([]) is None
