"""The files of a v0 migration: its SQL, its snapshot and its line in the journal, byte for byte as drizzle-kit writes them."""

import hashlib
import json
import posixpath
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from checks.drizzle import journal_writing, names
from checks.drizzle.generating import naming
from checks.drizzle.generating.content import Json
from checks.drizzle.model import ROOT, Chain
from checks.errors import UserError

_BREAKPOINT = "--> statement-breakpoint\n"


def write(
    chain: Chain, after: Json, statements: Sequence[str], *, name: str | None, when: int, journal: str | None
) -> tuple[str, dict[str, str]]:
    """The tag of the new migration, and its files by path.

    Args:
        chain: what it comes after.
        after: the content of its snapshot.
        statements: of the migration.
        name: what to call it; None: two words.
        when: now, in milliseconds; later where the last migration is from the future.
        journal: the text of the journal, so that its manner is kept; None: it is written anew.
    """
    folder = chain.project.migrations_dir
    entries = [] if journal is None else list(journal_writing.entries(journal).values())
    breakpoints = bool(entries[-1].get("breakpoints", True)) if entries else True
    sql = (_BREAKPOINT if breakpoints else "\n").join(statements)
    idx = max((m.idx for m in chain.migrations if m.idx is not None), default=-1) + 1
    when = max(when, chain.greatest.when + 1 if chain.greatest else 0)
    tag = _tag(chain, name or naming.of(sql), idx, when)
    entry = {"idx": idx, "version": "7", "when": when, "tag": tag, "breakpoints": breakpoints}
    snapshot = _snapshot(chain, after, tag)
    path = posixpath.join(folder, "meta", f"{names.prefix(tag)}_snapshot.json")
    return tag, {
        posixpath.join(folder, f"{tag}.sql"): sql,
        path: _json(snapshot),
        posixpath.join(folder, "meta", "_journal.json"): _journal(chain, entry, journal),
    }


def _tag(chain: Chain, name: str, idx: int, when: int) -> str:
    tags = [migration.tag for migration in chain.migrations]
    taken = [posixpath.basename(snapshot.path).removesuffix(".json") for snapshot in chain.snapshots]
    style = names.style(tags) if tags else "index"
    return names.Names(style, tags, taken).next(f"_{name}", idx=idx, when=when)


def _snapshot(chain: Chain, after: Json, tag: str) -> Json:
    last = chain.last_snapshot
    previous = ROOT if last is None else last.id
    text = _json([previous, tag, after])
    made = uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4)  # the same change, the same id
    head = {"id": str(made), "prevId": previous, "version": "7", "dialect": "postgresql"}
    return {**head, **after, "_meta": {"columns": {}, "schemas": {}, "tables": {}}}


def _journal(chain: Chain, entry: Json, text: str | None) -> str:
    if text is not None:
        try:
            return journal_writing.append(text, [entry])
        except (ValueError, RecursionError) as error:
            raise UserError(
                f"The journal cannot be continued: {error}. Repair it first; nothing was written."
            ) from None
    old = [{"idx": m.idx, "version": "7", "when": m.when, "tag": m.tag, "breakpoints": True} for m in chain.migrations]
    return _json({"version": "7", "dialect": "postgresql", "entries": [*old, entry]})


def _json(value: Mapping[str, Any] | Sequence[Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
