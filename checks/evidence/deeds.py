"""What code did: a DO block, procedure or function shows it in the schema that it leaves behind."""

import re
from collections.abc import Iterator

from checks import facts
from checks.evidence.release import Release
from checks.evidence.steps import Step
from checks.facts import Fact
from checks.witnesses import clauses as c

_TABLE = re.compile(r"(?P<verb>made|dropped) (?P<kind>table|view|materialized view) (?P<table>[^.]+\.[^.]+)")
_COLUMN = re.compile(r"(?P<verb>made|dropped) column (?P<table>[^.]+\.[^.]+)\.(?P<column>\S+) (?P<type>.+)")
_CONSTRAINT = re.compile(r"(?P<verb>made|dropped) constraint (?P<name>.+) on (?P<table>[^.]+\.[^.]+)")
_CODE = frozenset({"do_stmt", "call_stmt", "select_stmt", "execute_stmt"})


def deeds(step: Step, release: Release) -> Iterator[Fact]:
    """Births, losses and new names that the text of a statement does not name."""
    observation = step.observation
    if observation is None or not observation.changes or step.reading.kind not in _CODE:
        return
    if step.kinds and c.Opaque not in step.kinds and step.reading.kind == "do_stmt":
        return  # its text says it all
    lines = observation.changes
    tables = [m for m in map(_TABLE.fullmatch, lines) if m]
    columns = [m for m in map(_COLUMN.fullmatch, lines) if m]
    made = {m["table"] for m in tables if m["verb"] == "made"}
    gone = {m["table"] for m in tables if m["verb"] == "dropped"}
    place, named = step.place, [clause for clause in step.of(c.Rename) if clause.column is None]
    renamed = {clause.table: clause.new for clause in named}
    for old, new in _alike(columns, gone - renamed.keys(), made):
        renamed[old] = new
        yield facts.RenamesTable(place=place, table=old, new=new, returns=old in made)
    for match in tables:
        table = match["table"]
        if match["verb"] == "dropped" and table not in renamed:
            yield facts.DropsTable(place=place, table=table, kind=match["kind"], returns=table in made)
        elif match["verb"] == "made" and match["kind"] == "table" and table not in renamed.values():
            release.born.add(table)
            yield facts.CreatesTable(place=place, table=table)
    yield from _columns(step, columns, gone)
    for match in filter(None, map(_CONSTRAINT.fullmatch, lines)):
        if (
            match["verb"] == "dropped"
            and match["table"] not in gone | release.born
            and not _again(match["name"], lines)
        ):
            yield facts.DropsConstraint(place=place, table=match["table"], name=match["name"])


def _columns(step: Step, columns: list[re.Match[str]], gone: set[str]) -> Iterator[Fact]:
    """Columns that went while their table stayed, but for those whose new name the code says."""
    kept = {(m["table"], m["column"]) for m in columns if m["verb"] == "made"}
    kept |= {(rename.table, rename.column) for rename in step.of(c.Rename) if rename.column is not None}
    for match in columns:
        key = (match["table"], match["column"])
        if match["verb"] == "dropped" and match["table"] not in gone and key not in kept:
            yield facts.DropsColumn(place=step.place, table=match["table"], column=match["column"])


def _alike(columns: list[re.Match[str]], gone: set[str], made: set[str]) -> Iterator[tuple[str, str]]:
    """A table that went and one that came with the very same columns: the same under another name."""
    shapes: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for match in columns:
        shapes.setdefault((match["verb"], match["table"]), set()).add((match["column"], match["type"]))
    for old in sorted(gone):
        shape = shapes.get(("dropped", old))
        new = [table for table in sorted(made) if shape and shapes.get(("made", table)) == shape]
        if len(new) == 1:
            yield old, new[0]


def _again(constraint: str, lines: tuple[str, ...]) -> bool:
    return any(line.startswith(f"made constraint {constraint} on ") for line in lines)
