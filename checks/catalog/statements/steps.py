"""A step of a plan, and the order of steps."""

import heapq
from collections import defaultdict
from collections.abc import Iterator

from checks.catalog.model import Key, Object
from checks.catalog.tables import Column, Constraint, Statistics

Step = tuple[str, Key]
"""A verb and the object it is for."""

_KINDS = ("role", "schema", "extension", "default privileges", "collation", "type", "domain check", "sequence", "function", "cast",
          "foreign-data wrapper", "server", "user mapping", "table", "column", "default", "constraint", "index", "statistics",
          "view", "rule", "trigger", "policy", "publication", "subscription", "event trigger", "language", "access method",
          "operator", "operator family", "operator class", "text search parser", "text search template",
          "text search dictionary", "text search configuration")  # fmt: skip
RANK = {kind: rank for rank, kind in enumerate(_KINDS)}
_VERBS = {"hold": 0, "disown": 0, "detach": 0, "untype": 0, "type": 4, "drop": 0, "rename": 1, "create": 2, "alter": 2, "own": 3, "attach": 3, "attach index": 4,
          "replica": 4, "finish": 5}  # fmt: skip
OF_TABLES = ("column", "default", "constraint", "index", "trigger", "rule", "policy", "statistics")


def table_of(found: Object) -> tuple[str, str]:
    """Schema and name of the table that a part belongs to."""
    if isinstance(found, Statistics):
        return (found.table_schema, found.table)
    return (found.key[1], getattr(found, "table", ""))


def claimed(found: Object) -> Iterator[tuple[str, str]]:
    """Names that no other object may have at the same time."""
    key = found.key
    schema = "".join(key[1:2])
    if key[0] in {"table", "view", "sequence", "index"}:
        yield (schema, key[2])
    if key[0] == "type":
        yield (schema, key[2])
    if isinstance(found, Constraint) and found.contype in "pux":
        yield (schema, found.name)
    if isinstance(found, Column) and found.identity:
        yield (found.identity.schema, found.identity.name)


def priority(step: Step) -> tuple[object, ...]:
    """Where a step stands while nothing forces it elsewhere."""
    verb, key = step
    rank = RANK.get(key[0], len(_KINDS))
    if verb == "drop" and key[0] != "default privileges":
        rank = -rank
    if key[0] in {"role", "schema", "extension", "default privileges"} and verb in {"create", "alter"}:
        return (0, -100 + rank, *step)
    return (_VERBS[verb], rank, key, verb)


def ordered(steps: set[Step], before: dict[Step, set[Step]]) -> tuple[list[Step], set[Step]]:
    """Steps in order, and those that wait for each other."""
    waiting = {step: set(before.get(step, ())) & steps for step in steps}
    after: dict[Step, list[Step]] = defaultdict(list)
    for step, firsts in waiting.items():
        for first in firsts:
            after[first].append(step)
    ready = [(priority(step), step) for step, firsts in waiting.items() if not firsts]
    heapq.heapify(ready)
    order: list[Step] = []
    while ready:
        _, step = heapq.heappop(ready)
        order.append(step)
        del waiting[step]
        for then in after[step]:
            waiting[then].discard(step)
            if not waiting[then]:
                heapq.heappush(ready, (priority(then), then))
    return order, set(waiting)
