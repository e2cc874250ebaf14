"""What the real drizzle-kit and drizzle-orm do is what we read."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.drizzle import chain, collation, entities, folders, projects
from checks.drizzle.history import OutOfOrder
from checks.drizzle.snapshots import KNOWN
from checks.tree import Tree
from tests import node_oracle
from tests.checks.drizzle_samples import Story, entry, planned

pytestmark = pytest.mark.node

CONFIG = """import { defineConfig } from "drizzle-kit";
export default defineConfig({ dialect: "postgresql", schema: "./schema.ts", out: "./drizzle" });
"""
USERS = 'export const users = pgTable("users", { id: serial().primaryKey(), name: text().notNull()%s });\n'
POSTS = """export const posts = pgTable("posts", {
  id: uuid().primaryKey().defaultRandom(), author: integer().references(() => users.id), tags: text().array().default([]) });
"""
STEPS = [
    USERS % ", mood: mood()",
    USERS % ".unique(), mood: mood(), age: integer()",
    (USERS % ".unique(), age: integer()").replace(
        "});", "}, (t) => [index('by_age').on(t.age, sql`lower(${t.name})`)]);"
    )
    + POSTS,
    (USERS % ".unique(), age: integer()")
    + POSTS
    + """export const notes = blog.table("notes", { id: integer().primaryKey(), title: text().default("x") },
  (t) => [check("titled", sql`${t.title} <> ''`)]);
export const view = pgView("adults").as((qb) => qb.select().from(users));""",
]
HEAD = """import { bigint, check, index, integer, pgEnum, pgSchema, pgTable, pgView, serial, text, uuid } from "drizzle-orm/pg-core";
import { sql } from "drizzle-orm";
export const mood = pgEnum("mood", ["sad", "ok"]);
export const blog = pgSchema("blog");
"""


@pytest.fixture(scope="module")
def v0():
    """drizzle-kit 0.31 and drizzle-orm 0.45."""
    return node_oracle.require("v0")


@pytest.fixture(scope="module")
def v1():
    """drizzle-kit and drizzle-orm 1.0."""
    return node_oracle.require("v1")


def tree(folder: Path) -> Tree:
    """The files of a folder as a tree."""
    found = (p for p in folder.rglob("*") if p.is_file() and "node_modules" not in p.parts)
    return Tree.of({p.relative_to(folder).as_posix(): p.read_bytes() for p in found})


def read(folder: Path) -> chain.Chain:
    """The chain of the only project of a folder."""
    files = tree(folder)
    return chain.read(files, projects.find(files)[0])


def generated(oracle, folder: Path, steps=STEPS) -> Path:
    """A history that drizzle-kit generates, a migration a step."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "drizzle.config.ts").write_text(CONFIG)
    for number, step in enumerate(steps):
        (folder / "schema.ts").write_text(HEAD + step)
        oracle.kit(folder, "generate", f"--name=step{number}")
    return folder


@pytest.fixture(scope="module")
def history_v0(v0, tmp_path_factory):
    """A generated v0 history, with a custom migration at its end."""
    folder = generated(v0, tmp_path_factory.mktemp("v0"))
    v0.kit(folder, "generate", "--custom", "--name=custom")
    return folder


@pytest.fixture(scope="module")
def history_v1(v1, tmp_path_factory):
    """A generated v1 history."""
    folder = generated(v1, tmp_path_factory.mktemp("v1"))
    v1.kit(folder, "generate", "--custom", "--name=custom")
    return folder


@pytest.mark.parametrize("which", ["history_v0", "history_v1"])
def test_what_drizzle_kit_generates_is_undamaged(which, request):
    """Journal, snapshots and files of both generations are read whole."""
    found = read(request.getfixturevalue(which))
    assert found.damage == ()
    assert [m.tag.rpartition("_")[2] for m in found.migrations] == ["step0", "step1", "step2", "step3", "custom"]
    assert len(found.snapshots) == 5
    assert {s.version for s in found.snapshots} <= set(KNOWN[found.project.format])
    assert found.migrations[-1].statements == ()
    assert all(m.statements and m.unread is None for m in found.migrations[:-1])


