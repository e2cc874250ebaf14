"""Row-level security: policies that come, go or change, and the switch on their tables."""

from collections.abc import Sequence

from checks.drizzle.generating import content
from checks.drizzle.generating.alter import Altered
from checks.drizzle.generating.content import Json
from checks.drizzle.generating.decide import Decided
from checks.schema.ddl_v0 import policy_clauses
from checks.schema.model import Policy, Table


class Security:
    """The statements about row-level security.

    Attributes:
        switches: ENABLE and DISABLE.
        policies: everything about policies, in drizzle-kit's order.
    """

    def __init__(self, made: Decided, altered: Sequence[Altered], created: Sequence[Table]) -> None:
        self.switches = _switches(made) if altered else []
        self.policies = [*_of_tables(made, altered, created), *_of_others(made)]


def _switches(made: Decided) -> list[str]:
    """drizzle-kit looks at the switch of every table, but only once some table changes."""
    on: list[str] = []
    off: list[str] = []
    before: Json = made.before["tables"]
    for key, table in made.after["tables"].items():
        old: Json = before.get(key) or {"policies": {}, "isRLSEnabled": False}
        had, has = bool(old["policies"]), bool(table["policies"])
        text = f"ALTER TABLE {content.quoted(table)} "
        enabled = table["isRLSEnabled"]
        if not had and has and not enabled:
            on.append(f"{text}ENABLE ROW LEVEL SECURITY;")
        if had and not has and not enabled:
            off.append(f"{text}DISABLE ROW LEVEL SECURITY;")
        if enabled and not old["isRLSEnabled"]:
            on.append(f"{text}ENABLE ROW LEVEL SECURITY;")
        if old["isRLSEnabled"] and not enabled and not has:
            off.append(f"{text}DISABLE ROW LEVEL SECURITY;")
    off += [
        f"ALTER TABLE {content.quoted(table)} DISABLE ROW LEVEL SECURITY;"
        for key, table in before.items()
        if key not in made.after["tables"] and not table["isRLSEnabled"]
    ]
    return [*on, *off]


def _of_tables(made: Decided, altered: Sequence[Altered], created: Sequence[Table]) -> list[str]:
    tables: Json = made.after["tables"]
    renamed = [
        f'ALTER POLICY "{old}" ON {content.quoted(tables[key])} RENAME TO "{new}";'
        for key, pair in made.policies.items()
        for old, new in pair.renamed
    ]
    dropped = [_drop(name, content.quoted(tables[key])) for key, p in made.policies.items() for name in p.deleted]
    made_new = [
        _create(tables[key]["policies"][name], content.quoted(tables[key]))
        for key, pair in made.policies.items()
        for name in pair.created
    ]
    changed: list[str] = []
    for table in altered:
        name = content.quoted(table.after)
        for old, new in table.policies.changed:
            if (old.get("as"), old.get("for")) != (new.get("as"), new.get("for")):
                dropped.append(_drop(old["name"], name))
                made_new.append(_create(new, name))
            else:
                changed.append(_alter(old, new, name))
    for table in created:
        key = tables[table.key]
        made_new += [_create(policy, content.quoted(key)) for policy in key["policies"].values()]
    return [*renamed, *dropped, *made_new, *changed]


def _of_others(made: Decided) -> list[str]:
    """Policies that are linked to tables which the schema does not own."""
    before: Json = made.before["policies"]
    after: Json = made.after["policies"]
    pair = made.pairs["policies"]
    renamed = [f'ALTER POLICY "{old}" ON {after[new]["on"]} RENAME TO "{new}";' for old, new in pair.renamed]
    dropped = [_drop(name, before[name]["on"]) for name in pair.deleted]
    created = [_create(after[name], after[name]["on"]) for name in pair.created]
    changed: list[str] = []
    for name, old in before.items():
        new = after.get(name)
        if new is None or content.same(content.policy(old), content.policy(new)):
            continue
        if (old.get("as"), old.get("for")) != (new.get("as"), new.get("for")):
            dropped.append(_drop(name, old["on"]))
            created.append(_create(new, new["on"]))
        else:
            changed.append(_alter(old, new, old["on"]))
    return [*renamed, *dropped, *created, *changed]


def _drop(name: str, table: str) -> str:
    return f'DROP POLICY "{name}" ON {table} CASCADE;'


def _create(found: Json, table: str) -> str:
    policy = Policy(
        *(found["name"], str(found.get("as") or "PERMISSIVE").upper(), str(found.get("for") or "ALL").upper()),
        *(tuple(found.get("to") or ("public",)), found.get("using"), found.get("withCheck")),
    )
    return policy_clauses(policy, table)


def _alter(old: Json, new: Json, table: str) -> str:
    """drizzle-kit leaves roles unquoted here, and an expression that is gone as it was: PostgreSQL cannot unset it."""
    text = f'ALTER POLICY "{old["name"]}" ON {table} TO {",".join(new.get("to") or ("public",))}'
    if new.get("using") or old.get("using"):
        text += f" USING ({new.get('using') or old.get('using')})"
    if new.get("withCheck"):
        text += f" WITH CHECK ({new['withCheck']})"
    elif old.get("withCheck"):
        text += f" WITH CHECK  ({old['withCheck']})"
    return f"{text};"
