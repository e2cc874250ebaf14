"""GitHub's own description of its REST API: says whether a request is one that GitHub would read."""

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, cast
from urllib.parse import parse_qsl

import node_oracle
from jsonschema import Draft7Validator


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    id: str
    pattern: re.Pattern[str]
    literal: int
    described: dict[str, Any]


class Description:
    """The published description."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._operations: dict[str, list[Operation]] = {}
        for path, methods in document["paths"].items():
            shape = "".join(
                "(.+)"
                if part == "{ref}" and path.endswith("{ref}")
                else "([^/]+)"
                if part.startswith("{")
                else re.escape(part)
                for part in re.split(r"(\{[^}]+\})", path)
                if part
            )
            for method, described in methods.items():
                found = Operation(described.get("operationId", "?"), re.compile(shape), -path.count("{"), described)
                self._operations.setdefault(method.upper(), []).append(found)

    def complaints(self, method: str, path: str, query: str, body: bytes) -> tuple[str, list[str]]:
        """The operation's name, and everything that is wrong with the request."""
        fitting = [o for o in self._operations.get(method, []) if o.pattern.fullmatch(path)]
        if not fitting:
            return "?", [f"GitHub has no {method} {path}"]
        operation = max(fitting, key=lambda o: (o.literal, len(o.pattern.pattern)))
        described = operation.described
        parameters = [self._resolve(p) for p in described.get("parameters", [])]
        queries = {p["name"]: p for p in parameters if p["in"] == "query"}
        wrong: list[str] = []
        for name, value in parse_qsl(query, keep_blank_values=True):
            if name not in queries:
                wrong.append(f"{operation.id} takes no query parameter {name}")
                continue
            schema = self._resolve(queries[name]["schema"])
            if schema.get("type") == "integer" and not value.isdigit():
                wrong.append(f"{operation.id}: {name}={value} is no integer")
            if "enum" in schema and value not in schema["enum"]:
                wrong.append(f"{operation.id}: {name}={value} is none of {schema['enum']}")
        wrong += [f"{operation.id} needs {n}" for n, p in queries.items() if p.get("required") and f"{n}=" not in query]
        wrong += self._body(operation, described.get("requestBody"), body)
        return operation.id, wrong

    def _body(self, operation: Operation, wanted: dict[str, Any] | None, body: bytes) -> list[str]:
        if not body:
            return [f"{operation.id} needs a body"] if wanted and wanted.get("required") else []
        if wanted is None:
            return [] if body in {b"{}", b"null"} else [f"{operation.id} takes no body"]
        schema = self._whole(self._resolve(wanted)["content"]["application/json"]["schema"])
        said = json.loads(body)
        wrong = [f"{operation.id}: {e.json_path}: {e.message[:300]}" for e in Draft7Validator(schema).iter_errors(said)]
        known = schema.get("properties", {})
        if known and isinstance(said, dict):
            wrong += [f"{operation.id} takes no {name}" for name in cast("dict[str, Any]", said) if name not in known]
        return wrong

    def _resolve(self, part: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in part:
            found: Any = self.document
            for step in part["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            part = found
        return part

    def _whole(self, part: Any) -> Any:
        """A schema without references, OpenAPI 3.0's `nullable` as JSON Schema says it."""
        if isinstance(part, list):
            return [self._whole(each) for each in cast("list[Any]", part)]
        if not isinstance(part, dict):
            return part
        part = self._resolve(cast("dict[str, Any]", part))
        whole = {key: self._whole(value) for key, value in part.items() if key not in {"example", "examples"}}
        if whole.pop("nullable", False) and isinstance(whole.get("type"), str):
            whole["type"] = [whole["type"], "null"]
        return whole


@cache
def published() -> Description | None:
    """GitHub's description; None where npm cannot bring it."""
    try:
        folder = node_oracle.installed(cast("Any", "github"))
    except node_oracle.NodeMissing:
        return None
    path = folder / "node_modules/@octokit/openapi/generated/api.github.com.json"
    return Description(json.loads(path.read_bytes()))


@cache
def webhooks() -> dict[str, list[dict[str, Any]]] | None:
    """GitHub's example webhooks, by event; None where npm cannot bring them."""
    try:
        folder = node_oracle.installed(cast("Any", "github"))
    except node_oracle.NodeMissing:
        return None
    path = folder / "node_modules/@octokit/webhooks-examples/api.github.com/index.json"
    return {each["name"]: each["examples"] for each in json.loads(path.read_bytes())}
