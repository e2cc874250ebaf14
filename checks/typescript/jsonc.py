"""JSON as tsconfig.json has it: comments and trailing commas."""

import json
import re
from collections.abc import Mapping
from typing import Any, cast

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/|,(?=(?:\s|//[^\n]*|/\*.*?\*/)*[}\]])', re.DOTALL)
_LIMIT = 1 << 20


def loads(text: str) -> Any:  # noqa: ANN401 - JSON
    """The value, or None where it is not JSON even so."""
    if len(text) > _LIMIT:
        return None
    plain = _TOKEN.sub(lambda m: m[0] if m[0].startswith('"') else " ", text)
    try:
        return json.loads(plain)
    except (ValueError, RecursionError):
        return None


def table(value: Any) -> Mapping[str, Any]:  # noqa: ANN401 - JSON
    """A JSON object; empty where it is none."""
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    """A JSON array; empty where it is none."""
    return cast("list[Any]", value) if isinstance(value, list) else []
