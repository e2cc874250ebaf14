"""Three-way merges of snapshots: base's last one plus a migration's own change, or a contradiction that is said."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.drizzle import conflicted, journal_writing, merge_snapshots, names, snapshot_versions
from tests.checks.sync_samples import column, shop


def start() -> dict[str, Any]:
    """Users and orders, an enum, an index."""
    data = copy.deepcopy(shop().last)
    assert data is not None
    data["enums"]["public.mood"] = {"name": "mood", "schema": "public", "values": ["a", "b"]}
    data["tables"]["public.users"]["columns"]["age"] = column("age", "integer")
    return data


def merged(base: Callable[[Any], Any], head: Callable[[Any], Any], **more: Any) -> merge_snapshots.Merged:
    """Both changes, made to the same start."""
    before, one, other = start(), start(), start()
    base(one)
    head(other)
    return merge_snapshots.merge(before, one, other, **more)


def users(data: dict[str, Any]) -> dict[str, Any]:
    """A table."""
    return data["tables"]["public.users"]


def test_different_things_are_both_there() -> None:
    """Columns of one table, fields of one column."""
    found = merged(
        lambda d: (users(d)["columns"].update(x=column("x")), users(d)["columns"]["age"].update(notNull=True)),
        lambda d: (users(d)["columns"].update(y=column("y")), users(d)["columns"]["age"].update(default=7)),
    )
    assert list(users(found.data)["columns"]) == ["id", "age", "x", "y"]
    assert users(found.data)["columns"]["age"] == column("age", "integer", notNull=True) | {"default": 7}
    assert (found.clashes, found.twice) == ([], [])


@pytest.mark.parametrize(
    ("base", "head", "words"),
    [
        (lambda d: users(d)["columns"].update(x=column("x", "text")), lambda d: users(d)["columns"].update(x=column("x", "integer")),
         "column users.x: base made it `text`, this branch makes it `integer`"),
        (lambda d: d["tables"].pop("public.users"), lambda d: users(d)["columns"].update(x=column("x")),
         "table users: base dropped it or renamed it, this branch changes it"),
        (lambda d: users(d)["columns"].update(x=column("x")), lambda d: d["tables"].pop("public.users"),
         "table users: base changed it, this branch drops it"),
        (lambda d: users(d)["columns"]["age"].update(type="bigint"), lambda d: users(d)["columns"]["age"].update(type="text"),
         "column users.age (type): base made it `bigint`, this branch makes it `text`"),
        (lambda d: users(d)["indexes"].update(i={"name": "i", "columns": [{"expression": "age", "isExpression": False}]}),
         lambda d: users(d)["columns"].pop("age"), "index i: base or this branch dropped column users.age, this branch the other uses it"),
        (lambda d: d["enums"]["public.mood"].update(values=["a", "b", "c"]), lambda d: d["enums"]["public.mood"].update(values=["a"]),
         "enum mood: base made it `a, b, c`, this branch makes it `a`"),
    ],
)  # fmt: skip
def test_contradictions(base, head, words: str) -> None:
    """Each is told with both sides."""
    assert [str(c) for c in merged(base, head).clashes] == [words]


@pytest.mark.parametrize(
    ("base", "head", "values"),
    [(["a", "b", "x"], ["a", "b", "y"], ["a", "b", "x", "y"]), (["a", "b", "x"], ["y", "a", "b"], ["y", "a", "b", "x"]),
     (["x", "a", "b"], ["a", "y", "b"], ["x", "a", "y", "b"]), (["b"], ["a", "b", "y"], ["b", "y"]), (["b"], ["y", "a", "b"], None)],
)  # fmt: skip
def test_values_of_an_enum(base: list[str], head: list[str], values: list[str] | None) -> None:
    """Where drizzle-kit's `ADD VALUE … BEFORE` puts them."""
    assert merge_snapshots.joined(["a", "b"], base, head) == values


def test_the_same_twice_is_told() -> None:
    """It is in the result once, and named."""
    same = lambda d: users(d)["columns"].update(x=column("x"))  # noqa: E731 - one change, made twice
    found = merged(same, same)
    assert (found.clashes, found.twice) == ([], [("column users.x", "x")])


def test_a_rename_takes_along_what_base_did() -> None:
    """Head renames a table and a column; base's new column and foreign key follow."""

    def base(d: dict[str, Any]) -> None:
        users(d)["columns"]["x"] = column("x")
        fk = {
            "name": "f",
            "tableFrom": "orders",
            "tableTo": "users",
            "schemaTo": "",
            "columnsFrom": ["id"],
            "columnsTo": ["age"],
        }
        d["tables"]["public.orders"]["foreignKeys"]["f"] = fk

    def head(d: dict[str, Any]) -> None:
        table = d["tables"].pop("public.users")
        table["name"] = "people"
        table["columns"]["years"] = {**table["columns"].pop("age"), "name": "years"}
        d["tables"]["public.people"] = table
        d["_meta"] = {"schemas": {}, "tables": {'"public"."users"': '"public"."people"'},
                      "columns": {'"public"."people"."age"': '"public"."people"."years"'}}  # fmt: skip

    found = merged(base, head)
    assert found.clashes == []
    assert set(found.data["tables"]) == {"public.people", "public.orders"}
    assert set(found.data["tables"]["public.people"]["columns"]) == {"id", "years", "x"}
    fk = found.data["tables"]["public.orders"]["foreignKeys"]["f"]
    assert (fk["tableTo"], fk["columnsTo"]) == ("people", ["years"])
    lost = merged(lambda d: users(d)["columns"].pop("age"), head)
    assert [c.what for c in lost.clashes] == ["column people.age"]


