"""Privileges and comments: they count where the migrations speak of them; what others granted or wrote beside is theirs."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from checks.catalog import acl, names
from checks.catalog.model import Catalog, Key

_KINDS = {
    "table": "r", "view": "r", "column": "c", "sequence": "S", "function": "f", "aggregate": "f", "type": "T", "schema": "n",
}  # fmt: skip
_COMMENTS = ("comment", "index_comment")


@dataclass(frozen=True, slots=True, eq=False)
class Deployed(Catalog):
    """The catalog of a real database. `own`: roles whose names its owners do not show (the database's, and the session's)."""

    own: frozenset[str] = frozenset()


def pair(files: Catalog, real: Catalog) -> tuple[Catalog, Catalog]:
    """Both catalogs, each object of the database with the privileges and comments that the files say something about."""
    own = real.own if isinstance(real, Deployed) else frozenset[str]()
    left, right = dict(files.objects), dict(real.objects)
    for key, mine in files.objects.items():
        theirs = right.get(key)
        if theirs is not None:
            left[key], right[key] = _alike(key, mine, theirs, own)
    for key, theirs in real.objects.items():
        if key not in left:
            right[key] = _silent(theirs)
    return dataclasses.replace(files, objects=left), dataclasses.replace(real, objects=right)


def _alike(key: Key, mine: Any, theirs: Any, own: frozenset[str]) -> tuple[Any, Any]:  # noqa: ANN401 - objects of any kind
    changed: dict[str, Any] = {}
    for name in _COMMENTS:
        if hasattr(mine, name) and hasattr(theirs, name) and not getattr(mine, name):
            changed[name] = ""
    if hasattr(mine, "acl") and hasattr(theirs, "acl"):
        kind = _KINDS.get(key[0])
        if kind is None or key == (
            "schema",
            "public",
        ):  # whose privileges are PostgreSQL's own, and not the same in 14 and 15
            mine, changed["acl"] = dataclasses.replace(mine, acl=None), None
        else:
            owners = own if not getattr(theirs, "owner", "") else frozenset({theirs.owner})
            changed["acl"] = _asked(mine.acl, theirs.acl, kind, owners)
    changed = {name: value for name, value in changed.items() if getattr(theirs, name) != value}
    return mine, dataclasses.replace(theirs, **changed) if changed else theirs


def _asked(
    mine: tuple[str, ...] | None, theirs: tuple[str, ...] | None, kind: str, owners: frozenset[str]
) -> tuple[str, ...] | None:
    """The files' privileges, but for those that were granted or revoked and are not so in the database."""
    if mine is None or mine == theirs:
        return mine
    usual, wanted, held = acl.builtin(kind), acl.expand(mine, kind), acl.expand(theirs, kind)
    quoted = {names.quoted(owner) for owner in owners}
    for who in {*usual, *wanted} - {acl.OWNER, *quoted}:
        given, there = wanted.setdefault(who, {}), held.get(who, {})
        for letter in {*usual.get(who, {}), *given}:
            granted = letter in given
            if granted == (letter in usual.get(who, {})) or granted == (letter in there):
                continue
            if granted:
                del given[letter]
            else:
                given[letter] = False
    return acl.collapse(wanted, kind)


def _silent(theirs: Any) -> Any:  # noqa: ANN401 - an object of any kind
    """What is in the database alone is shown as it was made, without what was granted on it."""
    changed: dict[str, Any] = {}
    if getattr(theirs, "acl", None) is not None and not isinstance(theirs.acl, dict):
        changed["acl"] = None
    return dataclasses.replace(theirs, **changed) if changed else theirs
