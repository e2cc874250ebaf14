"""Conflicted histories as teams make them: the repair leaves what drizzle-kit itself would say nothing about, or says why not."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from conftest import GitRepo
from hypothesis import given
from hypothesis import strategies as st

from bot.branches.embedded import Embedded
from bot.repair import sync
from tests.bot import sync_histories as histories
from tests.bot.histories.settled import CASES, LATE, POLICY, Case, differences, settled, start
from tests.bot.sync_histories import (
    Change,
    Folders,
    Kit,
    Side,
    both,
    column,
    extra,
    merged,
    other,
    table,
)
from tests.bot.synced import few

pytestmark = pytest.mark.node


def synced(repo: GitRepo, case: Case, fork: Any, sides: tuple[Any, Any]) -> bool:
    """Both sides generate what the case says, and the pull request is synced; False where it is refused, as the case wants."""
    for side, steps in zip(sides, (case.base, case.head), strict=True):
        for number, change in enumerate(steps):
            side.generate(f"step{number}", change)
    histories.built(repo, fork, [sides[0]], [sides[1]])
    outcome = sync.run(repo=repo.path, base="main", provider=None)
    if case.refused is not None:
        assert outcome.status == "refused"
        assert re.search(case.refused, outcome.reason or "")
        return False
    assert outcome.status == "synced", outcome.reason
    return True


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_v0(v0: Kit, repo: GitRepo, case: Case) -> None:
    """As drizzle-kit 0.31 writes it."""
    fork = start(v0)
    sides = fork.fork(LATE), fork.fork()
    if not synced(repo, case, fork, sides):
        return
    assert histories.faults(repo) == []
    if case.schema:
        assert differences(v0, repo, merged(fork.state, sides[0].state, sides[1].state)) == []
    entries = json.loads(repo.git("show", "HEAD:drizzle/meta/_journal.json"))["entries"]
    assert len(entries) == 2 + len(case.base) + (len(case.head) if case.own is None else case.own)
    settled(repo)


@pytest.mark.parametrize(
    ("version", "case"),
    [*(("9", case) for case in CASES[1:]), *(("8", case) for case in CASES[3::3])],
    ids=lambda each: each if isinstance(each, str) else each.name,
)
def test_v1(v1: Kit, repo: GitRepo, version: str, case: Case) -> None:
    """As drizzle-kit 1.0 writes it, and as its betas did."""
    fork = start(v1, type("Versioned", (Folders,), {"version": version}))
    sides = fork.fork(7), fork.fork(3)
    if not synced(repo, case, fork, sides):
        return
    touched = repo.git("diff", "--name-status", "main", "HEAD", "--", "drizzle/").split("\n")
    assert [line for line in touched if line and not line.startswith("A")] == []
    folders = [p for p in repo.git("ls-tree", "--name-only", "HEAD", "drizzle/").split() if not p.endswith(".json")]
    assert len(folders) == 2 + len(case.base) + (len(case.head) if case.own is None else case.own)
    assert max(repo.git("ls-tree", "--name-only", "main", "drizzle/").split()) == folders[1 + len(case.base)]
    if case.schema:
        assert differences(v1, repo, merged(fork.state, sides[0].state, sides[1].state)) == []
    settled(repo)


@pytest.mark.long
@pytest.mark.parametrize("case", [c for c in CASES if c.refused is None][3:9], ids=lambda case: case.name)
def test_postgres_agrees(v0: Kit, repo: GitRepo, branches: Embedded, case: Case) -> None:
    """Base's migrations run, then the repaired ones, and the last snapshot says what they made."""
    fork = start(v0)
    sides = fork.fork(LATE), fork.fork()
    for side, steps in zip(sides, (case.base, case.head), strict=True):
        for number, change in enumerate(steps):
            side.generate(f"step{number}", change)
    histories.built(repo, fork, [sides[0]], [sides[1]])
    outcome = sync.run(repo=repo.path, base="main", provider=branches)
    assert (outcome.status, outcome.proven, outcome.notes) == ("synced", True, ())


def grown(name: str) -> Change:
    """One value more in the enum."""
    return lambda state: state["enums"]["role"].append(name)


def looser(name: str) -> Change:
    """Mail is optional from now on, and a column comes along."""
    return both(column("users", "email"), column("users", name))


ANY: list[Callable[[str], Change]] = [
    lambda name: column("users", name),
    lambda name: column("orders", name, "pg.integer().notNull().default(1)"),
    lambda name: table(name, {"user": "pg.integer().references(() => E.t_users.id)"}),
    lambda name: extra("users", name, f"pg.index('{name}_i').on(t.email)"),
    lambda name: extra("orders", name, POLICY.format(name)),
    lambda name: other(name, f"pg.pgView('{name}_v', {{ id: pg.integer() }}).as(sql`select id from users`)"),
    grown,
    looser,
]


STEPS = st.lists(st.lists(st.sampled_from(ANY), min_size=1, max_size=2), min_size=1, max_size=4)


@pytest.mark.long
@pytest.mark.parametrize("version", ["v0", "v1"])
@few(8)
@given(base=STEPS, head=STEPS)
def test_random_histories(
    request, tmp_path_factory, version: str, base: list[list[Any]], head: list[list[Any]]
) -> None:
    """Whatever two sides do that does not touch: drizzle-kit finds in the result what it would have made on top of base."""
    kit: Kit = request.getfixturevalue(version)
    repo = GitRepo(tmp_path_factory.mktemp("random") / "repo")
    fork = start(kit, Side if version == "v0" else Folders)
    sides = {"b": fork.fork(LATE), "h": fork.fork()}
    for name, steps in (("b", base), ("h", head)):
        for number, changes in enumerate(steps):
            done = [change(f"{name}{number}{letter}") for letter, change in zip("xy", changes, strict=False)]
            sides[name].generate(f"{name}{number}", both(*done))
    histories.built(repo, fork, [sides["b"]], [sides["h"]])
    outcome = sync.run(repo=repo.path, base="main", provider=None)
    assert outcome.status == "synced", outcome.reason
    assert version == "v1" or histories.faults(repo) == []
    assert differences(kit, repo, merged(fork.state, sides["b"].state, sides["h"].state)) == []
    settled(repo)
