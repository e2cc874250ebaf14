"""Tables whose columns are alike are read as each would be read by itself."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.witnesses import tables, text

PLAIN = ['"id" serial PRIMARY KEY NOT NULL', '"name" text', '"at" timestamp with time zone DEFAULT now() NOT NULL']
ELEMENTS = [
    *PLAIN,
    '"id" uuid DEFAULT gen_random_uuid() PRIMARY KEY NOT NULL',
    '"code" varchar(20) NOT NULL',
    '"code" character(3)[]',
    '"total" numeric(12,\n 2) DEFAULT 0.00',
    '"mood" "public"."mood" DEFAULT \'ok\'::"public"."mood"',
    "\"tags\" text[] DEFAULT ARRAY['a',\n'b']",
    '"doc" jsonb DEFAULT \'{"a": [1,\n2]}\'::jsonb',
    '"owner" integer REFERENCES "users"("id") ON DELETE cascade',
    '"a""b" varchar(4)',
    '"" text',
    '"a" text, "b" varchar(3)',
    '"id" integer GENERATED ALWAYS AS IDENTITY (INCREMENT BY 1 START WITH 1)',
    '"x" integer GENERATED ALWAYS AS ("a" + 1) STORED',
    '"y" text COLLATE "C" CHECK ("y" <> \')\')',
    f'"{"c" * 63}" text',
    f'"{"d" * 64}" varchar(1)',
    '"zq" varchar(9)',
    '"zq0qz" varchar(9) PRIMARY KEY',
    '"Ünï" text',
    "id bigint NOT NULL",
    "name varchar(10) PRIMARY KEY",
    "name2 varchar(10) PRIMARY KEY",
    "key text",
    "primary key (id)",
    'PRIMARY KEY ("name")',
    'PRIMARY KEY ("id", name)',
    "PRIMARY KEY (zq0qz)",
    'CONSTRAINT "t_pk" PRIMARY KEY("id","name")',
    'CONSTRAINT "t_unique" UNIQUE("name")',
    'CONSTRAINT "ck" CHECK ("t"."qty" > 0)',
    "CONSTRAINT ck CHECK (a IN (1,\n2))",
    'CONSTRAINT "fk" FOREIGN KEY ("a") REFERENCES "public"."users"("id")',
    "CONSTRAINT fk FOREIGN KEY (a) REFERENCES app.users(id)",
    "FOREIGN KEY (a) REFERENCES users",
    "LIKE users INCLUDING ALL",
    "EXCLUDE USING gist (during WITH &&)",
    '"half" text DEFAULT (1',
    '2) "rest" text',
    '"half" text DEFAULT \'a',
    'b\' "rest" text',
    '"cut" text) WITH (fillfactor = 10',
    '"cut" text) PARTITION BY LIST ("cut"',
    '"c" text -- it is',
    '"c" text /* it is',
    'over */ "d" text',
    "\"e\" text DEFAULT E'\\'",
    '"f" text DEFAULT $$a',
    '$$ "g" text',
    '"h" nonsense words here',
    "",
    ";",
    '"two" varchar(2) PRIMARY KEY REFERENCES a.b REFERENCES "c"',
]
HEADS = [
    *('CREATE TABLE "{0}" (', 'CREATE TABLE IF NOT EXISTS "app"."{0}" (', "CREATE TABLE {0} (", "CREATE TABLE app.{0}("),
    *('CREATE TABLE "public".{0} (', "CREATE TABLE select (", "CREATE TABLE name (", "create table {0} (", 'CREATE TABLE "a""{0}" ('),
    *("CREATE TEMP TABLE {0} (", "CREATE UNLOGGED TABLE {0} (", 'CREATE TABLE "{0}" OF kind (', f'CREATE TABLE "{"t" * 64}" ('),
]  # fmt: skip
TAILS = [")", "\n)", "\n);", ") WITH (fillfactor=70)", "\n) INHERITS (parent)", ""]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(HEADS),
            st.lists(st.sampled_from(ELEMENTS), max_size=6),
            st.sampled_from([*TAILS[:2] * 3, *TAILS]),
        ),
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=300, deadline=None)
def test_elements_tell_what_each_table_says(made: list[tuple[str, list[str], str]]) -> None:
    """Whatever stands beside whatever: broken, cut and doubtful ones, too."""
    written = [
        head.format(f"t{number}") + "\n\t" + ",\n\t".join(elements) + tail
        for number, (head, elements, tail) in enumerate(made)
    ]
    statements = [*written, *(_plain(n) for n in range(len(ELEMENTS)))]
    assert text.read_all(statements) == [text.read(sql) for sql in statements]


@pytest.mark.parametrize("element", ELEMENTS)
def test_each_element_among_plain_ones(element: str) -> None:
    """First, in the middle and last."""
    statements = [
        *(f'CREATE TABLE "t{n}" (\n\t' + ",\n\t".join([*PLAIN[:n], element, *PLAIN[n:]]) + "\n)" for n in range(4)),
        *(_plain(n) for n in range(8)),
    ]
    assert text.read_all(statements) == [text.read(sql) for sql in statements]


def test_what_is_alike_is_not_read_as_a_whole() -> None:
    """Forty tables of three kinds of columns, whatever these are called."""
    statements = [_plain(n) for n in range(40)]
    assert tables.readings(statements) == [text.read(sql) for sql in statements]


def test_what_is_all_different_is_left_alone() -> None:
    """Nothing is gained where no column is like another."""
    statements = [f'CREATE TABLE "t{n}" (\n\t"a" varchar({n + 1}),\n\t"b" numeric({n + 1})\n)' for n in range(20)]
    assert tables.readings(statements) == [None] * 20


def _plain(number: int) -> str:
    return (
        f'CREATE TABLE "t{number}" (\n\t'
        + ",\n\t".join(re.sub(r'"(\w+)"', rf'"\1_{number}"', e) for e in PLAIN)
        + "\n)"
    )
