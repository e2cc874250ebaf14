"""Three chains of one project compared: what head adds, edits, renames and deletes, and what base got meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from checks.drizzle import statements
from checks.drizzle.model import Chain, Migration


@dataclass(frozen=True, slots=True)
class Pair:
    """A migration before and after head's change."""

    before: Migration
    after: Migration


@dataclass(frozen=True, kw_only=True, slots=True)
class Sides:
    """Base's tip, the merge base and head, and their differences.

    Attributes:
        names: tags of v0 migrations → the folders that `drizzle-kit up` made of them in head.
        added, modified, renamed, deleted: what head does, counted from the merge base; what base did likewise is not head's.
        arrived: what base got since head left it and head does not have.
        restamped: migrations of base that head gives a `when` so late that databases run them again.
        skipped: of `added`, what v0's migrator passes over.
        at_base, at_merge_base, at_head: each chain's migrations by the names that they have in head.
    """

    base: Chain
    merge_base: Chain
    head: Chain
    names: Mapping[str, str]
    added: tuple[Migration, ...] = ()
    modified: tuple[Pair, ...] = ()
    renamed: tuple[Pair, ...] = ()
    deleted: tuple[Migration, ...] = ()
    arrived: tuple[Migration, ...] = ()
    restamped: tuple[Pair, ...] = ()
    skipped: tuple[Migration, ...] = ()
    at_base: Mapping[str, Migration] = field(default_factory=dict[str, Migration], repr=False)
    at_merge_base: Mapping[str, Migration] = field(default_factory=dict[str, Migration], repr=False)
    at_head: Mapping[str, Migration] = field(default_factory=dict[str, Migration], repr=False)

    @classmethod
    def of(cls, base: Chain, merge_base: Chain, head: Chain) -> "Sides":
        """Compare the chains."""
        names = _upgraded((*merge_base.migrations, *base.migrations), head)
        tip, before, here = (_index(c, names) for c in (base, merge_base, head))
        added: list[Migration] = []
        modified: list[Pair] = []
        for name, migration in here.items():
            if name in before:
                edited = not _same(migration, before[name]) and not (name in tip and _same(migration, tip[name]))
                if edited:
                    modified.append(Pair(tip.get(name, before[name]), migration))
            elif name not in tip or not _same(migration, tip[name]):
                added.append(migration)
        gone = [m for name, m in before.items() if name not in here and name in tip]
        renamed = _renames(gone, added)
        new_names = {p.after.tag for p in renamed}
        old_names = {p.before.tag for p in renamed}
        added = [m for m in added if m.tag not in new_names]
        late = base.greatest
        v0 = head.project.format == "v0"
        return cls(
            base=base,
            merge_base=merge_base,
            head=head,
            names=names,
            at_base=tip,
            at_merge_base=before,
            at_head=here,
            added=tuple(added),
            modified=tuple(modified),
            renamed=tuple(renamed),
            deleted=tuple(m for m in gone if m.tag not in old_names),
            arrived=tuple(m for n, m in tip.items() if n not in before and not (n in here and _same(m, here[n]))),
            restamped=tuple(
                Pair(tip[n], m)
                for n, m in here.items()
                if v0 and late and n in tip and n in before and m.when != before[n].when and m.when > late.when
            ),
            skipped=tuple(m for m in added if v0 and late is not None and m.when <= late.when),
        )

    def name(self, migration: Migration) -> str:
        """The name that a migration of base has in head."""
        return self.names.get(migration.tag, migration.tag)


def _index(chain: Chain, names: Mapping[str, str]) -> dict[str, Migration]:
    found: dict[str, Migration] = {}
    for migration in chain.migrations:
        found.setdefault(names.get(migration.tag, migration.tag), migration)
    return found


def _same(a: Migration, b: Migration) -> bool:
    return a.hash == b.hash or statements.same(a.statements, b.statements)


def _renames(gone: list[Migration], added: list[Migration]) -> list[Pair]:
    """Deleted and added migrations with the same SQL, each taken once."""
    left: dict[str, list[Migration]] = {}
    for migration in added if gone else ():
        if migration.statements:
            left.setdefault(statements.meaning(migration.statements), []).append(migration)
    meant = ((m, left.get(statements.meaning(m.statements))) for m in (gone if left else ()))
    return [Pair(before, same.pop(0)) for before, same in meant if same]


def _upgraded(old: tuple[Migration, ...], head: Chain) -> dict[str, str]:
    """What `drizzle-kit up` made of v0's tags: folders of the same second, or (as drizzle-orm does) of the same hash."""
    if head.project.format == "v0" or all(m.idx is None for m in old):
        return {}
    by_second: dict[int, list[Migration]] = {}
    for migration in head.migrations:
        by_second.setdefault(migration.when // 1000, []).append(migration)
    by_hash = {m.hash: m.tag for m in reversed(head.migrations)}
    found: dict[str, str] = {}
    for migration in old:
        same = by_second.get(migration.when // 1000, []) if migration.idx is not None else []
        suffix = f"_{migration.tag.partition('_')[2]}"  # the name goes on, the number does not
        same.sort(key=lambda m: (m.hash != migration.hash, not m.tag.endswith(suffix)))
        name = same[0].tag if same else by_hash.get(migration.hash) if migration.idx is not None else None
        if name is not None:
            found[migration.tag] = name
    return found
