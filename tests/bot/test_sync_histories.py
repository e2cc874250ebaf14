"""Conflicted histories as teams make them: the repair leaves what drizzle-kit itself would say nothing about, or says why not."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from conftest import GitRepo
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.branches.embedded import Embedded
from bot.repair import sync
from tests.bot import sync_histories as histories
from tests.bot.sync_histories import (
    START,
    Change,
    Files,
    Folders,
    Kit,
    Side,
    both,
    column,
    enum,
    extra,
    merged,
    other,
    schema,
    table,
    without,
)

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def v0(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """drizzle-kit 0.31."""
    with histories.kit("v0", tmp_path_factory.mktemp("v0")) as made:
        yield made


@pytest.fixture(scope="module")
def v1(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """drizzle-kit 1.0."""
    with histories.kit("v1", tmp_path_factory.mktemp("v1")) as made:
        yield made


@dataclass(frozen=True)
class Case:
    """What both sides do, and what is to come of it.

    Attributes:
        own: how many of head's migrations are left; None: all.
        refused: a part of the reason.
        schema: whether the merged schema file is what `merged` says; an order of enum values is not.
    """

    name: str
    base: Sequence[Change]
    head: Sequence[Change]
    own: int | None = None
    refused: str | None = None
    schema: bool = True


POLICY = "pg.pgPolicy('{}', {{ for: 'select', using: sql`true` }})"
VIEW = "pg.pgView('{}', {{ id: pg.integer() }}).as(sql`select id from users where age > {}`)"
CASES = [
    Case("one each", [table("b")], [table("h")]),
    Case("one against five", [column("users", f"b{n}") for n in range(5)], [table("h")]),
    Case("five against three", [table("b1"), table("b2"), table("b3")], [column("users", f"h{n}") for n in range(5)]),
    Case(
        "one table",
        [both(column("users", "bio", "pg.text().default('x')"), extra("users", "i", "pg.index('bio_i').on(t.bio)"))],
        [both(column("users", "tags", "pg.text().array()"), extra("users", "j", "pg.uniqueIndex('em_i').on(t.email)"))],
    ),
    Case(
        "keys to tables",
        [table("teams", {"owner": "pg.integer().references(() => E.t_users.id, { onDelete: 'cascade' })"})],
        [
            table("notes", {"o": "pg.integer().references(() => E.t_orders.id)"}),
            extra("notes", "c", "pg.check('positive', sql`${t.o} > 0`)"),
        ],
    ),
    Case("enum, both at its end", [enum("role", "user", "admin", "guest")], [enum("role", "user", "admin", "owner")]),
    Case(
        "enum, before others",
        [enum("role", "user", "guest", "admin")],
        [enum("role", "first", "user", "admin")],
        schema=False,
    ),
    Case(
        "enum, the same value",
        [enum("role", "user", "admin", "guest")],
        [both(enum("role", "user", "admin", "guest"), column("users", "x"))],
    ),
    Case(
        "policies of one table",
        [extra("users", "p", POLICY.format("one"))],
        [extra("users", "q", POLICY.format("two"))],
    ),
    Case("views", [other("vb", VIEW.format("vb", 1))], [other("vh", VIEW.format("vh", 2))]),
    Case("roles", [other("rb", "pg.pgRole('rb')")], [other("rh", "pg.pgRole('rh')")]),
    Case(
        "a sequence and a schema",
        [other("q", "pg.pgSequence('q', { startWith: 5 })")],
        [both(schema("billing"), table("invoices", schema="billing"))],
    ),
    Case("one change twice", [column("users", "x")], [column("users", "x"), table("h")], own=1),
    Case("nothing of its own", [column("users", "x")], [column("users", "x")], own=0),
    Case("a part is done", [both(column("users", "x"), table("b"))], [column("users", "x"), table("h")], own=1),
    Case("both drop it", [without("users", "age")], [both(without("users", "age"), table("h"))]),
    Case("head drops", [column("users", "x")], [without("users", "age")]),
    Case(
        "comes and goes", [column("users", "b")], [column("users", "h"), without("users", "h"), column("users", "h2")]
    ),
    Case("two types", [column("users", "x")], [column("users", "x", "pg.integer()")], refused="x"),
    Case("two tables of one name", [table("n", {"a": "pg.text()"})], [table("n", {"b": "pg.text()"})], refused="n"),
    Case("base dropped the table", [without("orders")], [column("orders", "x")], refused="orders"),
    Case(
        "base dropped the column",
        [without("users", "age")],
        [extra("users", "i", "pg.index('age_i').on(t.age)")],
        refused="age",
    ),
    Case(
        "base dropped what a key refers to",
        [without("orders")],
        [table("lines", {"o": "pg.integer().references(() => E.t_orders.id)"})],
        refused="orders",
    ),
]
LATE = 500


def start(kit: Kit, kind: type[Side] = Side) -> Side:
    """Two migrations."""
    return kind(kit).generate("start", START).generate("more", column("users", "name"))


def differences(kit: Kit, repo: GitRepo, wanted: Any) -> list[str]:
    """What drizzle-kit would still generate."""
    names = repo.git("ls-tree", "-r", "--name-only", "HEAD", "drizzle/").split("\n")
    snapshots = {n: json.loads(repo.git("show", f"HEAD:{n}")) for n in names if n.endswith("snapshot.json")}
    last = snapshots[max(snapshots)]
    if last.get("version") == "9":
        last = kit.ask(op="whole", files={name.split("/")[1]: data for name, data in snapshots.items()})
    return kit.sql(last, kit.schema(wanted, last["id"]))


def settled(repo: GitRepo) -> None:
    """A second sync does nothing, and git merges without a word."""
    assert sync.run(repo=repo.path, base="main", provider=None).status == "nothing-to-do"
    assert (
        subprocess.run(
            ["git", "merge-tree", "main", "head"], cwd=repo.path, capture_output=True, check=False
        ).returncode
        == 0
    )


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


# --- merged by hand, and what goes wrong then ---


def renumbered(base: Side, head: Side, *, snapshot: bool, when: int) -> Files:
    """Head's migration as number three, by hand."""
    mine = json.loads(head.files["drizzle/meta/0002_snapshot.json"])
    theirs = json.loads(base.files["drizzle/meta/0002_snapshot.json"])
    if snapshot:
        mine |= {"prevId": theirs["id"], "tables": {**theirs["tables"], **mine["tables"]}}
    made = base.fork()
    made.files["drizzle/0003_h.sql"] = head.files["drizzle/0002_h.sql"]
    made.files["drizzle/meta/0003_snapshot.json"] = json.dumps(mine, indent=2)
    return made.journal([*base.entries, {**head.entries[-1], "idx": 3, "tag": "0003_h", "when": when}]).files


