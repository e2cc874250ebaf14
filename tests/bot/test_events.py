"""Webhooks as GitHub publishes them: every event that we listen to is read, and says what to look at."""

import contextlib
import json
from pathlib import Path
from typing import Any

import openapi
import pytest
import yaml
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import events
from bot.github import client

ID = {"id": 7, "full_name": "octo/shop", "default_branch": "main"}
WHERE = {"repository": ID, "installation": {"id": 77}}
PULL = {"number": 3, "head": {"ref": "x", "sha": "a" * 40}, "base": {"ref": "main", "sha": "b" * 40}}


def read(name: str, **body: Any) -> events.Event:
    return events.read(name, json.dumps(WHERE | body).encode(), app=1)


@pytest.mark.node
def test_published_examples() -> None:
    """All of them are read; each event that the App subscribes to asks for work at least once."""
    examples = openapi.webhooks()
    if examples is None:
        pytest.skip("Node.js and npm are not here, so GitHub's examples cannot be had")
    said = yaml.safe_load((ROOT / "app.yml").read_text())["default_events"]
    working: set[str] = set()
    for name, bodies in examples.items():
        for body in bodies:
            more = {} if name.startswith("installation") else {"installation": {"id": 77}}
            event = events.read(name, json.dumps(body | more).encode())
            if event.kind != "nothing":
                working.add(name)
                assert event.key
    assert working >= set(said) - {"issue_comment"}
    assert working - set(said) <= {"issue_comment", "installation", "installation_repositories"}


def test_what_is_looked_at() -> None:
    """The same pull request is the same work, whatever happened to it."""
    opened = read("pull_request", action="opened", pull_request=PULL)
    pushed = read("pull_request", action="synchronize", pull_request=PULL)
    assert opened.kind == "pull"
    assert opened.key == pushed.key == "7#3"
    assert read("pull_request", action="labeled", pull_request=PULL) == events.NOTHING
    assert read("pull_request_review", action="submitted", pull_request=PULL).key == "7#3"


def test_a_deleted_fork() -> None:
    """What is left of it is null, and nothing is read of it."""
    pull = PULL | {"head": {"ref": "x", "sha": "a" * 40, "repo": None, "user": None}}
    assert read("pull_request", action="synchronize", pull_request=pull).kind == "pull"


def test_comments_that_say_something_to_us() -> None:
    """A comment that holds, or held, a command; on an issue that is a pull request."""
    issue = {"number": 3, "pull_request": {"url": "x"}}
    comment = {"id": 9, "body": "/migrate help", "user": {"login": "ada", "id": 1}}
    assert read("issue_comment", action="created", issue=issue, comment=comment).kind == "comment"
    assert read("issue_comment", action="created", issue={"number": 3}, comment=comment) == events.NOTHING
    plain = comment | {"body": "nice"}
    assert read("issue_comment", action="created", issue=issue, comment=plain) == events.NOTHING
    edited = {"body": {"from": "/migrate waive drops-column fine"}}
    assert read("issue_comment", action="edited", issue=issue, comment=plain, changes=edited).kind == "comment"


def test_pushes() -> None:
    """To any branch, for one that others are based on may be any; tags and the merge queue's branches are no base."""
    moved = read("push", ref="refs/heads/release/1.x", after="c" * 40)
    assert (moved.kind, moved.about["branch"], moved.about["default"]) == ("base", "release/1.x", False)
    assert read("push", ref="refs/tags/v1") == events.NOTHING
    assert read("push", ref="refs/heads/gh-readonly-queue/main/pr-1-x") == events.NOTHING


def test_unknown_and_malformed() -> None:
    """An unknown event asks for nothing; what is no JSON, or no object, is refused with a reason."""
    assert read("star", action="created") == events.NOTHING
    for body in (b"", b"{", b"[]", b'"x"', b"\xff", b'{"repository": {"id": "x", "full_name": 3}}', b"[" * 100_000):
        with pytest.raises(events.Malformed):
            events.read("pull_request", body)


@given(st.binary(max_size=200) | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.dictionaries(
    st.sampled_from(["action", "repository", "installation", "pull_request", "number", "id", "head", "sha", "ref", "full_name", "check_run"]), x
)).map(lambda x: json.dumps(x).encode()), st.sampled_from(sorted(events.NAMES)))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_anything(body: bytes, name: str) -> None:
    """Whatever comes, it is an event or a refusal."""
    with contextlib.suppress(events.Malformed):
        assert isinstance(events.read(name, body), events.Event)


def test_app_yml_is_what_the_code_uses() -> None:
    """Events and permissions: no more, no less; writing contents stays an option that is marked as one."""
    text = (ROOT / "app.yml").read_text()
    said = yaml.safe_load(text)
    assert set(said["default_events"]) == events.NAMES - {"installation", "installation_repositories", "ping"}
    asked = said["default_permissions"]
    assert {k: v for k, v in asked.items() if k != "merge_queues"} == client.PERMISSIONS
    assert asked["merge_queues"] == "read"
    assert "contents: write" in Path(ROOT / "app.yml").read_text()
    assert asked["contents"] == "read"
