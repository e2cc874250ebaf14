"""The published JSON Schemas of the reports, made from their models; `python -m checks.render.schema` writes them."""

import json
import sys
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel

from checks.report import Report, TraceReport

FILES: dict[str, type[BaseModel]] = {"report.schema.json": Report, "trace.schema.json": TraceReport}


def text(model: type[BaseModel]) -> str:
    """A model's JSON Schema (2020-12), as its file has it."""
    schema = model.model_json_schema(by_alias=True, mode="serialization")
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(dialect | cast("dict[str, Any]", _open(schema)), indent=2) + "\n"


def _open(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The schema without `additionalProperties: false`: a later version may add keys, and readers must bear it."""
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {k: _open(v) for k, v in items if not (k == "additionalProperties" and v is False)}
    if isinstance(value, list):
        return [_open(v) for v in cast("list[Any]", value)]
    return value


def write(folder: Path) -> None:
    """Write every schema into a folder."""
    for name, model in FILES.items():
        (folder / name).write_text(text(model), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