def test_what_was_forgotten_stays() -> None:
    """A table that head's snapshot lacks and its SQL never names."""
    head = lambda d: d["tables"].pop("public.orders")  # noqa: E731 - one change
    assert "public.orders" in merged(lambda _: None, head, mentions=lambda name: name != "orders").data["tables"]
    assert "public.orders" not in merged(lambda _: None, head).data["tables"]


def test_version_five_becomes_seven() -> None:
    """As `drizzle-kit up` does it."""
    five = {
        "version": "5", "dialect": "pg", "id": "a", "prevId": "b", "schemas": {}, "_meta": {},
        "enums": {"mood": {"name": "mood", "values": {"a": "a", "b": "b"}}},
        "tables": {"users": {"name": "users", "schema": "", "columns": {}, "indexes": {"i": {"name": "i", "columns": ["id"], "isUnique": False}}}},
    }  # fmt: skip
    seven = snapshot_versions.lift(five, "7")
    assert (seven["version"], seven["dialect"]) == ("7", "postgresql")
    assert seven["enums"]["public.mood"]["values"] == ["a", "b"]
    assert seven["tables"]["public.users"]["indexes"]["i"]["columns"][0]["expression"] == "id"
    assert snapshot_versions.lift(seven, "5") is seven


@given(st.text(alphabet="a\n<=>|x ", max_size=200))
def test_markers_of_any_text(text: str) -> None:
    """Nothing raises; what is told apart has no markers."""
    found = conflicted.sides(text)
    assert found is None or not any(line.startswith("<<<<<<<") for side in found for line in side.splitlines())


def test_markers_inside_an_entry() -> None:
    """As git writes them, with and without the common ancestor."""
    text = "a\n<<<<<<< HEAD\nb\n||||||| x\no\n=======\nc\n>>>>>>> main\nd\n"
    assert conflicted.sides(text) == ("a\nb\nd\n", "a\nc\nd\n")
    assert conflicted.sides("<<<<<<< a\n<<<<<<< b\n=======\n>>>>>>> c\n") is None


@given(
    indent=st.sampled_from([None, 1, 2, 4, "\t"]),
    count=st.integers(0, 3),
    end=st.sampled_from(["", "\n"]),
    crlf=st.booleans(),
)
def test_a_journal_grows_in_its_own_manner(indent, count: int, end: str, crlf: bool) -> None:  # noqa: FBT001 - drawn
    """Appending is what writing all of it would give."""
    entries = [{"idx": n, "version": "7", "when": n, "tag": f"000{n}_x", "breakpoints": True} for n in range(count + 2)]

    def written(listed: list[dict[str, Any]]) -> str:
        text = json.dumps({"version": "7", "dialect": "postgresql", "entries": listed}, indent=indent) + end
        return text.replace("\n", "\r\n") if crlf else text

    made = journal_writing.append(written(entries[:count]), entries[count:])
    assert json.loads(made)["entries"] == entries
    if count:
        assert made == written(entries)


@pytest.mark.parametrize(
    ("tags", "found"),
    [(["0000_a", "0001_b"], "index"), (["20240101000000_a"], "timestamp"), (["1700000000_a"], "unix"), (["a", "b"], "none"),
     (["0000_a", "20240101000000_b"], "timestamp"), (["0001_a", "hotfix"], "index")],
)  # fmt: skip
def test_styles(tags: list[str], found: str) -> None:
    """The latest tag that shows one tells."""
    assert names.style(tags) == found


def test_names() -> None:
    """Behind what is there, never taken twice, in the width that base has."""
    index = names.Names("index", ["0000_a", "0007_b"], ["0009_stray", "other"])
    assert [index.next("0003_x", idx=2, when=1), index.next("0003_x", idx=3, when=2), index.next("plain", idx=4, when=3)] == [
        "0008_x", "0009_x", "0010_plain",
    ]  # fmt: skip
    none = names.Names("none", ["_a", "b"], [])
    assert [none.next("_a", idx=1, when=1), none.next("c", idx=2, when=2)] == ["_a_2", "c"]
    stamp = names.Names("timestamp", ["20240101000000_a"], [])
    assert stamp.next("20230101000000_b", idx=1, when=0) == "20240101000001_b"
    assert stamp.next("20250101000000_c", idx=2, when=0) == "20250101000000_c"
    assert names.Names("index", ["9999_a"], []).next("9999_b", idx=10_000, when=0) == "10000_b"
