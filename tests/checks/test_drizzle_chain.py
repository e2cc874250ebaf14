"""Chains are read as far as they can be, with a fact for every damage and never an exception."""

import contextlib
import hashlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.drizzle import chain, entities, folders, journal, projects, snapshots
from checks.drizzle.model import Project
from checks.drizzle.snapshots import ROOT
from checks.tree import Entry, Tree
from tests.checks.drizzle_samples import CONFIG, Story, entry, folder_v1, snapshot

JOURNAL = "drizzle/meta/_journal.json"


def damage(story: Story) -> set[tuple[str, str, str | None]]:
    """Area, problem and tag of all damage."""
    return {(d.area, d.problem, d.tag) for d in story.chain().damage}


def three() -> Story:
    """A sound history of three migrations."""
    return Story().add("users").add("orders").add("refunds")


def test_a_sound_history_has_no_damage():
    """Migrations come in the journal's order, each with its snapshot."""
    read = three().chain()
    assert [m.tag for m in read.migrations] == ["0000_users", "0001_orders", "0002_refunds"]
    assert [s.tag for s in read.snapshots] == ["0000_users", "0001_orders", "0002_refunds"]
    assert read.damage == ()
    assert read.last_snapshot is not None
    assert set(read.last_snapshot.data["tables"]) == {"public.users", "public.orders", "public.refunds"}


def test_every_entry_knows_its_lines():
    """So a finding can point into the journal."""
    assert dict(three().chain().lines) == {"0000_users": (5, 11), "0001_orders": (12, 18), "0002_refunds": (19, 25)}


CASES = {
    "not JSON": (lambda s: s.put("meta/_journal.json", "{"), ("journal", "not-json", None)),
    "empty": (lambda s: s.put("meta/_journal.json", ""), ("journal", "not-json", None)),
    "a list": (lambda s: s.put("meta/_journal.json", "[]"), ("journal", "not-json", None)),
    "no entries": (
        lambda s: s.put("meta/_journal.json", '{"dialect": "postgresql"}'),
        ("journal", "wrong-shape", None),
    ),
    "deep": (lambda s: s.put("meta/_journal.json", '{"entries": ' + "[" * 100_000), ("journal", "not-json", None)),
    "a huge number": (
        lambda s: s.put("meta/_journal.json", '{"entries": [' + "9" * 10_000 + "]}"),
        ("journal", "not-json", None),
    ),
    "a string as idx": (lambda s: s.list([{**entry(0, "0000_users"), "idx": "0"}]), ("journal", "wrong-shape", None)),
    "no when": (lambda s: s.list([{**entry(0, "0000_users"), "when": None}]), ("journal", "wrong-shape", None)),
    "entries of numbers": (
        lambda s: s.put("meta/_journal.json", '{"entries": [1, 2]}'),
        ("journal", "wrong-shape", None),
    ),
    "missing file": (lambda s: s.drop("0001_orders.sql"), ("journal", "file-missing", "0001_orders")),
    "stranger": (lambda s: s.put("0003_lost.sql", "select 1"), ("journal", "not-in-journal", "0003_lost")),
    "same idx": (lambda s: s.add("more", idx=2), ("number", "idx", "0002_more")),
    "same number": (
        lambda s: s.put("0002_more.sql", "").list([*s.entries, entry(3, "0002_more")]),
        ("number", "prefix", "0002_more"),
    ),
    "negative idx": (
        lambda s: s.list([entry(-1, "0000_users"), *s.entries[1:]]),
        ("journal", "negative-idx", "0000_users"),
    ),
    "gap": (lambda s: s.add("more", idx=5), ("journal", "idx-gap", "0005_more")),
    "falling": (lambda s: s.list([s.entries[1], s.entries[0], s.entries[2]]), ("journal", "idx-falls", "0000_users")),
    "tag twice": (lambda s: s.list([*s.entries, {**s.entries[2], "idx": 3}]), ("journal", "tag-twice", "0002_refunds")),
    "climbing": (lambda s: s.list([*s.entries, entry(3, "../../secret")]), ("journal", "climbs", "../../secret")),
    "not UTF-8": (lambda s: s.put("0002_refunds.sql", b"select '\xff'"), ("journal", "sql-not-utf8", "0002_refunds")),
    "late when": (lambda s: s.add("more", when=5), ("order", "when", "0003_more")),
    "equal when": (lambda s: s.add("more", when=1_760_000_002_000), ("order", "when", "0003_more")),
    "no snapshot": (lambda s: s.drop("meta/0002_snapshot.json"), ("snapshot", "missing", "0002_refunds")),
    "no middle snapshot": (lambda s: s.drop("meta/0001_snapshot.json"), ("snapshot", "parent-missing", "0002_refunds")),
    "orphan": (
        lambda s: s.put("meta/0009_snapshot.json", snapshot("x", "id-refunds", {})),
        ("snapshot", "orphan", None),
    ),
    "broken snapshot": (lambda s: s.put("meta/0002_snapshot.json", "{"), ("snapshot", "not-json", None)),
    "snapshot of nothing": (lambda s: s.put("meta/0002_snapshot.json", "{}"), ("snapshot", "wrong-shape", None)),
    "snapshot of tomorrow": (
        lambda s: s.put("meta/0002_snapshot.json", snapshot("x", "id-orders", {}, "12")),
        ("snapshot", "unknown-version", None),
    ),
    "two children": (
        lambda s: s.put("meta/0002_snapshot.json", snapshot("x", "id-users", {})),
        ("snapshot", "two-children", "0002_refunds"),
    ),
    "a copy": (
        lambda s: s.put("meta/0002_snapshot.json", snapshot("id-orders", "id-users", {})),
        ("snapshot", "same-id", "0002_refunds"),
    ),
    "own parent": (
        lambda s: s.put("meta/0002_snapshot.json", snapshot("x", "x", {})),
        ("snapshot", "own-parent", "0002_refunds"),
    ),
}


