"""The Action's script, and the commands that it gives its runner."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent.parent
ACTION = ROOT / "deploy" / "action"


DEFINITION: dict[str, Any] = yaml.safe_load((ACTION / "action.yml").read_text(encoding="utf-8"))


STEPS: list[dict[str, Any]] = DEFINITION["runs"]["steps"]


@dataclass(frozen=True)
class Command:
    """A workflow command, as the runner understands it."""

    kind: str
    properties: dict[str, str]
    message: str


def commands(log: str) -> list[Command]:
    """The workflow commands of a log: `::kind name=value,…::message`, unless they are stopped."""
    found: list[Command] = []
    token: str | None = None
    for line in log.split("\n"):
        match = re.match(r"\s*::([\w-]+)(?: (.*?))?::(.*)", line)
        if token is not None:
            token = None if line.strip() == f"::{token}::" else token
        elif match and match[1] == "stop-commands":
            token = match[3]
        elif match:
            pairs = [pair.partition("=") for pair in (match[2] or "").split(",") if pair]
            found.append(Command(match[1], {k: unescaped(v, ":,") for k, _, v in pairs}, unescaped(match[3])))
        else:
            assert "##[" not in line
    assert token is None, "commands were stopped and never allowed again"
    return found


def unescaped(text: str, also: str = "") -> str:
    """What the runner makes of an escaped value."""
    for character in ("\r", "\n", *also, "%"):
        text = text.replace(f"%{ord(character):02X}", character)
    return text
