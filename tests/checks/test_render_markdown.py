"""Reports as GitHub's Markdown: readable, within limits by construction, and closed to whatever a pull request writes."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot
from markdown_it import MarkdownIt
from markdown_it.token import Token

from checks.render import gfm, markdown, words
from checks.report import Finding, MigrationReport, SchemaDiff, StatementReport
from tests.checks import render_samples as samples

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
FRAGMENTS = [
    *(
        "`",
        "``",
        "```",
        "````sql\n",
        "\n",
        "\n\n",
        "~~~",
        "|",
        "\\|",
        "\\",
        "*",
        "_",
        "__",
        "**x**",
        "<!-- bulletproof -->",
    ),
    *(
        "</details>",
        "<img src=x onerror=y>",
        "<summary>",
        "</code>",
        "<",
        ">",
        "&",
        "&#64;",
        "@team",
        "#1",
        "GH-7",
        "$x$",
    ),
    *("https://evil.example", "www.evil.example", "a@b.example", "[x](http://x)", "![x](y)", "- ", "1. ", "# ", "> "),
    *("---", "===", "|---|", "\u202e", "\u200b", "\udcff", "\x1b[2J", "\r", "    ", "\t", "x", "a_b"),
]
NASTY = (
    st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=6), min_size=1, max_size=10)
    .map("".join)
    .filter(lambda text: words.line(text).lstrip("#0123456789") != "")  # a true reference may link
    .filter(lambda text: words.way_out(text) != "")  # of help that is one code block, nothing is shown
)

INLINE = {"text", "code_inline", "html_inline", "strong_open", "strong_close", "softbreak", "text_special"}
HTML = re.compile(r"</?(code|span|sub)>")
HTML_BLOCK = re.compile(
    r"(<details( open)?><summary>([\w /]|[^\x00-\x7f]|</?(code|span)>|&#\d+;|[.,])*</summary>|</details>|<sub>.*</sub>)\s*"
)


def parsed(text: str) -> list[Token]:
    """The tokens, blocks and inline ones."""
    return [t for block in PARSER.parse(text) for t in (block, *(block.children or []))]


def shape(text: str) -> list[str]:
    """The kinds of blocks, in order."""
    return [token.type for token in PARSER.parse(text)]


def test_a_blocked_review() -> None:
    """The whole comment on a pull request that breaks the policy."""
    assert markdown.text(samples.blocked()) == snapshot("""\
### ❌ Migration policy · blocked: 2 errors, 1 warning, 1 waived, 1 thing not checked

1111111 → 2222222 · Drizzle v0 in `lib/database/migrations`

**Fix the errors below and push again. Or excuse one, with a reason: `/migrate waive RULE REASON`.**

#### Findings

- ❌ **error** `replay-fails` in `lib/database/migrations/0003_bright_storm.sql:3`

  PostgreSQL refuses this statement: column "emial" does not exist (SQLSTATE 42703).
- ❌ **error** `banned-command` in `package.json:12`

  `db:push` changes a database without a migration.

  → Remove the script and use `npm run db:migrate`.
- ⚠️ **warning** `drops-column` in `lib/database/migrations/0003_bright_storm.sql:1`

  Dropping `users.nickname` breaks code that still reads it: `src/profile.ts:14`.

  → Release the code that no longer mentions the column first (the review keeps the column as a pending drop), then `/migrate generate --drop users.nickname`.

- ☑️ `blocks-writes` in `lib/database/migrations/0003_bright_storm.sql:5` is waived by `ada`, until 2026-12-01: the table is empty

2 older findings were there before and cannot block: 1 prefer-text, 1 snapshot-chain.

#### Collisions

- ⚠️ with #12: Both add a migration with number 0003.

  → Merge one, then `/migrate sync` the other.

#### Checklist

| | Requirement | Evidence |
|---|---|---|
| ✅ | Schema edited in place | `lib/database/schema.ts` changes with the migration. |
| ✅ | Migration generated | Fine. |
| ⚪ | Migration reviewed | The policy does not require it. |
| ❌ | Migration tested | Statement 2 of `0003_bright_storm` fails on the base's database. |
| ✅ | Committed together | Fine. |
| ❌ | No banned commands | `package.json` names `db:push`. |
| ✅ | Standard connection | Fine. |
| ✅ | Tracking table untouched | Fine. |
| ❔ | History is linear | The base chain needs the extension `postgis`, which the branch database lacks; the last snapshot was used. |

#### Migrations

<details open><summary><code>lib/database/migrations/0003&#95;bright&#95;storm&#46;sql</code> added, 3 statements, 1.2 ms</summary>

| | Statement | What it does to others | Time |
|--:|---|---|--:|
| 1 | `ALTER TABLE "users" DROP COLUMN "nickname"` | blocks reads and writes on `users` | 1.2 ms |
| 2 | `CREATE INDEX "users_emial_idx" ON "users" USING btree ("emial")` | failed: column "emial" does not exist (SQLSTATE 42703) |  |
| 3 | `ALTER TABLE "posts" ALTER COLUMN "id" SET DATA TYPE bigint` | not run |  |

