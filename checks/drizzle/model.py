"""A Drizzle project as data: where it is, its migrations in order, and what each sends to PostgreSQL."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from checks.place import Place

Format = Literal["v0", "v1"]
Transaction = Literal["one", "each", "none"]

ROOT = "00000000-0000-0000-0000-000000000000"  # the parent of a first snapshot


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """One PostgreSQL project of a repository.

    Attributes:
        root: the folder that its paths are relative to (`""`: the root of the repository).
        migrations_dir: from the root of the repository, no trailing slash.
        schema_files: the TypeScript files that `schema` names, globs expanded.
        migrator: drizzle-orm's entry point, e.g. `node-postgres`, `postgres-js`, `neon-http`, `neon-serverless`; `unknown` where nothing tells.
        transaction: how that migrator runs what is pending: all in `one`, or `none`.
        config: the path of its drizzle.config.*, if any.
        table: schema and name of the tracking table.
        inferred: names of the fields that were detected rather than written in a config or policy file.
        lost: why the folder of its migrations cannot be known or read, in a sentence; then nothing can be compared with it.
        astray: what `schema` names and the commit does not show, each with its reason; beside files that it shows, only what may be elsewhere.
    """

    root: str
    format: Format
    migrations_dir: str
    schema_files: tuple[str, ...] = ()
    migrator: str = "unknown"
    transaction: Transaction = "one"
    config: str | None = None
    table: tuple[str, str] = ("drizzle", "__drizzle_migrations")
    casing: Literal["snake_case", "camelCase"] | None = None
    inferred: frozenset[str] = frozenset()
    lost: str | None = None
    astray: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a migration.

    Attributes:
        index: 0-based, in the migration.
        line: 1-based line of its first token in the file; `end_line` of its last.
        sql: from its first token to its last, no semicolon; leading comments belong to neither neighbour.
        chunk: 0-based, which of Drizzle's chunks (text between two `--> statement-breakpoint`) it is in.
    """

    index: int
    line: int
    end_line: int
    sql: str
    chunk: int


class Pieces:
    """A migration's text, taken apart when somebody asks: of a long chain few migrations are looked into."""

    __slots__ = ("_cut", "_made", "_text")

    def __init__(
        self, text: str, cut: Callable[[str], tuple[tuple[str, ...], tuple[Statement, ...], str | None]]
    ) -> None:
        self._text, self._cut = text, cut
        self._made: tuple[tuple[str, ...], tuple[Statement, ...], str | None] | None = None

    def made(self) -> tuple[tuple[str, ...], tuple[Statement, ...], str | None]:
        """Chunks, statements, and why they could not be told apart for sure."""
        if self._made is None:
            self._made = self._cut(self._text)
        return self._made


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration file.

    Attributes:
        tag: `0003_warm_wolf` (v0) or the name of the folder (v1).
        path: of the SQL file.
        when: the journal's `when` (v0) or the folder's time (v1), in milliseconds.
        idx: the journal's `idx`; None in v1.
        hash: sha256 of the whole file's text, as drizzle-orm records it.
        text: the whole file, decoded.
        pieces: the text, to be taken apart.
    """

    tag: str
    path: str
    when: int
    idx: int | None
    hash: str
    text: str
    pieces: Pieces = field(repr=False, compare=False)

    @property
    def chunks(self) -> tuple[str, ...]:
        """What Drizzle sends to the server, one query each."""
        return self.pieces.made()[0]

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The chunks, split by PostgreSQL's own scanner."""
        return self.pieces.made()[1]

    @property
    def unread(self) -> str | None:
        """Why the file could not be split (then it has one statement a chunk), or None."""
        return self.pieces.made()[2]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot file.

    Attributes:
        tag: of its migration (v0: looked up by the journal's prefix), None where it belongs to none.
        version: "5", "6", "7" (v0), "8", "9" (v1).
        parents: `prevId` (v0, one) or `prevIds` (v1).
        data: the JSON as read.
        type: `base` or `diff` (version 9), else None.
    """

    tag: str | None
    path: str
    id: str
    parents: tuple[str, ...]
    version: str
    data: Mapping[str, Any] = field(repr=False)
    type: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Damage:
    """Something wrong with the history of one commit, which may be old.

    Attributes:
        area: which rule speaks of it.
        problem: what is wrong, as a word that the rule knows.
        places: where it can be shown, the best place first.
        tag: the migration it is about.
        other: the other migration, file or snapshot it is about.
        detail: a number, a version, the words of a parser.
    """

    area: Literal["journal", "snapshot", "number", "order"]
    problem: str
    places: tuple[Place, ...]
    tag: str | None = None
    other: str | None = None
    detail: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Equal for the same damage in two commits, wherever it stands."""
        return (self.area, self.problem, self.tag or "", self.other or "", self.detail)


_UNREAD = frozenset({"not-json", "wrong-shape", "conflict-markers", "unknown-version", "symlink", "not-a-file"})


@dataclass(frozen=True, slots=True)
class Chain:
    """The migrations of a project at one commit, in the order in which Drizzle runs them.

    Attributes:
        snapshots: in the order in which `generate` sorts them.
        damage: what is wrong with the history; reading goes on past it.
        journal: the path of the journal (v0), None where there is none.
        lines: first and last line of each migration's entry in the journal, by tag (v0).
    """

    project: Project
    migrations: tuple[Migration, ...]
    snapshots: tuple[Snapshot, ...]
    damage: tuple[Damage, ...] = ()
    journal: str | None = None
    lines: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]], repr=False)

    @property
    def greatest(self) -> Migration | None:
        """The migration whose `when` a database remembers after running them all (the watermark of v0)."""
        return max(self.migrations, key=lambda m: m.when, default=None)

    @property
    def last_snapshot(self) -> Snapshot | None:
        """The snapshot that the next `generate` would compare with."""
        return self.snapshots[-1] if self.snapshots else None

    @property
    def newest_snapshot_is_unread(self) -> bool:
        """Whether a snapshot after the last one that can be read cannot be: then nothing says what `generate` would compare with."""
        last = self.last_snapshot.path if self.last_snapshot else ""
        return any(d.area == "snapshot" and d.problem in _UNREAD and (d.other or "") >= last for d in self.damage)
