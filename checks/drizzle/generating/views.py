"""The statements about views that come, go or change."""

import re
from collections.abc import Mapping
from typing import Any, cast

from checks.drizzle.generating import content
from checks.drizzle.generating.content import Json
from checks.drizzle.generating.decide import Decided
from checks.schema import ddl_v0
from checks.schema.model import Schema, View
from checks.typescript.values import text_of

_CAPITAL = re.compile(r"[A-Z]")
_ORDER = {  # drizzle-kit compares options in the order of its own description of a snapshot
    key: place
    for place, key in enumerate((
        "checkOption", "securityBarrier", "securityInvoker", "fillfactor", "toastTupleTarget", "parallelWorkers", "autovacuumEnabled",
        "vacuumIndexCleanup", "vacuumTruncate", "autovacuumVacuumThreshold", "autovacuumVacuumScaleFactor",
        "autovacuumVacuumCostDelay", "autovacuumVacuumCostLimit", "autovacuumFreezeMinAge", "autovacuumFreezeMaxAge",
        "autovacuumFreezeTableAge", "autovacuumMultixactFreezeMinAge", "autovacuumMultixactFreezeMaxAge",
        "autovacuumMultixactFreezeTableAge", "logAutovacuumMinDuration", "userCatalogTable",
    ))
}  # fmt: skip


class Views:
    """The statements about views.

    Attributes:
        dropped: DROP VIEW.
        altered: renamed and changed in place.
        created: CREATE VIEW, also of those that are made again.
    """

    def __init__(self, made: Decided, wanted: Schema) -> None:
        before: Json = made.before["views"]
        after: Json = made.after["views"]
        pair = made.pairs["views"]
        views = {f"{view.schema}.{view.name}": view for view in wanted.views}
        new = [views[key] for key in pair.created]
        self.dropped = [_drop(before[key]) for key in pair.deleted if not before[key].get("isExisting")]
        self.altered: list[str] = []
        names = {now: old for old, now in pair.renamed}
        for key, old in before.items():
            view = after.get(key)
            again = view is not None and (old.get("isExisting") or old.get("definition") != view.get("definition"))
            if key in names and not again:
                self.altered.append(_renamed(names[key], key, after[key]))
            if view is None or view.get("isExisting") or content.same(old, view):
                continue
            if again:
                schema, _, name = names.get(key, key).rpartition(".")
                self.dropped.append(_drop({**view, "schema": schema, "name": name}))
                new.append(views[key])
            else:
                self.altered += _changed(old, view)
        self.created = [_create(view) for view in new if view.definition is not None]


def _create(view: View) -> str:
    return ddl_v0.statements(Schema("v0", views=(view,)))[0]


def _name(view: Json) -> str:
    return f'"{view.get("schema") or "public"}"."{view["name"]}"'


def _kind(view: Json) -> str:
    return "MATERIALIZED VIEW" if view.get("materialized") else "VIEW"


def _drop(view: Json) -> str:
    return f"DROP {_kind(view)} {_name(view)};"


def _renamed(old: str, new: str, view: Json) -> str:
    (schema, _, name), (into, _, now) = old.rpartition("."), new.rpartition(".")
    if schema != into:
        return f'ALTER {_kind(view)} "{schema}"."{name}" SET SCHEMA "{into}";'
    return f'ALTER {_kind(view)} "{schema}"."{name}" RENAME TO "{now}";'


def _changed(old: Json, new: Json) -> list[str]:
    head = f"ALTER {_kind(new)} {_name(new)}"
    was, now = _options(old), _options(new)
    added = {key: value for key, value in now.items() if key not in was}
    gone = [key for key in was if key not in now]
    other = {key: now[key] for key in was if key in now and not content.same(was[key], now[key])}
    whole_new, whole_gone = not old.get("with") and new.get("with"), old.get("with") and not new.get("with")
    out: list[str] = []
    if added and whole_new:
        out.append(_set(head, added))
    if gone and whole_gone:
        out.append(_reset(head, gone))
    if added and not whole_new:
        out.append(_set(head, added))
    if gone and not whole_gone:
        out.append(_reset(head, gone))
    if other:
        out.append(_set(head, other))
    if old.get("tablespace") != new.get("tablespace"):
        out.append(f"ALTER MATERIALIZED VIEW {_name(new)} SET TABLESPACE {new.get('tablespace') or 'pg_default'};")
    if old.get("using") != new.get("using"):
        out.append(f'ALTER MATERIALIZED VIEW {_name(new)} SET ACCESS METHOD "{new.get("using") or "heap"}";')
    return out


def _options(view: Json) -> Mapping[str, Any]:
    options = cast("Mapping[str, Any]", view.get("with") or {})
    return {key: options[key] for key in sorted(options, key=lambda key: _ORDER.get(key, len(_ORDER)))}


def _set(head: str, options: Mapping[str, Any]) -> str:
    return f"{head} SET ({', '.join(f'{_snake(key)} = {text_of(value)}' for key, value in options.items())});"


def _reset(head: str, options: list[str]) -> str:
    return f"{head} RESET ({', '.join(map(_snake, options))});"


def _snake(key: str) -> str:
    return _CAPITAL.sub(lambda letter: "_" + letter[0].lower(), key)
