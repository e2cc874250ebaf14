"""The contract's table, and GitHub's limits, whatever the report holds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import replies
from bot.gate import comment, verdicts
from bot.gate.reviewing import Outcome
from checks.report import Finding, MigrationReport, Report
from tests.checks.render_samples import blocked

MIGRATION = MigrationReport(tag="0001_x", path="drizzle/0001_x.sql", change="added")


def report(verdict: str, **more) -> Report:
    said = {"verdict": verdict, "title": "said", "base": "a" * 40, "head": "b" * 40, "merge_base": "a" * 40, **more}
    return Report.model_validate(said)


@pytest.mark.parametrize(
    ("verdict", "enforced", "conclusion"),
    [
        ("pass", True, "success"), ("pass", False, "success"),
        ("block", True, "failure"), ("block", False, "neutral"), ("block", None, "failure"),
        ("unjudged", True, "action_required"), ("unjudged", False, "neutral"), ("unjudged", None, "action_required"),
    ],
)  # fmt: skip
def test_the_table(verdict: str, enforced: bool | None, conclusion: str) -> None:  # noqa: FBT001 - a table
    """Verdict and policy file make the conclusion; what is not known is not let through."""
    said = verdicts.conclude(Outcome(report=report(verdict, migrations=(MIGRATION,)), enforced=enforced))
    assert said.conclusion == conclusion


def test_what_could_not_be_judged() -> None:
    """It offers another run, and names the delivery; it is never a pass."""
    said = verdicts.conclude(Outcome(enforced=True, why="no database", ours=True), delivery="72d3162e")
    assert (said.conclusion, said.output.title) == ("action_required", "could not judge")
    assert said.output.actions == (replies.RERUN,)
    assert "72d3162e" in said.output.summary


def test_nothing_touched() -> None:
    """One line."""
    said = verdicts.conclude(
        Outcome(report=report("pass", title="no migration or schema touched"), enforced=True), required="x"
    )
    assert (said.conclusion, said.output.summary) == ("success", "no migration or schema touched\n")


def test_the_same_judgement_is_not_written_twice() -> None:
    """Times and the page's address differ from run to run; what people read does not."""
    one = Outcome(report=blocked(), enforced=True)
    two = Outcome(report=blocked().model_copy(update={"timings_ms": {"total": 9.0}, "base": "f" * 40}), enforced=True)
    digests = [
        verdicts.digest(each, verdicts.conclude(each, url=url), "")
        for each, url in ((one, "https://a"), (two, "https://b"))
    ]
    assert digests[0] == digests[1]


NASTY = st.text(alphabet=st.sampled_from("ab`<>@#*_[]()|\\\n\t\u202e\U0001f600é &$~-"), max_size=300)


@given(st.lists(st.tuples(NASTY, NASTY, st.integers(-5, 10**9)), max_size=40), st.integers(1, 400))
@settings(max_examples=40, deadline=None)
def test_limits(found: list[tuple[str, str, int]], times: int) -> None:
    """Title 255, summary and comment 65,535 bytes, labels 20, one kind of level; the worst come first."""
    severities = ("note", "error", "warning")
    findings = tuple(
        Finding(rule="drops-column", severity=severities[n % 3], path=path or "x", line=line, end_line=line - 1, message=text * times)
        for n, (path, text, line) in enumerate(found)
    )  # fmt: skip
    made = report("block", findings=findings, migrations=(MIGRATION,), title="y" * 999)
    said = verdicts.conclude(Outcome(report=made, enforced=True), url="https://x/y", sync=True)
    assert len(said.output.title) <= 255
    assert len(said.output.summary.encode()) <= 65_535
    levels = [a.level for a in said.output.annotations]
    assert levels == sorted(levels, key=["failure", "warning", "notice"].index)
    for annotation in said.output.annotations:
        assert 1 <= annotation.line <= annotation.end_line
        assert len(annotation.message.encode()) <= 65_536
        assert len(annotation.title) <= 255
    for label, about, identifier in said.output.actions:
        assert (len(label) <= 20, len(about) <= 40, len(identifier) <= 20) == (True, True, True)
    body = comment.text(made, enforced=True, url="https://x/y")
    assert len(body.encode()) <= 65_536
    assert body.count("<!--") == 1