</details>

#### Replay, as Drizzle would do it

- ❌ The new migrations fail on the base's database.
- ❔ The whole chain was not run on an empty database.
- ❌ Statement 2 of `0003_bright_storm` failed: column "emial" does not exist (SQLSTATE 42703)

#### schema.ts and migrations

- ❔ schema.ts could not be read in full, and code is never run to find out.
- ✅ The last snapshot describes the same database as the migrations.
- ❔ `lib/database/schema.ts:40`: `makeColumns()` is imported code.

#### What changes in the database

- `users`: column `nickname` dropped

<details><summary>The same as SQL</summary>

```sql
ALTER TABLE "users" DROP COLUMN "nickname";
```

</details>

<details><summary>The same as a difference of the schema</summary>

```diff
--- base
+++ head
@@ -1,3 +1,2 @@
 CREATE TABLE users (
-  nickname text
```

</details>

#### The way back

- ✅ `bulletproof rollback` prints SQL that undoes this; run here, it led back to base.
- ❌ Does not come back: what `users.nickname` held

<details><summary>The way back as SQL</summary>

```sql
ALTER TABLE "users" ADD COLUMN "nickname" text;
```

</details>

#### Not looked at

- Statement 3 of `0003_bright_storm`: it stands after the failure

<sub>3 statements: all read, 1 run · judged by PostgreSQL and by reading · 150 ms</sub>
""")


def test_a_passed_review() -> None:
    """The whole comment on a clean pull request."""
    assert markdown.text(samples.passed()) == snapshot("""\
### ✅ Migration policy · passed

1111111 → 3333333 · Drizzle v0 in `lib/database/migrations`

#### Checklist

| | Requirement | Evidence |
|---|---|---|
| ✅ | Schema edited in place | Fine. |
| ✅ | Migration generated | Fine. |
| ✅ | Migration reviewed | Fine. |
| ✅ | Migration tested | Fine. |
| ✅ | Committed together | Fine. |
| ✅ | No banned commands | Fine. |
| ✅ | Standard connection | Fine. |
| ✅ | Tracking table untouched | Fine. |
| ✅ | History is linear | Fine. |

#### Migrations

<details open><summary><code>lib/database/migrations/0003&#95;nice&#46;sql</code> added, 1 statement, 0.4 ms</summary>

| | Statement | What it does to others | Time |
|--:|---|---|--:|
| 1 | `ALTER TABLE "users" ADD COLUMN "bio" text` | blocks reads and writes on `users` | 0.4 ms |

</details>

#### Replay, as Drizzle would do it

- ✅ The new migrations apply to the base's database, all in one transaction.
- ✅ The whole chain runs on an empty database.

#### What changes in the database

- `users`: column `bio` added

<details><summary>The same as SQL</summary>

```sql
ALTER TABLE "users" ADD COLUMN "bio" text;
```

</details>

<sub>1 statement: 1 read, 1 run · judged by PostgreSQL and by reading · 412 ms</sub>
""")


def test_nothing_to_review() -> None:
    """Where no migration is touched, two lines."""
    assert markdown.text(samples.untouched()) == snapshot("""\
### ✅ Migration policy · passed: no migration or schema is touched

1111111 → 4444444
""")


def test_unjudged() -> None:
    """What was in the way is said, and that nothing was judged."""
    assert markdown.text(samples.unjudged()) == snapshot("""\
### ❔ Migration policy · could not judge

1111111 → 5555555 · Drizzle v0 in `lib/database/migrations`

**Nothing was judged, which is not a pass. Run the review again.**

- The branch database stopped answering after 120 s.
""")


def test_a_trace() -> None:
    """`bulletproof trace --format markdown`."""
    assert markdown.text(samples.trace()) == snapshot("""\
### 3 statements: all read, 1 run, 1 failed, 1 warning

| | Statement | What it does to others | Time |
|--:|---|---|--:|
| 1 | `ALTER TABLE "users" DROP COLUMN "nickname"` | blocks reads and writes on `users` | 1.2 ms |
| 2 | `CREATE INDEX "users_emial_idx" ON "users" USING btree ("emial")` | failed: column "emial" does not exist (SQLSTATE 42703) |  |
| 3 | `ALTER TABLE "posts" ALTER COLUMN "id" SET DATA TYPE bigint` | not run |  |

#### What changed in the database

- `users`: column `nickname` dropped

#### Findings

- ⚠️ **warning** `drops-column` in `change.sql:1`

  Dropping `users.nickname`…
