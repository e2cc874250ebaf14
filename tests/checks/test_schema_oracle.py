"""What we read in a schema is what the real drizzle-kit reads in it: the same statements, word for word."""

import json

import pytest

from checks.schema import ddl, snapshot
from checks.schema.read import read
from checks.tree import Tree
from tests.checks import schema_oracle
from tests.checks.schema_samples import BODIES, HEAD, bodies
from tests.checks.view_samples import views

pytestmark = pytest.mark.node

CASED = ("names of keys", "shared columns", "view by query", "schemas", "generated from a column")


def samples(version):
    """Name, source and casing of every sample."""
    found = [(name, HEAD + body, None) for name, body in (*bodies(version), *views(version, 120))]
    if version == "v0":
        found += [
            (f"{name}, {casing}", HEAD + BODIES[name], casing)
            for name in CASED
            for casing in ("snake_case", "camelCase")
        ]
    return found


def _snapshot(schema):
    """Our snapshot, comparable with theirs."""
    if schema.format == "v0":
        return json.dumps(snapshot.to_snapshot(schema))
    return [json.dumps(entity) for entity in snapshot.entities(schema)]


def _theirs(found):
    """Their snapshot without ids, its keys in their order."""
    if found["version"] == "7":
        return json.dumps({key: value for key, value in found.items() if key not in {"id", "prevId"}})
    return [json.dumps(entity) for entity in found["ddl"]]


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_every_sample_means_what_drizzle_kit_says(version, tmp_path):
    """Several hundred schemas: equal statements; where drizzle-kit refuses, we say that something is not known."""
    asked = samples(version)
    answers = schema_oracle.ask(
        version, [{"files": {"schema.ts": source}, "casing": casing} for _, source, casing in asked], tmp_path
    )
    wrong = []
    for (name, source, casing), answer in zip(asked, answers, strict=True):
        schema = read(Tree.of({"schema.ts": source}), ["schema.ts"], format=version, casing=casing)
        ours = ddl.statements(schema)
        if "error" in answer:
            if "BigInt" not in answer["error"] and not schema.unresolved:
                wrong.append((name, answer["error"]))
        elif _snapshot(schema) != _theirs(answer["snapshot"]):
            wrong.append((name, "snapshot", _snapshot(schema), _theirs(answer["snapshot"])))
        elif schema.unresolved or sorted(ours) != sorted(answer["statements"]):
            wrong.append((name, schema.unresolved, ours, answer["statements"]))
    assert wrong == []
    assert len(asked) > 300