READ = """import { readMigrationFiles } from "drizzle-orm/migrator";
import { readFileSync } from "node:fs";
const folders = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(folders.map((migrationsFolder) => readMigrationFiles({ migrationsFolder }))));
"""


@pytest.mark.parametrize(("which", "oracle"), [("history_v0", "v0"), ("history_v1", "v1")])
def test_the_migrator_reads_the_same(which, oracle, request):
    """Order, chunks, hashes and times."""
    folder = request.getfixturevalue(which)
    (theirs,) = request.getfixturevalue(oracle).ask(READ, folder, [str(folder / "drizzle")])
    ours = read(folder).migrations
    assert [(list(m.chunks), m.hash, m.when) for m in ours] == [
        (t["sql"], t["hash"], t["folderMillis"]) for t in theirs
    ]


NASTY = st.lists(
    st.sampled_from(["--> statement-breakpoint", "select 1;", "\r\n", "\n", "'", "$$", "é", "\ufeff", "\0", "😀", "--", "/*", "\t"])
    | st.text(max_size=4)
    | st.just("\x85"),
    max_size=12,
).map("".join)  # fmt: skip


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(NASTY.map(lambda t: t.encode("utf-8", "replace")) | st.binary(max_size=60), min_size=150, max_size=200))
def test_any_bytes_are_cut_and_hashed_as_the_migrator_does(v0, v1, tmp_path, texts):
    """Markers anywhere, broken UTF-8, byte order marks, zero bytes, any line end."""
    shutil.rmtree(tmp_path / "nasty", ignore_errors=True)
    old, new = tmp_path / "nasty" / "v0", tmp_path / "nasty" / "v1"
    (old / "meta").mkdir(parents=True)
    (old / "meta/_journal.json").write_text(
        json.dumps({"dialect": "postgresql", "entries": [entry(n, f"{n:04}_x") for n in range(len(texts))]})
    )
    for number, text in enumerate(texts):
        (old / f"{number:04}_x.sql").write_bytes(text)
        (new / f"20260101{number:06}_x").mkdir(parents=True)
        (new / f"20260101{number:06}_x/migration.sql").write_bytes(text)
    for oracle, folder in ((v0, old), (v1, new)):
        (theirs,) = oracle.ask(READ, tmp_path / f"ask{oracle.version}", [str(folder)])
        files = tree(folder)
        project = projects.Project(root="", format=oracle.version, migrations_dir="")
        ours = chain.read(files, project).migrations
        assert [(list(m.chunks), m.hash, m.when) for m in ours] == [
            (t["sql"], t["hash"], t["folderMillis"]) for t in theirs
        ]


@settings(max_examples=5, deadline=None)
@given(st.lists(st.text("0123456789_-abcABC.zZ", min_size=1, max_size=6), min_size=60, max_size=120, unique=True))
def test_names_are_sorted_as_the_migrator_sorts_them(v1, tmp_path_factory, names):
    """By localeCompare, not by code units."""
    folder = tmp_path_factory.getbasetemp() / "collation"
    script = 'import { readFileSync } from "node:fs"; console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).sort((a, b) => a.localeCompare(b))));'
    assert sorted(names, key=collation.key) == v1.ask(script, folder, names)


@settings(max_examples=3, deadline=None)
@given(st.lists(st.integers(0, 99991231235959).map(lambda n: f"{n:014}"), min_size=50, max_size=100))
def test_times_of_folders_are_read_as_the_migrator_reads_them(v1, tmp_path_factory, stamps):
    """Impossible months and days overflow into the next."""
    stamps = [s for s in stamps if s[:4] != "0000"]
    script = """import { readFileSync } from "node:fs"; import { formatToMillis } from "drizzle-orm/migrator.utils";
console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(formatToMillis)));"""
    theirs = v1.ask(script, tmp_path_factory.getbasetemp() / "times", stamps)
    assert [folders.milliseconds(s) for s in stamps] == theirs


