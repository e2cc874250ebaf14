"""The audit of a whole tree, the four rules' own pages, and what the bytes decide."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks import placed, policy, rules, ways
from checks.tree import Tree
from checks.ways import commands, globs, shell
from tests.checks.ways_samples import MODULE, POLICY, PROJECT, STANDARD, TREE, kind, package, read

PAGES = ("banned-command", "forbidden-driver", "nonstandard-connection", "manual-tracking")
FILES = {"json": "package.json", "typescript": "scripts/report.ts", "sql": "lib/database/migrations/0009_x.sql"}


@pytest.mark.parametrize("rule", PAGES)
@pytest.mark.parametrize("role", ["bad", "good"])
def test_the_examples_of_the_policys_rules_mean_what_their_pages_say(rule, role):
    """A bad example raises exactly its own rule, as an error; a good one raises nothing."""
    examples = [e for e in rules.page(rule).examples if e.role == role]
    assert examples
    for example in examples:
        findings = rules.judge(read({FILES[example.language]: example.code + "\n"}).facts)
        assert [(f.rule, f.severity) for f in findings] == ([(rule, "error")] if role == "bad" else [])


@pytest.mark.parametrize("rule", [*PAGES, "unreviewed-migration"])
def test_every_page_says_the_harm_and_the_way_out(rule):
    page = rules.page(rule)
    assert page.title.endswith(".")
    assert page.harm
    assert page.way_out


def test_the_audit_finds_what_is_there_whoever_brought_it():
    tree = {
        **TREE,
        "package.json": package(db__push="drizzle-kit push"),
        "scripts/a.ts": 'import { neon } from "@neondatabase/serverless";\nneon(process.env.DATABASE_URL!);\n',
        "scripts/b.sql": "DELETE FROM drizzle.__drizzle_migrations;\n",
        "tests/c.ts": 'import { neon } from "@neondatabase/serverless";\nneon("x");\n',
        "README.md": "npx drizzle-kit push",
    }
    made = Tree.of(tree)
    audit = ways.audit(made, policy.read(made), PROJECT)
    assert [kind(f) for f in audit.facts] == [
        ("BannedCommand", "package.json", 3),
        ("NonstandardConnection", "scripts/a.ts", 2),
        ("ManualTracking", "scripts/b.sql", 1),
    ]
    assert audit.connection.module == MODULE


def test_the_audit_of_a_clean_tree_is_silent():
    made = Tree.of(TREE)
    assert ways.audit(made, policy.read(made), PROJECT).facts == ()


def test_the_audit_says_what_it_could_not_read():
    made = Tree.of({**TREE, "package.json": '{"scripts": {"db:push": "drizzle-kit push",,}}'})
    assert [u.path for u in ways.audit(made, policy.read(made), PROJECT).unread] == ["package.json"]


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        ("scripts/**", ["scripts/a.ts", "scripts/b/c.ts"], ["lib/scripts/a.ts", "scripts.ts"]),
        ("**/db/*.ts", ["db/a.ts", "x/y/db/a.ts"], ["db/x/a.ts"]),
        ("lib", ["lib/a.ts", "lib/x/a.ts"], ["library/a.ts"]),
        ("./lib/", ["lib/a.ts"], ["a/lib/a.ts"]),
        ("{app,lib}/**/*.tsx", ["app/a.tsx", "lib/x/b.tsx"], ["src/a.tsx"]),
        ("a?.ts", ["ab.ts"], ["a.ts", "a/b.ts"]),
    ],
)
def test_patterns_of_paths(pattern, inside, outside):
    assert [p for p in inside + outside if globs.included(p, [pattern])] == inside


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab $(){}<>|&;'\"`\\\n#=drizzle-kit push", max_size=200))
def test_no_shell_text_raises(text):
    """Whatever stands in a script, reading it ends."""
    for simple in shell.commands(text):
        assert 0 <= simple.line <= text.count("\n")
    list(commands.hits(text, ("db:push", "drizzle-kit push")))


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
        lambda c: st.lists(c) | st.dictionaries(st.text(), c),
        max_leaves=20,
    )
)
def test_json_is_read_as_python_reads_it(value):
    import json  # noqa: PLC0415 - the oracle of this test alone

    def plain(each: placed.Placed) -> object:
        if isinstance(each.value, placed.Mapping):
            return {k.name: plain(v) for k, v in each.pairs()}
        return [plain(v) for v in each.items()] if isinstance(each.value, tuple) else each.value

    assert plain(placed.json(json.dumps(value, indent=1, ensure_ascii=False))) == value


@pytest.mark.parametrize(
    "script",
    [
        "$(" * 5000,
        "`" * 5001,
        "'" * 5001,
        "(" * 20_000,
        "<<A\n" * 3000,
        "sh -c '" * 3000,
        "drizzle-kit " * 50_000,
        "a=$a " * 20_000 + "drizzle-kit push",
        "\\\n" * 50_000,
    ],
)
def test_hostile_scripts_end_soon(script):
    begun = time.process_time()
    read({"scripts/a.sh": script + " drizzle-kit push"})
    assert time.process_time() - begun < 3


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 50_000, '"' * 100_001, "{" + '"scripts":' * 9999, "1" * 1_000_000, "/*" * 50_000]
)
def test_hostile_json_ends_soon(text):
    begun = time.process_time()
    read({"package.json": text + " drizzle-kit push"})
    assert time.process_time() - begun < 3


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "[" * 30_000 + "'drizzle-kit push'" + "]" * 30_000,
        "x = " + "(" * 30_000 + "'npx drizzle-kit push'",
        "execSync('drizzle-kit push');" * 20_000,
        "'drizzle-kit push'+" * 20_000,
        "import { neon } from '@neondatabase/serverless';" + "neon(x);" * 20_000,
        "import { neon } from '@neondatabase/serverless';" * 3_000 + "neon(x)",
        "const a = b; const b = a; execSync(a); // drizzle-kit push",
        "import { execSync } from 'child_process'; const a = `${b} drizzle-kit push`; const b = `${a}`; execSync(a);",
        "sql`" + "${" * 5_000 + " delete from drizzle.__drizzle_migrations",
        "import pg from 'pg'; " + "const pg = pg; " * 3_000,
        "<" * 30_000 + "'@neondatabase/serverless'",
    ],
)
def test_hostile_typescript_ends_soon(source):
    """In short lines, so that it does not pass for a bundle."""
    lines = re.sub(r"([\[(<;+]|\$\{)", r"\1\n", source)
    begun = time.process_time()
    read({"scripts/a.ts": lines})
    assert time.process_time() - begun < 15


PIECES = ["import ", "{ neon }", " from ", "'pg'", '"@neondatabase/serverless"', "neon(", "new Pool(", ")", "execSync", "'drizzle-kit push'", "`", "${", "}", ";", "\n", "const ", "a = ", "require(", "await import(", "sql", "'__drizzle_migrations'", ".insert(", "delete from drizzle.__drizzle_migrations", "\xff", "[", "]", "=>", "export ", "type "]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_no_typescript_raises(pieces):
    """Whatever stands in a file, in whatever order, reading it ends, and what is found has a line of the file."""
    source = "".join(pieces)
    for fact in read({"scripts/a.ts": source}).facts:
        assert 1 <= fact.place.line <= source.count("\n") + 1


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["package.json", ".github/workflows/a.yml", "Dockerfile", "Makefile", "justfile", "netlify.toml", "turbo.json", "Procfile", "Jenkinsfile", "a.sh", "x.sql"]),
    st.lists(st.sampled_from(["{", "}", "[", "]", ":", ",", '"', "'", "\n", "  ", "\t", "- ", "run", "scripts", "jobs", "RUN ", "&a ", "*a", "|", ">", "drizzle-kit push", "db:push", "=", "<<EOF", "EOF", "sh '", "#", "delete from drizzle.__drizzle_migrations;"]), max_size=40),
)  # fmt: skip
def test_no_file_of_commands_raises(path, pieces):
    """The same for every kind of file that holds commands."""
    read({path: "".join(pieces)})


def test_the_policy_of_these_samples_is_valid():
    assert policy.parse(POLICY.encode())[1] == ()
    assert re.search("neon", STANDARD)
