"""A judgement that changes without a push: what was shown is taken back where it can be, and owned up to where it cannot."""

from typing import Any

from gate import Scripted, concluded, report, settled, until
from github import Hub, Repository

from bot.gate.reviewing import Outcome, Request
from checks.report import Finding

PATH = "lib/database/migrations/0003_order_history.sql"


def saying(judge: Scripted, *rules: str) -> None:
    """From now on the judge finds these errors."""

    def say(request: Request) -> Outcome:
        found = tuple(Finding(rule=rule, severity="error", path=PATH, line=1, message=rule) for rule in rules)
        more: dict[str, Any] = {"verdict": "block", "title": "blocked", "findings": found} if found else {}
        return Outcome(report=report(request, **more), enforced=True)

    judge.outcome = say


def test_annotations_of_an_earlier_judgement(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """GitHub cannot take an annotation back; the summary says how many are old, and none is there twice."""
    judge = Scripted()
    saying(judge, "drops-table", "number-collision")
    serve(judge=judge)
    pull = shop.open("clean")
    first = concluded(pull)
    assert [a["title"] for a in first["output"]["annotations"]] == ["drops-table", "number-collision"]
    assert "earlier judgement" not in first["output"]["summary"]
    settled(state_url)
    saying(judge, "drops-table")
    shop.push({"lib/database/migrations/meta/x.json": "{}"})
    settled(state_url)
    check = until(lambda: (run := pull.check) and "earlier" in run["output"]["summary"] and run, "it is said")
    assert "1 annotation in the files is of an earlier judgement and counts no longer" in check["output"]["summary"]
    assert len(check["output"]["annotations"]) == 2
    saying(judge)
    shop.push({"lib/database/migrations/meta/x.json": "{ }"})
    settled(state_url)
    assert pull.check is not None
    assert pull.check["conclusion"] == "success"
    assert "2 annotations in the files are of an earlier judgement" in pull.check["output"]["summary"]


def test_the_comment_of_a_forced_pull_request(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """It says first who lets it through and why, then what the report still says."""
    judge = Scripted()
    saying(judge, "drops-table")
    serve(judge=judge)
    pull = shop.open("clean")
    concluded(pull)
    settled(state_url)
    assert pull.ours[0]["body"].startswith("<!-- bulletproof -->\n### ❌")
    pull.say("/migrate force @everyone the <b>pager</b> rings", "ada")
    until(lambda: (run := pull.check) and run["conclusion"] == "success", "it goes through")
    settled(state_url)
    body = pull.ours[0]["body"]
    assert body.startswith("<!-- bulletproof -->\n### ⏩ Migration policy · forced by `ada`")
    assert "the &lt;b&gt;pager&lt;/b&gt; rings" in body
    assert "@everyone" not in body
    assert "drops-table" in body


def test_what_base_got_meanwhile(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """Code that schema.ts may import, or commits that head has, too, are looked at; a text that nobody reads is not."""
    judge = Scripted()
    serve(judge=judge)
    pull = shop.open("clean")
    concluded(pull)
    settled(state_url)
    shop.push({"docs/notes.md": "nobody reads this"})
    settled(state_url)
    assert len(judge.asked) == 1
    shop.push({"lib/database/columns.ts": "export const id = 1;"})
    settled(state_url)
    assert len(judge.asked) == 2
    shop.git.git("checkout", "--quiet", "--detach", "main")
    shop.git.git("checkout", "--quiet", "-b", "stacked")
    under = shop.git.commit({"a.md": "the lower half"})
    shop.git.commit({"b.md": "the upper half"})
    upper = shop.open("stacked")
    until(lambda: len(judge.asked) == 3, "the stack is judged")
    settled(state_url)
    shop.move(under)
    settled(state_url)
    assert upper.head in [request.head for request in judge.asked[3:]], "base has half of it by now"