def test_two_snapshots_of_one_parent_are_a_collision_for_drizzle_kit_too(v0, history_v0, tmp_path):
    """`drizzle-kit check` fails where we say `two-children`, and warns where we say `when`."""
    for folder in ("fork", "times"):
        shutil.copytree(history_v0, tmp_path / folder, symlinks=True)
    fork = tmp_path / "fork/drizzle/meta/0002_snapshot.json"
    ids = json.loads((tmp_path / "fork/drizzle/meta/0001_snapshot.json").read_text())
    fork.write_text(json.dumps({**json.loads(fork.read_text()), "prevId": ids["prevId"]}))
    assert "two-children" in {d.problem for d in read(tmp_path / "fork").damage}
    assert v0.kit(tmp_path / "fork", "check", check=False).returncode == 1
    journal = tmp_path / "times/drizzle/meta/_journal.json"
    listed = json.loads(journal.read_text())
    listed["entries"][2]["when"] = listed["entries"][0]["when"]
    journal.write_text(json.dumps(listed))
    assert {(d.problem, d.tag) for d in read(tmp_path / "times").damage} == {("when", "0002_step2")}
    assert "0002_step2" in v0.kit(tmp_path / "times", "check", check=False).stderr


@pytest.mark.parametrize("name", ["20260101000000_a", "0003_lost"])
def test_damaged_v1_folders_are_refused_by_drizzle_kit_too(v1, history_v1, tmp_path, name):
    """A missing parent, and a folder that sorts before its parent."""
    folder = tmp_path / "copy"
    shutil.copytree(history_v1, folder, symlinks=True)
    first, second = sorted(p for p in (folder / "drizzle").iterdir() if p.is_dir())[:2]
    if name == "0003_lost":
        shutil.rmtree(second)
        expected = "parent-missing"
    else:
        second.rename(second.with_name("20000101000000_early"))
        expected = "before-parent"
    assert first.exists()
    assert expected in {d.problem for d in read(folder).damage}
    assert v1.kit(folder, "check", check=False).returncode == 1


def rows(found):
    """Entities without what only tells how a name came about."""
    return sorted(json.dumps({k: v for k, v in row.items() if k != "nameExplicit"}, sort_keys=True) for row in found)


def test_deltas_add_up_to_what_a_fresh_start_writes(v1, history_v1, tmp_path):
    """The schema of the last of many snapshots is that of one base snapshot of the same schema.ts."""
    many = read(history_v1)
    one = read(generated(v1, tmp_path / "fresh", STEPS[-1:]))
    assert many.last_snapshot is not None
    assert one.last_snapshot is not None
    assert rows(entities.of(many, many.last_snapshot)) == rows(entities.of(one, one.last_snapshot))


