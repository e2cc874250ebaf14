"""Makes head's schema files and its last snapshot real, where that costs least.

From nothing, that takes a database of their own. Where base's last snapshot is known to say what base's chain builds, only
the tables that head's says otherwise are drawn, upon base's state, before head's migrations run there, and undone. Whether
it is known is found out once, from nothing, and kept with base's state.
"""

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bot import redrawing, zero
from bot.branches import Learns, Remembers
from bot.stage import Stage
from checks import equality
from checks.branch import Branch
from checks.catalog import kept, part
from checks.catalog.model import Catalog
from checks.change import Change
from checks.drizzle import snapshot_schema, snapshot_sql
from checks.drizzle.entities import Unreconstructable
from checks.drizzle.generating.v1 import kept as names_kept
from checks.drizzle.model import Chain, Project
from checks.drizzle.plan import Plan
from checks.rehearsal import Rehearsal
from checks.schema import read as schemas
from checks.schema.model import Schema
from checks.schema.snapshot import to_snapshot
from checks.tree import Tree
from checks.witnesses import calls

_FIRST_SECONDS = 1.0
_SAME, _OTHER = b"+", b"-"
_CHECKS = Path(equality.__file__).parent
_FLUSHES = 150000  # since then a session can be told to count at once what it did, and not while somebody else's statements are counted
_ON_ROWS = (
    "ALTER TABLE",
    "CREATE INDEX",
    "CREATE UNIQUE INDEX",
)  # what is written in these is worked out for rows that are there
_APART = frozenset({"id", "prevId", "_meta"})


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a commit's schema files and last snapshot say, as real schemas; None: it could not be had.

    Attributes:
        read: the schema files as read.
        upon: drawn upon something else: for what is then equal that is proof enough.
    """

    read: Schema | None = None
    schema: Catalog | None = None
    snapshot: Catalog | None = None
    upon: bool = False


def schema(tree: Tree, project: Project) -> Schema | None:
    """The project's schema files as one commit has them; None where it has none."""
    files = [path for path in project.schema_files if path in tree]
    if not files:
        return None
    return schemas.read(tree, files, format=project.format, casing=project.casing, astray=project.astray)


def draw(tree: Tree, chain: Chain, stage: Stage | None) -> Drawn:
    """Read the schema files and the last snapshot of a commit, and make both from nothing."""
    return _alone(schema(tree, chain.project), chain, stage)


def _alone(read: Schema | None, chain: Chain, stage: Stage | None) -> Drawn:
    if stage is None:
        return Drawn(read)
    named = names_kept.names(read, chain) if read is not None and chain.project.format == "v1" else read
    own = None if named is None else snapshot_sql.of_schema(chain, named)
    if own is not None and read is not None and _is_snapshot_of(chain, read):
        both = stage.drawn(own)
        return Drawn(read, both, both)
    wanted = [own, _snapshot(chain)]
    made = iter(stage.all_drawn([each for each in wanted if each is not None]))
    first, second = (None if each is None else next(made) for each in wanted)
    return Drawn(read, first, second)


def _snapshot(chain: Chain) -> list[str] | None:
    if chain.last_snapshot is None:
        return None
    try:
        return snapshot_sql.ddl(chain, chain.last_snapshot)
    except Unreconstructable:
        return None  # the history rules say what is wrong with it


def _is_snapshot_of(chain: Chain, read: Schema) -> bool:
    """Whether the last snapshot is, word for word, the one that would be written for the schema files: then one drawing is both."""
    last = chain.last_snapshot
    if last is None or last.version != "7" or read.unresolved:
        return False
    written = {key: value for key, value in to_snapshot(read).items() if key not in _APART}
    return written == {key: value for key, value in last.data.items() if key not in _APART}


@dataclass(frozen=True, slots=True)
class Upon:
    """Head's last snapshot as what it says otherwise than base's.

    Attributes:
        key: differs for every other snapshot of base's, and every other program that draws.
        content: base's snapshot, as it is written.
        old: the statements that make base's.
        delta: those that make head's of it.
        touched: the tables, by schema and name, that these may touch.
        near: those, and those to which they point.
    """

    key: bytes
    content: str
    old: Callable[[], Sequence[str]]
    delta: Sequence[str]
    touched: frozenset[tuple[str, str]]
    near: frozenset[tuple[str, str]]


