"""What `generate` writes for two schema files, one after the other, and what the real drizzle-kit says of the same two."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from checks.drizzle import chain, generate
from checks.drizzle.generate import Generated
from checks.drizzle.model import Chain, Project
from checks.schema.model import Schema
from checks.schema.read import read
from checks.tree import Tree
from tests.checks.generate_samples import random_pair
from tests.checks.schema_samples import HEAD, bodies

CONFIG = 'export default { dialect: "postgresql", schema: "./schema.ts", out: "./drizzle" };'
_NOW = 1_700_000_000_000
_JOURNAL = "drizzle/meta/_journal.json"

Pairs = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Generation:
    """One of Drizzle's two formats."""

    format: str

    @cache  # noqa: B019 - there are two of these, and each schema is asked for several times
    def schema(self, source: str) -> Schema:
        """What we read in a schema file."""
        return read(Tree.of({"schema.ts": HEAD + source}), ["schema.ts"], format=self.format)

    def after(self, files: Mapping[str, str]) -> Chain:
        """The chain that these files are."""
        project = Project(root="", format=self.format, migrations_dir="drizzle", schema_files=("schema.ts",))
        return chain.read(Tree.of(files), project)

    @cache  # noqa: B019 - likewise
    def first(self, source: str) -> Mapping[str, str]:
        """The files of a chain whose one migration makes a schema."""
        made = dict(generate.migration(self.after({}), self.schema(source), name="start", when=_NOW).files)
        if not made and self.format == "v0":
            return {_JOURNAL: '{"version": "7", "dialect": "postgresql", "entries": []}'}
        return made

    def second(self, before: str, later: str, **answers: list[str]) -> tuple[Generated, dict[str, str]]:
        """The migration from one schema to another, and all files with it."""
        files = self.first(before)
        journal = {"journal": files[_JOURNAL]} if self.format == "v0" else {}
        made = generate.migration(
            self.after(files), self.schema(later), name="next", when=_NOW + 5_000, **journal, **answers
        )
        return made, {**files, **made.files}

    def drops(self, before: str, later: str) -> list[str]:
        """Every column that is gone, by name, and what drizzle-kit 1.0 asks about beside."""
        old, new = self.schema(before), self.schema(later)
        found = [
            f"{t.key.removeprefix('public.')}.{c.name}"
            for t in old
            if (other := new.table(t.key))
            for c in t.columns
            if c.name not in {each.name for each in other.columns}
        ]
        if self.format == "v0":
            return found
        made, _ = self.second(before, later, drops=found)
        return [*found, *(question.gone for question in made.questions)]

    def pairs(self) -> Pairs:
        """Two hundred that dice made, and every sixth sample schema from nothing."""
        whole = {name: ("", body) for name, body in list(bodies(self.format))[::6]}
        drawn = {f"drawn {seed}": random_pair(seed) for seed in range(200)}
        return drawn | {name: pair for name, pair in whole.items() if not self.schema(pair[1]).unresolved}

    def wrong(self, pairs: Pairs, ask: Callable[[list[list[str]]], str], refused: str = "\0") -> list[object]:
        """Where our statements are not those that drizzle-kit answers; what it refuses for a known reason is passed over."""
        answers = json.loads(ask([[HEAD + a, HEAD + b] for a, b in pairs.values()]).strip().splitlines()[-1])
        wrong: list[object] = []
        for (name, (a, b)), theirs in zip(pairs.items(), answers, strict=True):
            if isinstance(theirs, str):
                if refused not in theirs:
                    wrong.append((name, theirs))
                continue
            ours, _ = self.second(a, b, drops=self.drops(a, b))
            assert not ours.questions, name
            if list(ours.statements) != theirs:
                wrong.append((name, list(ours.statements), theirs))
        return wrong


def put(folder: Path, files: Mapping[str, str], source: str) -> None:
    """Write files, the schema file and the configuration into a folder."""
    for path, text in {**files, "schema.ts": HEAD + source, "drizzle.config.ts": CONFIG}.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
