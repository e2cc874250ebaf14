"""The policy file: what it says, what is wrong with it and where, and what it makes of findings."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks import policy, rules
from checks.report import ChecklistItem, Finding, Waiver
from checks.requirements import strictness
from checks.tree import Entry, Tree

FULL = """\
version: 1
drizzle: {config: drizzle.config.ts, schema: [lib/database/schema.ts], migrations: lib/database/migrations, format: auto, migrator: auto, table: drizzle.__drizzle_migrations}
connection: {module: lib/database/connection-standard.ts, driver: "@neondatabase/serverless", forbidden: [drizzle-orm/node-postgres], paths: ["scripts/**", "lib/**"]}
commands: {banned: ["db:push", "drizzle-kit push"], migrate: "db:migrate"}
rules: {drops-column: warning, prefer-text: off}
review: {required: false}
strict: false
large_tables: {events: 80000000}
branch: {provider: embedded, extensions: [vector]}
environments: {production: {url_env: PRODUCTION_READONLY_URL}}
"""


def _file(text: str | bytes) -> policy.PolicyFile:
    return policy.read(Tree.of({".github/migration-policy.yml": text}))


def _finding(rule: str = "drops-column", severity: str = "error", **more: object) -> Finding:
    return Finding.model_validate({"rule": rule, "severity": severity, "path": "a.sql", "message": "m", **more})


def test_the_whole_contract_is_read():
    file = _file(FULL)
    assert file.problems == ()
    said = file.policy
    assert said.drizzle.schema_files == ("lib/database/schema.ts",)
    assert said.drizzle.tracking_table == ("drizzle", "__drizzle_migrations")
    assert said.connection.driver == "@neondatabase/serverless"
    assert said.rules == {"drops-column": "warning", "prefer-text": "off"}
    assert said.large_tables == {"events": 80_000_000}
    assert said.environments["production"].url_env == "PRODUCTION_READONLY_URL"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n# nothing yet\n",
        "version: 1\n",
        "rules:\nconnection:\n",
        "\ufeffversion: 1\n",
        "version: 1\r\nstrict: true\r\n",
    ],
)
def test_every_key_is_optional(text):
    file = _file(text)
    assert file.problems == ()
    assert file.policy.commands.banned == ("db:push", "drizzle-kit push")
    assert file.path == ".github/migration-policy.yml"


def test_no_file_is_all_defaults_and_enforces_nothing():
    assert policy.read(Tree.of({"a": "b"})) == policy.PolicyFile(policy.Policy(), None, ())


@pytest.mark.parametrize("word", ["off", "Off", "OFF", "no", "false", '"off"'])
def test_off_in_yaml_is_a_boolean_and_means_off(word):
    assert _file(f"rules: {{prefer-text: {word}}}").policy.rules == {"prefer-text": "off"}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("version: 1\ncomands: {}\n", 2, "There is no key `comands` (did you mean `commands`?)."),
        ("drizzle:\n  config: a\n  schemas: b\n", 3, "There is no key `drizzle.schemas` (did you mean `schema`?)."),
        ("\n\nstrict: yess\n", 3, "`strict` has to be true or false, not `yess`."),
        (
            "rules:\n  drops-column: eror\n",
            2,
            "`rules.drops-column` has to be `error`, `warning`, `note` or `off`, not `eror` (did you mean `error`?).",
        ),
        (
            "rules:\n  drops-column: on\n",
            2,
            "`rules.drops-column` has to be `error`, `warning`, `note` or `off`, not `true`.",
        ),
        ("commands:\n  banned:\n  - db:push\n  - 7\n", 4, "`commands.banned[1]` has to be text, not `7`."),
        (
            "branch: {provider: neo}\n",
            1,
            "`branch.provider` has to be `embedded`, `server` or `neon`, not `neo` (did you mean `neon`?).",
        ),
        ("large_tables: {events: many}\n", 1, "`large_tables.events` has to be a whole number, not `many`."),
        ("environments:\n  production: {}\n", 2, "`environments.production.url_env` is missing."),
        ("version: 2\n", 1, "`version` has to be 1, not `2`."),
        ("drizzle: [a]\n", 1, "`drizzle` has to be a mapping, not a list."),
        ("strict: true\nstrict: false\n", 2, "`strict` is said twice; the first one counts."),
        ("a: b: c\n", 1, "This is not YAML: mapping values are not allowed in this context."),
        ("- a\n", 1, "A policy is a mapping (`version: 1`, `commands: …`)."),
        ("version: 1\n---\nversion: 1\n", 3, "There is a second YAML document; a policy is one."),
    ],
)
def test_every_mistake_has_its_line_and_the_nearest_right_word(text, line, says):
    assert _file(text).problems == (policy.Problem(line, says),)


def test_what_is_right_beside_a_mistake_counts():
    file = _file(
        "strict: true\nreviw: {required: true}\nrules: {drops-column: loud, drops-table: error}\nconnection: {module: a.ts, driver: 1}\n"
    )
    assert [p.line for p in file.problems] == [2, 3, 4]
    assert file.policy.strict
    assert file.policy.rules == {"drops-table": "error"}
    assert file.policy.connection.module == "a.ts"


def test_a_rule_that_does_not_exist_is_a_problem_where_the_rules_are_known():
    tree = Tree.of({".github/migration-policy.yml": "rules:\n  drop-column: error\n"})
    assert policy.read(tree).problems == ()
    (problem,) = policy.read(tree, {"drops-column", "drops-table"}).problems
    assert problem == policy.Problem(2, "There is no rule `drop-column` (did you mean `drops-column`?).")


@pytest.mark.parametrize(
    "data",
    [
        b"a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (i, i, b",".join([b"*%c" % (i - 1)] * 10)) for i in range(98, 112)),
        b"rules: {<<: [" + b"{a: error}," * 9000 + b"]}",
        b"[" * 90_000,
        b"{a: " * 20_000,
        b"!!python/object/apply:os.system [id]",
        b"strict: !!python/name:os.system x",
        b"x" * 10_000_000,
        b"\xff\xfe\x00",
        b"a: \x01",
        b"? {a: b}\n: c",
        b"version: " + b"9" * 90_000,
        b"strict: *nobody",
        b"&a a: *a",
        b"\t- a",
        b"large_tables: {a: .inf, b: -1e999999999999}",
    ],
)
def test_hostile_files_end_in_problems_and_soon(data):
    begun = time.process_time()
    assert _file(data).problems
    assert time.process_time() - begun < 2


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(max_size=300).map(lambda t: t.encode("utf-8", "surrogatepass")),
        st.lists(
            st.sampled_from(
                [
                    "version",
                    "rules",
                    ":",
                    " ",
                    "\n",
                    "{",
                    "}",
                    "[",
                    "]",
                    "off",
                    "&a",
                    "*a",
                    "!!str",
                    "- ",
                    "1",
                    "strict",
                    "drizzle",
                    "<<",
                ]
            )
        ).map(lambda w: "".join(w).encode()),
    )
)
def test_no_bytes_raise(data):
    """Whatever the file holds, reading ends in a policy and placed problems."""
    said, problems = policy.parse(data)
    assert isinstance(said, policy.Policy)
    assert all(
        1 <= p.line <= data.count(b"\n") + data.count(b"\r") + len(data.decode("utf-8", "replace").splitlines()) + 2
        for p in problems
    )


def test_a_symlink_is_no_policy():
    tree = Tree([Entry(".github/migration-policy.yml", "120000", "0" * 40)], lambda _: {})
    (problem,) = policy.read(tree).problems
    assert "symlink" in problem.message


def test_severities_follow_the_policy():
    file = _file("rules: {drops-column: error, prefer-text: off}")
    findings = policy.apply(
        [_finding(severity="warning"), _finding("prefer-text", "note"), _finding("drops-table", "warning")], file
    )
    assert [(f.rule, f.severity) for f in findings] == [("drops-column", "error"), ("drops-table", "warning")]


def test_without_a_policy_file_its_four_rules_advise():
    findings = policy.apply([_finding("banned-command"), _finding("number-collision")], policy.PolicyFile())
    assert [(f.rule, f.severity) for f in findings] == [("banned-command", "warning"), ("number-collision", "error")]


def test_what_was_inferred_stays_a_note_whatever_the_policy_says():
    (finding,) = policy.apply([_finding("forbidden-driver", "note")], _file("rules: {forbidden-driver: error}"))
    assert finding.severity == "note"


def test_only_introduced_errors_that_nobody_waived_block():
    waived = Waiver(reason="r", by="b")
    assert policy.verdict([_finding(severity="warning"), _finding(introduced=False), _finding(waived=waived)]) == "pass"
    assert policy.verdict([_finding()]) == "block"


def test_the_unknown_blocks_only_where_the_policy_is_strict():
    """And then by a finding of its own, on a file that head changed."""
    item = ChecklistItem(id="migration-tested", title="t", state="unknown", why="w")
    other = item.model_copy(update={"state": "not-applicable"})
    assert strictness.facts([item, other], "a.sql", strict=False) == []
    (fact,) = strictness.facts([item, other], "a.sql", strict=True)
    (finding,) = rules.judge([fact])
    assert (finding.rule, finding.severity, finding.path) == ("not-checked", "error", "a.sql")
    assert policy.verdict([finding]) == "block"


def test_who_edits_the_policy_is_told_what_would_change():
    old, new = _file("strict: false\nrules: {drops-column: error}"), _file("strict: true\ncommands: {migrate: 'db:go'}")
    assert policy.changes(old, new) == (
        "`commands.migrate`: `db:migrate` → `db:go`",
        "`rules.drops-column`: `error` → nothing",
        "`strict`: `false` → `true`",
    )
    assert policy.changes(old, old) == ()
    assert policy.changes(policy.PolicyFile(), old)[0].startswith("From the merge on, the policy is enforced")
    assert policy.changes(old, policy.PolicyFile())[0].startswith("From the merge on, nothing is enforced")
