"""The folder of a v1 migration: its SQL and its snapshot, as drizzle-kit 1.0 writes them."""

import hashlib
import json
import posixpath
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from checks.drizzle import entities, folders
from checks.drizzle.entities import Row, Unreconstructable
from checks.drizzle.generating import naming
from checks.drizzle.generating.v1.state import State
from checks.drizzle.model import ROOT, Chain, Snapshot
from checks.errors import UserError

_BREAKPOINT = "--> statement-breakpoint\n"


def state(chain: Chain) -> State:
    """The schema that all migrations so far leave behind.

    Raises:
        UserError: it cannot be put together.
    """
    leaves = _leaves(chain)
    if not leaves:
        return State([])
    try:
        if len(leaves) == 1:
            return State(entities.of(chain, leaves[0]))
        if any(leaf.version != "9" for leaf in leaves):
            raise UserError(
                "Several migrations are the last one, in snapshots of version 8, which cannot be put together. Run sync first; no migration was written."
            )
        meeting = Snapshot("", "", "meeting", tuple(leaf.id for leaf in leaves), "9", {"deltas": []}, "diff")
        return State(entities.of(replace(chain, snapshots=(*chain.snapshots, meeting)), meeting))
    except Unreconstructable as error:
        raise UserError(f"{error} No migration was written; restore the snapshot from git.") from None


def _leaves(chain: Chain) -> list[Snapshot]:
    """The snapshots that nothing follows, the newest first."""
    parents = {parent for snapshot in chain.snapshots for parent in snapshot.parents}
    return [snapshot for snapshot in chain.snapshots if snapshot.id not in parents][::-1]


def version(chain: Chain, installed: str | None) -> str:
    """The version of snapshots that the project's drizzle-kit writes: 9 since 1.0.0-rc.5."""
    leaves = _leaves(chain)
    if leaves:
        return leaves[0].version
    return "8" if installed is not None and _before_rc5(installed) else "9"


def _before_rc5(installed: str) -> bool:
    bare = installed.lstrip("^~=v")
    return bare.startswith(
        ("1.0.0-beta", "1.0.0-rc.1", "1.0.0-rc.2", "1.0.0-rc.3", "1.0.0-rc.4")
    ) and not bare.startswith("1.0.0-rc.1" + "0")


def write(
    chain: Chain,
    after: State,
    statements: Sequence[str],
    *,
    deltas: Sequence[Row],
    renames: Sequence[str],
    footprints: Sequence[Row],
    name: str | None,
    when: int,
    form: str = "9",
) -> tuple[str, dict[str, str]]:
    """The name of the new folder, and its files by path.

    Args:
        chain: what it comes after.
        after: the schema that it leaves behind.
        statements: of the migration.
        deltas: what changes, as a v9 snapshot keeps it.
        renames: as a v8 snapshot keeps them.
        footprints: of its statements.
        name: what to call it; None: two words.
        when: now, in milliseconds; later where its parents are from the future.
        form: the version of the snapshot.
    """
    sql = _BREAKPOINT.join(statements)
    leaves = _leaves(chain)
    tag = f"{_moment(chain, when)}_{name or naming.of(sql)}"
    parents = [leaf.id for leaf in leaves]
    made = hashlib.sha256(_json([tag, parents, after.all()]).encode()).digest()[:16]  # the same change, the same id
    head: Row = {"version": form, "dialect": "postgres", "id": str(uuid.UUID(bytes=made, version=4))}
    if form == "8":
        body: Row = {"prevIds": parents or [ROOT], "ddl": after.all(), "renames": list(renames)}
        snapshot = {**head, **body}
    elif not parents:
        snapshot = {"type": "base", **head, "prevIds": [ROOT], "footprints": list(footprints), "ddl": after.all()}
    else:
        snapshot = {"type": "diff", **head, "prevIds": parents, "footprints": list(footprints), "deltas": list(deltas)}
    folder = posixpath.join(chain.project.migrations_dir, tag)
    return tag, {posixpath.join(folder, "migration.sql"): sql, posixpath.join(folder, "snapshot.json"): _json(snapshot)}


def _moment(chain: Chain, when: int) -> str:
    """A second that comes after every folder's: two in one second have no order."""
    times = [folders.milliseconds(migration.tag) for migration in chain.migrations]
    when = max([when, *(time + 1000 for time in times if time is not None)])
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=when)
    return f"{moment:%Y%m%d%H%M%S}"


def _json(value: Mapping[str, Any] | Sequence[Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
