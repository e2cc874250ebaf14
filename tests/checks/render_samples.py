"""Reports as a review makes them, written by hand, for the tests of their rendering."""

from checks.report import (
    ChecklistItem,
    Conflict,
    Coverage,
    Equality,
    Finding,
    Lock,
    MigrationReport,
    Opaque,
    ProjectSummary,
    Replay,
    ReplayError,
    Report,
    Rollback,
    SchemaDiff,
    SqlError,
    StatementReport,
    TraceReport,
    Unresolved,
    Waiver,
)

SQL = "lib/database/migrations/0003_bright_storm.sql"
CHECKLIST = (
    ("schema-in-place", "Schema edited in place"),
    ("migration-generated", "Migration generated"),
    ("migration-reviewed", "Migration reviewed"),
    ("migration-tested", "Migration tested"),
    ("committed-together", "Committed together"),
    ("no-banned-commands", "No banned commands"),
    ("standard-connection", "Standard connection"),
    ("tracking-untouched", "Tracking table untouched"),
    ("history-linear", "History is linear"),
)
PROJECT = ProjectSummary(
    format="v0",
    migrations_dir="lib/database/migrations",
    schema_files=("lib/database/schema.ts",),
    migrator="neon-serverless",
    config="drizzle.config.ts",
)
DROP = StatementReport(
    index=0,
    line=1,
    sql='ALTER TABLE "users" DROP COLUMN "nickname"',
    kind="AlterTable",
    ms=1.23,
    executed=True,
    locks=(Lock(relation="public.users", mode="AccessExclusiveLock"),),
    changes=("`users`: column `nickname` dropped",),
)
FAILS = StatementReport(
    index=1,
    line=3,
    sql='CREATE INDEX "users_emial_idx" ON "users" USING btree ("emial")',
    kind="Index",
    error=SqlError(sqlstate="42703", message='column "emial" does not exist'),
)
NOT_RUN = StatementReport(
    index=2, line=5, sql='ALTER TABLE "posts" ALTER COLUMN "id" SET DATA TYPE bigint', kind="AlterTable"
)


def blocked() -> Report:
    """A pull request that breaks the policy in several ways."""
    met = {id_: ("met", "Fine.") for id_, _ in CHECKLIST}
    states = met | {
        "schema-in-place": ("met", "`lib/database/schema.ts` changes with the migration."),
        "migration-reviewed": ("not-applicable", "The policy does not require it."),
        "migration-tested": ("unmet", "Statement 2 of `0003_bright_storm` fails on the base's database."),
        "no-banned-commands": ("unmet", "`package.json` names `db:push`."),
        "history-linear": (
            "unknown",
            "The base chain needs the extension `postgis`, which the branch database lacks; the last snapshot was used.",
        ),
    }
    return Report(
        verdict="block",
        title="blocked: 2 errors, 1 warning, 1 waived, 1 thing not checked",
        base="1" * 40,
        head="2" * 40,
        merge_base="1" * 40,
        project=PROJECT,
        projects=(PROJECT,),
        checklist=tuple(
            ChecklistItem(id=id_, title=title, state=states[id_][0], why=states[id_][1])  # pyright: ignore[reportArgumentType]
            for id_, title in CHECKLIST
        ),
        findings=(
            Finding(
                rule="drops-column",
                severity="warning",
                path=SQL,
                line=1,
                end_line=1,
                message="Dropping `users.nickname` breaks code that still reads it: `src/profile.ts:14`.",
                help="Release the code that no longer mentions the column first (the review keeps the column as a "
                "pending drop), then `/migrate generate --drop users.nickname`.",
                migration="0003_bright_storm",
                statement=0,
            ),
            Finding(
                rule="replay-fails",
                severity="error",
                path=SQL,
                line=3,
                end_line=3,
                message='PostgreSQL refuses this statement: column "emial" does not exist (SQLSTATE 42703).',
                migration="0003_bright_storm",
                statement=1,
            ),
            Finding(
                rule="banned-command",
                severity="error",
                path="package.json",
                line=12,
                message="`db:push` changes a database without a migration.",
                help="Remove the script and use `npm run db:migrate`.",
            ),
            Finding(rule="prefer-text", severity="note", path=SQL, line=9, message="Old.", introduced=False),
            Finding(rule="snapshot-chain", severity="error", path=SQL, line=9, message="Old.", introduced=False),
            Finding(
                rule="blocks-writes",
                severity="warning",
                path=SQL,
                line=5,
                end_line=5,
                message="Waived.",
                waived=Waiver(reason="the table is empty", by="ada", until="2026-12-01"),
            ),
        ),
        migrations=(
            MigrationReport(tag="0003_bright_storm", path=SQL, change="added", statements=(DROP, FAILS, NOT_RUN)),
        ),
        replay=Replay(
            from_base="failed",
            from_zero="skipped",
            error=ReplayError(
                migration="0003_bright_storm",
                statement=1,
                sqlstate="42703",
                message='column "emial" does not exist',
            ),
        ),
        schema_diff=SchemaDiff(
            sql='ALTER TABLE "users" DROP COLUMN "nickname";\n',
            unified="--- base\n+++ head\n@@ -1,3 +1,2 @@\n CREATE TABLE users (\n-  nickname text\n",
            summary=("`users`: column `nickname` dropped",),
        ),
        equality=Equality(
            schema_ts="unresolved",
            snapshot="equal",
            unresolved=(Unresolved(path="lib/database/schema.ts", line=40, why="`makeColumns()` is imported code."),),
        ),
        rollback=Rollback(
            sql='ALTER TABLE "users" ADD COLUMN "nickname" text;\n',
            proven=True,
            irreversible=("what `users.nickname` held",),
        ),
        conflicts=(
            Conflict.model_validate(
                {
                    "with": "#12",
                    "kind": "number",
                    "message": "Both add a migration with number 0003.",
                    "fix": "Merge one, then `/migrate sync` the other.",
                }
            ),
        ),
        coverage=Coverage(
            statements=3,
            read=3,
            executed=1,
            opaque=(Opaque(migration="0003_bright_storm", statement=2, why="it stands after the failure"),),
        ),
        witnesses=("text", "postgres"),
        timings_ms={"git": 12, "branch": 62, "replay": 30.2, "catalog": 44, "total": 150.0},
    )


