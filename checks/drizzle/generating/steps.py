"""All statements of a migration, in the order in which drizzle-kit 0.x puts them."""

import difflib
from collections.abc import Iterable
from typing import Any

from checks.drizzle.generating import alter, content
from checks.drizzle.generating.alter import Altered
from checks.drizzle.generating.content import Json
from checks.drizzle.generating.decide import Decided
from checks.drizzle.generating.security import Security
from checks.drizzle.generating.views import Views
from checks.schema import ddl_v0
from checks.schema.model import Schema, Table
from checks.schema.sqltext import literal


def statements(made: Decided, wanted: Schema) -> list[str]:
    """What turns the one content into the other.

    Args:
        made: both contents, names matched.
        wanted: the schema files; what is created is printed from it.
    """
    before, after = made.before, made.after
    tables = {table.key: table for table in wanted.tables}
    created = [tables[key] for key in made.pairs["tables"].created]
    gone = frozenset(made.pairs["tables"].deleted)
    stay = [
        alter.compare(table, after["tables"][key]) for key, table in before["tables"].items() if key in after["tables"]
    ]
    altered = [each for each in stay if each.any]
    grown, shrunk = _values(before, after)
    security = Security(made, altered, created)
    views = Views(made, wanted)
    out = [
        *_schemas(made),
        *_enums(made, grown, shrunk),
        *_sequences(made, wanted),
        *_roles(made, wanted),
        *(text for table in created for text in _create(table)),
        *security.switches,
        *views.dropped,
        *views.altered,
        *(text for key in made.pairs["tables"].deleted for text in _drop(before["tables"][key])),
        *_renamed_tables(made),
        *_renamed_columns(made),
    ]
    out += [
        alter.dropped_constraint(t.after, old)
        for t in altered
        for old in (*t.uniques.deleted, *_old(t.uniques.changed))
    ]
    out += [
        alter.dropped_constraint(t.after, old) for t in altered for old in (*t.checks.deleted, *_old(t.checks.changed))
    ]
    out += [
        f"{alter.dropped_constraint(t.after, old)}\n"
        for t in altered
        for old in (*t.foreign_keys.deleted, *_old(t.foreign_keys.changed))
        if f"{old.get('schemaTo') or 'public'}.{old['tableTo']}"
        not in gone  # CASCADE took it; drizzle-kit's fails here
    ]
    out += [text for key in shrunk for text in _shrink(after["enums"][key], after)]
    out += [alter.dropped_index(t.after, old) for t in altered for old in t.indexes.deleted]
    out += [alter.dropped_index(t.after, old) for t in altered for old, _ in t.indexes.changed]
    out += [alter.dropped_constraint(t.after, old) for t in altered for old in t.primary_keys.deleted]
    out += [text for t in altered for text in alter.columns(t, before, after, shrunk)]
    out += [alter.added_key(t.after, new) for t in altered for new in t.primary_keys.added]
    out += [
        alter.added_column(after["tables"][key], after["tables"][key]["columns"][name])
        for key, pair in made.columns.items()
        for name in pair.created
    ]
    out += [
        alter.added_foreign_key(after["tables"][t.key], key) for t in created for key in _of(after, t, "foreignKeys")
    ]
    out += [alter.added_index(after["tables"][t.key], index) for t in created for index in _of(after, t, "indexes")]
    out += [
        alter.added_foreign_key(t.after, new)
        for t in altered
        for new in (*t.foreign_keys.added, *_new(t.foreign_keys.changed))
    ]
    out += [alter.added_index(t.after, new) for t in altered for new in t.indexes.added]
    out += [alter.added_index(t.after, new) for t in altered for _, new in t.indexes.changed]
    out += [
        f'ALTER TABLE {content.quoted(before["tables"][key])} DROP COLUMN "{name}";'
        for key, pair in made.columns.items()
        for name in pair.deleted
    ]
    out += [_rekeyed(t, old, new) for t in altered for old, new in t.primary_keys.changed]
    out += [alter.added_unique(t.after, new) for t in altered for new in (*t.uniques.added, *_new(t.uniques.changed))]
    out += [alter.added_check(t.after, new) for t in altered for new in (*t.checks.added, *_new(t.checks.changed))]
    out += [*views.created, *security.policies]
    out += [f"DROP TYPE {_typed(before['enums'][key])};" for key in made.pairs["enums"].deleted]
    out += [f"DROP SEQUENCE {_typed(before['sequences'][key])};" for key in made.pairs["sequences"].deleted]
    out += [f'DROP SCHEMA "{name}";\n' for name in made.pairs["schemas"].deleted]
    return list(dict.fromkeys(out))


