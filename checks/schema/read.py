"""Reads the schema files of a commit: `read(tree, files, format="v0")` gives the schema they mean."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from checks.schema.assemble import Assembly
from checks.schema.context import Context
from checks.schema.model import Format, Schema, Unresolved
from checks.schema.notes import Notes
from checks.schema.packages import Packages
from checks.schema.tables import CASINGS
from checks.tree import Tree
from checks.typescript import syntax
from checks.typescript.program import Exported, Program
from checks.typescript.scopes import Exhausted
from checks.typescript.values import Site

_MOST_FILES = 5_000
_KEEP = 16
_SCRIPTS = (".ts", ".js", ".cjs", ".mjs", ".mts", ".cts", ".tsx", ".jsx")


@dataclass(frozen=True, slots=True)
class _Kept:
    """An earlier answer and all that it depended on: the object id of every path asked for, None where there was none."""

    asked: dict[str, str | None]
    schema: Schema


_kept: OrderedDict[tuple[tuple[str, ...], str, str | None], list[_Kept]] = OrderedDict()


def read(
    tree: Tree,
    files: Sequence[str],
    *,
    format: Format,  # noqa: A002 - the project's word
    casing: Literal["snake_case", "camelCase"] | None = None,
    astray: Sequence[str] = (),
    seconds: float = 10.0,
) -> Schema:
    """The schema that the exports of `files` mean, all of it: the filters of drizzle.config are for `push` and `pull` alone.

    Never raises for what the files say: what cannot be known is in `unresolved`.

    Args:
        tree: the files of the commit.
        files: the schema files, as `schema` of drizzle.config names them, globs expanded.
        format: the generation of drizzle-kit.
        casing: the `casing` of drizzle.config (v0).
        astray: what `schema` names beside them and the commit does not show, each with its reason.
        seconds: how long reading may take.
    """
    wanted = tuple(dict.fromkeys(path for path in files if path.endswith(_SCRIPTS)))
    if wanted and astray:
        schema = read(tree, files, format=format, casing=casing, seconds=seconds)
        beside = [Unresolved(wanted[0], 1, why, "the rest") for why in astray]
        return replace(schema, unresolved=(*schema.unresolved, *beside))
    key = (wanted, format, casing)
    for kept in _kept.get(key, []):
        if all((entry.oid if (entry := tree.entry(path)) else None) == oid for path, oid in kept.asked.items()):
            return kept.schema
    schema, asked = _read(tree, wanted, format, casing, seconds)
    if not any("too long" in lack.why for lack in schema.unresolved):
        known = {path: entry.oid if (entry := tree.entry(path)) else None for path in asked}
        _kept[key] = [_Kept(known, schema), *_kept.get(key, [])[:2]]
        _kept.move_to_end(key)
        while len(_kept) > _KEEP:
            _kept.popitem(last=False)
    return schema


def _read(
    tree: Tree,
    files: tuple[str, ...],
    format: Format,  # noqa: A002 - the project's word
    casing: str | None,
    seconds: float,
) -> tuple[Schema, set[str]]:
    notes = Notes()
    if len(files) > _MOST_FILES:
        return Schema(format, unresolved=(_too_many(files),), files=files[:1]), set()
    tree.read_all(files)
    packages: list[Packages] = []
    program = Program(tree, lambda specifier: packages[0](specifier), seconds=seconds)  # noqa: PLW0108 - it is bound later
    packages.append(Packages(program.evaluator, format, Site("drizzle-orm", syntax.parse(b"").root_node)))
    assembly = Assembly(Context(program.evaluator, format, CASINGS.get(casing or ""), notes))
    for path in files:
        assembly.collect(_exports(program, path, notes))
    budget = program.evaluator.budget
    budget.ceiling = budget.total
    schema = assembly.schema(files)
    for problem in program.problems.values():
        if problem.why != "is a syntax error" or problem.path in files:
            notes.add(problem, problem.path)
    return Schema(
        **{name: getattr(schema, name) for name in schema.__dataclass_fields__ if name != "unresolved"},
        unresolved=notes.all(),
    ), program.read | set(files)


def _exports(program: Program, path: str, notes: Notes) -> list[Exported]:
    module = program.module(path)
    if module.lost is not None:
        notes.refused(Site(path, syntax.parse(b"").root_node), module.lost, f"file {path}")
        return []
    try:
        return program.exports(path)
    except Exhausted as exhausted:
        notes.refused(Site(path, syntax.parse(b"").root_node), f"the file {exhausted}", f"file {path}")
        return []


def _too_many(files: tuple[str, ...]) -> Unresolved:
    why = f"{len(files)} files match `schema`; at most {_MOST_FILES} are read"
    return Unresolved(files[0], 1, why, "all")


def fingerprint(schema: Schema) -> str:
    """A hash of all that the schema means (not of where it is written)."""
    from checks.schema import ddl  # noqa: PLC0415 - printing is not always needed

    return hashlib.sha256("\n".join(ddl.statements(schema)).encode()).hexdigest()


def forget() -> None:
    """Forget every answer (for measurements)."""
    _kept.clear()
