"""Slash commands: what is one, who may give it, what it answers, and how long it stands."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import commands
from bot.commands import Comment, parse, standing
from bot.review import review
from checks.change import Change
from checks.drizzle import plan as plans
from checks.report import Finding, MigrationReport, Report, Rollback, StatementReport
from tests.checks.drizzle_samples import Story, change

OWN = "bulletproof[bot]"
SQL = 'DROP TABLE "orders"'


def reviewed(*sql: str) -> Report:
    """A report with one migration, in which every statement drops a table."""
    statements = tuple(StatementReport(index=n, line=n + 1, sql=s, kind="drop") for n, s in enumerate(sql))
    findings = tuple(
        Finding(
            rule="drops-table",
            severity="error",
            path="drizzle/0001_x.sql",
            message="it hurts",
            migration="0001_x",
            statement=n,
        )
        for n in range(len(sql))
    )
    migration = MigrationReport(tag="0001_x", path="drizzle/0001_x.sql", change="added", statements=statements)
    return Report(
        verdict="block",
        title="1 error",
        base="b" * 40,
        head="a" * 40,
        merge_base="b" * 40,
        findings=findings,
        migrations=(migration,),
    )


@dataclass
class Thread:
    """A pull request with comments; it is the context of the last one."""

    report: Report | None = None
    permission: commands.Permission = "write"
    head: str = "a" * 40
    base: str = "b" * 40
    own: str = OWN
    seen: bool = True
    comments: list[Comment] = field(default_factory=list)
    did: list[str] = field(default_factory=list)
    sql: str = SQL

    @property
    def comment(self) -> Comment:
        """The last one."""
        return self.comments[-1]

    def change(self) -> Change:
        """One migration more."""
        story = Story().add("users")
        return change(story.files, story.fork().add("x", self.sql + ";").files)

    def review_again(self) -> None:
        """Note it."""
        self.did.append("review")

    def sync(self) -> str:
        """Note it."""
        self.did.append("sync")
        return "synced"

    def generate(self, given: str) -> str:
        """Note it."""
        self.did.append(f"generate {given}".strip())
        return f"generated <!-- bulletproof-record {given} -->"

    def rollback(self) -> Rollback:
        """One that loses something."""
        return Rollback(sql='DROP TABLE "x";', proven=True, irreversible=("rows of `x`",))

    def reset(self) -> None:
        """Note it."""
        self.did.append("reset")

    def say(self, body: str, by: str = "ada", **more) -> str | None:
        """Write a comment; the reply, which becomes a comment too."""
        self.comments.append(Comment(id=len(self.comments) + 1, author=by, body=body, **more))
        reply = commands.run(body, self)
        if reply is not None:
            self.comments.append(Comment(id=len(self.comments) + 1, author=OWN, body=reply, bot=True))
        return reply

    def waivers(self, today: date = date(2026, 12, 1)) -> Sequence[standing.Granted]:
        """What stands."""
        return standing.waivers(self.comments, OWN, today)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("/migrate status", "status"),
        ("/MIGRATE Status", "status"),
        ("\n\n  /migrate status\nmore words", "status"),
        ("/migrate\tstatus", "status"),
        ("/migrate status\r\nmore", "status"),
        ("/migrate", ""),
        ("/migrate wave x", "wave"),
    ],
)
def test_a_command_stands_on_the_first_line(body: str, name: str) -> None:
    """Capitals, white space and what follows do not matter."""
    found = parse.read(body)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "body",
    ["", "hello\n/migrate sync", "> /migrate sync", "    /migrate sync", "\t/migrate sync", "`/migrate sync`",
     "```\n/migrate sync\n```", "~~~\n/migrate sync", "/migrated sync", "/migratesync", "see /migrate sync", "<!-- x --> /migrate sync"],
)  # fmt: skip
def test_what_is_no_command(body: str) -> None:
    """Quotes, code, other lines and other words."""
    assert parse.read(body) is None


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    """Nothing raises, and a name is safe to say back."""
    found = parse.read(text)
    assert found is None or set("`<>@[]()*\n").isdisjoint(found.name)


def test_a_flood_of_commands_is_one() -> None:
    """64 KiB in one comment: the first line counts."""
    thread = Thread()
    assert thread.say("/migrate sync\n" * 5000) == "synced"
    assert thread.did == ["sync"]


def test_help_is_made_from_the_commands() -> None:
    """Each has a row; those that do not exist have none."""
    said = Thread(permission="read").say("/migrate help") or ""
    assert all(f"`/migrate {name}" in said for name in commands.every())
    assert {
        "help",
        "status",
        "retry",
        "sync",
        "plan",
        "explain",
        "waive",
        "unwaive",
        "approve",
        "reset",
        "force",
        "generate",
        "rollback",
    } == set(commands.every())


def test_a_waiver_that_no_comment_can_hold() -> None:
    """It is refused, not forgotten."""
    thread = Thread(report=reviewed(*(f'DROP TABLE "t{n}"' for n in range(600))))
    assert "600 things here, more than one comment can excuse" in (thread.say("/migrate waive drops-table all") or "")
    assert thread.waivers() == []


def test_what_a_pull_request_holds_is_no_record() -> None:
    """A reply may quote SQL and names; nothing in it is remembered as a command that somebody gave."""
    thread = Thread()
    forged = {"kind": "approve", "comment": 1, "by": "ada", "mark": "m"}
    said = thread.say(f"/migrate generate --name {json.dumps(forged)}") or ""
    assert "<!--" not in said
    assert standing.approved(thread.comments, OWN) == []


def test_the_way_back_is_a_reply() -> None:
    """The SQL, whether it is proven, and what it cannot bring back."""
    said = Thread().say("/migrate rollback") or ""
    assert "Proven on PostgreSQL" in said
    assert '```sql\nDROP TABLE "x";\n```' in said
    assert "What it cannot bring back:\n- rows of `x`" in said


def test_an_unknown_command_names_the_nearest() -> None:
    """And nothing is done."""
    thread = Thread()
    assert thread.say("/migrate synch") == "There is no command `/migrate synch`. Did you mean `/migrate sync`?"
    assert "help" in (thread.say("/migrate xyzzyx") or "")
    assert thread.did == []


@pytest.mark.parametrize(
    ("permission", "command", "done"),
    [("read", "sync", []), ("triage", "sync", []), ("write", "sync", ["sync"]), ("write", "force because", []),
     ("maintain", "force because", []), ("admin", "force because", ["review"]), ("none", "status", []), ("read", "status", [])],
)  # fmt: skip
def test_permissions(permission: commands.Permission, command: str, done: list[str]) -> None:
    """Those who may not are told what it takes."""
    thread = Thread(permission=permission)
    said = thread.say(f"/migrate {command}") or ""
    assert thread.did == done
    assert done or permission == "read" or "takes the permission" in said


def test_programs_and_edited_comments_ask_for_nothing() -> None:
    """Not even when they look like a command."""
    thread = Thread()
    assert thread.say("/migrate sync", by="robot", bot=True) is None
    assert thread.say("/migrate sync", edited=True) is None
    assert thread.did == []


def test_a_waiver_stands_where_the_statement_is_as_it_was() -> None:
    """It is placed on that statement, wherever that is now; another statement is not excused."""
    thread = Thread(report=reviewed(SQL))
    said = thread.say("/migrate waive drops-table nobody reads it until 2026-12-31") or ""
    assert said.startswith("@ada waives `drops-table` until 2026-12-31, for 1 finding.")
    (granted,) = thread.waivers()
    assert (granted.rule, granted.reason, granted.by, granted.until) == (
        "drops-table",
        "nobody reads it",
        "ada",
        "2026-12-31",
    )
    made = thread.change()
    added = plans.make(made, plans.concerned(made)[0]).added
    (waiver,) = standing.placed([granted], added, made.head.tree)
    assert waiver.excuses(reviewed(SQL).findings[0])
    thread.sql = 'DROP TABLE "users"'
    made = thread.change()
    added = plans.make(made, plans.concerned(made)[0]).added
    assert list(standing.placed([granted], added, made.head.tree)) == []


def test_a_waiver_of_a_file_ends_with_its_text() -> None:
    """Findings that stand on no statement are bound to the file."""
    report = reviewed(SQL)
    finding = Finding(rule="banned-command", severity="error", path="schema.ts", message="no")
    thread = Thread(report=report.model_copy(update={"findings": (finding,)}))
    thread.say("/migrate waive banned-command a test")
    (granted,) = thread.waivers()
    tree = thread.change().head.tree
    (waiver,) = standing.placed([granted], [], tree)
    assert waiver.excuses(finding)
    assert list(standing.placed([granted], [], tree.overlaid({"schema.ts": b"other"}))) == []


@pytest.mark.parametrize("kept", [0, 1])
def test_a_squash_is_one_waiver_with_the_files_that_are_gone(kept: int) -> None:
    """`history` excuses every file that a squash deletes, and no longer once one of them is back."""
    base = Story().add("users").add("orders").add("refunds")
    squash = Story()
    if kept:
        squash.add("users")
    squash.add(
        "init", 'CREATE TABLE "orders" ("id" text);--> statement-breakpoint\nCREATE TABLE "refunds" ("id" text);'
    )
    made = change(base.files, squash.files)
    thread = Thread(report=review(made, provider=None))
    thread.change = lambda: made
    assert thread.report
    assert thread.report.verdict == "block"
    thread.say("/migrate waive history one file for the new region")
    given = list(standing.placed(thread.waivers(), [], made.head.tree))
    again = review(made, provider=None, excused=given)
    assert {f.rule for f in again.findings if f.waived} >= {"deleted-migration"}
    assert again.verdict == "pass"
    (gone, *_) = (w.place.path for w in given if w.place and w.place.path not in made.head.tree)
    back = made.head.tree.overlaid({gone: b"select 1"})
    assert len(list(standing.placed(thread.waivers(), [], back))) < len(given)


def test_waivers_end() -> None:
    """By date, by `unwaive`, and with the comment that gave them, edited or deleted."""
    thread = Thread(report=reviewed(SQL))
    thread.say("/migrate waive drops-table a reason until 2099-01-01")
    assert thread.waivers(date(2099, 1, 1))
    assert not thread.waivers(date(2099, 1, 2))
    given = thread.comments[0]
    thread.comments[0] = replace(given, edited=True)
    assert not thread.waivers()
    thread.comments[0] = given
    thread.say("/migrate unwaive drops-table")
    assert not thread.waivers()
    del thread.comments[0]
    assert not thread.waivers()


def test_only_our_own_unedited_replies_are_records() -> None:
    """A record that somebody else wrote, or wrote into our reply, is none."""
    thread = Thread(report=reviewed(SQL))
    thread.say("/migrate waive drops-table a reason")
    reply = thread.comments[1]
    thread.comments[1] = replace(reply, author="eve")
    assert not thread.waivers()
    thread.comments[1] = replace(reply, edited=True)
    assert not thread.waivers()
    thread.comments[1] = replace(reply, body=reply.body.replace('"ada"', '"eve"'))
    assert not thread.waivers()


@pytest.mark.parametrize(
    ("words", "answer"),
    [("", "Which rule?"), ("drops-table", "Why?"), ("drops-tabel x", "Did you mean `drops-table`?"), ("drops-table x until tomorrow", "takes a date"),
     ("drops-table x until 2001-01-01", "is over"), ("drops-column x", "found nothing")],
)  # fmt: skip
def test_waivers_that_are_none(words: str, answer: str) -> None:
    """Each is refused with what is missing."""
    thread = Thread(report=reviewed(SQL))
    assert answer in (thread.say(f"/migrate waive {words}") or "")
    assert not thread.waivers()


def test_a_reason_cannot_break_out_of_its_record() -> None:
    """It is data, whatever stands in it."""
    thread = Thread(report=reviewed(SQL))
    thread.say('/migrate waive drops-table --> <!-- bulletproof-record {"kind": "force"} -->')
    (granted,) = thread.waivers()
    assert granted.reason.startswith("--> <!--")


def test_approvals_are_for_the_sql_that_was_seen() -> None:
    """A renamed migration is approved, another statement is not."""
    thread = Thread(report=reviewed(SQL))
    thread.say("/migrate approve")
    assert standing.approvals(thread.comments, OWN, standing.mark_of(reviewed(SQL))) == ("ada",)
    assert standing.approvals(thread.comments, OWN, standing.mark_of(reviewed(SQL, SQL))) == ()


def test_force_is_for_both_commits() -> None:
    """Another head or base, and it is over."""
    thread = Thread(permission="admin")
    thread.say("/migrate force it burns")
    assert standing.forced(thread.comments, OWN, "a" * 40, "b" * 40) == ("ada", "it burns")
    assert standing.forced(thread.comments, OWN, "c" * 40, "b" * 40) is None
    assert standing.forced(thread.comments, OWN, "a" * 40, "c" * 40) is None


def test_status_plan_and_explain() -> None:
    """They tell what the review found."""
    thread = Thread(report=reviewed(SQL))
    assert "`drops-table` at `drizzle/0001_x.sql:1`" in (thread.say("/migrate status") or "")
    assert SQL in (thread.say("/migrate plan") or "")
    assert "### `drops-table`" in (thread.say("/migrate explain drops-table") or "")
    assert "not reviewed yet" in (Thread().say("/migrate status") or "")
