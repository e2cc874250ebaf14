"""What must come before what."""

import re
from collections import defaultdict

from checks.catalog.code import Function
from checks.catalog.model import Key
from checks.catalog.outside import DefaultPrivileges
from checks.catalog.statements.plan import Plan
from checks.catalog.statements.steps import Step, claimed, table_of
from checks.catalog.tables import Column, Constraint, Index, Table
from checks.catalog.types import Sequence

_WORD = re.compile(r"[^\W\d][\w$]*")


def connect(plan: Plan) -> None:  # noqa: C901, PLR0912 - one question after the other
    """Link the steps of a plan."""
    done = plan.done
    for key, needed in done.needs_a.items():
        for wanted in needed:
            if _apart(plan, key, wanted, done.detached):
                continue
            leaves: Step = ("drop", key) if key in done.dropped and key not in done.kept_aside else ("alter", key)
            if wanted in done.kept_aside:
                if key in done.dropped:
                    plan.link(("rename" if key in done.kept_aside else "drop", key), ("rename", wanted))
                plan.link(("finish", key) if key in done.kept_aside else leaves, ("finish", wanted))
                continue
            if wanted in done.dropped:
                plan.link(leaves, ("drop", wanted))
                if key in done.kept_aside:
                    plan.link(("finish", key), ("drop", wanted))
            elif (key in done.dropped and _touches(key, wanted)) or (key in done.altered and _freed(plan, key)):
                plan.link(leaves, ("alter", wanted))
    for key, needed in done.needs_b.items():
        comes: Step = ("create", key) if key in done.created else ("alter", key)
        for wanted in needed:
            if _apart(plan, key, wanted, done.attached):
                continue
            if wanted in done.created:
                plan.link(("create", wanted), comes)
            elif _touches(key, wanted):
                plan.link(("alter", wanted), comes)
    for key in done.dropped & done.created:
        plan.link(("rename" if key in done.kept_aside else "drop", key), ("create", key))
    for key in done.kept_aside:
        plan.link(("create", key), ("finish", key))
    _claims(plan)
    _default_privileges(plan)
    _leaving(plan)
    _joining(plan)
    _partitioned_indexes(plan)
    _replica_identities(plan)
    _typed(plan)
    _inherited_defaults(plan)
    _outlived(plan)
    _parents_first(plan)
    _pointed_at(plan)
    _sequences(plan)
    _mentions(plan)


def _apart(plan: Plan, key: Key, wanted: Key, moving: set[Key]) -> bool:
    """A child changes once it has left its parents, and before it joins others."""
    return wanted[0] == "table" and key[0] == "table" and key in plan.done.altered and key in moving


def _freed(plan: Plan, key: Key) -> bool:
    """A generated column becomes a plain one, which no longer needs those it was computed from."""
    before, after = plan.a.objects[key], plan.b.objects[key]
    return isinstance(before, Column) and isinstance(after, Column) and bool(before.generated) and not after.generated


def _claims(plan: Plan) -> None:
    """Relations share their names, and so do types: who has a name leaves before another takes it."""
    holders: dict[tuple[str, str], list[Step]] = defaultdict(list)
    for verb, keys in (("drop", plan.done.dropped), ("alter", plan.done.altered)):
        for key in keys:
            for name in claimed(plan.a.objects[key]):
                holders[name].append((verb, key))
    for verb, keys in (("create", plan.done.created), ("alter", plan.done.altered)):
        for key in keys:
            for name in claimed(plan.b.objects[key]):
                for holder in holders.get(name, ()):
                    if holder[1] != key and (holder[0], verb) != ("alter", "alter"):
                        plan.link(holder, (verb, key))


def _default_privileges(plan: Plan) -> None:
    changed = [step for step in plan.steps if step[1][0] == "default privileges"]
    kinds = {"r": ("table", "view"), "S": ("sequence",), "f": ("function",), "T": ("type",), "n": ("schema",)}
    for step in changed:
        found = plan.b.objects.get(step[1]) or plan.a.objects[step[1]]
        if isinstance(found, DefaultPrivileges):
            for key in plan.done.created:
                if key[0] in kinds.get(found.objects, ()) and ("schema", found.schema) != key:
                    plan.link(step, ("create", key))


def _leaving(plan: Plan) -> None:
    """A table leaves its parents before anything of theirs, or of its own, goes or changes."""
    for key in plan.done.held:
        plan.link(("hold", key), ("detach", key))
        for parts in (plan.together.parts_a, plan.together.parts_b):
            for part in parts.get((key[1], key[2]), ()):
                for verb in ("drop", "alter", "create"):
                    plan.link(("hold", key), (verb, part))
    for key in plan.done.detached:
        parents = plan.together.parents(plan.a, key)
        leaves = ("detach", key)
        plan.link(leaves, ("drop", key))
        for parent in parents:
            plan.link(leaves, ("drop", ("table", *parent)))
        for table in (*parents, (key[1], key[2])):
            for part in plan.together.parts_a.get(table, ()):
                plan.link(leaves, ("drop", part))
                plan.link(leaves, ("alter", part))
        plan.link(leaves, ("alter", key))
        plan.link(leaves, ("attach", key))


