"""A report as one JSON document, with the keys that programs rely on."""

import json
from typing import Any, cast

from checks.render import words
from checks.report import Report, TraceReport


def text(report: Report | TraceReport) -> str:
    """The document, indented, ending with a newline; bytes of a path that are not UTF-8 are spelled out."""
    try:
        return report.model_dump_json(by_alias=True, indent=2) + "\n"
    except ValueError:  # PydanticSerializationError: a lone surrogate, which JSON's UTF-8 cannot carry
        return json.dumps(spelled(report.model_dump(by_alias=True)), indent=2, ensure_ascii=False) + "\n"


def spelled(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """JSON whose lone surrogates (bytes of a path that are not UTF-8) are spelled out."""
    if isinstance(value, str):
        return "".join(words.visible(c) if "\ud800" <= c <= "\udfff" else c for c in value)
    if isinstance(value, dict):
        return {spelled(k): spelled(v) for k, v in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [spelled(v) for v in cast("list[Any]", value)]
    return value
