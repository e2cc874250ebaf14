"""After a sync the real drizzle-kit finds nothing to complain about, and nothing to generate."""

import json
import re
import shutil

import pytest
from conftest import GitRepo
from hypothesis import given
from hypothesis import strategies as st

from bot.branches.embedded import Embedded
from bot.git import Repository
from bot.repair import sync
from tests import node_oracle
from tests.bot.synced import few

pytestmark = pytest.mark.node

CONFIG = """import { defineConfig } from "drizzle-kit";
export default defineConfig({ dialect: "postgresql", schema: "./schema/*.ts", out: "./drizzle" });
"""
IMPORT = 'import { check, index, integer, pgEnum, pgTable, serial, text, unique, uuid } from "drizzle-orm/pg-core";\nimport { sql } from "drizzle-orm";\n'
TABLES = ("users", "orders", "items")
# What can be done to a table; each is one line of its file, so that git merges what two people do to one table.
LINES = {
    "name": "name: text(),",
    "age": "age: integer().notNull().default(7),",
    "mark": "mark: uuid().defaultRandom(),",
    "tags": "tags: text().array(),",
    "code": "code: text().unique(),",
}


class Project:
    """A Drizzle project on two branches."""

    def __init__(self, oracle: node_oracle.Oracle, repo: GitRepo) -> None:
        self.oracle, self.repo = oracle, repo
        repo.git("config", "user.name", "Ada")
        repo.git("config", "user.email", "ada@example.com")
        repo.write({"drizzle.config.ts": CONFIG, ".gitignore": "node_modules\n.oracle*\n"})

    def generate(self, tables: dict[str, list[str]], name: str, when: int) -> str:
        """Write the schema, generate, and commit."""
        folder = self.repo.path / "schema"
        shutil.rmtree(folder, ignore_errors=True)
        for table, lines in tables.items():
            body = "\n\n\n".join(f"  {LINES.get(line, line)}" for line in sorted(lines))
            self.repo.write(
                {
                    f"schema/{table}.ts": f'{IMPORT}export const {table} = pgTable("{table}", {{\n  id: serial().primaryKey(),\n\n\n{body}\n\n\n}});\n'
                }
            )
        before = {p.name for p in (self.repo.path / "drizzle").glob("2*")}
        self.oracle.kit(self.repo.path, "generate", f"--name={name}")
        for made in (self.repo.path / "drizzle").glob("2*"):  # v1 takes the second from the clock; tests do not wait
            if made.name not in before:
                made.rename(made.with_name(f"{20261122000000 + when}_{name}"))
        journal = self.repo.path / "drizzle/meta/_journal.json"
        if journal.exists():
            told = json.loads(journal.read_text())
            if told["entries"][-1]["tag"].endswith(name):
                told["entries"][-1]["when"] = 1_760_000_000_000 + when * 1000
            journal.write_text(json.dumps(told, indent=2))
        return self.repo.commit(message=name)

    def nothing_left(self) -> None:
        """Neither `check` nor `generate` finds anything."""
        checked = self.oracle.kit(self.repo.path, "check", check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        said = self.oracle.kit(self.repo.path, "generate", check=False)
        assert re.search(r"No schema changes|nothing to migrate", said.stdout + said.stderr, re.IGNORECASE), said.stdout
        assert self.repo.git("status", "--porcelain") == ""


def two_branches(project: Project, fork: dict, base: list[dict], head: list[dict]) -> None:
    """Generate a migration for each state of each side; `head` is checked out."""
    repo = project.repo
    project.generate(fork, "start", 0)
    repo.branch("head")
    for number, state in enumerate(head):
        project.generate(state, f"head{number}", 1 + number)
    repo.checkout("main")
    for number, state in enumerate(base):
        project.generate(state, f"base{number}", 5 + number)
    repo.checkout("head")


@pytest.mark.long
@pytest.mark.parametrize("version", ["v0", "v1"])
def test_drizzle_kit_agrees(version: node_oracle.Version, repo: GitRepo, branches: Embedded) -> None:
    """Two migrations on each side, on one table and on different ones."""
    project = Project(node_oracle.require(version), repo)
    fork = {"users": ["name"], "orders": []}
    base = [{"users": ["name", "age"], "orders": []}, {"users": ["name", "age"], "orders": [], "items": ["code"]}]
    head = [{"users": ["name"], "orders": ["mark", "code"]}, {"users": ["name", "tags"], "orders": ["mark"]}]
    two_branches(project, fork, base, head)
    outcome = sync.run(repo=repo.path, base="main", provider=branches)
    assert (outcome.status, outcome.proven, outcome.notes) == ("synced", True, ())
    assert len(outcome.renamed) == 2
    project.nothing_left()
    assert sync.run(repo=repo.path, base="main", provider=None).status == "nothing-to-do"


def more(*states: dict[str, list[str]]) -> dict[str, list[str]]:
    """All tables and columns of some states."""
    return {t: sorted({line for s in states for line in s.get(t, ())}) for s in states for t in s}


STATE = st.fixed_dictionaries({}, optional={t: st.lists(st.sampled_from(sorted(LINES)), unique=True) for t in TABLES})


@pytest.mark.long
@pytest.mark.parametrize("version", ["v0", "v1"])
@few(3)  # six starts of drizzle-kit each; `test_random_histories` asks one that stays
@given(fork=STATE, base=st.lists(STATE, min_size=1, max_size=2), head=STATE)
def test_random_branches(version, tmp_path_factory, branches: Embedded, *, fork, base, head) -> None:
    """What is synced is right; what is refused contradicts base or does not merge in git.

    Head has one migration: where one drops what the next makes anew, git sees no change in the schema's files.
    """
    repo = GitRepo(tmp_path_factory.mktemp("random") / "repo")
    project = Project(node_oracle.require(version), repo)
    keep = {"keep": ["name"]}
    if version == "v1":  # it asks about every drop beside an addition: was that a rename?
        base, head = [more(fork, *base[: n + 1]) for n in range(len(base))], more(fork, head)
    two_branches(project, {**fork, **keep}, [{**s, **keep} for s in base], [{**head, **keep}])
    outcome = sync.run(repo=repo.path, base="main", provider=branches)
    if outcome.status == "refused":
        assert re.search("contradict|cannot merge|does not run|both change", outcome.reason or "", re.IGNORECASE), (
            outcome
        )
    elif outcome.status == "synced":
        assert outcome.proven, outcome
        project.nothing_left()
        assert sync.run(repo=repo.path, base="main", provider=None).status == "nothing-to-do"
        assert Repository(repo.path).merge_base("main", "head") == repo.git("rev-parse", "main")
