"""What a package.json says: scripts, versions of Drizzle, drivers."""

import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from checks.drizzle.model import Format
from checks.tree import Tree

_CONFIG_FLAG = re.compile(r"--config(?:=|\s+)[\"']?([^\s\"';&|]+)")


@dataclass(frozen=True, slots=True)
class Package:
    """One package.json.

    Attributes:
        folder: where it lies.
        dependencies: names and version ranges, those for development included.
    """

    folder: str
    scripts: Mapping[str, str] = field(default_factory=dict[str, str])
    dependencies: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def configs(self) -> list[str]:
        """The paths that its scripts hand to drizzle-kit by `--config`, from the root of the repository."""
        scripts = (s for s in self.scripts.values() if "drizzle-kit" in s)
        named = (name for script in scripts for name in _CONFIG_FLAG.findall(script))
        return [posixpath.normpath(posixpath.join(self.folder, name)) for name in named]

    @property
    def format(self) -> Format | None:
        """The format that the installed generation of Drizzle writes; None where the file does not tell."""
        for name in ("drizzle-kit", "drizzle-orm"):
            wanted = self.dependencies.get(name, "")
            if found := re.match(r"(?:npm:[^@]+@)?[\^~>=v\s]*(\d+)", wanted):
                return "v0" if found[1] == "0" else "v1"
            if wanted in {"beta", "rc"}:
                return "v1"
        return None


def read(tree: Tree, folder: str) -> Package | None:
    """The package.json of a folder; None where there is none. A broken one is empty."""
    content = tree.text(posixpath.join(folder, "package.json"))
    if content is None:
        return None
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        value = None
    fields: Mapping[str, Any] = cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}
    wanted: dict[str, str] = {}
    for key in ("peerDependencies", "optionalDependencies", "devDependencies", "dependencies"):
        wanted.update(_texts(fields.get(key)))
    return Package(folder, _texts(fields.get("scripts")), wanted)


def nearest(tree: Tree, folder: str) -> list[Package]:
    """The package.json of this folder and of those above it, nearest first."""
    found: list[Package] = []
    while True:
        if (package := read(tree, folder)) is not None:
            found.append(package)
        if not folder:
            return found
        folder = posixpath.dirname(folder)


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {k: v for k, v in cast("dict[str, object]", value).items() if isinstance(v, str)}
