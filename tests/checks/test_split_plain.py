"""What is split without the grammar is split as the grammar splits it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.witnesses import grammar

PIECES = st.sampled_from(
    [
        "create table", "t1", "_x", "é", '"a;b"', '"', "'x;--'", "'", "''", "1", "1.5", "1.", ".5", "1a", "0x1F", "1_0", "a1b",
        "(", ")", ",", "::", ":", "=", "<>", "==", "<=", ">=<", "-", "--", "-- c\n", "/*", "*/", ";", " ", "\n", "\t", "\xa0", "$1", "$$",
        "e'\\''", "U&'x'", "b'1x'", "begin atomic", "end", "[1]", "\v", "\0", "1e5", "1..2", "a.b", "@",
    ]
)  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(st.lists(PIECES, max_size=9), st.sampled_from(["", " "]))
def test_the_short_way_and_the_long_way_agree(pieces: list[str], between: str) -> None:
    """Offsets and problems are the same."""
    sql = between.join(pieces)
    short = grammar.split(sql)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grammar, "_ONE", re.compile(r"(?!)"))
        assert short == grammar.split(sql)


def test_drizzles_own_words_take_the_short_way() -> None:
    """The statements of every generated file, and no loop that a hostile one could keep busy."""
    for sql in (
        'CREATE TABLE "users" (\n\t"id" serial PRIMARY KEY NOT NULL,\n\t"email" varchar(255) DEFAULT \'a;b\' NOT NULL\n);\n',
        'ALTER TABLE "posts" ADD CONSTRAINT "f" FOREIGN KEY ("a") REFERENCES "public"."users"("id") ON DELETE no action;',
        'CREATE INDEX "i" ON "t" USING btree ("a" DESC NULLS LAST) WHERE "a" >= 10;',
        'ALTER TABLE "t" ALTER COLUMN "a" SET DEFAULT -1.5::numeric;',
    ):
        assert grammar._ONE.fullmatch(sql)  # pyright: ignore[reportPrivateUsage]
    for sql in ("a" * 100_000 + "\x00", "1." * 50_000, "'" * 99_999, "(" * 100_000):
        assert not grammar._ONE.fullmatch(sql + "\x00")  # pyright: ignore[reportPrivateUsage]
