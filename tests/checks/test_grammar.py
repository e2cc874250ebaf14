"""Statements told apart, compared and read by PostgreSQL's own grammar."""

import re
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from postgast import pg_query_pb2 as postgast
from postgast import scan

from bot.branches.embedded import EmbeddedBranch
from checks.keywords import KEYWORDS, SPECIAL
from checks.witnesses import calls, grammar


def pieces(sql: str) -> list[str]:
    return [sql[span.start : span.end] for span in grammar.split(sql)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("", []),
        (" ;; -- nothing\n/* at all */ ;", []),
        ("SELECT 1", ["SELECT 1"]),
        ("-- why\nSELECT 1 -- because\n; /* b */ SELECT 2 /* c */;", ["SELECT 1", "SELECT 2"]),
        ("SELECT 'a;b', $$c;d$$, \"e;f\"; SELECT 2", ["SELECT 'a;b', $$c;d$$, \"e;f\"", "SELECT 2"]),
        ("SELECT 'ü€😀'; SELECT 'ß'", ["SELECT 'ü€😀'", "SELECT 'ß'"]),
        (
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT 3",
            ["CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END", "SELECT 3"],
        ),
        (
            "nonsense; CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT 3",
            [
                "nonsense",
                "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END",
                "SELECT 3",
            ],
        ),
        ("sel ect; SELECT 'ü'; -- end", ["sel ect", "SELECT 'ü'"]),
        ("\\copy t from 'x'; SELECT 1", ["\\copy t from 'x'", "SELECT 1"]),
        (" SELECT 1;\0 SELECT 2;\n", ["SELECT 1;\0 SELECT 2;"]),
    ],
)
def test_a_statement_runs_from_its_first_token_to_its_last(sql: str, expected: list[str]) -> None:
    """Comments, white space and semicolons around a statement belong to it no more than to its neighbour."""
    assert pieces(sql) == expected


@pytest.mark.parametrize("end", ["'never ends; SELECT 3", "/* never ends", "$$ never; ends", '"never'])
def test_a_quote_that_never_ends_makes_one_last_statement_with_a_problem(end: str) -> None:
    """Nothing is lost: what stands before it is told apart, the rest is one statement that says why."""
    for middle in ("", "SELECT 2, "):
        sql = f"SELECT 1; {middle}{end}"
        spans = grammar.split(sql)
        assert pieces(sql) == ["SELECT 1", middle + end]
        assert spans[0].problem is None
        assert "unterminated" in (spans[1].problem or "")


@given(st.text(alphabet=st.sampled_from(list("ab1;'\"$-/*\\ \n(),\0ü\ud800")), max_size=60))
@settings(max_examples=300, deadline=None)
def test_splitting_never_raises_and_never_overlaps(sql: str) -> None:
    """Whatever the text, spans are in order, not empty and inside it."""
    end = 0
    for span in grammar.split(sql):
        assert end <= span.start < span.end <= len(sql)
        end = span.end
    grammar.tokens(sql)
    grammar.parse(sql)


def test_texts_that_mean_the_same_have_the_same_tokens() -> None:
    """White space, line ends and comments are nothing to PostgreSQL; a quoted space is."""
    assert grammar.tokens("SELECT 1 -- one\r\n") == grammar.tokens("/* x */ SELECT\n\t1")
    assert grammar.tokens("SELECT ' 1'") != grammar.tokens("SELECT '1'")
    assert grammar.tokens("SELECT 'ü', 1")[1:] == ["'ü'", ",", "1"]
    assert grammar.tokens("SELECT 'never  ends") == ["SELECT", "'never", "ends"]


