"""The report of one review, as people and programs get it (`review --format json`, version 1)."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Verdict = Literal["pass", "block", "unjudged"]
Severity = Literal["error", "warning", "note"]
State = Literal["met", "unmet", "waived", "unknown", "not-applicable"]
RunState = Literal["ok", "failed", "skipped"]


class _Part(BaseModel):
    """Frozen, and strict about names: a field that is not in the contract is a mistake of ours."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ProjectSummary(_Part):
    """A PostgreSQL project of the repository; paths are from its root."""

    format: Literal["v0", "v1"]
    migrations_dir: str
    schema_files: tuple[str, ...] = ()
    migrator: str
    config: str | None = None


class ChecklistItem(_Part):
    """One line of the policy's checklist, with the evidence for its state in `why`."""

    id: str
    title: str
    state: State
    why: str


class Waiver(_Part):
    """Why a finding is excused, by whom, and until which ISO date (None: for good)."""

    reason: str
    by: str
    until: str | None = None


class Finding(_Part):
    """Something a rule says about a place in head.

    Attributes:
        statement: 0-based index in the migration.
        introduced: head made it so; only introduced errors that nobody waived block.
    """

    rule: str
    severity: Severity
    path: str
    line: int = 1
    end_line: int = 1
    message: str
    help: str | None = None
    migration: str | None = None
    statement: int | None = None
    introduced: bool = True
    waived: Waiver | None = None


class SqlError(_Part):
    """PostgreSQL's own words."""

    sqlstate: str
    message: str


class Lock(_Part):
    """The strongest mode that a statement newly took on a relation (`schema.name`)."""

    relation: str
    mode: str
    existed: bool = True


class StatementReport(_Part):
    """One statement, and what PostgreSQL did with it. `ms` and `rows` are None where it did not run.

    Attributes:
        notes: what could not be observed of it, and what would be otherwise under other settings of the session.
    """

    index: int
    line: int
    sql: str
    kind: str
    ms: float | None = None
    executed: bool = False
    error: SqlError | None = None
    locks: tuple[Lock, ...] = ()
    rewrites: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    rows: int | None = None
    notes: tuple[str, ...] = ()


class MigrationReport(_Part):
    """A migration that head adds or changes."""

    tag: str
    path: str
    change: Literal["added", "modified", "deleted", "renamed"]
    statements: tuple[StatementReport, ...] = ()


class ReplayError(_Part):
    """The statement that failed (`statement` is its 0-based index), in PostgreSQL's own words."""

    migration: str
    statement: int
    sqlstate: str
    message: str


class Replay(_Part):
    """What Drizzle's migrator would do with the migrations.

    Attributes:
        stopped: why it does not even start, in a sentence; then nothing is run, whatever the statements would do.
    """

    from_base: RunState = "skipped"
    from_zero: RunState = "skipped"
    error: ReplayError | None = None
    would_skip: tuple[str, ...] = ()
    transaction: Literal["one", "each", "none"] = "one"
    stopped: str | None = None


class SchemaDiff(_Part):
    """The difference that head makes to the database: statements, a text diff, words, and a Mermaid diagram of the tables that change."""

    sql: str = ""
    unified: str = ""
    summary: tuple[str, ...] = ()
    picture: str = ""


class Unresolved(_Part):
    """TypeScript that could not be known without running it."""

    path: str
    line: int
    why: str


class Equality(_Part):
    """schema.ts ⇔ last snapshot ⇔ SQL of the chain ⇔ catalog."""

    schema_ts: Literal["equal", "differs", "unresolved", "absent", "unknown"] = "unknown"
    snapshot: Literal["equal", "differs", "absent"] = "absent"
    missing_sql: str = ""
    unresolved: tuple[Unresolved, ...] = ()


class Rollback(_Part):
    """The way back, and what does not come back with it."""

    sql: str
    proven: bool
    irreversible: tuple[str, ...] = ()


class Conflict(_Part):
    """A collision with base (blocks) or with another open pull request (`#N`, warns)."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    other: str = Field(alias="with")
    kind: str
    message: str
    fix: str


class Opaque(_Part):
    """A statement that was neither read nor run."""

    migration: str
    statement: int
    why: str


class Coverage(_Part):
    """How much of the SQL was looked at."""

    statements: int = 0
    read: int = 0
    executed: int = 0
    opaque: tuple[Opaque, ...] = ()


class Report(_Part):
    """Everything one review found out. Lists are in the order in which people should read them."""

    version: Literal[1] = 1
    verdict: Verdict
    title: str
    base: str
    head: str
    merge_base: str
    project: ProjectSummary | None = None
    projects: tuple[ProjectSummary, ...] = ()
    checklist: tuple[ChecklistItem, ...] = ()
    findings: tuple[Finding, ...] = ()
    migrations: tuple[MigrationReport, ...] = ()
    replay: Replay = Replay()
    schema_diff: SchemaDiff = SchemaDiff()
    equality: Equality = Equality()
    rollback: Rollback | None = None
    conflicts: tuple[Conflict, ...] = ()
    coverage: Coverage = Coverage()
    notes: tuple[str, ...] = ()
    witnesses: tuple[Literal["text", "postgres"], ...] = ("text",)
    timings_ms: dict[str, float] = Field(default_factory=dict)


class TraceReport(_Part):
    """What `bulletproof trace --format json` prints."""

    version: Literal[1] = 1
    statements: tuple[StatementReport, ...] = ()
    findings: tuple[Finding, ...] = ()
    coverage: Coverage = Coverage()