@pytest.mark.parametrize(("harm", "expected"), CASES.values(), ids=CASES.keys())
def test_every_damage_is_told(harm, expected):
    """Each has its own word, and what can still be read is read."""
    assert expected in damage(harm(three()))


def test_conflict_markers_are_told_and_the_entries_of_both_sides_recovered():
    """A merge that was committed unresolved."""
    story = three()
    ours, theirs = (json.dumps(entry(3, f"0003_{name}"), indent=2) for name in ("ours", "theirs"))
    text = story.files[JOURNAL]
    broken = (
        text[: text.rindex("}", 0, text.rindex("]")) + 1]
        + f",\n<<<<<<< HEAD\n{ours}\n=======\n{theirs}\n>>>>>>> theirs\n  ]\n}}"
    )
    story.put("meta/_journal.json", broken).put("0003_ours.sql", "").put("0003_theirs.sql", "")
    read = story.chain()
    assert [m.tag for m in read.migrations][2:] == ["0002_refunds", "0003_ours", "0003_theirs"]
    assert [(d.problem, d.places[0].line) for d in read.damage if d.area == "journal"] == [("conflict-markers", 26)]


def test_a_journal_of_an_old_project_is_normal():
    """Journals that began with version 5 and dialect `pg` keep both; entries of any version follow."""
    story = three()
    story.put(
        "meta/_journal.json", story.files[JOURNAL].replace('"7",\n  "dialect": "postgresql"', '"5",\n  "dialect": "pg"')
    )
    assert projects.find(Tree.of(story.files))[0].format == "v0"
    assert story.chain().damage == ()


def test_a_custom_history_without_numbers_is_normal():
    """`prefix: none` writes every snapshot to one file; nothing is missing."""
    files = {"drizzle.config.ts": CONFIG, "drizzle/_a.sql": "", "drizzle/_b.sql": ""}
    story = Story({**files, "drizzle/meta/_snapshot.json": snapshot("x", ROOT, {})})
    assert damage(story.list([entry(0, "_a"), entry(1, "_b")])) == set()


def test_other_sql_beside_the_migrations_is_nobodys_business():
    """Files that say they are no migrations (seeds, undo scripts) are left alone."""
    assert damage(three().put("seed.sql", "").put("0001_orders.down.sql", "").put("notes/0007_x.sql", "")) == set()


