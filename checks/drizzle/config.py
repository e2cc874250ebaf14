"""Reads drizzle.config.* without running it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from checks.drizzle import constants
from checks.tree import Tree

_NAME = re.compile(r"(?=[\w.-]*drizzle)(?=[\w.-]*config)[\w.-]+\.(?:[cm]?[jt]s|json)", re.IGNORECASE)
_KEYS = {"dialect", "driver", "out", "schema"}
_OTHER_DRIVERS = {"mysql2", "better-sqlite", "turso", "libsql", "d1", "d1-http", "expo", "durable-sqlite"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """What a configuration says; every field as written, None where it does not say or cannot be known.

    Attributes:
        out: where migrations are, every value that the environment may choose.
        schema: the patterns of schema files, likewise.
        dialect: e.g. `postgresql`; old configurations name a driver instead.
        unresolved: names of fields that are there and cannot be known.
    """

    path: str
    dialect: str | None = None
    driver: str | None = None
    out: tuple[str, ...] = ()
    schema: tuple[str, ...] = ()
    table: str | None = None
    table_schema: str | None = None
    casing: str | None = None
    prefix: str | None = None
    breakpoints: bool = True
    unresolved: frozenset[str] = frozenset()

    @property
    def postgres(self) -> bool | None:
        """Whether it is for PostgreSQL; None where it does not say."""
        if self.dialect is not None:
            return self.dialect in {"postgresql", "postgres", "pg"}
        if self.driver in {"pg", "pglite", "aws-data-api"}:
            return True
        return False if self.driver in _OTHER_DRIVERS else None


def is_config(path: str) -> bool:
    """Whether a file is named like a configuration of drizzle-kit."""
    return _NAME.fullmatch(path.rpartition("/")[2]) is not None


def read(tree: Tree, path: str) -> list[Config]:
    """The configurations in a file: one, or one a branch where the environment chooses; none where nothing can be known."""
    if path.endswith(".json"):
        value = _json(tree.text(path) or "")
    else:
        module = constants.Modules(tree).open(path)
        value = constants.UNKNOWN if module is None else module.export()
    found = (cast("Mapping[str, Any]", v) for v in constants.alternatives(value) if isinstance(v, Mapping))
    return [_config(path, v) for v in found if not _KEYS.isdisjoint(v)]


def _json(text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return constants.UNKNOWN


def _config(path: str, value: Mapping[str, Any]) -> Config:
    migrations = value.get("migrations")
    tracking: Mapping[str, Any] = cast("Mapping[str, Any]", migrations) if isinstance(migrations, Mapping) else {}
    return Config(
        path=path,
        dialect=_one(value.get("dialect")),
        driver=_one(value.get("driver")),
        out=_texts(value.get("out")),
        schema=_texts(value.get("schema")),
        table=_one(tracking.get("table")),
        table_schema=_one(tracking.get("schema")),
        casing=_one(value.get("casing")),
        prefix=_one(tracking.get("prefix")),
        breakpoints=value.get("breakpoints") is not False,
        unresolved=frozenset(k for k, v in value.items() if v is constants.UNKNOWN),
    )


def _one(value: object) -> str | None:
    return next(iter(_texts(value)), None)


def _texts(value: object) -> tuple[str, ...]:
    found: list[str] = []
    for each in constants.alternatives(value):
        for item in cast("list[object]", each) if isinstance(each, list) else [each]:
            found += [text for text in constants.alternatives(item) if isinstance(text, str)]
    return tuple(dict.fromkeys(found))
