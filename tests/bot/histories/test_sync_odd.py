"""Histories that nobody planned: merged by hand, stacked, squashed, taken back, upgraded."""

import json
from collections.abc import Callable

import pytest
from conftest import GitRepo

from bot.repair import sync
from tests.bot import sync_histories as histories
from tests.bot.histories.settled import HANDS, LATE, differences, settled, start
from tests.bot.sync_histories import (
    START,
    Kit,
    Side,
    both,
    column,
    merged,
    table,
    without,
)

pytestmark = pytest.mark.node


@pytest.mark.parametrize("later", [0, 2])
@pytest.mark.parametrize("hand", HANDS)
def test_head_merged_base_by_hand(v0: Kit, repo: GitRepo, hand: str, later: int) -> None:
    """Base's migration is in head already, in some way; base may have moved on since."""
    fork = start(v0)
    base, head = fork.fork(LATE).generate("b", table("b")), fork.fork().generate("h", table("h"))
    tips = [base]
    for number in range(later):
        tips.append(tips[-1].fork().generate(f"later{number}", table(f"later{number}")))
    histories.built(repo, fork, tips, [head], HANDS[hand](fork, base, head, repo))
    outcome = sync.run(repo=repo.path, base="main", provider=None)
    assert outcome.status == ("nothing-to-do" if hand == "right" and not later else "synced"), outcome.reason
    assert histories.faults(repo) == []
    assert differences(v0, repo, merged(fork.state, tips[-1].state, head.state)) == []
    settled(repo)


Sides = tuple[Side, list[Side], list[Side]]


def usual(fork: Side, *, change: Callable[[Side], object] = lambda _: None, of: str = "all") -> Sides:
    """A table more on each side, after something was done to all of them, or to one."""
    base, head = fork.fork(LATE), fork.fork()
    for name, side in (("fork", fork), ("base", base), ("head", head)):
        if of in {"all", name}:
            change(side)
    return fork, [base.generate("b", table("b"))], [head.generate("h", table("h"))]


def prefixed(kit: Kit, prefix: str) -> Sides:
    """Files are named by time."""
    fork = Side(kit)
    fork.prefix = prefix
    return usual(fork.generate("start", START))


def stacked(kit: Kit) -> Sides:
    """Head grew on another branch, which was synced and squashed into base."""
    fork = start(kit)
    first = fork.fork().generate("a", table("alpha"))
    second = first.fork().generate("h", column("alpha", "x"))
    return fork, [fork.fork(LATE).generate("b", table("b")).generate("a", table("alpha"))], [first, second]


def squashed(kit: Kit) -> Sides:
    """Base's migrations are one now."""
    fork = start(kit)
    base = Side(kit, {}, fork.state)
    base.clock = fork.clock + LATE * 1000
    return fork, [base.generate("all")], [fork.fork().generate("h", table("h"))]


def old_journal(side: Side) -> None:
    """As older kits began it."""
    told = json.loads(side.files["drizzle/meta/_journal.json"]) | {"version": "5", "dialect": "pg"}
    told["entries"][0]["version"] = "5"
    side.files["drizzle/meta/_journal.json"] = json.dumps(told, indent=2)


def two(fork: Side, name: str, base: str, head: str, **more: int) -> Sides:
    """Each side makes a table."""
    one = fork.fork(LATE).generate(base, table("b"), **more)
    return fork, [one], [fork.fork().generate(head, table(name))]


def custom(kit: Kit) -> Sides:
    """Head's migration is SQL by hand, its snapshot a copy."""
    fork = start(kit)
    own = fork.fork().generate("seed", custom=True, sql="SELECT 1;")
    return fork, [fork.fork(LATE).generate("b", table("b"))], [own]


def renaming(kit: Kit) -> Sides:
    """Head gives a column another name, and goes on."""
    years = both(without("users", "age"), column("users", "years", "pg.integer()"))
    named = {"columns": {'"public"."users"."age"': '"public"."users"."years"'}}
    sql = 'ALTER TABLE "users" RENAME COLUMN "age" TO "years";'
    return usual(start(kit), change=lambda head: head.generate("years", years, sql=sql, renames=named), of="head")


def line_ends(kit: Kit) -> Sides:
    """Head was written on Windows."""
    fork, base, head = usual(start(kit))
    head[0].files = {path: text.replace("\n", "\r\n") for path, text in head[0].files.items()}
    return fork, base, head


def taken_back(kit: Kit) -> Sides:
    """Base deleted a migration that head began with."""
    fork = start(kit)
    base = fork.fork(LATE).generate("b", table("b"))
    fork.generate("bad", table("bad"))
    return fork, [base], [fork.fork().generate("h", table("h"))]


ODD: dict[str, Callable[[Kit], Sides]] = {
    "prefixes of time": lambda kit: prefixed(kit, "timestamp"),
    "prefixes of seconds": lambda kit: prefixed(kit, "unix"),
    "base squashed": squashed,
    "a stacked branch, squashed on base": stacked,
    "old journals": lambda kit: usual(start(kit), change=old_journal),
    "the first snapshot is missing": lambda kit: usual(
        start(kit), change=lambda side: side.files.pop("drizzle/meta/0000_snapshot.json")
    ),
    "one name on both sides": lambda kit: two(start(kit), "h", "change", "change"),
    "time of the future": lambda kit: two(start(kit), "h", "b", "h", when=1_990_000_000_000),
    "one time on both sides": lambda kit: two(start(kit), "h", "b", "h", when=1_760_000_000_000 + 3 * histories.HOUR),
    "a custom migration": custom,
    "without breakpoints": lambda kit: usual(start(kit), change=lambda side: setattr(side, "end", "\n")),
    "head renames a column": renaming,
    "line ends": line_ends,
    "base took one back": taken_back,
}


@pytest.mark.parametrize("what", ODD)
def test_odd_histories(v0: Kit, repo: GitRepo, what: str) -> None:
    """Each is repaired."""
    fork, base, head = ODD[what](v0)
    histories.built(repo, fork, base, head)
    outcome = sync.run(repo=repo.path, base="main", provider=None)
    assert outcome.status == "synced", outcome.reason
    assert histories.faults(repo) == []
    assert differences(v0, repo, merged(fork.state, base[-1].state, head[-1].state)) == []
    settled(repo)


def test_migrations_of_another_database(v0: Kit, repo: GitRepo) -> None:
    """They merge as git merges them; where it cannot, that is the reason."""
    fork = start(v0)
    sides = [fork, fork.fork(LATE).generate("b", table("b")), fork.fork().generate("h", table("h"))]
    for side in sides:
        side.files = {p: t.replace('"postgresql"', '"sqlite"') for p, t in side.files.items()}
    histories.built(repo, sides[0], sides[1:2], sides[2:])
    outcome = sync.run(repo=repo.path, base="main", provider=None)
    assert outcome.status == "refused"
    assert "migrations for sqlite" in (outcome.reason or "")
