"""Rules: found by their files, heard by their annotations, shown by their docstrings, weighed by what is known."""

from pathlib import Path

import pytest

from checks import facts, rules
from checks.drizzle.history import EditedAppliedMigration
from checks.errors import UserError
from checks.facts import Place
from checks.render import words
from checks.rulebook import readme
from checks.so_far import Context, Reader, Target

HERE = Place(path="drizzle/0001_x.sql", line=3, end_line=4, migration="0001_x", statement=2)


def test_every_file_is_a_rule_of_that_name() -> None:
    """Nothing is registered anywhere."""
    folder = Path(rules.__file__).parent
    names = {path.stem.replace("_", "-") for path in folder.glob("*.py") if not path.name.startswith("_")}
    assert set(rules.all_rules()) == names
    assert {"drops-column", "rewrites-table", "fails", "unreadable-sql"} <= names


def test_a_finding_stands_where_its_fact_stands() -> None:
    """The place, whether head introduced it, the page's way out as help."""
    fact = facts.DropsColumn(place=HERE, introduced=False, table="public.users", column="nickname")
    (finding,) = rules.judge([fact])
    assert (finding.rule, finding.severity, finding.introduced) == ("drops-column", "warning", False)
    assert (finding.path, finding.line, finding.end_line) == ("drizzle/0001_x.sql", 3, 4)
    assert (finding.migration, finding.statement) == ("0001_x", 2)
    assert finding.message == "Dropping `users.nickname` breaks code that still reads it."
    assert finding.help is not None
    assert finding.help == rules.page("drops-column").way_out
    assert "```" not in finding.help


def test_an_unknown_rule_is_answered_with_the_nearest() -> None:
    """Other tools say `drop-column`."""
    with pytest.raises(UserError, match=r"There is no rule `drop-column`\. Did you mean `drops-column`\?"):
        rules.page("drop-column")
    with pytest.raises(UserError, match=r"There is no rule `zzzzzz`\. `bulletproof rules` lists all\."):
        rules.page("zzzzzz")


def test_nothing_is_said_about_a_table_that_is_born_in_the_release() -> None:
    """Also under its new name; but a table that was dropped before was somebody's."""
    born = facts.CreatesTable(place=HERE, table="public.notes", primary_key=(("id", "bigint"),))
    dropped = facts.DropsColumn(place=HERE, table="public.notes", column="body")
    renamed = facts.RenamesTable(place=HERE, table="public.notes", new="public.remarks")
    later = facts.DropsColumn(place=HERE, table="public.remarks", column="body")
    assert rules.judge([born, dropped, renamed, later]) == []
    assert [f.rule for f in rules.judge([dropped, born])] == ["drops-column"]
    assert [f.rule for f in rules.judge([born, facts.DropsTable(place=HERE, table="public.notes"), dropped])] == [
        "drops-column"
    ]


def test_a_table_known_to_be_large_makes_a_warning_an_error() -> None:
    """By name or with its schema; a note stays a note."""
    fact = facts.RewritesTable(place=HERE, table="public.events", why="Changing `n` to bigint")
    for name in ("events", "public.events"):
        (finding,) = rules.judge([fact], Context(large_tables={name: 80_000_000}))
        assert finding.severity == "error"
        assert finding.message.endswith("`events` has about 80,000,000 rows.")
    (finding,) = rules.judge(
        [fact], Context(large_tables={"events": 80_000_000}, severities={"rewrites-table": "note"})
    )
    assert finding.severity == "note"