def _old(changed: Iterable[tuple[Json, Json]]) -> list[Json]:
    return [old for old, _ in changed]


def _new(changed: Iterable[tuple[Json, Json]]) -> list[Json]:
    return [new for _, new in changed]


def _of(after: Json, table: Table, part: str) -> list[Any]:
    return list(after["tables"][table.key][part].values())


def _typed(item: Json) -> str:
    return f'"{item.get("schema") or "public"}"."{item["name"]}"'


def _rekeyed(table: Altered, old: Json, new: Json) -> str:
    return (
        f"{alter.dropped_constraint(table.after, old)}\n--> statement-breakpoint\n{alter.added_key(table.after, new)}"
    )


# -- tables -----------------------------------------------------------------------------------------------------------


def _create(table: Table) -> list[str]:
    bare = Table(
        *(table.schema, table.name, table.columns),
        primary_keys=table.primary_keys,
        uniques=table.uniques,
        checks=table.checks,
        rls=table.rls or bool(table.policies),
    )
    return ddl_v0.statements(Schema("v0", tables=(bare,)))


def _drop(table: Json) -> list[str]:
    name = content.quoted(table)
    policies = [f'DROP POLICY "{policy["name"]}" ON {name} CASCADE;' for policy in table["policies"].values()]
    return [*policies, f"DROP TABLE {name} CASCADE;"]


def _renamed_tables(made: Decided) -> list[str]:
    moves: list[str] = []
    names: list[str] = []
    for old, new in made.pairs["tables"].renamed:
        (schema, _, name), (into, _, now) = old.rpartition("."), new.rpartition(".")
        if schema != into:
            moves.append(f'ALTER TABLE "{schema}"."{name}" SET SCHEMA "{into}";\n')
        if name != now:
            at = f'"{name}"' if into == "public" else f'"{into}"."{name}"'
            names.append(f'ALTER TABLE {at} RENAME TO "{now}";')
    return [*moves, *names]


def _renamed_columns(made: Decided) -> list[str]:
    return [
        f'ALTER TABLE {content.quoted(made.after["tables"][key])} RENAME COLUMN "{old}" TO "{new}";'
        for key, pair in made.columns.items()
        for old, new in pair.renamed
    ]


# -- what stands before tables ----------------------------------------------------------------------------------------


def _schemas(made: Decided) -> list[str]:
    pair = made.pairs["schemas"]
    created = [f'CREATE SCHEMA "{name}";\n' for name in pair.created]
    return [*created, *(f'ALTER SCHEMA "{old}" RENAME TO "{new}";\n' for old, new in pair.renamed)]


def _moved(kind: str, renamed: Iterable[tuple[str, str]]) -> list[str]:
    """Types, sequences and views: into another schema first, then under another name."""
    moves: list[str] = []
    names: list[str] = []
    for old, new in renamed:
        (schema, _, name), (into, _, now) = old.rpartition("."), new.rpartition(".")
        if schema != into:
            moves.append(f'ALTER {kind} "{schema}"."{name}" SET SCHEMA "{into}";')
        if name != now:
            names.append(f'ALTER {kind} "{into}"."{name}" RENAME TO "{now}";')
    return [*moves, *names]


