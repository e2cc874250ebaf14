"""Two open pull requests that will collide: both are told, nobody is blocked, and they hear when it is over."""

import pytest
from gate import Scripted, concluded, report, settled, until
from github import Hub, Pull, Repository

from bot.gate.reviewing import Outcome, Request
from checks.rivals import Claim, Place
from tests.stories.test_gate_verdicts import renumbered


def second(shop: Repository) -> Pull:
    """Another branch of main that takes the same number as `clean`."""
    shop.git.git("checkout", "--quiet", "-B", "second", "main")
    files = renumbered(shop, "clean", "0003_second")
    shop.git.commit(files)
    return shop.open("second")


def summary(pull: Pull) -> str:
    """What its check says."""
    run = pull.check
    return run["output"]["summary"] if run is not None and run["status"] == "completed" else ""


@pytest.mark.long
def test_both_are_told_and_nobody_is_blocked(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """The check, the comment and the page of either name the other; it warns, in the same check run and comment."""
    serve()
    one = shop.open("clean")
    before = concluded(one)
    settled(state_url)
    assert "Collisions" not in before["output"]["summary"]
    two = second(shop)
    concluded(two)
    until(lambda: f"with #{two.number}" in summary(one), "the first hears of the second")
    settled(state_url)
    for this, other in ((one, two), (two, one)):
        assert f"⚠️ with #{other.number}" in summary(this)
        assert f"with #{other.number}" in this.ours[0]["body"]
        assert this.check is not None
        assert this.check["conclusion"] == "success"
        assert len(this.ours) == 1
    assert one.check is not None
    assert (one.check["id"], one.check["details_url"]) == (before["id"], before["details_url"])


def test_who_has_to_hear_does(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """Opened, pushed to without another claim, closed, reopened, retargeted: the other is asked again only where it matters."""
    judge = Scripted()
    claims = {"clean": 3, "second": 3}

    def judged(request: Request) -> Outcome:
        branch = next(p.branch for p in shop.pulls.values() if p.head == request.head)
        place = Place(folder="drizzle", tag=f"000{claims[branch]}_{branch}", idx=claims[branch])
        return Outcome(report=report(request), enforced=True, claim=Claim(places=(place,)))

    judge.outcome = judged
    serve(judge=judge)
    one = shop.open("clean")
    shop.git.git("branch", "second", "breaking")
    two = shop.open("second")
    until(lambda: "with #2" in summary(one), "the first hears of the second")
    until(lambda: "with #1" in summary(two), "and the second of the first")
    settled(state_url)
    asked, changed = len(judge.asked), one.check
    two.push({"README.md": "It still claims what it claimed."})
    settled(state_url)
    assert one.check == changed
    assert len(judge.asked) == asked + 1
    two.close()
    until(lambda: "Collisions" not in summary(one), "the first hears that it is over")
    settled(state_url)
    assert "with #" not in one.ours[0]["body"]
    two.state = "open"
    two.tell("reopened")
    until(lambda: "with #2" in summary(one), "and that it is not")
    shop.git.git("branch", "release", "main")
    two.base = "release"
    two.tell("edited", changes={"base": {"ref": {"from": "main"}, "sha": {"from": "0" * 40}}})
    until(lambda: "Collisions" not in summary(one), "another base, another chain")
    two.base = "main"
    claims["second"] = 4
    two.push({"README.md": "It takes the next number."})
    settled(state_url)
    assert "Collisions" not in summary(two)
    assert "Collisions" not in summary(one)
    heads = [request.head for request in judge.asked]
    assert heads.count(one.head) == 1, "nothing is reviewed again for another's sake"
    assert len(one.ours) == len(two.ours) == 1
