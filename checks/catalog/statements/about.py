"""Owner, privileges and comment of any object, as statements."""

from collections.abc import Iterator

from checks.catalog import acl, names, spelling, titles
from checks.catalog.model import Catalog, Object
from checks.catalog.outside import DefaultPrivileges, UserMapping
from checks.catalog.statements.model import Statement
from checks.catalog.tables import Column, Constraint, Default, View
from checks.catalog.types import Acl

_KIND = {"schema": "n", "type": "T", "sequence": "S", "table": "r", "view": "r", "function": "f", "column": "c",
         "foreign-data wrapper": "F", "server": "s"}  # fmt: skip


def statements(before: Object | None, after: Object, b: Catalog) -> Iterator[Statement]:
    """What makes owner, privileges and comment of `before` (None: as just created) those of `after`."""
    if isinstance(after, Default | UserMapping | DefaultPrivileges):
        return
    yield from _owner(before, after)
    kind = _KIND.get(after.key[0])
    if kind is not None:
        start: Acl = initial(after, kind, b) if before is None else getattr(before, "acl", None)
        if isinstance(after, Column):
            for line in spelling.regrants(
                start,
                after.acl,
                kind,
                f"TABLE {names.qualified(after.schema, after.table)}",
                f" ({names.quoted(after.name)})",
            ):
                yield Statement(line)
        else:
            for line in spelling.regrants(start, getattr(after, "acl", None), kind, titles.grant_target(after)):
                yield Statement(line)
    if isinstance(after, View):
        yield from _outputs(before if isinstance(before, View) else None, after)
    comment = getattr(after, "comment", "")
    if comment != getattr(before, "comment", ""):
        yield Statement(f"COMMENT ON {titles.called(after)} IS {_text(comment)}")
    if isinstance(after, Constraint):
        old = before.index_comment if isinstance(before, Constraint) else ""
        if after.index_comment != old:
            yield Statement(
                f"COMMENT ON INDEX {names.qualified(after.schema, after.name)} IS {_text(after.index_comment)}"
            )


def _text(comment: str) -> str:
    return names.literal(comment) if comment else "NULL"


def _owner(before: Object | None, after: Object) -> Iterator[Statement]:
    owner = getattr(after, "owner", "")
    if owner != getattr(before, "owner", ""):
        yield Statement(f"ALTER {titles.called(after)} OWNER TO {names.quoted(owner) if owner else 'CURRENT_USER'}")


def _outputs(before: View | None, after: View) -> Iterator[Statement]:
    old = {column.name: column for column in before.columns} if before else {}
    view = names.qualified(after.schema, after.name)
    for column in after.columns:
        was = old.get(column.name)
        if column.comment != (was.comment if was else ""):
            yield Statement(f"COMMENT ON COLUMN {view}.{names.quoted(column.name)} IS {_text(column.comment)}")
        for line in spelling.regrants(
            was.acl if was else None, column.acl, "c", f"TABLE {view}", f" ({names.quoted(column.name)})"
        ):
            yield Statement(line)


def initial(found: Object, kind: str, b: Catalog) -> Acl:
    """What a new object grants: default privileges are set before objects are created, so those of `b` count."""
    if kind not in "rSfTn":
        return None
    general = b.objects.get(("default privileges", "", "", kind))
    held = acl.expand(general.acl if isinstance(general, DefaultPrivileges) else None, kind)
    schema = found.key[1] if kind != "n" else ""
    special = b.objects.get(("default privileges", "", schema, kind))
    if isinstance(special, DefaultPrivileges) and schema:
        for who, letters in acl.expand(special.acl, kind).items():
            mine = held.setdefault(who, {})
            for letter, grantable in letters.items():
                mine[letter] = mine.get(letter, False) or grantable
    return acl.collapse(held, kind)
