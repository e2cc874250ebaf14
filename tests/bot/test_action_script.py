"""The GitHub Action's own scripts, part by part."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.report import Finding, Report
from tests.bot.action_runner import ACTION, DEFINITION, STEPS, Command, commands
from tests.checks import render_samples as samples


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("action_review", ACTION / "review.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["action_review"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


script = _script()


def test_events_without_a_comparison_are_refused() -> None:
    """A payload that lacks what it should have asks for the inputs instead of guessing."""
    with pytest.raises(script.UserError, match="Set the inputs base and head"):
        script._of_event("pull_request", {"pull_request": None})
    with pytest.raises(script.UserError, match="deletes a branch"):
        script._of_event("push", {"ref": "refs/heads/x", "before": "1" * 40, "after": "0" * 40})


def test_a_new_branch_is_compared_with_the_default_branch() -> None:
    """A push that creates a branch, and any push elsewhere, is what a pull request would be."""
    event = {
        "ref": "refs/heads/topic",
        "before": "0" * 40,
        "after": "2" * 40,
        "repository": {"default_branch": "trunk"},
    }
    for before in ("0" * 40, "1" * 40):
        wanted = script._of_event("push", event | {"before": before})
        assert (wanted.base, wanted.head) == ("refs/remotes/origin/trunk", "2" * 40)


def test_other_events_review_what_is_checked_out() -> None:
    """`schedule` and `workflow_dispatch` compare HEAD with the default branch."""
    wanted = script._of_event("workflow_dispatch", {"repository": {"default_branch": "main"}})
    assert (wanted.base, wanted.head) == ("refs/remotes/origin/main", None)


@given(st.text(), st.text())
def test_commands_carry_any_text(message: str, path: str) -> None:
    """Whatever stands in a message or a path, the runner reads one command with exactly that."""
    (read,) = commands(script.command("error", message, file=path, title="t"))
    assert read == Command("error", {"file": path, "title": "t"}, message)


def test_the_worst_findings_are_annotated() -> None:
    """GitHub shows ten annotations of each type: errors come first, and what is left out is said."""
    many = [Finding(rule="prefer-text", severity="note", path="a.sql", line=n, message="m") for n in range(1, 15)]
    many += [Finding(rule="drops-column", severity="warning", path="a.sql", message="m", introduced=False)]
    many += [Finding(rule="banned-command", severity="error", path="a,b:c.sql", message="50 %\nmore")]
    lines = script.annotations(samples.passed().model_copy(update={"findings": tuple(many)}))
    assert lines[0] == "::error file=a%2Cb%3Ac.sql,line=1,endLine=1,title=banned-command::50 %25%0Amore"
    assert sum(line.startswith("::notice") for line in lines) == 10
    assert not any("drops-column" in line for line in lines)
    assert lines[-1] == "4 more findings without annotation: the job summary has them."


@pytest.mark.parametrize(
    ("report", "codes"),
    [
        (samples.passed(), {"block": 0, "warning": 0, "never": 0}),
        (samples.blocked(), {"block": 1, "warning": 1, "never": 0}),
        (samples.unjudged(), {"block": 3, "warning": 3, "never": 0}),
        (samples.blocked().model_copy(update={"verdict": "pass"}), {"block": 0, "warning": 1, "never": 0}),
    ],
)
def test_exit_codes(report: Report, codes: dict[str, int]) -> None:
    """`fail-on` says which verdicts fail the step; what could not be judged is not a pass."""
    assert {fail_on: script.exit_code(fail_on, report) for fail_on in codes} == codes


def test_the_summary_keeps_to_its_limit(tmp_path: Path) -> None:
    """However long a report is and whatever stands in the file already, GitHub gets at most a megabyte."""
    path = tmp_path / "summary"
    path.write_text("x" * 900_000, encoding="utf-8")
    long = samples.blocked().model_copy(update={"findings": samples.blocked().findings * 5_000})
    script.summarise({"GITHUB_STEP_SUMMARY": str(path)}, lambda room: script.markdown.text(long, limit=room))
    assert 990_000 < path.stat().st_size <= 1_000_000


def test_no_expression_stands_inside_a_script() -> None:
    """Inputs reach the scripts through the environment alone, every input and output is wired, and actions are pinned."""
    for step in STEPS:
        assert "${{" not in step.get("run", "")
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step.get("uses", "a@" + "0" * 40))
    wired = json.dumps(STEPS)
    assert all(f"inputs.{name} " in wired for name in DEFINITION["inputs"])
    source = (ACTION / "review.py").read_text(encoding="utf-8")
    asked = {name.removeprefix("BULLETPROOF_ACTION_") for step in STEPS for name in step.get("env", {})} - {"PYTHON"}
    assert all(f'"{name}"' in source for name in asked)


def test_an_old_python_is_named(tmp_path: Path) -> None:
    """Preparation on a Python that is too old says which input to set."""
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        ["bash", ACTION / "prepare.sh"],
        env={"PATH": os.environ["PATH"], "RUNNER_TEMP": str(tmp_path), "BULLETPROOF_ACTION_PYTHON": str(old)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert (
        done.stdout
        == "::error title=Bulletproof::The review needs Python 3.11 or newer. Set the input python-version.\n"
    )


@pytest.mark.long
def test_the_environment_is_made_from_the_lock(tmp_path: Path) -> None:
    """Preparation makes a Python that runs the command from anywhere; a second one finds it ready."""
    variables = dict(os.environ) | {"RUNNER_TEMP": str(tmp_path), "BULLETPROOF_ACTION_PYTHON": sys.executable}
    done = subprocess.run(["bash", ACTION / "prepare.sh"], env=variables, capture_output=True, text=True, check=False)
    if "could not be installed" in done.stdout and re.search(
        r"No matching distribution|connection|resolution", done.stderr
    ):
        pytest.skip("the packages cannot be had here (no network)")
    assert done.returncode == 0, done.stdout + done.stderr
    python = tmp_path / "bulletproof" / "venv" / "bin" / "python"
    helped = subprocess.run(
        [python, "-I", "-m", "bot", "--help"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "review" in helped.stdout
    made = python.lstat().st_mtime_ns
    subprocess.run(["bash", ACTION / "prepare.sh"], env=variables, check=True)
    assert python.lstat().st_mtime_ns == made
