"""Schema changes in words: what a plain statement's text says it does, and what a block of code turned out to do."""

from collections.abc import Iterator

from checks.witnesses import clauses as c
from checks.witnesses import text
from checks.witnesses.wire import Wire

_SCHEMA = """
select 'table ' || n.nspname || '.' || k.relname from pg_catalog.pg_class k
  join pg_catalog.pg_namespace n on n.oid = k.relnamespace where k.relkind in ('r', 'p') and k.oid >= 16384
union all select case k.relkind when 'v' then 'view ' when 'm' then 'materialized view ' when 'S' then 'sequence ' else 'index ' end
  || n.nspname || '.' || k.relname from pg_catalog.pg_class k
  join pg_catalog.pg_namespace n on n.oid = k.relnamespace where k.relkind in ('v', 'm', 'S', 'i', 'I') and k.oid >= 16384
union all select 'column ' || n.nspname || '.' || k.relname || '.' || a.attname || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod)
    || case when a.attnotnull then ' not null' else '' end
  from pg_catalog.pg_attribute a join pg_catalog.pg_class k on k.oid = a.attrelid
  join pg_catalog.pg_namespace n on n.oid = k.relnamespace
  where k.relkind in ('r', 'p') and k.oid >= 16384 and a.attnum > 0 and not a.attisdropped
union all select 'constraint ' || o.conname || ' on ' || n.nspname || '.' || k.relname from pg_catalog.pg_constraint o
  join pg_catalog.pg_class k on k.oid = o.conrelid join pg_catalog.pg_namespace n on n.oid = k.relnamespace
  where k.oid >= 16384 and o.contype <> 'n'
union all select 'trigger ' || t.tgname || ' on ' || n.nspname || '.' || k.relname from pg_catalog.pg_trigger t
  join pg_catalog.pg_class k on k.oid = t.tgrelid join pg_catalog.pg_namespace n on n.oid = k.relnamespace where not t.tgisinternal
union all select 'policy ' || p.polname || ' on ' || n.nspname || '.' || k.relname from pg_catalog.pg_policy p
  join pg_catalog.pg_class k on k.oid = p.polrelid join pg_catalog.pg_namespace n on n.oid = k.relnamespace
union all select 'function ' || n.nspname || '.' || f.proname from pg_catalog.pg_proc f
  join pg_catalog.pg_namespace n on n.oid = f.pronamespace where f.oid >= 16384
union all select 'value ' || e.enumlabel || ' of ' || n.nspname || '.' || y.typname from pg_catalog.pg_enum e
  join pg_catalog.pg_type y on y.oid = e.enumtypid join pg_catalog.pg_namespace n on n.oid = y.typnamespace
"""
_MOST = 20


def schema(wire: Wire) -> frozenset[str]:
    """The names of what there is, to be compared before and after a block of code."""
    return frozenset(line for (line,) in wire.ask(_SCHEMA))


def between(before: frozenset[str], after: frozenset[str]) -> tuple[str, ...]:
    """What came and went."""
    found = [f"made {line}" for line in sorted(after - before)] + [f"dropped {line}" for line in sorted(before - after)]
    if len(found) > _MOST:
        found[_MOST:] = [f"and {len(found) - _MOST} more"]
    return tuple(found)


def asked(reading: text.Reading) -> tuple[str, ...]:
    """What a statement's text says that it changes."""
    return tuple(dict.fromkeys(line for clause in reading.clauses for line in _words(clause)))


def _words(clause: c.Clause) -> Iterator[str]:  # noqa: C901, PLR0912 - one line a kind
    match clause:
        case c.CreateTable():
            yield f"made table {clause.table}"
        case c.AddColumn():
            yield f"made column {clause.table}.{clause.column} {clause.type}{' not null' if clause.not_null else ''}"
        case c.DropColumn():
            yield f"dropped column {clause.table}.{clause.column}"
        case c.AlterType():
            yield f"changed column {clause.table}.{clause.column} to {clause.type}"
        case c.AddConstraint():
            yield f"made {clause.kind}{f' {clause.name}' if clause.name else ''} on {clause.table}"
        case c.ValidateConstraint():
            yield f"validated constraint {clause.name} on {clause.table}"
        case c.DropConstraint():
            yield f"dropped constraint {clause.name} on {clause.table}"
        case c.SetNotNull():
            yield f"set {clause.table}.{clause.column} not null"
        case c.AttachPartition():
            yield f"attached {clause.partition} to {clause.table}"
        case c.Rename():
            old = clause.table if clause.column is None else f"column {clause.table}.{clause.column}"
            yield f"renamed {old} to {clause.new}"
        case c.CreateIndex():
            yield f"made {'unique ' if clause.unique else ''}index{f' {clause.name}' if clause.name else ''} on {clause.table}"
        case c.CreateView():
            yield f"made view {clause.table}"
        case c.Drop():
            yield from (f"dropped {clause.kind} {name}" for name in clause.names)
        case c.AddEnumValue():
            yield f"made value {clause.value} of {clause.enum}"
        case c.CreateEnum():
            yield f"made enum {clause.enum}"
        case c.RenameType():
            yield f"renamed {clause.old} to {clause.new}"
        case _:
            pass