def passed() -> Report:
    """A clean pull request."""
    return Report(
        verdict="pass",
        title="passed",
        base="1" * 40,
        head="3" * 40,
        merge_base="1" * 40,
        project=PROJECT,
        checklist=tuple(ChecklistItem(id=id_, title=title, state="met", why="Fine.") for id_, title in CHECKLIST),
        migrations=(
            MigrationReport(
                tag="0003_nice",
                path="lib/database/migrations/0003_nice.sql",
                change="added",
                statements=(
                    StatementReport(
                        index=0,
                        line=1,
                        sql='ALTER TABLE "users"\n  ADD COLUMN "bio" text',
                        kind="AlterTable",
                        ms=0.4,
                        executed=True,
                        locks=(Lock(relation="public.users", mode="AccessExclusiveLock"),),
                    ),
                ),
            ),
        ),
        replay=Replay(from_base="ok", from_zero="ok"),
        schema_diff=SchemaDiff(
            sql='ALTER TABLE "users" ADD COLUMN "bio" text;\n', summary=("`users`: column `bio` added",)
        ),
        equality=Equality(schema_ts="equal", snapshot="equal"),
        coverage=Coverage(statements=1, read=1, executed=1),
        witnesses=("text", "postgres"),
        timings_ms={"total": 412.0},
    )


def untouched() -> Report:
    """A pull request without migrations."""
    return Report(
        verdict="pass",
        title="passed: no migration or schema is touched",
        base="1" * 40,
        head="4" * 40,
        merge_base="1" * 40,
    )


def unjudged() -> Report:
    """A review whose database went away."""
    return Report(
        verdict="unjudged",
        title="could not judge",
        base="1" * 40,
        head="5" * 40,
        merge_base="1" * 40,
        project=PROJECT,
        notes=("The branch database stopped answering after 120 s.",),
    )


def trace() -> TraceReport:
    """Three statements, traced."""
    return TraceReport(
        statements=(DROP, FAILS, NOT_RUN),
        findings=(
            Finding(rule="drops-column", severity="warning", path="change.sql", message="Dropping `users.nickname`…"),
        ),
        coverage=Coverage(statements=3, read=3, executed=1),
    )


def everywhere(text: str) -> Report:
    """A report with the same hostile text in every place that a pull request can write to."""
    statement = StatementReport(
        index=0,
        line=1,
        sql=text,
        kind=text,
        ms=1,
        executed=True,
        error=SqlError(sqlstate="42703", message=text),
        locks=(Lock(relation=text, mode="AccessExclusiveLock"),),
        rewrites=(text,),
        scans=(text,),
        changes=(text,),
    )
    finding = Finding(rule=text, severity="error", path=text, message=text, help=text, migration=text, statement=0)
    return Report(
        verdict="block",
        title="blocked: 1 error",
        base="1" * 40,
        head="2" * 40,
        merge_base="1" * 40,
        project=ProjectSummary(format="v1", migrations_dir=text, migrator=text),
        checklist=(ChecklistItem(id="migration-tested", title=text, state="unmet", why=text),),
        findings=(
            finding,
            finding.model_copy(update={"waived": Waiver(reason=text, by=text, until=text)}),
            finding.model_copy(update={"introduced": False}),
        ),
        migrations=(
            MigrationReport(tag=text, path=text, change="added", statements=(statement,)),
            MigrationReport(tag=text, path=text, change="deleted"),
        ),
        replay=Replay(
            from_base="failed",
            from_zero="failed",
            error=ReplayError(migration=text, statement=0, sqlstate="42703", message=text),
            would_skip=(text,),
        ),
        schema_diff=SchemaDiff(sql=text, unified=text, summary=(text,)),
        equality=Equality(
            schema_ts="differs",
            snapshot="differs",
            missing_sql=text,
            unresolved=(Unresolved(path=text, line=1, why=text),),
        ),
        rollback=Rollback(sql=text, proven=False, irreversible=(text,)),
        conflicts=(Conflict.model_validate({"with": text, "kind": text, "message": text, "fix": text}),),
        coverage=Coverage(statements=1, read=1, executed=1, opaque=(Opaque(migration=text, statement=0, why=text),)),
        notes=(text,),
        timings_ms={"total": 1},
    )
