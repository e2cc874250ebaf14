"""The repository that the policy was written for, and pull requests to it, reviewed from the command line."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from conftest import GitRepo

from bot.cli import main
from tests.checks.drizzle_samples import Story
from tests.checks.ways_samples import CONFIG, MODULE, PACKAGE, POLICY, POLICY_PATH, STANDARD

FOLDER = "lib/database/migrations"
SCHEMA = "lib/database/schema.ts"


def schema(*tables: str) -> str:
    """A schema file with these tables, each with a text `id`."""
    lines = [f'export const {name} = pgTable("{name}", {{ id: text("id") }});' for name in tables]
    return 'import { pgTable, text } from "drizzle-orm/pg-core";\n' + "\n".join(lines) + "\n"


def story(*tables: str) -> Story:
    """The migrations that make these tables, and all that the policy asks for around them."""
    files = {
        POLICY_PATH: POLICY,
        MODULE: STANDARD,
        "package.json": PACKAGE,
        "drizzle.config.ts": CONFIG,
        SCHEMA: schema(*tables),
    }
    made = Story(files, folder=FOLDER)
    for table in tables:
        made.add(table)
    return made


class Shop:
    """A repository on main, and one pull request at a time."""

    def __init__(self, repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
        self.repo = repo
        self._capsys = capsys
        self.base = story("users")
        repo.commit(self.base.files, "start")

    def on_base(self, files: Mapping[str, str | bytes | None]) -> None:
        """Something that is on main already."""
        self.repo.commit(files, "earlier")

    def review(self, files: Mapping[str, str | bytes | None], *, offline: bool = True) -> "Reviewed":
        """Open a pull request with these files, and review it."""
        self.repo.branch("head", "main")
        self.repo.commit(files, "a pull request")
        self.repo.checkout("main")
        words = ["review", "--repo", str(self.repo.path), "--base", "main", "--head", "head", "--format", "json"]
        self._capsys.readouterr()
        code = main([*words, "--offline"] if offline else words)
        return Reviewed(json.loads(self._capsys.readouterr().out), code)


class Reviewed:
    """What the author of the pull request gets."""

    def __init__(self, report: dict[str, Any], code: int) -> None:
        self.report = report
        self.code = code
        self.verdict: str = report["verdict"]
        self.items = {item["id"]: item for item in report["checklist"]}

    def state(self, item: str) -> str:
        """The state of a checklist item."""
        return self.items[item]["state"]

    def errors(self) -> list[tuple[str, str, int]]:
        """What blocks: rule, path, line."""
        return [
            (f["rule"], f["path"], f["line"])
            for f in self.report["findings"]
            if f["severity"] == "error" and f["introduced"]
        ]
