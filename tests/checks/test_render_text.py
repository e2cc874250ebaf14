"""Reports on a terminal: the verdict first, what to do second, and nothing that could steer the terminal."""

import io
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot
from rich.cells import cell_len
from rich.console import Console

from checks.render import text, words
from checks.report import ChecklistItem, Finding, MigrationReport, Replay, StatementReport
from tests.checks import render_samples as samples

NASTY = st.lists(
    st.sampled_from(
        [
            "\x1b[2J",
            "\x1b]8;;http://x\x07",
            "\r",
            "\n",
            "\t",
            "\x9b1m",
            "\u202e",
            "\u200b",
            "漢字",
            "[bold]",
            "`",
            "\udcff",
        ]
    )
    | st.text(max_size=12),
    max_size=12,
).map("".join)


def test_a_blocked_review_says_what_to_do() -> None:
    """The whole of a blocked review, as a person reads it at 80 columns."""
    assert text.text(samples.blocked()) == snapshot("""\
✗ blocked: 2 errors, 1 warning, 1 waived, 1 thing not checked
  verdict block · 1111111 → 2222222 · Drizzle v0 in `lib/database/migrations`
  Fix the errors below and push again. Or excuse one, with a reason: `/migrate
  waive RULE REASON`.

Findings
  ✗ error    replay-fails        lib/database/migrations/0003_bright_storm.sql:3
    PostgreSQL refuses this statement: column "emial" does not exist (SQLSTATE
    42703).

  ✗ error    banned-command                                      package.json:12
    `db:push` changes a database without a migration.
    → Remove the script and use `npm run db:migrate`.

  ! warning  drops-column        lib/database/migrations/0003_bright_storm.sql:1
    Dropping `users.nickname` breaks code that still reads it:
    `src/profile.ts:14`.
    → Release the code that no longer mentions the column first (the review
      keeps the column as a pending drop), then `/migrate generate --drop
      users.nickname`.

  ~ blocks-writes at lib/database/migrations/0003_bright_storm.sql:5 is waived
    by ada, until 2026-12-01: the table is empty
  2 older findings were there before and cannot block: 1 prefer-text, 1
    snapshot-chain.

Collisions
  ! with #12: Both add a migration with number 0003.
    → Merge one, then `/migrate sync` the other.

Checklist
  ✓ Schema edited in place
  ✓ Migration generated
  - Migration reviewed
    The policy does not require it.
  ✗ Migration tested
    Statement 2 of `0003_bright_storm` fails on the base's database.
  ✓ Committed together
  ✗ No banned commands
    `package.json` names `db:push`.
  ✓ Standard connection
  ✓ Tracking table untouched
  ? History is linear
    The base chain needs the extension `postgis`, which the branch database
    lacks; the last snapshot was used.

Migrations
  lib/database/migrations/0003_bright_storm.sql      added, 3 statements, 1.2 ms
   1  ALTER TABLE "users" DROP COLUMN "nickname"                          1.2 ms
      blocks reads and writes on `users`
   2  CREATE INDEX "users_emial_idx" ON "users" USING btree ("emial")
      failed: column "emial" does not exist (SQLSTATE 42703)
   3  ALTER TABLE "posts" ALTER COLUMN "id" SET DATA TYPE bigint
      not run

Replay, as Drizzle would do it
  ✗ The new migrations fail on the base's database.
  ? The whole chain was not run on an empty database.
  ✗ Statement 2 of `0003_bright_storm` failed: column "emial" does not exist
    (SQLSTATE 42703)

schema.ts and migrations
  ? schema.ts could not be read in full, and code is never run to find out.
  ✓ The last snapshot describes the same database as the migrations.
  ? lib/database/schema.ts:40: `makeColumns()` is imported code.

What changes in the database
  · `users`: column `nickname` dropped

    ALTER TABLE "users" DROP COLUMN "nickname";

The way back
  ✓ `bulletproof rollback` prints SQL that undoes this; run here, it led back to
    base.
  ✗ Does not come back: what `users.nickname` held

Not looked at
  ? statement 3 of 0003_bright_storm: it stands after the failure

3 statements: all read, 1 run · judged by PostgreSQL and by reading · 150 ms
""")


