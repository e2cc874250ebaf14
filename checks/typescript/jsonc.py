"""JSON as tsconfig.json has it: comments and trailing commas."""

import json
import re
from typing import Any

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/|,(?=(?:\s|//[^\n]*|/\*.*?\*/)*[}\]])', re.DOTALL)
_LIMIT = 1 << 20


def loads(text: str) -> Any:
    """The value, or None where it is not JSON even so."""
    if len(text) > _LIMIT:
        return None
    plain = _TOKEN.sub(lambda m: m[0] if m[0].startswith('"') else " ", text)
    try:
        return json.loads(plain)
    except (ValueError, RecursionError):
        return None
