"""A broken chain of snapshots makes the next `generate` write old changes again, or forget new ones.

`drizzle-kit generate` compares schema.ts with the last snapshot. When that snapshot was generated on a stale branch, is missing or
cannot be read, the next migration creates tables that exist or drops those of a colleague.

```text bad
0007_snapshot.json  "id": "b2…", "prevId": "a1…"
0008_snapshot.json  "id": "c3…", "prevId": "a1…"     (generated before 0007 was merged)
```
Generate the migration again on top of base, or let `bulletproof sync` (a comment `/migrate sync`) do it: it recomputes each snapshot
from base's last one.

```text good
0007_snapshot.json  "id": "b2…", "prevId": "a1…"
0008_snapshot.json  "id": "c3…", "prevId": "b2…"
```
"""

from checks.drizzle.history import SnapshotChain
from checks.rules import Said, error

MILD = {
    "missing-unneeded": "note",  # nothing that a snapshot would show
    "missing-as-usual": "warning",  # a team that keeps none loses nothing more
    "orphan": "warning",
    "regresses-maybe": "warning",  # or schema.ts gave it up, and it is left in the database on purpose
}


@error
def snapshot_chain(fact: SnapshotChain) -> Said:
    """The next `generate` starts from the wrong schema."""
    severity = MILD.get(fact.problem) if fact.introduced else "note"
    return Said(_message(fact), "note" if severity == "note" else "warning" if severity == "warning" else None)


def _message(fact: SnapshotChain) -> str:
    file = _name(fact)
    because = f" ({fact.detail})" if fact.detail else ""
    missing = f"`{fact.tag}` has no snapshot"
    words = {
        "missing": f"{missing}: the next `generate` does not know what it changed, and writes it again.",
        "missing-unneeded": f"{missing}; its SQL changes nothing that a snapshot would show.",
        "missing-as-usual": f"{missing}, like the ones before it: `generate` cannot be used in this folder.",
        "no-sql": f"`{file}` has no `migration.sql` beside it: Drizzle runs nothing of it, and the next `generate` believes that it did.",
        "orphan": f"`{file}` belongs to no migration of the journal.",
        "conflict-markers": f"`{file}` still has the markers of a merge conflict.",
        "not-json": f"`{file}` is not JSON{because}.",
        "wrong-shape": f"`{file}` is not a snapshot: {fact.detail}.",
        "unknown-version": f"`{file}` has version {fact.detail}, which is not known here: what it says was not judged.",
        "symlink": f"`{file}` is a symbolic link, which is not followed.",
        "not-a-file": f"`{file}` is not a file.",
        "same-id": f"The snapshot of `{fact.tag or file}` has the same id as `{_short(fact.other)}`: it is a copy.",
        "own-parent": f"`{file}` names itself as its parent.",
        "two-children": f"The snapshot of `{fact.tag or file}` continues the same one as `{_short(fact.other)}`: each forgets what the other one changed.",
        "parent-missing": f"The snapshot of `{fact.tag or file}` continues one that is not there ({fact.detail}).",
        "cycle": f"The snapshots of `{fact.tag or file}` and `{_short(fact.other)}` each come after the other.",
        "before-parent": f"`{fact.tag or file}` sorts before the migration it builds on, `{_short(fact.other)}`: a new database runs them in the wrong order.",
        "second-base": f"`{fact.tag or file}` starts a second history beside `{_short(fact.other)}`.",
        "base-missing": f"The first snapshot of the history of `{fact.tag or file}` is not there.",
        "branches-clash": f"`{fact.tag}` and `{fact.other}` change the same thing on two branches ({fact.detail}): drizzle-kit stops at `check`, `generate` and `migrate`.",
        "regresses-maybe": f"The snapshot of `{fact.tag}` no longer has `{fact.detail}`, which its SQL does not drop: if schema.ts still has it, the next `generate` creates it again.",
        "regresses": f"The snapshot of `{fact.tag}` has forgotten `{fact.detail}`, which its SQL does not drop: the next `generate` creates it again.",
    }
    return words.get(fact.problem, f"`{file}`: {fact.problem}{because}.")


def _name(fact: SnapshotChain) -> str:
    return _short(fact.other or fact.place.path)


def _short(path: str | None) -> str:
    return "/".join((path or "").split("/")[-2:])