def test_renames_are_carried_to_everything_that_uses_the_name(v1, tmp_path):
    """A table, a column, an enum and a schema renamed; drizzle-kit then sees no change."""
    before = """export const mood = pgEnum("mood", ["sad", "ok"]);
export const blog = pgSchema("blog");
export const users = pgTable("users", { id: serial().primaryKey(), name: text().unique("u_name"), mood: mood() }, (t) => [index("by_name").on(t.name)]);
export const posts = blog.table("posts", { id: integer().primaryKey(), author: integer().references(() => users.id) });"""
    after = (before.replace('pgEnum("mood"', 'pgEnum("feeling"').replace('pgSchema("blog"', 'pgSchema("journal"')
             .replace('pgTable("users"', 'pgTable("people"').replace("name: text()", 'name: text("full_name")'))  # fmt: skip
    hints = [
        {"type": "rename", "kind": "enum", "from": ["public", "mood"], "to": ["public", "feeling"]},
        {"type": "rename", "kind": "schema", "from": ["blog"], "to": ["journal"]},
        {"type": "rename", "kind": "table", "from": ["public", "users"], "to": ["public", "people"]},
        {
            "type": "rename",
            "kind": "column",
            "from": ["public", "people", "name"],
            "to": ["public", "people", "full_name"],
        },
    ]
    head = HEAD.splitlines()[0] + "\n"
    folder = tmp_path / "renames"
    folder.mkdir()
    (folder / "drizzle.config.ts").write_text(CONFIG)
    (folder / "schema.ts").write_text(head + before)
    v1.kit(folder, "generate", "--name=start")
    (folder / "schema.ts").write_text(head + after)
    done = v1.kit(folder, "generate", "--name=renames", "--hints", json.dumps(hints), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    many = read(folder)
    assert len(many.snapshots) == 2
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    (fresh / "drizzle.config.ts").write_text(CONFIG)
    (fresh / "schema.ts").write_text(head + after)
    v1.kit(fresh, "generate", "--name=start")
    one = read(fresh)
    names = {
        (r["entityType"], r.get("schema"), r.get("table"), r["name"]) for r in entities.of(many, many.snapshots[-1])
    }
    expected = {
        (r["entityType"], r.get("schema"), r.get("table"), r["name"]) for r in entities.of(one, one.snapshots[-1])
    }
    assert {n for n in names if n[0] in {"tables", "columns", "enums", "schemas", "indexes"}} == {
        n for n in expected if n[0] in {"tables", "columns", "enums", "schemas", "indexes"}
    }
    fks = [r for r in entities.of(many, many.snapshots[-1]) if r["entityType"] == "fks"]
    assert [(r["schema"], r["schemaTo"], r["tableTo"], r["columnsTo"]) for r in fks] == [
        ("journal", "public", "people", ["id"])
    ]


def branched(v1, history: Path, folder: Path, ours: str, theirs: str) -> tuple[Path, list[str]]:
    """A history on which two branches generated a migration each, as a git merge leaves it, and the names of the two."""
    shutil.copytree(history, folder, symlinks=True)
    made = []
    for name, schema in (("ours", ours), ("theirs", theirs)):
        side = folder.with_name(f"{folder.name}-{name}")
        shutil.copytree(history, side, symlinks=True)
        (side / "schema.ts").write_text(HEAD + schema)
        v1.kit(side, "generate", f"--name={name}")
        (new,) = {p.name for p in (side / "drizzle").iterdir()} - {p.name for p in (history / "drizzle").iterdir()}
        shutil.copytree(side / "drizzle" / new, folder / "drizzle" / new)
        made.append(new)
    return folder, made


@pytest.mark.long
@pytest.mark.parametrize(
    ("ours", "theirs", "clash"),
    [
        (("title: text()", "title: text(), a: text()"), ("title: text()", "title: text(), b: text()"), False),
        (
            ("age: integer()", "age: integer(), a: text()"),
            ("age: integer()", "age: integer(), b: text()"),
            True,
        ),  # the view
        (("age: integer()", "age: text()"), ("age: integer()", "age: bigint({ mode: 'number' })"), True),
        (("age: integer()", "age: integer().notNull()"), ("age: integer()", "age: integer().notNull()"), False),
        (("age: integer()", "age: integer(), c: text()"), ("age: integer()", "age: integer(), c: integer()"), True),
        (("title: text()", "title: text(), at: text()"), ("age: integer()", "age: integer().default(4)"), False),
    ],
)
def test_branches_clash_where_drizzle_kit_says_so(v1, history_v1, tmp_path, ours, theirs, clash):  # noqa: PLR0917 - cases
    """The merged folder is refused by `drizzle-kit check` exactly where the plan has a conflict with base."""
    sides = [STEPS[-1].replace(*change) for change in (ours, theirs)]
    merged, (own, other) = branched(v1, history_v1, tmp_path / "merged", *sides)
    (merged / "schema.ts").write_text(HEAD + STEPS[-1])
    before = tree(history_v1)
    files = {p: before.read(p) or b"" for p in before}
    everything = tree(merged)

    def grown(name: str) -> dict[str, bytes]:
        return files | {p: everything.read(p) or b"" for p in everything.under(f"drizzle/{name}")}

    made = planned(files, grown(own), grown(other))
    assert bool(made.conflicts) is clash
    told = [fact for fact in made.facts if not isinstance(fact, OutOfOrder)]  # a folder that sorts early is no clash
    assert [getattr(fact, "problem", None) for fact in told] == (["branches-clash"] if clash else [])
    verdict = v1.kit(merged, "check", "--output", "json", check=False)
    assert ("conflicts" in verdict.stdout and verdict.returncode == 1) is clash, verdict.stdout


def test_an_upgrade_by_drizzle_kit_deletes_and_adds_nothing(v1, history_v0, tmp_path):
    """`drizzle-kit up` makes folders of v0's files; databases that ran them have nothing pending."""
    start, folder = tmp_path / "start", tmp_path / "upgraded"
    shutil.copytree(history_v0, start, ignore=shutil.ignore_patterns("node_modules"))
    journal = start / "drizzle/meta/_journal.json"
    listed = json.loads(journal.read_text())
    for number, each in enumerate(listed["entries"]):
        each["when"] += number * 5000  # drizzle-kit cannot upgrade two of the same second
    journal.write_text(json.dumps(listed, indent=2))
    shutil.copytree(start, folder)
    v1.kit(folder, "up")
    made = planned(*({p: files.read(p) or b"" for p in files} for files in (tree(start), tree(folder))))
    assert (made.base.project.format, made.head.project.format, len(made.head.migrations)) == ("v0", "v1", 5)
    assert (made.facts, made.added, made.deleted, made.pending) == ((), (), (), ())


def test_two_branches_that_drizzle_kit_generated_collide(v0, history_v0, tmp_path):
    """The branch that was generated first is skipped where the other one is deployed; after a second generation it is sound."""
    sides = []
    for name, schema in (("ours", "age: integer(), a: text()"), ("theirs", "age: integer(), b: text()")):
        side = tmp_path / name
        shutil.copytree(history_v0, side, symlinks=True)
        (side / "schema.ts").write_text(HEAD + STEPS[-1].replace("age: integer()", schema))
        v0.kit(side, "generate", f"--name={name}")
        sides.append({p: files.read(p) or b"" for files in [tree(side)] for p in files})
    start = {p: files.read(p) or b"" for files in [tree(history_v0)] for p in files}
    ours, theirs = sides
    made = planned(start, ours, theirs)
    assert made.would_skip == ("0005_ours",)
    assert {type(f).__name__ for f in made.facts} == {"NumberCollision", "SilentlySkipped"}
    assert [c.kind for c in made.conflicts] == ["idx"]
    (tmp_path / "theirs/schema.ts").write_text(
        HEAD + STEPS[-1].replace("age: integer()", "age: integer(), b: text(), a: text()")
    )
    v0.kit(tmp_path / "theirs", "generate", "--name=again")
    again = {p: files.read(p) or b"" for files in [tree(tmp_path / "theirs")] for p in files}
    made = planned(theirs, again)
    assert (made.facts, made.conflicts, [m.tag for m in made.pending]) == ((), (), ["0006_again"])


def test_a_story_of_the_other_tests_is_sound_for_drizzle_kit(v0, tmp_path):
    """So those tests speak of real histories."""
    story = Story().add("users").add("orders")
    for path, text in story.files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(str(text))
    (theirs,) = v0.ask(READ, tmp_path, [str(tmp_path / "drizzle")])
    assert [t["hash"] for t in theirs] == [m.hash for m in story.chain().migrations]
