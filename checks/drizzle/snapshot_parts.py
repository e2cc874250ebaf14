"""Parts of snapshots, and what they are called: by drizzle-kit, and to people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

Data = Mapping[str, Any]
Path = Sequence[str]

MISSING: Any = object()

NOUNS = {
    "tables": "table",
    "enums": "enum",
    "schemas": "schema",
    "sequences": "sequence",
    "roles": "role",
    "policies": "policy",
    "views": "view",
    "columns": "column",
    "indexes": "index",
    "foreignKeys": "foreign key",
    "compositePrimaryKeys": "primary key",
    "uniqueConstraints": "unique constraint",
    "checkConstraints": "check",
}


@dataclass(frozen=True, slots=True)
class Clash:
    """Where both sides changed one thing, each in its own way.

    Attributes:
        what: `column users.age`.
        base, head: what each made of it, in a few words.
    """

    what: str
    base: str
    head: str

    def __str__(self) -> str:
        return f"{self.what}: base {self.base}, this branch {self.head}"


def mapping(found: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A JSON object; an empty one where there is none."""
    return dict(cast("Data", found)) if isinstance(found, Mapping) else {}


def unquoted(quoted: str) -> str:
    """`"public"."users"` as `public.users`."""
    parts = _parts(quoted)
    return ".".join(parts if len(parts) > 1 else ("public", *parts))


def unquoted_column(quoted: str) -> Path:
    """`"public"."users"."nick"` as its three names."""
    parts = _parts(quoted)
    return parts if len(parts) > 2 else ("public", *parts)


def _parts(quoted: str) -> Path:
    return tuple(p.strip('"') for p in quoted.split('"."' if '"' in quoted else "."))


def full_name(key: str, table: Any) -> str:  # noqa: ANN401 - JSON
    """The full name of a table, whatever the version calls it."""
    found = mapping(table)
    return f"{found.get('schema') or 'public'}.{found.get('name') or short(key)}"


def like(key: str, full: str) -> str:
    """A full name in the way of the key that it replaces (version 5: the bare name)."""
    return full if "." in key else short(full)


def short(key: str) -> str:
    """A name without its schema."""
    return key.rpartition(".")[2] or key


def thing(path: Path) -> str:
    """The name of the thing that a path leads to or into: a column's, of one of its fields."""
    if path[0] == "tables" and len(path) >= 4:
        return path[3]
    if path[0] == "enums" and len(path) >= 3:
        return path[2]
    return path[1] if len(path) > 1 else path[0]


def what(path: Path) -> str:
    """The thing at a path, in words: `column users.age`."""
    noun = NOUNS.get(path[0], path[0])
    if path[0] == "tables" and len(path) >= 4:
        inner = NOUNS.get(path[2], path[2])
        name = f"{short(path[1])}.{path[3]}" if path[2] == "columns" else path[3]
        rest = f" ({path[4]})" if len(path) > 4 else ""
        return f"{inner} {name}{rest}"
    if path[0] == "enums" and len(path) >= 3:
        return f"value '{path[2]}' of enum {short(path[1])}"
    rest = f" ({path[2]})" if len(path) > 2 else ""
    return f"{noun} {short(path[1])}{rest}" if len(path) > 1 else noun


def told(value: Any) -> str:  # noqa: ANN401 - JSON
    """A value in a few words."""
    if isinstance(value, Mapping):
        found = cast("Data", value)
        if isinstance(found.get("columns"), Mapping):
            return f"with columns {', '.join(list(mapping(found['columns']))[:8])}"
        if "type" in found:
            rest = " not null" if found.get("notNull") else ""
            return f"`{found['type']}{rest}`"
        return "otherwise"
    if isinstance(value, list):
        return f"`{', '.join(str(v) for v in cast('list[Any]', value)[:8])}`"
    return (
        "nothing"
        if value is None or value is MISSING
        else f"`{str(value).lower() if isinstance(value, bool) else value}`"
    )
