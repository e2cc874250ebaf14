"""Owner, privileges and comment of any object, as statements."""

from collections.abc import Iterator

from checks.catalog import acl, names, spelling, titles
from checks.catalog.model import Catalog, Object
from checks.catalog.outside import DefaultPrivileges, UserMapping
from checks.catalog.statements.model import Statement
from checks.catalog.tables import Column, Constraint, Default, View
from checks.catalog.types import Acl, Identity, Schema, Sequence

_KIND = {"schema": "n", "type": "T", "sequence": "S", "table": "r", "view": "r", "function": "f", "column": "c",
         "foreign-data wrapper": "F", "server": "s"}  # fmt: skip


def statements(before: Object | None, after: Object, b: Catalog) -> Iterator[Statement]:
    """What makes owner, privileges and comment of `before` (None: as just created) those of `after`."""
    if isinstance(after, Default | UserMapping | DefaultPrivileges):
        return
    yield from _owner(before, after)
    if after.key[0] in _KIND:
        yield from _privileges(before, after, b)
    if isinstance(after, View):
        yield from _outputs(before if isinstance(before, View) else None, after)
    comment = getattr(after, "comment", "")
    if comment != getattr(before, "comment", ""):
        yield Statement(f"COMMENT ON {titles.called(after)} IS {_text(comment)}")
    if isinstance(after, Column) and after.identity:
        yield from _behind(before.identity if isinstance(before, Column) else None, after.identity, after, b)
    if isinstance(after, Constraint):
        old = before.index_comment if isinstance(before, Constraint) else ""
        if after.index_comment != old:
            yield Statement(
                f"COMMENT ON INDEX {names.qualified(after.schema, after.name)} IS {_text(after.index_comment)}"
            )


def _privileges(before: Object | None, after: Object, b: Catalog) -> Iterator[Statement]:
    kind = acl.of_schema(after.name, b.version) if isinstance(after, Schema) else _KIND[after.key[0]]
    start: Acl = initial(after, kind, b) if before is None else _handed_over(before, after, kind)
    wanted: Acl = getattr(after, "acl", None)
    if isinstance(after, Column):
        table = f"TABLE {names.qualified(after.schema, after.table)}"
        lines = spelling.regrants(start, wanted, kind, table, f" ({names.quoted(after.name)})")
    else:
        owner = names.quoted(name) if (name := getattr(after, "owner", "")) else "CURRENT_USER"
        lines = spelling.regrants(start, wanted, kind, titles.grant_target(after), owner=owner)
    yield from map(Statement, lines)


def _behind(before: Identity | None, after: Identity, column: Column, b: Catalog) -> Iterator[Statement]:
    """Privileges and comment of the sequence of an identity column, which belongs to the table's owner."""
    target = f"SEQUENCE {names.qualified(after.schema, after.name)}"
    table = b.objects.get(("table", column.schema, column.table))
    owner = names.quoted(name) if (name := getattr(table, "owner", "")) else "CURRENT_USER"
    start = initial(column, "S", b) if before is None else before.acl
    yield from map(Statement, spelling.regrants(start, after.acl, "S", target, owner=owner))
    if after.comment != (before.comment if before else ""):
        yield Statement(f"COMMENT ON {target} IS {_text(after.comment)}")


def _text(comment: str) -> str:
    return names.literal(comment) if comment else "NULL"


def _owner(before: Object | None, after: Object) -> Iterator[Statement]:
    owner = getattr(after, "owner", "")
    if isinstance(before, Sequence) and before.owned_by and before.owned_by == getattr(after, "owned_by", None):
        return  # it has its table's
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
    if kind not in "rSfTnNO":
        return None
    named, kind = kind, kind if kind in "rSfTn" else "n"
    general = b.objects.get(("default privileges", "", "", kind))
    held = acl.expand(general.acl if isinstance(general, DefaultPrivileges) else None, kind)
    schema = found.key[1] if kind != "n" else ""
    special = b.objects.get(("default privileges", "", schema, kind))
    if isinstance(special, DefaultPrivileges) and schema:
        for who, letters in acl.expand(special.acl, kind).items():
            mine = held.setdefault(who, {})
            for letter, grantable in letters.items():
                mine[letter] = mine.get(letter, False) or grantable
    return acl.collapse(held, named)


def _handed_over(before: Object, after: Object, kind: str) -> Acl:
    """What is granted once the object has its new owner: the old one's privileges are the new one's, with what that had."""
    held: Acl = getattr(before, "acl", None)
    owner = getattr(after, "owner", "")
    if not owner or owner == getattr(before, "owner", "") or held is None:
        return held
    expanded = acl.expand(held, kind)
    own = expanded.pop(names.quoted(owner), {})
    expanded[acl.OWNER] = {**expanded.get(acl.OWNER, {}), **own}
    return acl.collapse(expanded, kind)