@pytest.mark.parametrize("name", ["0002_refunds.sql", "meta/_journal.json", "meta/0002_snapshot.json"])
def test_symbolic_links_are_told_and_not_followed(name):
    """What a link points to is not in the commit."""
    story = three()
    tree = Tree.of(story.files)
    entries = [Entry(e.path, "120000" if e.path == f"drizzle/{name}" else e.mode, e.oid) for e in tree.entries()]
    blobs = {e.oid: tree.read(e.path) for e in tree.entries()}
    linked = Tree(entries, lambda oids: {oid: blobs[oid] for oid in oids})
    read = chain.read(linked, projects.find(tree)[0])
    assert "symlink" in {d.problem for d in read.damage}


@pytest.mark.parametrize(("mode", "problem"), [("120000", "symlink"), ("160000", "not-a-file")])
def test_a_migrations_folder_that_is_a_link_or_a_submodule_is_told(mode, problem):
    """It is not an empty history."""
    tree = Tree.of({"drizzle.config.ts": CONFIG, "drizzle": "../elsewhere"})
    linked = Tree([Entry(e.path, mode if e.path == "drizzle" else e.mode, e.oid) for e in tree.entries()], lambda _: {})
    read = chain.read(linked, Project(root="", format="v0", migrations_dir="drizzle"))
    assert [(d.problem, d.other) for d in read.damage] == [(problem, "drizzle")]


def test_the_hash_is_drizzles():
    """sha256 of the text with its markers and line ends."""
    story = three().put("0002_refunds.sql", "\ufeffselect 1;\r\n--> statement-breakpoint\r\nselect 2")
    read = story.chain().migrations[2]
    assert read.hash == hashlib.sha256(story.files["drizzle/0002_refunds.sql"].encode()).hexdigest()


