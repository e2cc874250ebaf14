"""schema.ts ⇔ last snapshot ⇔ what the chain builds: where two of them say different things, and which side is behind."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Literal

from checks import namesakes, report, unequal
from checks.catalog import part, statements
from checks.catalog.code import Policy
from checks.catalog.model import Catalog, Key, Object
from checks.catalog.tables import Column, Constraint, Default, Index, Table, View
from checks.catalog.types import Enum, Schema, Sequence
from checks.facts import Fact, Place
from checks.inequalities import HandEditedMigration, MissingMigration, PendingDrop, SnapshotDiffers
from checks.schema import model
from checks.unequal import Difference

# What drizzle-kit writes into snapshots and reads from schema.ts; everything else is nobody's difference here.
_MODELLED = (Schema, Enum, Sequence, Table, Column, Default, Constraint, Index, View, Policy)
# What Drizzle never says about those objects; a migration that does says more than the schema file, not something else.
_UNSAID: dict[str, Any] = {
    "acl": None, "comment": "", "index_comment": "", "owner": "", "storage": "", "compression": "", "statistics": 0,
    "options": (), "replica_identity": "d", "clustered": False, "force_rls": False, "unlogged": False, "tablespace": "",
    "access_method": "", "index_options": (), "valid": True, "populated": True, "server_options": (),
}  # fmt: skip

# As PostgreSQL writes an expression back: a cast behind what it casts, and parentheses around anything.
_CAST = re.compile(
    r"""::(?:"(?:[^"]|"")+"|[a-z_][\w$]*)(?:\.(?:"(?:[^"]|"")+"|[a-z_]\w*))?(?: varying| precision| with(?:out)? time zone)?(?:\([\d,]+\))?(?:\[\])*"""
)
_NOISE = re.compile(r"[()\s]")

Objects = Mapping[Key, Object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sides:
    """Three ways to one schema, at one commit. None: it could not be had.

    Attributes:
        chain: what the migrations build on an empty database.
        drawn: what the schema files ask for, made on an empty database.
        snapshot: what the last snapshot describes, made likewise.
        schema: the schema files as read, with what could not be.
        loosening: the statements of the chain that drop a constraint or an identity.
        unread: a newer snapshot is there, and cannot be read: `snapshot` is not the last one.
    """

    chain: Catalog | None = None
    drawn: Catalog | None = None
    snapshot: Catalog | None = None
    schema: model.Schema | None = None
    loosening: tuple[str, ...] = ()
    unread: bool = False


@dataclass(slots=True)
class _Sorted:
    """The differences between the chain and the schema file, by what they mean."""

    missing: list[Difference] = field(default_factory=list[Difference])
    pending: list[Column] = field(default_factory=list[Column])
    extra: list[Difference] = field(default_factory=list[Difference])
    unsure: int = 0


def differs(sides: Sides) -> bool:
    """Any two of the three do not say the same; then it is worth knowing how base was."""
    return bool(_schema_differences(sides) or _snapshot_differences(sides))


def in_step(chain: Catalog, snapshot: Catalog) -> bool:
    """Whether both say, of all that Drizzle can say, the very same: nothing is excused, and every name is the same."""
    a, b = part.of(chain, snapshot)
    keys = a.objects.keys() | b.objects.keys()
    pairs = [(a.objects.get(key), b.objects.get(key)) for key in keys]
    return all(one == other or _modelled(one) == _modelled(other) for one, other in pairs)


def judge(sides: Sides, before: Sides, paths: Iterable[str], fallback: str) -> tuple[report.Equality, tuple[Fact, ...]]:
    """The equality of head, and the facts of its inequalities.

    Args:
        sides: at head.
        before: where head left base: what differed there already is old.
        paths: files that head changes; an introduced fact stands on one of them.
        fallback: where a fact stands that belongs to no file.
    """
    changed = frozenset(paths)
    old = set(map(unequal.identity, (*_schema_differences(before), *_snapshot_differences(before))))
    found = _sort(sides, before)
    facts: list[Fact] = []
    where = unequal.Places(sides.schema, changed, fallback)
    for owner, differences in unequal.by_owner(found.missing).items():
        new = [d for d in differences if unequal.identity(d) not in old]
        told = tuple(unequal.words(d, lacking=True) for d in new or differences)
        facts.append(
            MissingMigration(place=where.of(owner), introduced=bool(new), table=unequal.short(owner), what=told)
        )
    facts += [
        PendingDrop(
            place=where.of((c.schema, c.table)),
            introduced=False,
            table=unequal.short((c.schema, c.table)),
            column=c.name,
        )
        for c in found.pending
    ]
    extra = [d for d in found.extra if unequal.identity(d) not in old]
    if extra:
        told = [d for group in unequal.by_owner(extra).values() for d in group]
        facts.append(
            HandEditedMigration(place=Place(path=fallback), what=tuple(unequal.words(d, lacking=False) for d in told))
        )
    for owner, differences in unequal.by_owner(_snapshot_differences(sides)).items():
        new = [d for d in differences if unequal.identity(d) not in old]
        if all(d[2] is None for d in differences):
            continue  # the migrations say more than the snapshot: told as hand-written
        facts.append(
            SnapshotDiffers(
                place=Place(path=fallback),
                introduced=bool(new),
                table=unequal.short(owner),
                what=tuple(unequal.words(d, lacking=True) for d in differences),
            )
        )
    return _equality(sides, found), tuple(facts)


def _equality(sides: Sides, found: _Sorted) -> report.Equality:
    schema = sides.schema
    unresolved = (
        tuple(report.Unresolved(path=u.path, line=u.line, why=f"{u.what}: {u.why}") for u in schema.unresolved)
        if schema
        else ()
    )
    state: Literal["equal", "differs", "unresolved", "absent", "unknown"] = "equal"
    if schema is None:
        state = "absent"
    elif sides.chain is None or sides.drawn is None:
        state = "unresolved" if unresolved else "unknown"
    elif found.missing or found.pending:
        state = "differs"
    elif unresolved:
        state = "unresolved"
    kept: Literal["equal", "differs", "absent"] = "absent"
    if sides.snapshot is not None and sides.chain is not None and not sides.unread:
        kept = "differs" if any(d[2] is not None for d in _snapshot_differences(sides)) else "equal"
    return report.Equality(
        schema_ts=state, snapshot=kept, missing_sql=missing_sql(sides, found.missing), unresolved=unresolved
    )


def missing_sql(sides: Sides, missing: Iterable[Difference]) -> str:
    """The statements that no migration has: from what the chain builds to what the schema file asks for."""
    if sides.chain is None or sides.drawn is None:
        return ""
    wanted = dict(sides.chain.objects)
    for key, _, after in missing:
        if after is None:
            wanted.pop(key, None)
        else:
            wanted[key] = sides.drawn.objects.get(key, after)
    if wanted == sides.chain.objects:
        return ""
    target = dataclasses.replace(sides.drawn, objects=wanted, needs={**sides.chain.needs, **sides.drawn.needs})
    return statements.text(statements.sql(sides.chain, target))


# --- what differs -----------------------------------------------------------------------------------------------------


def _schema_differences(sides: Sides) -> list[Difference]:
    found = _differences(sides.chain, sides.drawn)
    if sides.drawn is None or sides.snapshot is None:
        return found
    # What drizzle-kit has recorded as it stands in the schema file has no migration to be generated.
    recorded, drawn = sides.snapshot.objects, sides.drawn.objects
    return [
        d
        for d in found
        if not (
            (_cast_otherwise(d) or _left_behind(d, sides.loosening) or _counts_further(d))
            and recorded.get(d[0]) == drawn.get(d[0])
        )
    ]


def _snapshot_differences(sides: Sides) -> list[Difference]:
    found = _differences(sides.chain, sides.snapshot)
    return [d for d in found if not (_cast_otherwise(d) or unequal.secured_by_hand(d))]


def _left_behind(difference: Difference, loosening: Iterable[str]) -> bool:
    """A column that is still NOT NULL since its primary key or identity went: PostgreSQL keeps what they implied."""
    key, before, after = difference
    if not isinstance(before, Column) or not isinstance(after, Column):
        return False
    only = before.not_null == "yes" and dataclasses.replace(before, not_null=after.not_null) == after
    return only and any(key[2] in statement for statement in loosening)


def _counts_further(difference: Difference) -> bool:
    """The sequence of a column that became serial: drizzle-kit makes it without the column's type."""
    _, before, after = difference
    if not isinstance(before, Sequence) or not isinstance(after, Sequence) or before.owned_by is None:
        return False
    return before.counting.type == "bigint" and dataclasses.replace(before, counting=after.counting) == after


