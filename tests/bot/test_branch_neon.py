"""Branches on Neon: made through its API, used, removed, and nothing else in the project is touched."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import neon as neon_server
import psycopg
import pytest
from conftest import GitRepo

from bot import demo
from bot.branches import choice
from bot.branches import neon as provider
from bot.gate import reviewing
from bot.settings import Settings
from checks.errors import CouldNotJudge, UserError


@pytest.fixture
def there(tmp_path: Path) -> Iterator[neon_server.Neon]:
    """A Neon with one project."""
    made = neon_server.Neon(tmp_path / "neon")
    yield made
    made.close()


def ours(there: neon_server.Neon, **more: str) -> provider.Neon:
    """The provider, with the right key."""
    said = {"api_url": there.api, "key": neon_server.KEY, "project": neon_server.PROJECT} | more
    return provider.Neon(**said, tick=0.02)


def test_a_branch_comes_and_goes(there: neon_server.Neon) -> None:
    """It is waited for, has nothing of the parent's data within reach, and is removed; a long review makes one of them only."""
    with ours(there) as neon:
        with neon.branch() as branch, branch.connect() as session:
            session.execute("CREATE TABLE orders (id int)")
            assert session.info.user.startswith("bulletproof_")
            with (
                psycopg.connect(session.info.dsn, dbname="production") as parent,
                pytest.raises(psycopg.errors.InsufficientPrivilege),
            ):
                parent.execute("SELECT secret FROM orders")
        with neon.branch() as branch, branch.connect() as session:
            assert session.execute("SELECT to_regclass('orders')").fetchone() == (None,)
    assert list(there.branches) == ["br-main"]
    assert [path for method, path in there.requests if method == "POST"] == [
        "/api/v2/projects/quiet-hill-123456/branches"
    ]


def test_neon_is_busy_or_old_fashioned(there: neon_server.Neon) -> None:
    """423 is waited out; a plan without expiring branches, and an answer without an address, are no hindrance."""
    there.busy, there.expiring, there.bare = 2, False, True
    with ours(there).branch() as branch, branch.connect() as session:
        assert session.execute("SELECT 1").fetchone() == (1,)
        there.busy = 1
    assert list(there.branches) == ["br-main"]


def test_left_overs_are_swept(there: neon_server.Neon) -> None:
    """Those of ours whose review is long over; a living one, and what only looks like ours, stays."""
    old = there.leave(f"{provider.PREFIX}0123456789ab", timedelta(hours=2))
    stay = [
        there.leave(f"{provider.PREFIX}aaaaaaaaaaaa", timedelta(minutes=3)),
        there.leave("bulletproof-demo", timedelta(days=9)),
        there.leave("main-bulletproof-review-x", timedelta(days=9)),
    ]
    with ours(there).branch():
        assert old not in there.branches
    assert set(stay) < set(there.branches)


def test_what_is_wrong_is_said_without_the_key(there: neon_server.Neon) -> None:
    """A wrong key or project, an operation that fails, nobody there: a sentence, never the key, and no branch left."""
    with pytest.raises(UserError, match="BULLETPROOF_NEON_API_KEY") as caught, ours(there, key="napi_wr0ng").branch():
        pass
    assert "wr0ng" not in str(caught.value)
    with pytest.raises(UserError, match="Neon has no project other"), ours(there, project="other").branch():
        pass
    there.failing = True
    with pytest.raises(CouldNotJudge, match="create_branch failed"), ours(there).branch():
        pass
    assert list(there.branches) == ["br-main"]


def test_a_review_goes_where_it_is_told(
    there: neon_server.Neon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By the settings, or by the policy of the base; a provider that is not set up here is a note, and the usual one judges."""
    demo.build(tmp_path / "shop")
    repo = GitRepo(tmp_path / "shop")
    monkeypatch.setenv("BULLETPROOF_NEON_API_URL", there.api)
    monkeypatch.setenv("BULLETPROOF_NEON_API_KEY", neon_server.KEY)
    monkeypatch.setenv("BULLETPROOF_BRANCH_SERVER_URL", "postgresql://nobody@127.0.0.1:1/ignored")

    def judged(base: str = "main") -> reviewing.Outcome:
        git = repo.git
        return reviewing.perform(
            reviewing.Request(path=str(repo.path), base=git("rev-parse", base), head=git("rev-parse", "clean"))
        )

    repo.checkout("main")
    policy = repo.path / ".github" / "migration-policy.yml"
    repo.commit({".github/migration-policy.yml": policy.read_text() + "\nbranch: {provider: neon}\n"}, "on neon")
    outcome = judged()
    assert outcome.report is not None, outcome.why
    assert outcome.report.verdict == "pass"
    assert "`neon`; judged on `embedded` instead" in outcome.report.notes[-1]
    assert there.requests == []

    monkeypatch.setenv("BULLETPROOF_NEON_PROJECT_ID", neon_server.PROJECT)
    outcome = judged()
    assert outcome.report is not None, outcome.why
    assert (outcome.report.verdict, outcome.report.replay.from_base) == ("pass", "ok")
    assert not any("instead" in note for note in outcome.report.notes)
    assert sum(method == "POST" for method, _ in there.requests) == 1
    assert list(there.branches) == ["br-main"]
    assert neon_server.KEY not in caplog.text + outcome.model_dump_json()


def test_only_the_chosen_provider_is_set_up() -> None:
    """What the chosen one lacks is said; what others lack is nobody's business."""
    assert choice.choose(Settings(branch_server_url="nonsense", neon_api_key="x"))  # pyright: ignore[reportArgumentType]
    with pytest.raises(UserError, match="BULLETPROOF_BRANCH_SERVER_URL"):
        choice.choose(Settings(branch_provider="server"))
    with pytest.raises(UserError, match="BULLETPROOF_NEON_PROJECT_ID"):
        choice.choose(Settings(branch_provider="neon", neon_api_key="x"))  # pyright: ignore[reportArgumentType]