def _enums(made: Decided, grown: dict[str, list[tuple[str, str]]], shrunk: set[str]) -> list[str]:
    enums: Json = made.after["enums"]
    out = [
        f"CREATE TYPE {_typed(enums[key])} AS ENUM({', '.join(map(literal, enums[key]['values']))});"
        for key in made.pairs["enums"].created
    ]
    out += _moved("TYPE", made.pairs["enums"].renamed)
    for key, values in grown.items():
        if key in shrunk:
            continue
        for value, follows in values:
            place = f" BEFORE {literal(follows)}" if follows else ""
            out.append(f"ALTER TYPE {_typed(enums[key])} ADD VALUE {literal(value)}{place};")
    return out


def _values(before: Json, after: Json) -> tuple[dict[str, list[tuple[str, str]]], set[str]]:
    """Enums that gain values (each with the one it stands before), and those that lose some."""
    grown: dict[str, list[tuple[str, str]]] = {}
    shrunk: set[str] = set()
    for key, enum in before["enums"].items():
        if key not in after["enums"] or enum["values"] == after["enums"][key]["values"]:
            continue
        old, new = enum["values"], after["enums"][key]["values"]
        added: list[tuple[str, str]] = []
        follows = ""
        for word, i, j, k, m in reversed(difflib.SequenceMatcher(None, old, new).get_opcodes()):
            if word == "equal":
                follows = old[i]
                continue
            added += [(value, follows) for value in reversed(new[k:m])]
            if i < j:
                shrunk.add(key)
        grown[key] = added[::-1]
    return grown, {key for key in before["enums"] if key in shrunk}


def _shrink(enum: Json, after: Json) -> list[str]:
    """A type cannot lose a value: its columns become text, it is made again, and they return."""
    first: list[str] = []
    last: list[str] = []
    for table in after["tables"].values():
        for column in table["columns"].values():
            bare = column["type"].partition("[")[0]
            if bare != enum["name"] or column.get("typeSchema") != enum["schema"]:
                continue
            head = f'ALTER TABLE {content.quoted(table)} ALTER COLUMN "{column["name"]}"'
            kind = alter.typed(column)
            first.append(f"{head} SET DATA TYPE text;")
            if column.get("default"):
                first.append(f"{head} SET DEFAULT {column['default']}::text;")
                last.append(f"{head} SET DEFAULT {column['default']}::{kind};")
            last.append(f'{head} SET DATA TYPE {kind} USING "{column["name"]}"::{kind};')
    name = _typed(enum)
    made = f"CREATE TYPE {name} AS ENUM({', '.join(map(literal, enum['values']))});"
    return [*first, f"DROP TYPE {name};", made, *last]


def _sequences(made: Decided, wanted: Schema) -> list[str]:
    known = {f"{s.schema}.{s.name}": s for s in wanted.sequences}
    out = ddl_v0.statements(Schema("v0", sequences=tuple(known[key] for key in made.pairs["sequences"].created)))
    out += _moved("SEQUENCE", made.pairs["sequences"].renamed)
    for key, old in made.before["sequences"].items():
        new = made.after["sequences"].get(key)
        if new is not None and content.sequence(old) != content.sequence(new):
            (text,) = ddl_v0.statements(Schema("v0", sequences=(known[key],)))
            out.append(text.replace("CREATE", "ALTER", 1))
    return out


def _roles(made: Decided, wanted: Schema) -> list[str]:
    pair = made.pairs["roles"]
    out = [f'ALTER ROLE "{old}" RENAME TO "{new}";' for old, new in pair.renamed]
    out += [f'DROP ROLE "{name}";' for name in pair.deleted]
    known = {role.name: role for role in wanted.roles}
    out += ddl_v0.statements(Schema("v0", roles=tuple(known[name] for name in pair.created)))
    for name, old in made.before["roles"].items():
        new = made.after["roles"].get(name)
        if new is not None and not content.same(old, new):
            words = {"createDb": "CREATEDB", "createRole": "CREATEROLE", "inherit": "INHERIT"}
            rights = "".join(f" {word if new.get(key) else f'NO{word}'}" for key, word in words.items())
            out.append(f'ALTER ROLE "{name}" WITH{rights};')
    return out
