"""What both sides of a history do, and whether drizzle-kit itself is content with what a sync makes of it."""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from conftest import GitRepo

from bot.repair import sync
from tests.bot.sync_histories import (
    START,
    Change,
    Files,
    Kit,
    Side,
    both,
    column,
    enum,
    extra,
    other,
    schema,
    table,
    without,
)


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
