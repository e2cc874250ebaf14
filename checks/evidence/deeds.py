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
    """Births and losses that the text of a statement does not name."""
    observation = step.observation
    if observation is None or not observation.changes or step.reading.kind not in _CODE:
        return
    if step.by_kind and c.Opaque not in step.by_kind:
        return  # its text says it all
    lines = observation.changes
    tables = [m for m in map(_TABLE.fullmatch, lines) if m]
    columns = [m for m in map(_COLUMN.fullmatch, lines) if m]
    made = {m["table"] for m in tables if m["verb"] == "made"} | {
        (m["table"], m["column"]) for m in columns if m["verb"] == "made"
    }
    gone = {m["table"] for m in tables if m["verb"] == "dropped"}
    place = step.place
    for match in tables:
        if match["verb"] == "dropped":
            yield facts.DropsTable(
                place=place, table=match["table"], kind=match["kind"], returns=match["table"] in made
            )
        elif match["kind"] == "table":
            release.born.add(match["table"])
            yield facts.CreatesTable(place=place, table=match["table"])
    for match in columns:
        key = (match["table"], match["column"])
        if match["verb"] == "dropped" and match["table"] not in gone and key not in made:
            yield facts.DropsColumn(place=place, table=match["table"], column=match["column"])
    for match in filter(None, map(_CONSTRAINT.fullmatch, lines)):
        if (
            match["verb"] == "dropped"
            and match["table"] not in gone | release.born
            and not _again(match["name"], lines)
        ):
            yield facts.DropsConstraint(place=place, table=match["table"], name=match["name"])


def _again(constraint: str, lines: tuple[str, ...]) -> bool:
    return any(line.startswith(f"made constraint {constraint} on ") for line in lines)