def _joining(plan: Plan) -> None:  # noqa: C901 - one kind of part after the other
    """A table joins its parents when its columns and theirs, and its own constraints and indexes, are what they should be."""
    gone = [step for step in plan.steps if step[0] == "detach" or (step[0] == "drop" and step[1][0] == "table")]
    for key in plan.done.attached:
        parents = plan.together.parents(plan.b, key)
        joins = ("attach", key)
        plan.link(("create", key), joins)
        for step in gone:
            if step != ("detach", key):
                plan.link(step, joins)
        for part in plan.together.parts_a.get((key[1], key[2]), ()):
            plan.link(("drop", part), joins)
        for part in plan.together.parts_b.get((key[1], key[2]), ()):
            _joining_with(plan, part, joins)
            if part[0] == "trigger" and not getattr(plan.b.objects[part], "definition", ""):
                plan.link(joins, ("create", part))
        for parent in parents:
            plan.link(("create", ("table", *parent)), joins)
            plan.link(("attach", ("table", *parent)), joins)
            for part in plan.together.parts_b.get(parent, ()):
                found = plan.b.objects[part]
                if part[0] == "column":
                    plan.link(("create", part), joins)
                    plan.link(("alter", part), joins)
                elif isinstance(found, Index) or (isinstance(found, Constraint) and found.contype in "pu"):
                    plan.link(joins, ("create", part))  # else PostgreSQL chooses among the parts that fit


def _joining_with(plan: Plan, part: Key, joins: Step) -> None:
    found = plan.b.objects[part]
    if isinstance(found, Index | Constraint) and plan.together.late(found):
        plan.link(joins, ("create", part))
    elif part[0] in {"column", "default", "constraint", "index"} and getattr(found, "contype", "") != "f":
        plan.link(("create", part), joins)
        plan.link(("alter", part), joins)


def _partitioned_indexes(plan: Plan) -> None:
    """The part joins the whole when both are there and its table has joined."""
    for step in [step for step in plan.steps if step[0] == "attach index"]:
        part = plan.b.objects[step[1]]
        if isinstance(part, Index | Constraint):
            up = part.parent if isinstance(part, Index) else part.index_parent
            whole = plan.together.index(plan.b, up or ("", ""), part)
            for first in (
                ("create", step[1]),
                ("create", whole),
                ("attach", ("table", *table_of(part))),
                ("attach index", whole),
            ):
                plan.link(first, step)
            for other in plan.dependants.get(whole, ()):  # a foreign key needs the whole index, valid
                plan.link(step, ("create", other))


def _replica_identities(plan: Plan) -> None:
    """REPLICA IDENTITY USING INDEX needs the index."""
    for step in [step for step in plan.steps if step[0] == "replica"]:
        table = plan.b.objects[step[1]]
        if isinstance(table, Table):
            plan.link(("create", table.key), step)
            for key in (
                ("index", table.schema, table.replica_identity),
                ("constraint", table.schema, table.name, table.replica_identity),
            ):
                plan.link(("create", key), step)
                plan.link(("alter", key), step)


def _typed(plan: Plan) -> None:
    """A table OF a type has its columns, no other; it changes while it is a table of none."""
    for step in [step for step in plan.steps if step[0] in {"untype", "type"}]:
        verb, key = step
        parts = (*plan.together.parts_a.get((key[1], key[2]), ()), *plan.together.parts_b.get((key[1], key[2]), ()))
        for part in parts:
            for other in (("drop", part), ("alter", part), ("create", part)):
                if part[0] == "column":
                    plan.link(*((step, other) if verb == "untype" else (other, step)))
        if verb == "type":
            for needed in plan.done.needs_b[key]:
                plan.link(("create", needed), step)
                plan.link(("alter", needed), step)
        else:
            plan.link(step, ("type", key))
            for needed in plan.done.needs_a[key]:
                plan.link(step, ("drop", needed))
                plan.link(step, ("alter", needed))


def _outlived(plan: Plan) -> None:
    """What is declared in a child too goes when its parents' is gone."""
    for key in plan.done.dropped:
        found = plan.a.objects[key]
        if isinstance(found, Column | Constraint) and found.also_here:
            for parent in plan.together.parents(plan.a, ("table", found.schema, found.table)):
                plan.link(("drop", (key[0], *parent, found.name)), ("drop", key))
    for key in plan.done.altered:
        found = plan.a.objects[key]
        if isinstance(found, Column) and found.also_here:
            for parent in plan.together.parents(plan.a, ("table", found.schema, found.table)):
                plan.link(("drop", ("column", *parent, found.name)), ("alter", key))