def marked(fork: Side, base: Side, head: Side, repo: GitRepo, *how: str) -> Files:
    """Both sides' files, with git's markers in the journal and the snapshot."""
    made = {**base.files, **head.files}
    for path in ("drizzle/meta/_journal.json", "drizzle/meta/0002_snapshot.json"):
        for name, side in (("ours", head), ("fork", fork), ("theirs", base)):
            (repo.path / ".git" / name).write_text(side.files.get(path, ""))
        sides = [f".git/{name}" for name in ("ours", "fork", "theirs")]
        done = subprocess.run(
            ["git", "merge-file", "-p", *how, *sides], cwd=repo.path, capture_output=True, check=False
        )
        made[path] = done.stdout.decode()
    return made


HANDS: dict[str, Callable[[Side, Side, Side, GitRepo], Files]] = {
    "right": lambda _f, b, h, _r: renumbered(b, h, snapshot=True, when=b.entries[-1]["when"] + 5),
    "its time is old, its snapshot too": lambda _f, b, h, _r: renumbered(
        b, h, snapshot=False, when=h.entries[-1]["when"]
    ),
    "both numbers, head's snapshot": lambda _f, b, h, _r: (
        b.fork().journal([*b.entries, h.entries[-1]]).files | {p: t for p, t in h.files.items() if "0002" in p}
    ),
    "head's entry first": lambda f, b, h, _r: (
        {**b.files, **h.files}
        | {p: t for p, t in f.fork().journal([*h.entries, {**b.entries[-1], "idx": 3}]).files.items() if "journal" in p}
    ),
    "base's entry is lost": lambda _f, b, h, _r: {**b.files, **h.files},
    "markers": marked,
    "markers with the fork": lambda f, b, h, r: marked(f, b, h, r, "--diff3"),
}


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
@settings(
    max_examples=6, deadline=None, phases=[Phase.generate], derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
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