def test_a_passed_review_is_short() -> None:
    """The whole of a passed review."""
    assert text.text(samples.passed()) == snapshot("""\
✓ passed
  verdict pass · 1111111 → 3333333 · Drizzle v0 in `lib/database/migrations`

Checklist
  ✓ Schema edited in place
  ✓ Migration generated
  ✓ Migration reviewed
  ✓ Migration tested
  ✓ Committed together
  ✓ No banned commands
  ✓ Standard connection
  ✓ Tracking table untouched
  ✓ History is linear

Migrations
  lib/database/migrations/0003_nice.sql                       added, 1 statement
   1  ALTER TABLE "users" ADD COLUMN "bio" text                           0.4 ms
      blocks reads and writes on `users`

Replay, as Drizzle would do it
  ✓ The new migrations apply to the base's database, all in one transaction.
  ✓ The whole chain runs on an empty database.

What changes in the database
  · `users`: column `bio` added

    ALTER TABLE "users" ADD COLUMN "bio" text;

1 statement: 1 read, 1 run · judged by PostgreSQL and by reading · 412 ms
""")


def test_no_migration_is_two_lines() -> None:
    """Where nothing is touched, there is nothing to read."""
    assert text.text(samples.untouched()) == snapshot("""\
✓ passed: no migration or schema is touched
  verdict pass · 1111111 → 4444444
""")


def test_an_unjudged_review_is_no_pass() -> None:
    """What was in the way is said, and that nothing was judged."""
    assert text.text(samples.unjudged()) == snapshot("""\
? could not judge
  verdict unjudged · 1111111 → 5555555 · Drizzle v0 in `lib/database/migrations`
  · The branch database stopped answering after 120 s.
  Nothing was judged, which is not a pass. Run the review again.
""")


def test_a_trace_lists_statements_and_changes() -> None:
    """`bulletproof trace` shows each statement with what it does to others and to the schema."""
    assert text.text(samples.trace()) == snapshot("""\
3 statements: all read, 1 run, 1 failed, 1 warning
   1  ALTER TABLE "users" DROP COLUMN "nickname"                          1.2 ms
      blocks reads and writes on `users`
      `users`: column `nickname` dropped
   2  CREATE INDEX "users_emial_idx" ON "users" USING btree ("emial")
      failed: column "emial" does not exist (SQLSTATE 42703)
   3  ALTER TABLE "posts" ALTER COLUMN "id" SET DATA TYPE bigint
      not run

Findings
  ! warning  drops-column                                           change.sql:1
    Dropping `users.nickname`…
""")


def test_narrow_terminals_lose_nothing() -> None:
    """At 40 columns all rule ids and places are still there, and no line is wider."""
    shown = text.text(samples.blocked(), width=40)
    assert all(cell_len(line) <= 40 for line in shown.splitlines())
    assert "replay-fails" in shown
    assert samples.SQL in "".join(line.strip() for line in shown.splitlines())


