"""Which part of a real database the migrations answer for: two catalogs, with what is nobody's difference taken out of both."""

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from bot.branches import platforms

if TYPE_CHECKING:
    from checks.catalog.model import Catalog, Key, Object

# Who owns what and how it is stored differs between deployments by right; of privileges and comments, see `spoken`.
_DEPLOYMENT: dict[str, Any] = {
    "owner": "", "storage": "", "compression": "", "statistics": -1,
    "replica_identity": "d", "clustered": False, "tablespace": "", "access_method": "", "index_options": (),
    "server_options": (), "version": "",
}  # fmt: skip
# Part of a schema only where the migrations make them.
_GUESTS = frozenset(
    {
        "extension", "role", "publication", "subscription", "event trigger", "default privileges", "foreign-data wrapper",
        "server", "user mapping",
    }
)  # fmt: skip
_SYSTEM = ("pg_", "information_schema", "_timescaledb", "timescaledb_")
ALWAYS = "public"


def schemas(catalogs: "Iterable[Catalog]") -> frozenset[str]:
    """The schemas that the migrations make things in; `public` always."""
    made = [each for catalog in catalogs for each in catalog if _in_schema(each.key) and not _stub(each)]
    platform = platforms.SCHEMAS - {each.key[1] for each in made if each.key[0] == "table"}
    return frozenset({ALWAYS, *(each.key[1] for each in made)}) - platform


def pair(files: "Catalog", real: "Catalog", within: frozenset[str]) -> "tuple[Catalog, Catalog]":
    """Both catalogs, as far as they can be compared."""
    stubs = {each.key for each in files if _stub(each)}
    stubs |= {key for key in files.objects if len(key) > 2 and ("table", *key[1:3]) in stubs}
    theirs = {key for key in files.objects if key[0] in _GUESTS}

    def kept(key: "Key") -> bool:
        if key in stubs or key[0] == "role":
            return False
        if key[0] in _GUESTS or not _in_schema(key):
            return key in theirs or key in files.objects
        return key[1] in within

    from bot.database import spoken  # noqa: PLC0415 - a run that has nothing to compare does without catalogs

    return spoken.pair(_only(files, kept), _only(real, kept))


def strange(real: "Catalog") -> frozenset[str]:
    """Schemas of a real database that hold something and are no platform's."""
    return frozenset(
        each.key[1]
        for each in real
        if each.key[0] in {"table", "view", "type", "function", "sequence"}
        and not each.key[1].startswith(_SYSTEM)
        and each.key[1] not in platforms.SCHEMAS
    )


def _in_schema(key: "Key") -> bool:
    return key[0] in {
        "schema", "type", "sequence", "table", "column", "default", "constraint", "index", "statistics", "view",
        "function", "aggregate", "trigger", "rule", "policy", "domain check", "collation",
    }  # fmt: skip


def _only(catalog: "Catalog", kept: Any) -> "Catalog":  # noqa: ANN401 - a predicate over keys
    objects = {key: _plain(each) for key, each in catalog.objects.items() if kept(key)}
    needs = {key: needed & objects.keys() for key, needed in catalog.needs.items() if key in objects}
    return dataclasses.replace(catalog, objects=objects, needs=needs)


def _stub(each: "Object") -> bool:
    return getattr(each, "comment", "") == platforms.MARK


def _plain(found: Any) -> Any:  # noqa: ANN401 - an object of any kind
    names = {f.name for f in dataclasses.fields(found)}
    changed = {name: value for name, value in _DEPLOYMENT.items() if name in names and getattr(found, name) != value}
    if isinstance(getattr(found, "statistics", -1), tuple):  # an index has a target for each of its expressions
        changed["statistics"] = ()
    if getattr(found, "options", ()) and found.key[0] in {"table", "column", "index"}:
        changed["options"] = ()
    if found.key[0] == "extension":
        changed |= {"schema": "", "comment": ""}
    if found.key[0] == "view":
        changed["columns"] = tuple(dataclasses.replace(c, acl=None, comment="") for c in found.columns)
    return dataclasses.replace(found, **changed) if changed else found