@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=300))
def test_no_bytes_raise(one, two, three_):
    """Journal, snapshot and SQL may hold anything."""
    files = {"drizzle/meta/_journal.json": one, "drizzle/meta/0000_snapshot.json": two, "drizzle/0000_a.sql": three_}
    chain.read(Tree.of(files), Project(root="", format="v0", migrations_dir="drizzle"))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["0000_a", ROOT, "7", "postgresql"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["entries", "idx", "when", "tag", "id", "prevId", "prevIds", "version", "tables", "type"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(JSON, JSON)
def test_no_json_raises(one, two):
    """Well-formed JSON of the wrong shape is damage too."""
    text, other = json.dumps(one), json.dumps(two)
    for form in ("v0", "v1"):
        files = {"drizzle/meta/_journal.json": text, "drizzle/meta/0000_snapshot.json": other, "drizzle/0000_a.sql": ""}
        files |= (
            {"drizzle/20260101000000_a/migration.sql": "", "drizzle/20260101000000_a/snapshot.json": text}
            if form == "v1"
            else {}
        )
        read = chain.read(Tree.of(files), Project(root="", format=form, migrations_dir="drizzle"), thorough=files)
        for found in read.snapshots:
            with contextlib.suppress(entities.Unreconstructable):
                snapshots.ddl(read, found)


def test_a_journal_is_read_as_json_reads_it():
    """The line-keeping reader and the standard one agree."""
    text = three().files[JOURNAL]
    read = journal.parse(text.encode())
    assert [(e.idx, e.when, e.tag) for e in read.entries] == [
        (e["idx"], e["when"], e["tag"]) for e in json.loads(text)["entries"]
    ]
    assert (read.version, read.dialect, read.problem) == ("7", "postgresql", None)


ROWS = st.dictionaries(
    st.sampled_from(["entityType", "schema", "table", "name", "columns", "type", "roles"]),
    st.sampled_from(["tables", "columns", "pks", "public", "a", "b"])
    | st.lists(st.sampled_from(["a", "b"]))
    | st.none(),
)
DELTAS = st.fixed_dictionaries({
    "op": st.sampled_from(["create", "drop", "alter", "rename", "?"]),
    "key": st.sampled_from(['tables\0["public","a"]', 'columns\0["public","a","b"]', "x", "tables\0[[]]"]) | st.none(),
    "row": ROWS | st.integers(),
    "set": ROWS | st.none(),
})  # fmt: skip


@given(st.lists(ROWS, max_size=4), st.lists(DELTAS, max_size=6))
def test_no_deltas_raise_what_is_not_foreseen(rows, deltas):
    """A snapshot that cannot be put together is told in words."""
    base, diff = folder_v1(A, "a", [ROOT], kind="base"), folder_v1(B, "b", ["a"])
    for files, field, value in ((base, "ddl", rows), (diff, "deltas", deltas)):
        path = next(p for p in files if p.endswith("snapshot.json"))
        files[path] = json.dumps({**json.loads(files[path]), field: value})
    read = v1(base, diff)
    with contextlib.suppress(entities.Unreconstructable):
        snapshots.ddl(read, read.snapshots[-1])


# --- v1 ---------------------------------------------------------------------------------------------------------------

A, B, C = "20260101000000_a", "20260102000000_b", "20260103000000_c"
V1 = Project(root="", format="v1", migrations_dir="drizzle")


def v1(*parts: dict[str, str]) -> chain.Chain:
    """The chain of some v1 folders."""
    return chain.read(Tree.of({k: v for part in parts for k, v in part.items()}), V1)


def test_a_v1_history_is_read_in_the_order_of_names():
    """Several leaves are normal."""
    read = v1(folder_v1(C, "c", ["a"]), folder_v1(A, "a", [ROOT], kind="base"), folder_v1(B, "b", ["a"]))
    assert [m.tag for m in read.migrations] == [A, B, C]
    assert [m.when for m in read.migrations] == [1767225600000, 1767312000000, 1767398400000]
    assert read.damage == ()


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([folder_v1(A, "a", [ROOT], kind="base"), folder_v1(B, "b", ["x"])], ("parent-missing", B)),
        (
            [folder_v1(A, "a", [ROOT], kind="base"), folder_v1(B, "b", ["c"]), folder_v1(C, "c", ["a"])],
            ("before-parent", B),
        ),
        ([folder_v1(A, "a", [ROOT], kind="base"), folder_v1(B, "b", ["c"]), folder_v1(C, "c", ["b"])], ("cycle", B)),
        ([folder_v1(A, "a", [ROOT], kind="base"), folder_v1(B, "b", [ROOT], kind="base")], ("second-base", B)),
        ([folder_v1(A, "a", [ROOT])], ("base-missing", A)),
        ([folder_v1(A, "a", [ROOT], kind="base"), folder_v1(B, "a", [ROOT])], ("same-id", B)),
        ([{f"drizzle/{A}/migration.sql": "select 1"}], ("missing", A)),
        (
            [{f"drizzle/{A}/migration.sql": "", f"drizzle/{A}/snapshot.json": "<<<<<<< HEAD\n"}],
            ("conflict-markers", None),
        ),
        ([folder_v1(A, "a", [ROOT], kind="base"), {JOURNAL: "{}"}], ("left-behind", None)),
        ([folder_v1(A, "a", [ROOT], kind="base"), folder_v1("zz", "z", ["a"])], ("no-time", "zz")),
    ],
)
def test_every_damage_of_a_v1_history_is_told(parts, expected):
    """Each has its own word."""
    assert expected in {(d.problem, d.tag) for d in v1(*parts).damage}


@pytest.mark.parametrize(
    ("name", "when"), [("20261301000000_x", 1798761600000), ("20260101000000", 1767225600000), ("x", None)]
)
def test_the_time_of_a_folder_is_what_date_utc_makes_of_it(name, when):
    """A thirteenth month is next January."""
    assert folders.milliseconds(name) == when


def test_a_long_chain_with_large_snapshots_is_read_quickly():
    """Of 300 snapshots of 1 MB only the last is parsed."""
    story = Story()
    entries, parent = [], ROOT
    for number in range(300):
        tag = f"{number:04}_m"
        entries.append(entry(number, tag))
        story.put(f"{tag}.sql", "select 1;\n--> statement-breakpoint\n" * 10)
        text = snapshot(f"id{number}", parent, {f"t{n}_{number}": ["a" * 40] * 1 for n in range(30)})
        story.put(
            f"meta/{number:04}_snapshot.json",
            text.rstrip("}") + " " * 1_000_000 + "}" * (len(text) - len(text.rstrip("}"))),
        )
        parent = f"id{number}"
    story.list(entries)
    tree = Tree.of(story.files)
    project = projects.find(tree)[0]
    started = time.process_time()
    read = chain.read(tree, project)
    assert (len(read.migrations), len(read.snapshots), read.damage) == (300, 300, ())
    assert time.process_time() - started < 2
