"""A policy that names a deployed database: its row counts make a warning an error, and its absence changes nothing."""

import json

import pytest
from conftest import GitRepo

from bot import environments
from bot.branches.embedded import EmbeddedBranch
from checks.policy.model import EnvironmentSection
from tests.bot.database_samples import url
from tests.stories.test_review import Reviewed, Shop, story, two_sides

POLICY = "environments: {production: {url_env: PRODUCTION_READONLY_URL}}\n"
TOUCHES = 'UPDATE "orders" SET "id" = lower("id")'


def sides(repo: GitRepo) -> GitRepo:
    """A pull request that writes every row of `orders`."""
    base: Shop = story()
    base.files[".github/migration-policy.yml"] = POLICY
    return two_sides(repo, base, base.fork().add("lower", TOUCHES))


def test_a_table_that_is_large_in_production_makes_the_warning_an_error(
    repo: GitRepo, branch: EmbeddedBranch, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deployed table's rows are told, and the same statement on a small one only warns."""
    monkeypatch.setenv("PRODUCTION_READONLY_URL", url(branch))
    with branch.connect() as session:
        session.execute("CREATE TABLE orders (id text); INSERT INTO orders SELECT n FROM generate_series(1, 5000) n")
        session.execute("ANALYZE orders")
        session.commit()
    small = Reviewed(sides(repo), capsys)
    assert "updates-all-rows" in small.rules("warning")
    monkeypatch.setattr(environments, "LARGE", 1000)
    large = Reviewed(repo, capsys)
    assert (small.code, large.code) == (0, 1)
    told = [f["message"] for f in large.report["findings"] if f["severity"] == "error" and f["introduced"]]
    assert [message for message in told if "`orders` has about " in message], told
    assert not any("production" in note for note in large.report["notes"])


def test_an_environment_that_cannot_be_reached_is_a_note(
    repo: GitRepo, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verdict is the same, and no part of the address is shown."""
    monkeypatch.setenv("PRODUCTION_READONLY_URL", "postgresql://reader:s3cr3t@127.0.0.1:1/shop")
    reviewed = Reviewed(sides(repo), capsys)
    assert (reviewed.code, reviewed.verdict) == (0, "pass")
    assert [note for note in reviewed.report["notes"] if "`production`" in note]
    shown = json.dumps(reviewed.report) + reviewed.err
    assert not [part for part in ("s3cr3t", "reader", "127.0.0.1") if part in shown]


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("NOT_SET_ANYWHERE_URL", "`NOT_SET_ANYWHERE_URL` is not set here."),
        ("BULLETPROOF_DATABASE_URL", "`BULLETPROOF_DATABASE_URL` is a setting of the service, not an environment's address."),
        ("NO_ADDRESS", "The address that was given is no address of a PostgreSQL database"),
    ],
)  # fmt: skip
def test_what_may_not_or_cannot_be_asked_is_told(monkeypatch: pytest.MonkeyPatch, variable: str, said: str) -> None:
    """Never the service's own state, whatever the policy file of a repository names."""
    monkeypatch.setenv("BULLETPROOF_DATABASE_URL", "postgresql:///state")
    monkeypatch.setenv("NO_ADDRESS", "redis://cache")
    counted = environments.count({"production": EnvironmentSection(url_env=variable)})
    assert not counted.large
    assert said in counted.notes[0]
