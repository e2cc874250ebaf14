"""What `sync` needs to know of a migrations folder, what it makes of it, and why it may refuse: shared by v0 and v1."""

import json
import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import Any, cast

from checks.drizzle import conflicted, journal_writing, statements
from checks.drizzle.model import Chain, Migration, Statement
from checks.drizzle.sides import Sides
from checks.tree import Entry, Tree
from checks.witnesses import grammar

JOURNAL = "meta/_journal.json"
_TOLERANT = re.compile(r"\s*do\b|\bif\s+(not\s+)?exists\b|\bor\s+replace\b", re.IGNORECASE)
_SCHEMA_WORDS = re.compile(r"\s*(create|alter|drop|comment|grant|revoke)\b", re.IGNORECASE)


_CONSTANTS: Mapping[bool | None, str] = {True: "true", False: "false", None: "null"}


class RefusedError(Exception):
    """Nothing is changed; the text says why, and what to do.

    Attributes:
        conflicts: paths that a person has to look at.
    """

    def __init__(self, reason: str, conflicts: Sequence[str] = ()) -> None:
        super().__init__(reason)
        self.conflicts = tuple(conflicts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """One migrations folder on both sides, and what git's own merge makes of it.

    Attributes:
        base, merge_base, head: chains, each read where its side keeps the folder.
        trees: their files.
        folder: where it is after the merge.
        merged: the files of git's merge, conflicted ones among them.
        conflicted: paths that git could not merge.
        mended: files of head in which conflict markers were told apart.
        written: contents that are in no object database yet, by their ids.
    """

    base: Chain
    merge_base: Chain
    head: Chain
    base_tree: Tree
    merge_base_tree: Tree
    head_tree: Tree
    folder: str
    merged: Tree
    conflicted: frozenset[str] = frozenset()
    mended: tuple[str, ...] = ()
    written: Mapping[str, bytes] = field(default_factory=dict[str, bytes])

    @property
    def folders(self) -> tuple[str, ...]:
        """Every place where a side keeps the folder."""
        chains = (self.base, self.merge_base, self.head)
        return tuple(dict.fromkeys((self.folder, *(c.project.migrations_dir for c in chains))))


@dataclass(frozen=True, kw_only=True, slots=True)
class Repair:
    """What becomes of a migrations folder.

    Attributes:
        files: by path: an entry as it is on base or in head, new bytes, or None where it goes.
        renamed: old tag, new tag.
        omitted: sentences about what base has already.
        notes: what else a person should know.
    """

    files: Mapping[str, Entry | bytes | None] = field(default_factory=dict[str, "Entry | bytes | None"])
    renamed: tuple[tuple[str, str], ...] = ()
    omitted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def inside(path: str, folder: str) -> str | None:
    """The rest of a path below a folder."""
    if not folder:
        return path
    return path[len(folder) + 1 :] if path.startswith(f"{folder}/") else None


def join(folder: str, name: str) -> str:
    """A path in a folder."""
    return posixpath.join(folder, name)


def refuse_edits(sides: Sides) -> None:
    """Base's migrations are not for a pull request to change.

    Raises:
        RefusedError: head edits or deletes one.
    """
    edited = [p.after for p in sides.modified]
    gone = [m for m in sides.deleted if not _stays(sides, m)]
    if edited:
        raise RefusedError(
            f"This branch edits {_list([m.tag for m in edited])}, which base has: databases that ran it never run the new text. "
            "Put it back as it is on base, and write a new migration for the change.",
            [m.path for m in edited],
        )
    if gone:
        raise RefusedError(
            f"This branch deletes {_list([m.tag for m in gone])}, which base has. "
            "Put it back as it is on base; a deliberate squash is not for `sync`.",
            [m.path for m in gone],
        )


def _stays(sides: Sides, migration: Migration) -> bool:
    """Whether only the journal forgot it."""
    return any(d.problem == "not-in-journal" and d.tag == migration.tag for d in sides.head.damage)


def mended(tree: Tree, folder: str, known: Callable[[], Sequence[str]]) -> dict[str, bytes]:
    """Files of a v0 folder whose conflict markers can be told apart, without them.

    Args:
        tree: the files of a side.
        folder: its migrations folder.
        known: gives the ids of the other side's snapshots: of a conflicted snapshot the other half is this side's own.

    Raises:
        RefusedError: the two sides cannot be told apart.
    """
    found: dict[str, bytes] = {}
    meta = join(folder, "meta")
    for path, data in tree.read_all(p for p in tree.under(meta) if p.endswith(".json")).items():
        if b"<<<<<<<" not in data:
            continue
        halves = conflicted.sides(data.decode("utf-8", "surrogateescape"))
        made = None
        if halves is not None:
            made = _journal(*halves) if path == join(folder, JOURNAL) else _snapshot(*halves, known())
        if made is None:
            raise RefusedError(f"{path} holds git's conflict markers, and its two sides cannot be told apart.", [path])
        found[path] = made.encode("utf-8", "surrogateescape")
    return found


def _journal(ours: str, theirs: str) -> str | None:
    one, other = journal_writing.entries(ours), journal_writing.entries(theirs)
    if not one or not other:
        return None
    return journal_writing.append(ours, [entry for tag, entry in other.items() if tag not in one])


def _snapshot(ours: str, theirs: str, known: Sequence[str]) -> str | None:
    own: list[str] = []
    for text in (ours, theirs):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(value, dict) or cast("dict[str, Any]", value).get("id") not in known:
            own.append(text)
    return own[0] if len(own) == 1 else None


# -- what base has already --------------------------------------------------------------------------------------------


def mentions(migration: Migration, name: str) -> bool:
    """Whether its SQL could speak of something of this name."""
    words = _words(migration.text)
    if {"drop", "schema", "cascade"} <= words:  # takes tables along without naming them
        return True
    return all(word in words for word in re.findall(r"\w+", name.lower()))


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def without(
    migration: Migration, arrived: Sequence[Migration], twice: Sequence[tuple[str, str]]
) -> tuple[str, tuple[Statement, ...]]:
    """A migration's text without the statements that base ran already, and those statements.

    Args:
        migration: of head.
        arrived: what base got meanwhile.
        twice: what both sides did equally: in words, and its name.

    Raises:
        RefusedError: it does something again, in other words than base.
    """
    known = {tuple(grammar.tokens(s.sql)): m for m in arrived for s in m.statements}
    named = [(what, name) for what, name in twice if mentions(migration, name)]
    if not named:
        return migration.text, ()
    left_out = [
        s
        for s in migration.statements
        if tuple(grammar.tokens(s.sql)) in known
        and _SCHEMA_WORDS.match(s.sql)
        and not _TOLERANT.search(s.sql)
        and any(set(re.findall(r"\w+", name.lower())) <= _words(s.sql) for _, name in named)
    ]
    harmless = [s for s in migration.statements if _TOLERANT.search(s.sql)]
    covered = set[str]().union(*(_words(s.sql) for s in (*left_out, *harmless))) if left_out or harmless else set[str]()
    for what, name in named:
        if not set(re.findall(r"\w+", name.lower())) <= covered:
            mine = next((s.sql for s in migration.statements if name.lower() in s.sql.lower()), migration.text)
            theirs = next(
                ((m.tag, s.sql) for m in arrived for s in m.statements if name.lower() in s.sql.lower()),
                ("an earlier migration", ""),
            )
            raise RefusedError(
                f"Base and `{migration.tag}` both change {what}, in different words. "
                f"Base ({theirs[0]}): `{_short(theirs[1])}`. This branch: `{_short(mine)}`. Take it out of one of them.",
                [migration.path],
            )
    return _cut(migration, left_out), tuple(left_out)


def _cut(migration: Migration, gone: Sequence[Statement]) -> str:
    by_chunk: dict[int, list[Statement]] = {}
    for statement in gone:
        by_chunk.setdefault(statement.chunk, []).append(statement)
    kept: list[str] = []
    for number, chunk in enumerate(migration.chunks):
        text = chunk
        for statement in by_chunk.get(number, ()):
            text = re.sub(re.escape(statement.sql) + r"\s*;?", lambda _: "", text, count=1)
        if number not in by_chunk or text.strip():
            kept.append(text)
    if not kept:
        return ""
    kept[0] = kept[0].lstrip("\r\n") if 0 in by_chunk else kept[0]
    if len(migration.chunks) - 1 in by_chunk:
        kept[-1] = kept[-1].rstrip("\r\n")
    return statements.BREAKPOINT.join(kept)


def same_work(migration: Migration, arrived: Sequence[Migration]) -> Migration | None:
    """The migration of base that does the very same."""
    if not migration.statements:
        return None
    mine = statements.meaning(migration.statements)
    return next((m for m in arrived if m.hash == migration.hash or statements.meaning(m.statements) == mine), None)


def dumped(data: Mapping[str, Any], like: bytes) -> bytes:
    """JSON in the manner of another file: indentation, line ends, the newline at the end."""
    text = like.decode("utf-8", "replace")
    found = re.search(r"\{\r?\n([ \t]+)", text[:4096])
    if found is None:
        made = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    else:
        out: list[str] = []
        _write(data, "\n", found[1], out)
        made = "".join(out)
    if text.endswith("\n"):
        made += "\n"
    if "\r\n" in text:
        made = made.replace("\n", "\r\n")
    return made.encode("utf-8", "surrogatepass")


def _write(value: Any, margin: str, unit: str, out: list[str]) -> None:  # noqa: ANN401 - JSON
    """As `json.dumps(value, indent=unit)` writes it, in a third of its time: snapshots are megabytes."""
    inner = margin + unit
    if isinstance(value, Mapping) and value:
        mark = "{"
        for key, item in cast("Mapping[str, Any]", value).items():
            out += (mark, inner, encode_basestring(key), ": ")
            _write(item, inner, unit, out)
            mark = ","
        out += (margin, "}")
    elif isinstance(value, list) and value:
        mark = "["
        for item in cast("list[Any]", value):
            out += (mark, inner)
            _write(item, inner, unit, out)
            mark = ","
        out += (margin, "]")
    elif isinstance(value, str):
        out.append(encode_basestring(value))
    else:
        out.append(_CONSTANTS[value] if value is None or isinstance(value, bool) else json.dumps(value))


def _short(sql: str) -> str:
    line = " ".join(sql.split())
    return line if len(line) <= 160 else f"{line[:157]}…"


def _list(names: Sequence[str]) -> str:
    shown = [f"`{name}`" for name in names[:5]]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(shown) + more