def _cast_otherwise(difference: Difference) -> bool:
    """The same expression but for its casts: PostgreSQL writes them in when the type of a column changes under it."""
    _, before, after = difference
    if before is None or after is None or type(before) is not type(after):
        return False
    name = next((name for name in ("definition", "expression") if hasattr(before, name)), None)
    if name is None or isinstance(before, Column):
        return False
    one, other = getattr(before, name), getattr(after, name)
    return (
        _uncast(one) == _uncast(other)
        and dataclasses.replace(before, **{name: ""}) == dataclasses.replace(after, **{name: ""})  # type: ignore[type-var] - all are dataclasses
    )


def _uncast(expression: str) -> str:
    return _NOISE.sub("", _CAST.sub("", expression))


def _differences(a: Catalog | None, b: Catalog | None) -> list[Difference]:
    if a is None or b is None:
        return []
    a, b = part.of(a, b)
    left, right = a.objects, namesakes.named_as(a.objects, b.objects)
    found: list[Difference] = []
    for key in left.keys() | right.keys():
        one, other = left.get(key), right.get(key)
        if one == other:
            continue
        said, other_said = _modelled(one), _modelled(other)
        if said != other_said:
            found.append((key, said, other_said))
    return sorted(found, key=itemgetter(0))


def _modelled(found: Object | None) -> Any:  # noqa: ANN401 - an object of any kind
    return _said(found) if isinstance(found, _MODELLED) else None