def upon(base: Chain, head: Chain, tree: Tree) -> Upon | None:
    """How head's snapshot can be drawn upon base's, which is in `tree`; None where that is not so plain."""
    old, new = base.last_snapshot, head.last_snapshot
    content = None if old is None else tree.read(old.path)
    if old is None or new is None or content is None or (few := redrawing.narrowed(old, new)) is None:
        return None
    try:
        before, after = (snapshot_schema.of(of, each) for of, each in zip((base, head), few, strict=True))
    except Unreconstructable:
        return None
    ungrown, added = redrawing.grown(before, after)
    said = (snapshot_sql.of_schema(base, before), snapshot_sql.of_schema(head, ungrown))
    delta = redrawing.between(*said, added)
    if delta is None or not calls.nothing([sql for sql in delta if sql.startswith(_ON_ROWS)], but_built_in=True):
        return None  # a sequence that is set stays set, whatever is undone
    every = [table for some in (before, after) for table in some.tables]
    touched = frozenset((each.schema, each.name) for each in every)
    near = touched | {(key.schema_to, key.table_to) for each in every for key in each.foreign_keys}
    program = kept.stamp(*(_CHECKS / part for part in ("catalog", "drizzle", "schema")))
    key = hashlib.sha256(program + content).digest()
    return Upon(key, content.decode(errors="replace"), lambda: snapshot_sql.ddl(base, old), delta, touched, near)


class Drawing:
    """Head's schema files and last snapshot, being drawn while its migrations are rehearsed."""

    def __init__(self, change: Change, plan: Plan, stage: Stage | None) -> None:
        self._change, self._plan, self._stage = change, plan, stage
        self._sketched, self._turn = threading.Event(), threading.Lock()
        self._read: Schema | None = None
        self._upon: Upon | None = None
        self._known: bytes | None = None
        self._drawn: Drawn | None = None
        self._base: tuple[Catalog | None] | None = None

    def draw(self, ran: threading.Event) -> Drawn:
        """Draw beside all else, once head's migrations have run: they come first, unless base's take long."""
        try:
            self._sketch()
        finally:
            self._sketched.set()
        if self._stage is not None:
            ran.wait(_FIRST_SECONDS)
        with self._turn:
            if self._drawn is None:
                self._drawn = self._upon_base_alone() or _alone(self._read, self._plan.head, self._stage)
            return self._drawn

    def at_base(self, branch: Branch, session: psycopg.Connection[Any], before: Callable[[], Catalog | None]) -> None:
        """Draw upon base's state, which base's chain has made from zero, where its snapshot is known to say the same."""
        found = branch.found if isinstance(branch, Remembers) else None
        if not found or self._stage is None or branch.version < _FLUSHES:
            return
        self._sketched.wait()
        with self._turn:
            self._known = found
            if self._upon is not None and self._drawn is None and found == self._upon.key + _SAME:
                some, whole = self._stage.drawn_upon(session, self._upon.delta, self._upon.near), before()
                drawn = None if some is None or whole is None else part.with_tables(whole, some, self._upon.touched)
                self._drawn = self._certain(drawn)

    def learn(self, shown: Rehearsal) -> None:
        """Keep whether base's snapshot says what base's chain has built, once both have been seen."""
        stage, known = self._stage, self._upon
        if self._base is None or known is None or stage is None or shown.before is None or shown.notes:
            return
        if isinstance(stage.provider, Learns):
            [drawn] = self._base
            same = drawn is not None and equality.in_step(shown.before, drawn)
            template = zero.template(self._plan.base, stage)
            stage.provider.learn(template, stage.extensions, known.key + (_SAME if same else _OTHER))

    def _sketch(self) -> None:
        """What does not need a database."""
        change, head = self._change, self._plan.head
        self._read = schema(change.head.tree, head.project)
        if self._stage is not None and self._read is not None and _is_snapshot_of(head, self._read):
            self._upon = upon(self._plan.base, head, change.base.tree)

    def _upon_base_alone(self) -> Drawn | None:
        """Draw base's snapshot from nothing, and head's upon it."""
        head, stage = self._upon, self._stage
        if head is None or stage is None or not isinstance(stage.provider, Learns):
            return None
        if self._known is not None and self._known.startswith(head.key):
            return None  # it was found to be of no use, or has just failed
        made = stage.both_drawn(head.old(), head.delta)
        if made is None:
            return None
        self._base = made[:1]
        return self._certain(made[1])

    def _certain(self, drawn: Catalog | None) -> Drawn | None:
        head = self._upon
        if head is None or drawn is None or not redrawing.certain(drawn, head.content, head.delta):
            return None
        return Drawn(self._read, drawn, drawn, upon=True)