def _parents_first(plan: Plan) -> None:
    """What is said of a column is said of its parent's before, which may say it of both."""
    for key in plan.done.altered:
        found = plan.b.objects[key]
        if isinstance(found, Column) and (found.inherited or found.also_here):
            for parent in plan.together.parents(plan.b, ("table", found.schema, found.table)):
                plan.link(("alter", ("column", *parent, found.name)), ("alter", key))


def _inherited_defaults(plan: Plan) -> None:
    """A new child takes over its parent's defaults as they are, and a child its parent's new columns."""
    for key in plan.done.created:
        if isinstance(column := plan.b.objects[key], Column) and column.inherited:
            for parent in plan.together.parents(plan.b, ("table", column.schema, column.table)):
                plan.link(("create", ("column", *parent, column.name)), ("create", key))
        elif (
            isinstance(column, Column)
            and column.also_here
            and ("table", column.schema, column.table) not in plan.done.created
        ):
            for parent in plan.together.parents(plan.b, ("table", column.schema, column.table)):
                plan.link(("create", key), ("create", ("column", *parent, column.name)))
        for parent in plan.together.parents(plan.b, key) if key[0] == "table" else ():
            for part in (*plan.together.parts_a.get(parent, ()), *plan.together.parts_b.get(parent, ())):
                if part[0] == "default":
                    for verb in ("create", "alter", "drop"):
                        plan.link((verb, part), ("create", key))


def _pointed_at(plan: Plan) -> None:
    """Foreign keys to a partitioned table point to its partitions too, and hold them until they are gone themselves."""
    gone = [step for step in plan.steps if step[0] == "drop" and plan.together.parents(plan.a, step[1])]
    if not gone:
        return
    pointing: dict[tuple[str, str], list[Key]] = defaultdict(list)
    for key in plan.done.dropped:
        if isinstance(found := plan.a.objects[key], Constraint) and found.references:
            pointing[found.references].append(key)
    for step in gone:
        above = list(plan.together.parents(plan.a, step[1]))
        while above:
            parent = above.pop()
            above += plan.together.parents(plan.a, ("table", *parent))
            for key in pointing.get(parent, ()):
                if plan.host(("drop", key)) != ("drop", ("table", *parent)):
                    plan.link(("drop", key), step)


def _sequences(plan: Plan) -> None:
    for verb, key in list(plan.steps):
        if verb == "disown":
            was = plan.a.objects[key]
            plan.link((verb, key), ("alter", key))
            if isinstance(was, Sequence) and was.owned_by:
                plan.link((verb, key), ("drop", ("column", *was.owned_by)))
                plan.link((verb, key), ("drop", ("table", *was.owned_by[:2])))
                plan.link((verb, key), ("own", key))
        elif verb == "own":
            found = plan.b.objects[key]
            if isinstance(found, Sequence) and found.owned_by:
                for host in (
                    ("create", key),
                    ("alter", key),
                    ("create", ("column", *found.owned_by)),
                    ("create", ("table", *found.owned_by[:2])),
                ):
                    plan.link(host, (verb, key))


def _mentions(plan: Plan) -> None:
    """A body that is a string may name what is made in the same go; better late than wrong, where no circle forbids it."""
    bodies = [
        found for key in plan.done.created if isinstance(found := plan.b.objects[key], Function) and found.text_body
    ]
    made = [
        key
        for key in plan.done.created
        if key[0] in {"function", "table", "view"} and plan.host(("create", key)) in plan.steps
    ]
    by_name: dict[str, list[Key]] = defaultdict(list)
    for key in made:
        by_name[key[2]].append(key)
    for found in bodies:
        words = set(_WORD.findall(found.definition))
        for name in sorted(words & by_name.keys()):
            for key in by_name[name]:
                first, then = ("create", key), ("create", found.key)
                if key != found.key and not _reaches(plan, then, first):
                    plan.link(first, then)


def _reaches(plan: Plan, first: Step, then: Step) -> bool:
    """`first` has to come before `then`."""
    stack, seen = [then], {then}
    while stack:
        for earlier in plan.before.get(stack.pop(), ()):
            if earlier == first:
                return True
            if earlier not in seen:
                seen.add(earlier)
                stack.append(earlier)
    return False


def _touches(key: Key, wanted: Key) -> bool:
    """What is altered in a table itself (persistence, row-level security) matters to its constraints alone."""
    return wanted[0] not in {"table", "schema"} or (wanted[0] == "table" and key[0] == "constraint")