def _said(found: Any) -> Any:  # noqa: ANN401 - an object of any kind
    """The object as far as Drizzle can say it."""
    names = {f.name for f in dataclasses.fields(found)}
    unsaid = {name: value for name, value in _UNSAID.items() if name in names and getattr(found, name) != value}
    if isinstance(found, View):
        unsaid.pop("options", None)
    return dataclasses.replace(found, **unsaid) if unsaid else found


def _sort(sides: Sides, earlier: Sides) -> _Sorted:
    """What each difference between chain and schema file means."""
    result = _Sorted()
    if sides.drawn is None or sides.schema is None:
        return result
    drawn = sides.drawn.objects
    # What Drizzle has known is missed where it goes; anything else was made by hand. Without snapshots base's schema file tells.
    recorded = sides.snapshot if sides.snapshot is not None else earlier.drawn
    known = set(recorded.objects) if recorded is not None else None
    doubt = _Doubt(sides.schema)
    differences = _schema_differences(sides)
    gone_tables = {k[1:3] for k, a, b in differences if k[0] == "table" and a is not None and b is None}
    going = {
        a.key[1:4]: a
        for k, a, b in differences
        if isinstance(a, Column) and b is None and k[1:3] not in gone_tables and (known is None or k in known)
        and (a.not_null != "yes" or ("default", *k[1:]) in (sides.chain.objects if sides.chain else {}) or a.generated or a.identity)
    }  # fmt: skip
    for difference in differences:
        key, before, after = difference
        if doubt.about(key, before, after):
            result.unsure += 1
        elif before is not None and after is None:
            if isinstance(before, Column) and key[1:4] in going:
                result.pending.append(before)
            elif _follows(before, going):
                continue
            elif (known is not None and key not in known) or (
                isinstance(before, Schema) and not any(k[1] == before.name for k in drawn if len(k) > 2)
            ):
                result.extra.append(difference)
            else:
                result.missing.append(difference)
        elif unequal.secured_by_hand(difference):
            result.extra.append(difference)
        else:
            result.missing.append(difference)
    return result


def _follows(found: Object, going: Mapping[tuple[str, ...], Column]) -> bool:
    """It leaves with a column that is pending: its default, its sequence, an index or constraint on it."""
    if isinstance(found, Default):
        return (found.schema, found.table, found.column) in going
    if isinstance(found, Sequence):
        return found.owned_by in going
    if isinstance(found, Constraint | Index):
        return any((found.schema, found.table, column) in going for column in found.columns)
    return False


class _Doubt:
    """What of the schema could not be read, and so says nothing about a difference."""

    def __init__(self, schema: model.Schema) -> None:
        self._columns = {(u.table, u.column) for u in schema.unresolved if u.table}
        self._tables = {u.table for u in schema.unresolved if u.table}
        self._whole = {u.table for u in schema.unresolved if u.table and not u.column} | {
            f"{t.schema}.{t.name}" for t in schema.tables if t.incomplete
        }
        self._open = any(u.table is None for u in schema.unresolved)

    def about(self, key: Key, before: Object | None, after: Object | None) -> bool:
        """Whether what is unknown could explain this difference."""
        if self._open and after is None:
            return True
        found = before or after
        table = ".".join((key[1], getattr(found, "table", key[-1])))
        if table in self._whole:
            return True
        if key[0] in {"column", "default"}:
            return (table, key[3]) in self._columns
        if isinstance(found, Sequence) and found.owned_by:
            return f"{found.owned_by[0]}.{found.owned_by[1]}" in self._tables
        return table in self._tables