""")


@given(NASTY)
@settings(max_examples=80, deadline=None)
def test_nothing_breaks_out(hostile: str) -> None:
    """Whatever a pull request writes changes no block, makes no link, image, mention or reference, and no HTML but ours."""
    shown = markdown.text(samples.everywhere(hostile))
    assert shape(shown) == shape(markdown.text(samples.everywhere("harmless")))
    inside_code = False
    for token in parsed(shown):
        if token.type == "inline":
            assert {child.type for child in token.children or []} <= INLINE, token.content
        if token.type == "html_inline":
            assert HTML.fullmatch(token.content)
            inside_code = token.content == "<code>" if "code" in token.content else inside_code
        if token.type == "html_block":
            assert HTML_BLOCK.fullmatch(token.content)
        if token.type in {"text", "text_special"} and not inside_code:  # GitHub leaves code alone
            assert not re.search(r"@\w|#\d|GH-\d|://|www\.", token.content, re.IGNORECASE)
    assert "<!-- bulletproof" not in shown
    assert all(c == "\n" or c.isprintable() or c.isspace() for c in shown)


@given(NASTY)
@settings(max_examples=200, deadline=None)
def test_code_shows_its_text(hostile: str) -> None:
    """A code span is one element in prose and in a table, and shows exactly what was written, on one line."""
    said = words.line(hostile)
    for frame in ("{}\n", "| a |\n|---|\n| {} |\n"):
        children = [t for t in parsed(frame.format(gfm.code(hostile))) if t.type not in {"inline", "text_special"}]
        spans = [t for t in children if t.type == "code_inline"]
        if spans:
            assert [span.content for span in spans] == [said]
        else:
            inline = next(
                t for t in PARSER.parse(frame.format(gfm.code(hostile))) if t.type == "inline" and "<code>" in t.content
            )
            assert [c.type for c in inline.children or [] if c.type == "html_inline"] == ["html_inline"] * (
                2 + 2 * said.count("@")
            )
            assert "".join(c.content for c in inline.children or [] if c.type != "html_inline") == said


@given(NASTY)
@settings(max_examples=200, deadline=None)
def test_plain_text_shows_its_text(hostile: str) -> None:
    """Prose means only itself: what is read back is what was written, but for the zero-width spaces that stop references."""
    said = words.line(hostile)
    block, inline, *_ = PARSER.parse(gfm.plain(said) + "\n")[:2]
    assert block.type == "paragraph_open"
    shown = "".join(c.content for c in inline.children or [] if c.type != "html_inline")
    assert shown.replace("\u200b", "") == said


@given(st.integers(200, 6_000), NASTY)
@settings(max_examples=150, deadline=None)
def test_limits_hold(limit: int, hostile: str) -> None:
    """At every limit the text fits, in bytes, and every fence, table and fold is whole."""
    report = samples.everywhere(hostile)
    long = report.model_copy(
        update={
            "findings": report.findings * 20,
            "migrations": report.migrations * 5,
            "schema_diff": SchemaDiff(sql=f"{hostile}\n" * 200, unified=f"{hostile}\n" * 200, summary=(hostile,) * 50),
        }
    )
    shown = markdown.text(long, limit=limit)
    assert len(shown.encode()) <= limit
    blocks = [t.content for t in PARSER.parse(shown) if t.type == "html_block"]
    assert sum("<details" in b for b in blocks) == sum("</details>" in b for b in blocks)
    assert all(HTML_BLOCK.fullmatch(b) for b in blocks)


def test_a_long_report_keeps_what_matters() -> None:
    """Shortened, a report still shows the verdict, errors before warnings, the checklist, and says what is missing."""
    statements = tuple(
        StatementReport(
            index=i, line=i, sql=f"INSERT INTO t{i} VALUES ({'x' * 100})", kind="Insert", ms=1, executed=True
        )
        for i in range(2_000)
    )
    findings = [
        Finding(rule="prefer-text", severity="warning", path="a.sql", line=i + 1, message="m" * 300) for i in range(500)
    ]
    worst = Finding(rule="banned-command", severity="error", path="package.json", message="No.")
    report = samples.blocked().model_copy(
        update={
            "findings": (*findings, worst),
            "migrations": (MigrationReport(tag="x", path="x.sql", change="added", statements=statements),),
            "schema_diff": SchemaDiff(sql="SELECT 1;\n" * 20_000),
        }
    )
    shown = markdown.text(report)
    assert 60_000 < len(shown.encode()) <= 65_535
    assert shown.index("banned-command") < shown.index("prefer-text")
    assert re.search(r"… and \d+ more: \d+ prefer-text", shown)
    assert re.search(r"… [\d,]+ more statements, left out for length", shown)
    assert re.search(r"… [\d,]+ more lines, left out for length", shown)
    assert "History is linear" in shown


@pytest.mark.parametrize(
    ("other", "expected"),
    [("#12", "- ⚠️ with #12: "), ("base", "- ❌ with base: "), ("#12 @x", "- ⚠️ with \\#&#8203;12 @&#8203;x: ")],
)
def test_only_true_references_link(other: str, expected: str) -> None:
    """A conflict links to the pull request it is with; nothing else does."""
    conflict = samples.blocked().conflicts[0].model_copy(update={"other": other})
    assert expected in markdown.text(samples.blocked().model_copy(update={"conflicts": (conflict,)}))