def test_a_known_reader_makes_a_warning_an_error() -> None:
    """Where it is not sure to be that very column, it is only mentioned."""
    fact = facts.DropsColumn(place=HERE, table="public.users", column="nickname")
    target = Target("public", "users", "nickname")
    sure, unsure = Reader("src/a.ts", 7, "a query"), Reader("src/b.ts", 9, "a query", sure=False)
    (finding,) = rules.judge([fact], Context(readers={target: [sure, unsure]}))
    assert finding.severity == "error"
    assert finding.message.endswith("Still read by `src/a.ts:7` (a query).")
    (finding,) = rules.judge([fact], Context(readers={target: [unsure]}))
    assert finding.severity == "warning"
    assert finding.message.endswith("Perhaps still read by `src/b.ts:9` (a query).")
    (finding,) = rules.judge([fact], Context(readers={target: [Reader("a.ts", n, "a query") for n in range(8)]}))
    assert finding.message.endswith("`a.ts:4` (a query) and 3 more.")


def test_a_policy_may_silence_a_rule() -> None:
    """`off` in the policy."""
    fact = facts.DropsColumn(place=HERE, table="public.users", column="nickname")
    assert rules.judge([fact], Context(severities={"drops-column": "off"})) == []
    assert [f.severity for f in rules.judge([fact], Context(severities={"drops-column": "error"}))] == ["error"]


def test_pages_read_like_pages() -> None:
    """A title that is a sentence, the harm, and a way out; no line that runs away."""
    for rule in rules.all_rules().values():
        page = rules.page(rule.id)
        assert page.title.endswith("."), rule.id
        assert page.harm, rule.id
        assert page.markdown.startswith(f"# {rule.id}\n"), rule.id
        assert "```" not in page.harm + page.way_out, rule.id
        if any(example.role == "bad" for example in page.examples):
            assert page.way_out, rule.id
            assert any(example.role == "good" for example in page.examples), rule.id


def test_the_way_out_is_shown_whole() -> None:
    """A report has room for its first paragraph: what is cut off there nobody does."""
    for rule in rules.all_rules().values():
        first = " ".join(rule.page.way_out.split("\n\n")[0].split())
        assert words.way_out(rule.page.way_out) == first, rule.id


def test_the_table_of_rules_is_current() -> None:
    """Made anew by `python -m checks.rulebook.readme > checks/rules/README.md`."""
    assert (Path(rules.__file__).parent / "README.md").read_text(encoding="utf-8") == readme.text()


def test_what_could_not_be_run_here_is_not_the_migrations_fault() -> None:
    """Our limits are a note, and its help does not ask to mend what may be right."""
    fact = facts.Fails(place=HERE, sqlstate="42704", message='type "geometry" does not exist', complete=False)
    (finding,) = rules.judge([fact])
    assert finding.severity == "note"
    assert finding.help is not None
    assert "Mend the migration" not in finding.help


def test_what_was_not_seen_in_full_is_a_note() -> None:
    """The witness says why."""
    (finding,) = rules.judge([facts.NotObserved(place=HERE, why="there are 4000 tables")])
    assert (finding.rule, finding.severity) == ("not-observed", "note")
    assert finding.message.endswith("not seen in full: there are 4000 tables.")


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ('syntax error at or near "\\"', "a command of psql"),
        ("stopped after 60 s: its time was up", "a loop without an end"),
        ("stopped after 9 s: it took too much room on disk", "room"),
        ('syntax error at or near "\ufeffALTER"', "byte order mark"),
        ('relation "x" does not exist', "Mend the migration"),
    ],
)
def test_a_failure_says_what_to_do_next(message: str, said: str) -> None:
    """A command of psql and a loop without an end are told as what they are."""
    (finding,) = rules.judge([facts.Fails(place=HERE, sqlstate="42601", message=message)])
    assert finding.help is not None
    assert said in finding.help


def test_an_edited_migration_says_the_command_that_puts_it_back() -> None:
    """With its own path, quoted as a shell wants it."""
    place = Place(path="my migrations/0000_x.sql")
    (finding,) = rules.judge([EditedAppliedMigration(place=place, tag="0000_x", change="edited")])
    assert finding.help is not None
    assert "`git checkout origin/main -- 'my migrations/0000_x.sql'`" in finding.help