def test_ascii_terminals_get_ascii() -> None:
    """A terminal without Unicode still gets every line, in characters it has."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    text.show(samples.blocked(), Console(file=out, width=80, legacy_windows=False))
    out.seek(0)
    shown = out.read()
    assert shown.startswith("x blocked: 2 errors")
    assert "  + Migration generated" in shown


def test_colours_are_there_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Colour is ANSI on the same words; NO_COLOR takes it away again."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("TERM", raising=False)
    assert "\x1b[1;31m" in text.text(samples.blocked(), color=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;31m" not in text.text(samples.blocked(), color=True)


@given(NASTY)
@settings(max_examples=40, deadline=None)
def test_nothing_steers_the_terminal(hostile: str) -> None:
    """Whatever a pull request writes, only printable characters and line ends come out, no line wider than the window."""
    for width in (80, 40):
        shown = text.text(samples.everywhere(hostile), width=width)
        assert all(c == "\n" or c.isprintable() or unicodedata.category(c) == "Zs" for c in shown)
        # Characters that join their neighbours count differently in pieces: one column of slack for each.
        assert all(cell_len(line) <= width + (0 if line.isascii() else 4) for line in shown.split("\n"))


def test_long_lists_are_cut_and_say_so() -> None:
    """Hundreds of statements and findings stay readable; the failing statement is never among those left out."""
    quiet = [
        StatementReport(index=i, line=i, sql=f"SELECT {i}", kind="Select", ms=1, executed=True) for i in range(400)
    ]
    quiet[300] = samples.FAILS.model_copy(update={"index": 300})
    findings = [
        Finding(rule="prefer-text", severity="note", path="a.sql", line=i + 1, message="Use text.") for i in range(100)
    ]
    worst = Finding(rule="banned-command", severity="error", path="package.json", message="No.")
    report = samples.blocked().model_copy(
        update={
            "findings": (*findings, worst),
            "migrations": (MigrationReport(tag="x", path="x.sql", change="added", statements=tuple(quiet)),),
        }
    )
    shown = text.text(report)
    assert shown.index("banned-command") < shown.index("prefer-text")
    assert "… and 61 more: 61 prefer-text" in shown
    assert "388 more statements" in shown
    assert "301  CREATE INDEX" in shown
    assert len(shown.splitlines()) < 300


def test_huge_statements_are_quick_and_short() -> None:
    """A statement of 20 MB costs no more than its first line."""
    report = samples.everywhere("SELECT 1 " * 2_000_000)
    assert len(text.text(report)) < 100_000


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        ("pass", "passed, 1 warning, 1 waived, 1 thing not checked"),
        ("block", "blocked: 2 errors, 1 warning, 1 waived, 1 thing not checked"),
        ("unjudged", "could not judge"),
    ],
)
def test_titles(verdict: str, expected: str) -> None:
    """A title counts what head made and nobody waived, and what was not checked."""
    report = samples.blocked()
    findings = [f for f in report.findings if verdict == "block" or f.severity != "error"]
    assert words.title(verdict, findings, report.checklist) == expected  # pyright: ignore[reportArgumentType]


def test_plain_titles() -> None:
    """Where nothing is to be said, one word."""
    assert words.title("pass", [], []) == "passed"


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("plain", "plain"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\u202eb", "a\\u{202e}b"),
        ("lib/\udcff.sql", "lib/\\xff.sql"),
        ("ä\n\tö", "ä\n\tö"),
        ("one\r\ntwo\rthree", "one\ntwo\\x0dthree"),
    ],
)
def test_visible(given_text: str, expected: str) -> None:
    """What cannot be seen is spelled out; lines and tabs stay."""
    assert words.visible(given_text) == expected


def test_the_way_out_is_a_line_or_two() -> None:
    """Of a rule's page only the advice after its first example is shown, cut at a sentence."""
    page = (
        "The harm.\n\n```sql bad\nDROP TABLE users;\n```\nDo this first. "
        + "Then do that. " * 30
        + "\n\n```sql good\nSELECT 1;\n```\n"
    )
    advice = words.way_out(page)
    assert advice.startswith("Do this first. Then do that.")
    assert len(advice) <= 240
    assert advice.endswith(".")
    assert words.way_out("Only advice.") == "Only advice."
    assert words.way_out("") == ""


def test_what_drizzle_skips_is_not_said_to_apply() -> None:
    """A migration that Drizzle passes over is not shown as one that was applied."""
    report = samples.passed()
    replay = Replay(from_base="ok", from_zero="ok", would_skip=("0002_late",))
    lines = words.replayed(report.model_copy(update={"replay": replay}))
    assert [line for _, line in lines] == [
        "The new migrations would apply to the base's database, all in one transaction, if Drizzle ran them.",
        "The whole chain runs on an empty database.",
        "Where base's migrations have run, Drizzle passes over `0002_late` in silence.",
    ]


def test_the_checklist_points_at_what_is_said_above() -> None:
    """Evidence that a finding has given in full is not given twice."""
    finding = Finding(rule="banned-command", severity="error", path="package.json", message="`db:push` is there.")
    item = ChecklistItem(
        id="no-banned-commands", title="t", state="unmet", why="`db:push` is there: `package.json:1`, `banned-command`."
    )
    assert words.evidence(item, [finding]) == "See above: `package.json:1`, `banned-command`."
    assert words.evidence(item, []) == item.why


def test_what_could_not_run_here_is_not_shown_as_failed() -> None:
    """Where the branch database lacks something, a failure is no verdict on the migration."""
    report = samples.blocked()
    tested = [i.model_copy(update={"state": "unknown"}) if i.id == "migration-tested" else i for i in report.checklist]
    said = words.replayed(report.model_copy(update={"checklist": tuple(tested)}))
    assert {state for state, _ in said} <= {"unknown", "met"}
    assert "The new migrations could not be run to their end here." in [line for _, line in said]