@pytest.mark.parametrize(
    "shape",
    [
        "'select ' + '(' * n + '1' + ')' * n",
        "'select 1' + '+1' * n",
        "'select 1' + '::int' * n",
        "'select ' + 'f(' * n + '1' + ')' * n",
        "'select 1 from a' + ' join b on f(1,2)' * n",
        "'select 1, 2' + ' union select 1, 2' * n",
        "'select ' + 'f(1)+' * n + '1'",
        "'select ' + 'case when true then ' * n + '1' + ' end' * n",
        "'select array' + '[' * n + '1' + ']' * n",
        "'select ' + '- ' * n + '1'",
    ],
)
def test_deep_nesting_is_said_and_kills_no_process(shape: str) -> None:
    """The library itself dies of a stack overflow on these: they are measured first."""
    program = (
        "import threading; from checks.witnesses import grammar\n"
        f"def go():\n  for n in (60, 900, 4000, 10000, 100000):\n    s = {shape}\n"
        "    t = grammar.parse(s); assert t.node is not None or t.problem, s[:50]\n    assert len(grammar.split(s)) == 1\n"
        "  print('alive')\n"
        "threading.stack_size(8 << 20); t = threading.Thread(target=go); t.start(); t.join()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "alive"), done.stderr[-500:]


def test_fifty_megabytes_are_split_and_said_to_be_long() -> None:
    """A huge file costs seconds: the rows of an INSERT are not read, and any other giant is named one."""
    rows = ",".join(["(1,'aaaaaaaaaaaaaaaaaaaaaaaa')"] * 1_700_000)
    begin = time.process_time()
    (span,) = grammar.split(f"INSERT INTO t VALUES {rows};")
    tree = grammar.parse(f"INSERT INTO t (a, b) VALUES {rows}")
    assert span.end == len(rows) + len("INSERT INTO t VALUES ")
    assert tree.kind == "insert_stmt", tree.problem
    assert tree.node is not None
    assert tree.node["relation"]["relname"] == "t"
    assert "MB" in (grammar.parse(f"SELECT {rows}").problem or "")
    assert time.process_time() - begin < 10


def test_a_tree_of_hundreds_of_megabytes_is_not_made() -> None:
    """The rows of a long INSERT are not looked at, and any other list of values is said to be too large."""
    values = ",".join(["(1)"] * 240_000)
    assert grammar.parse(f"INSERT INTO t VALUES {values}").kind == "insert_stmt"
    assert grammar.parse(f"VALUES {values}").problem == "its tree is too large"
    assert not calls.nothing([f"INSERT INTO t VALUES {values}, (f())"], but_built_in=True)


def test_a_syntax_error_is_in_postgresqls_words_and_has_its_place() -> None:
    """The place counts characters, not bytes."""
    tree = grammar.parse("SELECT 'ü' FORM t")
    assert (tree.kind, tree.node, tree.problem, tree.position) == ("", None, 'syntax error at or near "t"', 16)


@given(
    st.lists(
        st.sampled_from(
            [
                "SELECT 1",
                "SELECT 'x",
                "y'",
                "DROP TABLE a",
                "nonsense",
                "",
                "SELECT 1; SELECT 2",
                "x'; SELECT 3; SELECT 4",
                "/* never",
                "SELECT 'ü'",
                "SELECT 1 -- end",
                "SELECT " + "(" * 300,
            ]
        ),
        max_size=9,
    )
)
@settings(max_examples=200, deadline=None)
def test_together_or_one_by_one_is_the_same(statements: list[str]) -> None:
    """Broken neighbours change nothing."""
    alone = [grammar.parse(sql) for sql in statements]
    together = list(grammar.parse_all(statements))
    assert [(t.kind, t.problem, t.position, str(t.node)) for t in together] == [
        (t.kind, t.problem, t.position, str(t.node)) for t in alone
    ] or _without_places(together) == _without_places(alone)


def _without_places(trees: list[grammar.Tree]) -> list[tuple[str, str | None, str]]:
    return [(t.kind, t.problem, re.sub(r"'location': \d+", "", str(t.node))) for t in trees]


def test_every_keyword_of_the_grammar_is_known() -> None:
    """And no other word is taken for one."""
    none = postgast.KeywordKind.Value("NO_KEYWORD")
    words = {name.lower().removesuffix("_p") for name in postgast.Token.keys()}  # noqa: SIM118 - no dict

    def is_keyword(word: str) -> bool:
        (token, *others) = scan(word).tokens
        return not others and token.keyword_kind != none

    assert {word for word in words if is_keyword(word)} == KEYWORDS


def test_reading_loads_no_classes_of_nodes() -> None:
    """Which would take longer than the reading."""
    program = (
        "import sys; from checks.witnesses import text\n"
        "assert text.read('DROP TABLE a').clauses; assert len(text.read_all(['CREATE TABLE a (b text)'] * 99)) == 99\n"
        "print([name for name in sys.modules if 'protobuf' in name])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_every_keyword_that_has_to_be_quoted_is_known(branch: EmbeddedBranch) -> None:
    """The server says which are not unreserved; the older ones have no others."""
    with branch.connect() as session:
        found = session.execute("select word from pg_get_keywords() where catcode <> 'U'").fetchall()
    assert SPECIAL.issuperset(word for (word,) in found)
    assert len(found) > 150
