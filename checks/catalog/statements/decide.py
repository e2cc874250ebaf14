"""What happens to each object that differs, and to those that cannot stay as they are because of it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from checks.catalog import names
from checks.catalog.code import Function, Policy, Rule, Trigger
from checks.catalog.model import Catalog, Key, Object
from checks.catalog.outside import Publication
from checks.catalog.statements import alter, graph, heirs, taken_over
from checks.catalog.statements.decisions import Decisions
from checks.catalog.tables import Column, Constraint, Default, Index, Statistics, Table, View
from checks.catalog.types import Composite, Domain, DomainCheck, Enum, Range, Sequence


def decide(a: Catalog, b: Catalog) -> Decisions:
    """Drop, create or alter each object that differs, and whatever hangs on it."""
    done = Decisions(a, b, graph.needs(a), graph.needs(b))
    done.dropped = {key for key in a.objects if key not in b.objects}
    done.created = {key for key in b.objects if key not in a.objects}
    for key, before in a.objects.items():
        after = b.objects.get(key)
        if after is None or after == before:
            continue
        statements = alter.alter(before, after)
        if statements is None:
            done.replace(key)
        elif (whole := _partitioned_by(done, before, after)) is not None:
            done.replace(whole)
        else:
            done.altered[key] = statements
            if (
                isinstance(before, Table)
                and isinstance(after, Table)
                and (before.parents, before.bound) != (after.parents, after.bound)
            ):
                done.detached |= {key} if before.parents else set()
                done.attached |= {key} if after.parents else set()
    for key in [key for key in done.altered if _uses_new_label(done, key)]:
        done.replace(key)
    for key in {("type", *key[1:3]) for key in done.created | done.altered.keys() if _tightens_inside(done, key)}:
        done.replace(key)
    _spread(done)
    while again := [*heirs.settle(done), *_incomplete(done)]:
        rebuild(done, again)
    taken_over.settle(done)
    _leave_first(done)
    done.attached |= set(_born_partitions(done))
    return done


def _born_partitions(done: Decisions) -> Iterator[Key]:
    return (key for key in done.created if isinstance(table := done.b.objects[key], Table) and table.bound)


def _incomplete(done: Decisions) -> Iterator[Key]:
    """Partitioned indexes that cannot stay as they are.

    One that lacks a part in a table that joins would get it; one that lacks none any more becomes valid when a part is
    attached, and not otherwise.
    """
    joining = {*done.attached, *_born_partitions(done)}
    parents = {parent for key in joining if isinstance(table := done.b.objects[key], Table) for parent in table.parents}
    fed: set[tuple[str, str] | None] | None = None
    for key, found in done.b.objects.items():
        if not isinstance(found, Index | Constraint) or key not in done.a.objects or key in done.dropped:
            continue
        if not found.valid:
            if (found.schema, found.table) in parents:
                yield key
        elif key in done.altered and not getattr(done.a.objects[key], "valid", True):
            fed = _fed(done, joining) if fed is None else fed
            if (found.schema, found.name) not in fed:
                yield key


def _fed(done: Decisions, joining: set[Key]) -> set[tuple[str, str] | None]:
    """Partitioned indexes that ALTER INDEX gives a part; one that comes along with its table makes no index valid."""
    return {
        _whole(found)
        for key, found in done.b.objects.items()
        if isinstance(found, Index | Constraint)
        and ("table", found.schema, found.table) not in joining
        and (not isinstance(was := done.a.objects.get(key), Index | Constraint) or _whole(was) != _whole(found))
    }


def _partitioned_by(done: Decisions, before: Object, after: Object) -> Key | None:
    """The table that is partitioned by a column that is retyped, which PostgreSQL does not do in place."""
    if not isinstance(before, Column) or not isinstance(after, Column) or before.type == after.type:
        return None
    return _keyed(done, before.key)


def _keyed(done: Decisions, column: Key) -> Key | None:
    """The table that is partitioned by a column."""
    table = done.a.objects.get(("table", *column[1:3]))
    if column[0] != "column" or not isinstance(table, Table) or not table.partition_key:
        return None
    name = names.quoted(column[3])
    word = re.escape(name) if name.startswith('"') else rf"\b{re.escape(name)}\b"
    return table.key if re.search(word, table.partition_key) and table.key not in done.dropped else None


def _tightens_inside(done: Decisions, key: Key) -> bool:
    """A domain that gets a constraint while arrays or composites hold its values, which PostgreSQL does not check."""
    found, domain = done.b.objects[key], ("type", *key[1:3])
    if isinstance(found, Domain):
        was = done.a.objects.get(key)
        tighter = found.not_null and isinstance(was, Domain) and not was.not_null
    else:
        tighter = isinstance(found, DomainCheck)
    if not tighter or domain in done.dropped or domain not in done.a.objects or domain not in done.b.objects:
        return False
    plain = names.qualified(*domain[1:])
    return any(
        domain in needed
        and (isinstance(other := done.a.objects[user], Composite) or getattr(other, "type", plain) != plain)
        for user, needed in done.needs_a.items()
    )


def _leave_first(done: Decisions) -> None:
    """A partition of a table that foreign keys point to cannot be dropped as long as it is one."""
    pointed = {found.references for found in done.a if isinstance(found, Constraint) and found.references}
    for key in done.dropped:
        found = done.a.objects[key]
        if (
            isinstance(found, Table)
            and found.bound
            and any(parent in pointed and ("table", *parent) not in done.dropped for parent in found.parents)
        ):
            done.detached.add(key)


def rebuild(done: Decisions, keys: Iterable[Key]) -> None:
    """Drop and create objects that were to be altered, with what hangs on them."""
    for key in keys:
        done.replace(key)
    _spread(done)


def _uses_new_label(done: Decisions, key: Key) -> bool:
    """A value that ADD VALUE brings cannot be used before COMMIT (ALTER TYPE, "Notes")."""
    before, after = done.a.objects[key], done.b.objects[key]
    if not isinstance(before, Enum) or not isinstance(after, Enum):
        return False
    new = [label for label in after.labels if label not in before.labels]
    if not new:
        return False
    for other, needed in done.needs_b.items():
        if done.a.objects.get(other) == done.b.objects[other]:
            continue
        text = repr(done.b.objects[other])
        if (
            (key in needed or other[0] in {"table", "constraint", "policy"})
            and other != key
            and any(label in text for label in new)
        ):
            return True
    return False


def _spread(done: Decisions) -> None:
    """Rebuild what cannot stay while something it needs is dropped, replaced or retyped."""
    dependants = graph.reverse(done.needs_a)
    children, (named, parts) = _children(done.a), _indexes(done.a)
    queue = [*done.dropped, *(key for key in done.altered if _retyped(done, key))]
    seen: set[Key] = set()
    while queue:
        key = queue.pop()
        if key in seen:
            continue
        seen.add(key)
        for other in dependants.get(key, ()):
            if other not in done.b.objects or other in done.dropped:
                continue
            if key in done.dropped and key[0] == "type" and (whole := _keyed(done, other)) is not None:
                done.replace(whole)
                queue.append(whole)
            elif _follows(done, other, key):
                queue.append(other)
        queue.extend(_parts_of_partitioned_index(done, key, named, parts))
        queue.extend(_inherited(done, key, children))
    _aside_with(done)


def _aside_with(done: Decisions) -> None:
    """A type that is kept aside keeps the types aside that it is made of."""
    queue = list(done.kept_aside)
    while queue:
        for key in done.needs_a[queue.pop()]:
            if key[0] == "type" and key in done.dropped & done.created and key not in done.kept_aside:
                done.kept_aside.add(key)
                queue.append(key)


def _retyped(done: Decisions, key: Key) -> bool:
    before, after = done.a.objects[key], done.b.objects[key]
    return (
        isinstance(before, Column)
        and isinstance(after, Column)
        and (before.type, before.collation) != (after.type, after.collation)
    ) or (
        key in done.altered
        and isinstance(before, Column)
        and isinstance(after, Column)
        and before.generated != after.generated
    )


def _children(catalog: Catalog) -> dict[tuple[str, str], list[Table]]:
    found: dict[tuple[str, str], list[Table]] = defaultdict(list)
    for each in catalog:
        if isinstance(each, Table):
            for parent in each.parents:
                found[parent].append(each)
    return found


def _inherited(done: Decisions, key: Key, children: dict[tuple[str, str], list[Table]]) -> Iterator[Key]:
    """Children's columns are retyped with their parent's, and go with them."""
    if key[0] != "column":
        return
    for child in children.get((key[1], key[2]), ()):
        theirs = ("column", child.schema, child.name, key[3])
        if theirs not in done.b.objects or theirs in done.dropped:
            continue
        if key not in done.dropped:
            done.altered.setdefault(theirs, [])
            yield theirs
        elif (
            key in done.created
            and ("table", key[1], key[2]) not in done.dropped
            and getattr(done.a.objects.get(theirs), "inherited", False)
        ):
            done.replace(theirs)
            yield theirs


_Parts = dict[tuple[str, str], list[Index | Constraint]]


def _whole(part: Index | Constraint) -> tuple[str, str] | None:
    return part.parent if isinstance(part, Index) else part.index_parent


def _indexes(catalog: Catalog) -> tuple[_Parts, _Parts]:
    """Indexes by their name, and the parts of partitioned ones by the name of the whole."""
    named: _Parts = defaultdict(list)
    parts: _Parts = defaultdict(list)
    for each in catalog:
        if isinstance(each, Index) or (isinstance(each, Constraint) and each.contype in "pux"):
            named[each.schema, each.name].append(each)
            if whole := _whole(each):
                parts[whole].append(each)
    return named, parts


def _parts_of_partitioned_index(done: Decisions, key: Key, named: _Parts, parts: _Parts) -> Iterator[Key]:
    """An index and its parts in the partitions come and go together."""
    found = done.a.objects.get(key)
    if key not in done.dropped or not isinstance(found, Index | Constraint):
        return
    together = [
        part
        for part in parts.get((found.schema, found.name), ())
        if ("table", part.schema, part.table) not in done.detached
    ]
    table = ("table", found.schema, found.table)
    up = _whole(found)
    if up and table not in done.detached and table not in done.dropped:
        together += named.get(up, [])
    for other in together:
        if other.key not in done.dropped and other.key in done.b.objects:
            done.replace(other.key)
            yield other.key


def _follows(done: Decisions, key: Key, cause: Key) -> bool:  # noqa: C901, PLR0911, PLR0912 - one line a kind
    """Decide for one dependant of something that goes or changes; True where its own dependants must be asked too."""
    before = done.a.objects[key]
    after = done.b.objects[key]
    goes = cause in done.dropped
    returns = cause in done.created
    still_needed = cause in done.needs_b[key]
    match before:
        case Column():
            if cause[0] == "table" and cause[1:3] == key[1:3]:
                if goes:
                    done.replace(key)
                return goes
            if cause[0] in {"table", "type"} and goes and not returns and key not in done.altered:
                done.replace(key)  # another kind of type takes the name
                return True
            if cause[0] == "table":
                if goes and returns:
                    done.replace(key)
                return goes and returns
            if cause[0] == "type" and goes and returns and isinstance(after, Column):
                done.kept_aside.add(cause)
                strange = replace(before, type=f"renamed {before.type}")
                done.altered[key] = alter.alter(strange, after) or []
                return True
            if before.generated and isinstance(after, Column) and after.generated:
                done.replace(key)
                return True
            return False
        case Table():
            parents = {("table", *parent) for parent in before.parents}
            if cause in parents:
                if goes:
                    done.altered.setdefault(key, [])
                    done.detached.add(key)
                    if returns:
                        done.attached.add(key)
                return False
            if cause[0] == "server" and goes:
                done.replace(key)
                return True
            return False
        case Constraint():
            if not goes and before.contype != "f":
                return False
        case Index() | Statistics():
            if not goes:
                return False
        case Sequence():
            return False
        case Publication():
            if not goes and not any(table.where for table in before.tables):
                return False
            if key in done.altered and not returns:
                return False
        case Enum() | Range() | Domain() | Composite() if cause[0] != "type":
            return False
        case View() | Function() | Policy() | Default() if (
            key in done.altered and goes and not (returns and still_needed)
        ):
            return False  # altered first, and free of it then
        case Trigger() | Rule():
            pass
        case _ if key[0] in {"schema", "role", "default privileges", "extension"}:
            return False
        case _:
            pass
    if cause[0] in {"role", "schema"}:
        return False
    done.replace(key)
    return True


def aside(key: Key) -> str:
    """The name a type has while its columns move over."""
    return names.quoted(key[2][:50] + "__old")
