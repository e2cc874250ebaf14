"""The difference of two catalogs in sentences, most important first."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from checks.catalog import difference, dump, names, part, spelling
from checks.catalog.code import Aggregate, Function, Policy, Rule, Trigger
from checks.catalog.difference import Change
from checks.catalog.model import Catalog, Key, Object
from checks.catalog.tables import Column, Constraint, Default, Index, Table, View
from checks.catalog.types import Acl, Domain, DomainCheck, Enum, Sequence

_LOSS, _NARROWER, _CHANGE, _NEW, _DETAIL = range(5)
_KINDS = {"r": "table", "p": "partitioned table", "f": "foreign table"}


def summary(a: Catalog, b: Catalog) -> list[str]:
    """Sentences such as "`users`: column `nickname` dropped": what is lost first, then what changes, then what is new."""
    found = difference.changes(a, b)
    a, b = part.of(a, b)
    gone = {change.key for change in found if change.after is None}
    born = {change.key for change in found if change.before is None}
    widths = (_widths(a), _widths(b))
    sentences: list[tuple[int, int, str]] = []
    for change in found:
        some = change.after or change.before
        if some is None:
            continue
        table = _container(some)
        if (table in born and change.before is None) or (table in gone and change.after is None):
            continue  # said with its table
        if isinstance(some, Default) and ("column", *some.key[1:]) in gone | born:
            continue
        if isinstance(some, Sequence) and some.owned_by and (
            ("column", *some.owned_by) in gone | born or ("table", *some.owned_by[:2]) in gone | born
        ):  # fmt: skip
            continue
        for weight, text in _sentences(change, b, gone, widths):
            sentences.append((weight, len(sentences), text))
    return [text for _, _, text in sorted(sentences)]


Widths = tuple[Counter[Key], Counter[Key]]


def _widths(catalog: Catalog) -> Counter[Key]:
    """How many columns each table has."""
    return Counter(dump.home(each) for each in catalog if isinstance(each, Column))


def _container(found: Object) -> Key | None:
    home = dump.home(found)
    return None if home == found.key else home


def _sentences(change: Change, b: Catalog, gone: set[Key], widths: Widths) -> Iterator[tuple[int, str]]:
    before, after = change.before, change.after
    if before is None and after is not None:
        yield _NEW, _created(after, b, widths[1])
    elif after is None and before is not None:
        home = _container(before)
        lost = isinstance(before, Table | Column) or (isinstance(before, View) and before.materialized)
        yield _LOSS if lost else _CHANGE, _dropped(before, widths[0], with_home=home is not None and home not in gone)
    elif before is not None and after is not None:
        yield from _changed(before, after)


def _of(found: Object) -> str:
    """`users`: the table (or domain) a part belongs to, as the beginning of a sentence."""
    home = dump.home(found)
    return f"`{names.short(*home[1:3])}`: " if home != found.key else ""


def _noun(found: Object) -> str:  # noqa: C901, PLR0911, PLR0912 - one word a kind
    match found:
        case Constraint(contype="p"):
            return f"primary key `{found.name}`"
        case Constraint(contype="f"):
            return f"foreign key `{found.name}`"
        case Constraint(contype="u"):
            return f"unique constraint `{found.name}`"
        case Constraint(contype="c") | DomainCheck():
            return f"check `{found.name}`"
        case Constraint():
            return f"exclusion constraint `{found.name}`"
        case Column() | Index() | Trigger() | Rule() | Policy():
            return f"{found.key[0]} `{found.name}`"
        case Default():
            return f"default of `{found.column}`"
        case Table():
            return f"{_KINDS[found.relkind]} `{names.short(found.schema, found.name)}`"
        case View():
            return f"{'materialized view' if found.materialized else 'view'} `{names.short(found.schema, found.name)}`"
        case Enum():
            return f"enum `{names.short(found.schema, found.name)}`"
        case Domain():
            return f"domain `{names.short(found.schema, found.name)}`"
        case Function() | Aggregate():
            kind = "aggregate" if isinstance(found, Aggregate) else "procedure" if found.prokind == "p" else "function"
            return f"{kind} `{names.short(found.schema, found.name)}({found.args})`"
        case _:
            path = found.key[1:]
            name = names.short(*path) if len(path) == 2 else " ".join(filter(None, path))
            return f"{found.key[0]} `{name}`"


def _created(found: Object, catalog: Catalog, widths: Counter[Key]) -> str:
    if isinstance(found, Table):
        partition = f" as a partition of `{names.short(*found.parents[0])}`" if found.bound and found.parents else ""
        return f"{_noun(found)} created with {_count(widths[found.key], 'column')}{partition}"
    if isinstance(found, Column):
        null = ", not null" if found.not_null else ""
        default = catalog.objects.get(("default", *found.key[1:]))
        given = f", default {default.expression}" if isinstance(default, Default) else ""
        return f"{_of(found)}{_noun(found)} added ({found.type}{null}{given})"
    if isinstance(found, Default):
        return f"{_of(found)}{_noun(found)} set to {found.expression}"
    if isinstance(found, Constraint | DomainCheck):
        return f"{_of(found)}{_noun(found)} added: {found.definition}"
    if isinstance(found, Index):
        unique = "unique " if found.definition.startswith("CREATE UNIQUE") else ""
        return f"{_of(found)}{unique}{_noun(found)} created"
    return f"{_of(found)}{_noun(found)} created"


def _dropped(found: Object, widths: Counter[Key], *, with_home: bool) -> str:
    if isinstance(found, Table):
        return f"{_noun(found)} dropped, with its {_count(widths[found.key], 'column')}"
    return f"{_of(found) if with_home else ''}{_noun(found)} dropped"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _changed(before: Object, after: Object) -> Iterator[tuple[int, str]]:
    said = False
    for weight, text in _details(before, after):
        said = True
        yield weight, text
    start = f"{_of(after)}{_noun(after)}"
    for field, word in (("owner", "owner"), ("comment", "comment"), ("index_comment", "comment of its index")):
        old, new = getattr(before, field, ""), getattr(after, field, "")
        if old != new:
            said = True
            verb = "changed" if old and new else "added" if new else "dropped"
            what = f" to `{new}`" if field == "owner" and new else ""
            yield _DETAIL, f"{start}: {word} {'changed' if field == 'owner' else verb}{what}"
    for sentence in _privileges(before, after, start):
        said = True
        yield _CHANGE, sentence
    if not said:
        yield _CHANGE, f"{start} changed"


def _privileges(before: Object, after: Object, start: str) -> Iterator[str]:
    old: Acl = getattr(before, "acl", None)
    new: Acl = getattr(after, "acl", None)
    if old == new:
        return
    kind = {"schema": "n", "type": "T", "sequence": "S", "function": "f", "column": "c", "foreign-data wrapper": "F",
            "server": "s", "default privileges": getattr(after, "objects", "r")}.get(after.key[0], "r")  # fmt: skip
    for line in spelling.regrants(old, new, kind, "@"):
        verb, _, rest = line.partition(" ")
        what, _, who = rest.partition(" ON @ ")
        who = who.partition(" ")[2].replace("CURRENT_USER", "the owner")
        yield f"{start}: {what} {'granted' if verb == 'GRANT' else 'revoked'}{' to ' if verb == 'GRANT' else ' from '}{who}"


def _details(before: Object, after: Object) -> Iterator[tuple[int, str]]:
    way = _WAYS.get(type(after))
    if way is not None and type(before) is type(after):
        yield from way(before, after, f"{_of(after)}{_noun(after)}")


def _default(before: Default, after: Default, start: str) -> Iterator[tuple[int, str]]:
    yield _CHANGE, f"{start} changed from {before.expression} to {after.expression}"


def _enum(before: Enum, after: Enum, start: str) -> Iterator[tuple[int, str]]:
    for label in before.labels:
        if label not in after.labels:
            yield _LOSS, f"{start}: value `{label}` dropped"
    for label in after.labels:
        if label not in before.labels:
            yield _NEW, f"{start}: value `{label}` added"
    if [x for x in before.labels if x in after.labels] != [x for x in after.labels if x in before.labels]:
        yield _CHANGE, f"{start}: order of its values changed"


def _constraint(before: Constraint, after: Constraint, start: str) -> Iterator[tuple[int, str]]:
    if before.definition == f"{after.definition} NOT VALID":
        yield _CHANGE, f"{start} validated"
    elif before.definition != after.definition:
        yield _CHANGE, f"{start} changed from {before.definition} to {after.definition}"


def _view(before: View, after: View, start: str) -> Iterator[tuple[int, str]]:
    if before.definition != after.definition or before.materialized != after.materialized:
        yield _CHANGE, f"{start}: query changed"


def _domain(before: Domain, after: Domain, start: str) -> Iterator[tuple[int, str]]:
    if before.type != after.type:
        yield _NARROWER, f"{start} changed type from {before.type} to {after.type}"


def _switched(before: Trigger | Rule, after: Trigger | Rule, start: str) -> Iterator[tuple[int, str]]:
    if before.enabled != after.enabled:
        verb = {"O": "enabled", "D": "disabled", "R": "enabled for replication alone", "A": "enabled always"}
        yield _CHANGE, f"{start} {verb[after.enabled]}"
    if before.definition != after.definition:
        yield _CHANGE, f"{start} changed"


def _column(before: Column, after: Column, start: str) -> Iterator[tuple[int, str]]:
    if before.type != after.type:
        yield _NARROWER, f"{start} changed type from {before.type} to {after.type}"
    if before.collation != after.collation:
        yield (
            _CHANGE,
            f"{start} changed collation from {before.collation or 'the default'} to {after.collation or 'the default'}",
        )
    if before.not_null != after.not_null:
        if not after.not_null:
            yield _CHANGE, f"{start} can be null"
        elif not before.not_null or before.not_null == "not valid":
            extra = f" ({after.not_null})" if after.not_null != "yes" else ""
            yield _CHANGE, f"{start} became not null{extra}"
    if (before.generated, before.expression) != (after.generated, after.expression):
        if after.generated:
            yield _CHANGE, f"{start} is generated as {after.expression}"
        else:
            yield _CHANGE, f"{start} is no longer generated"
    if before.identity != after.identity:
        if before.identity and after.identity:
            yield _CHANGE, f"{start}: identity changed"
        else:
            yield _CHANGE, f"{start} {'became' if after.identity else 'is no longer'} an identity column"


def _table(before: Table, after: Table, start: str) -> Iterator[tuple[int, str]]:  # noqa: C901, PLR0912 - one line a property
    if before.relkind != after.relkind:
        yield _LOSS, f"{start} was a {_KINDS[before.relkind]}"
    if before.rls != after.rls:
        yield _CHANGE, f"{start}: row-level security {'enabled' if after.rls else 'disabled'}"
    if before.force_rls != after.force_rls:
        yield (
            _CHANGE,
            f"{start}: row-level security {'forced on' if after.force_rls else 'no longer forced on'} its owner",
        )
    if before.unlogged != after.unlogged:
        yield _CHANGE, f"{start} is now {'unlogged' if after.unlogged else 'logged'}"
    if (before.parents, before.bound) != (after.parents, after.bound):
        for parent in before.parents:
            if parent not in after.parents:
                yield _CHANGE, f"{start} detached from `{names.short(*parent)}`"
        for parent in after.parents:
            if parent not in before.parents:
                yield _CHANGE, f"{start} attached to `{names.short(*parent)}`{' ' + after.bound if after.bound else ''}"
        if before.parents == after.parents:
            yield _CHANGE, f"{start}: partition bound changed from {before.bound} to {after.bound}"
    if before.partition_key != after.partition_key:
        yield (
            _LOSS,
            f"{start}: partitioned by {after.partition_key or 'nothing'}, was {before.partition_key or 'nothing'}",
        )
    if before.options != after.options:
        yield _DETAIL, f"{start}: storage parameters are now {', '.join(after.options) or 'the default'}"
    if before.replica_identity != after.replica_identity:
        yield _DETAIL, f"{start}: replica identity changed"


_WAYS: dict[type, Callable[[Any, Any, str], Iterator[tuple[int, str]]]] = {
    Column: _column,
    Constraint: _constraint,
    Default: _default,
    Domain: _domain,
    Enum: _enum,
    Rule: _switched,
    Table: _table,
    Trigger: _switched,
    View: _view,
}
