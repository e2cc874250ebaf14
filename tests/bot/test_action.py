"""The GitHub Action, run as a runner runs it: its own steps from action.yml, in bash, on shallow clones, for each event."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot import demo
from checks.report import Finding, Report
from tests.checks import render_samples as samples

ROOT = Path(__file__).parent.parent.parent
ACTION = ROOT / "deploy" / "action"
DEFINITION: dict[str, Any] = yaml.safe_load((ACTION / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = DEFINITION["runs"]["steps"]


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("action_review", ACTION / "review.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["action_review"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


script = _script()


@dataclass(frozen=True)
class Command:
    """A workflow command, as the runner understands it."""

    kind: str
    properties: dict[str, str]
    message: str


@dataclass(frozen=True)
class Done:
    """What a step left behind."""

    code: int
    log: str
    commands: list[Command]
    outputs: dict[str, str]
    summary: str

    def annotations(self, kind: str) -> list[Command]:
        """The commands of a kind, in order."""
        return [c for c in self.commands if c.kind == kind]


def commands(log: str) -> list[Command]:
    """The workflow commands of a log: `::kind name=value,…::message`, unless they are stopped."""
    found: list[Command] = []
    token: str | None = None
    for line in log.split("\n"):
        match = re.match(r"\s*::([\w-]+)(?: (.*?))?::(.*)", line)
        if token is not None:
            token = None if line.strip() == f"::{token}::" else token
        elif match and match[1] == "stop-commands":
            token = match[3]
        elif match:
            pairs = [pair.partition("=") for pair in (match[2] or "").split(",") if pair]
            found.append(Command(match[1], {k: unescaped(v, ":,") for k, _, v in pairs}, unescaped(match[3])))
        else:
            assert "##[" not in line
    assert token is None, "commands were stopped and never allowed again"
    return found


def unescaped(text: str, also: str = "") -> str:
    """What the runner makes of an escaped value."""
    for character in ("\r", "\n", *also, "%"):
        text = text.replace(f"%{ord(character):02X}", character)
    return text


class Runner:
    """A machine with a workspace, its temporary folder, and the Action's Python environment already made."""

    def __init__(self, folder: Path, environment: Path) -> None:
        self.folder = folder
        self.workspace = folder / "workspace"
        self.workspace.mkdir(parents=True)
        (folder / "temp").mkdir()
        (folder / "temp" / "bulletproof").symlink_to(environment)

    def review(self, name: str, event: dict[str, Any], **inputs: str) -> Done:
        """Run the reviewing step of action.yml for an event."""
        files = {file: self.folder / file for file in ("output", "summary", "event.json")}
        for file in files.values():
            file.write_text("", encoding="utf-8")
        files["event.json"].write_text(json.dumps(event), encoding="utf-8")
        step = next(step for step in STEPS if step.get("id") == "review")
        given_inputs = {key: str(about["default"]) for key, about in DEFINITION["inputs"].items()}
        given_inputs |= {key.replace("_", "-"): value for key, value in inputs.items()}
        from_inputs = {
            key: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda m: given_inputs[m[1]], value)
            for key, value in step["env"].items()
        }
        runs = self.folder / "step.sh"
        runs.write_text(step["run"], encoding="utf-8")
        kept = {
            k: v
            for k, v in os.environ.items()
            if k in {"PATH", "HOME", "LANG", "TMPDIR"} or k.startswith("BULLETPROOF_")
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(runs)],
            cwd=self.workspace,
            env=kept
            | from_inputs
            | {
                "GITHUB_ACTION_PATH": str(ACTION),
                "GITHUB_EVENT_NAME": name,
                "GITHUB_EVENT_PATH": str(files["event.json"]),
                "GITHUB_OUTPUT": str(files["output"]),
                "GITHUB_STEP_SUMMARY": str(files["summary"]),
                "GITHUB_WORKSPACE": str(self.workspace),
                "RUNNER_TEMP": str(self.folder / "temp"),
                "BULLETPROOF_DATA_DIR": str(self.folder / "temp" / "data"),
            },
            capture_output=True,
            check=False,
        )
        log = done.stdout.decode() + done.stderr.decode()
        assert "Traceback" not in log, log
        outputs = dict(
            re.findall(r"^(\w+)<<(?:end-\w+)\n(.*)\nend-\w+\n", files["output"].read_text("utf-8"), re.MULTILINE)
        )
        return Done(done.returncode, log, commands(log), outputs, files["summary"].read_text("utf-8"))


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Action's environment: a venv of its own that finds this checkout, and the packages of the tests."""
    home = tmp_path_factory.mktemp("action")
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", home / "venv"], check=True)
    (site,) = (home / "venv" / "lib").glob("python3*/site-packages")
    (site / "bulletproof.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return home


@pytest.fixture
def runner(tmp_path: Path, environment: Path) -> Runner:
    """A fresh runner."""
    return Runner(tmp_path / "runner", environment)


class Origin:
    """The shop of the demo on a server, with its two pull requests."""

    def __init__(self, path: Path) -> None:
        self.path = path
        demo.build(path)
        for number, branch in ((1, "clean"), (2, "breaking")):
            self.git("update-ref", f"refs/pull/{number}/head", branch)
            merge = self.git("commit-tree", f"{branch}^{{tree}}", "-p", "main", "-p", branch, "-m", "merge")
            self.git("update-ref", f"refs/pull/{number}/merge", merge)

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run git on the server, or in a clone."""
        names = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        done = subprocess.run(
            ["git", *names, *arguments], cwd=cwd or self.path, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def check_out(self, ref: str, workspace: Path) -> None:
        """What actions/checkout does by default: one commit, and nothing of its history."""
        self.git("init", "--quiet", cwd=workspace)
        self.git("remote", "add", "origin", f"file://{self.path}", cwd=workspace)
        self.git("fetch", "--quiet", "--no-tags", "--depth=1", "origin", ref, cwd=workspace)
        self.git("checkout", "--quiet", "--detach", "FETCH_HEAD", cwd=workspace)

    def pull_request(self, number: int) -> dict[str, Any]:
        """The payload; its base commit is out of date, as GitHub's is."""
        head = self.git("rev-parse", f"refs/pull/{number}/head")
        stale = self.git("rev-parse", "main~1")
        return {"pull_request": {"number": number, "head": {"sha": head}, "base": {"ref": "main", "sha": stale}}}


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    """A server with the shop."""
    return Origin(tmp_path / "origin")


def test_a_breaking_pull_request_fails_the_step(runner: Runner, origin: Origin) -> None:
    """Log, annotations, summary, SARIF and outputs tell of the block, and the step fails, from a clone of depth one."""
    origin.check_out("refs/pull/2/merge", runner.workspace)
    event = origin.pull_request(2)
    done = runner.review("pull_request", event, sarif_file="out/bulletproof.sarif", offline="true")
    assert done.code == 1, done.log
    assert done.outputs["verdict"] == "block"
    report = Report.model_validate_json(Path(done.outputs["report"]).read_bytes())
    assert report.head == event["pull_request"]["head"]["sha"]
    assert report.base == origin.git("rev-parse", "main")
    assert "blocked: " in done.log
    errors = [f for f in report.findings if f.severity == "error" and f.introduced and f.waived is None]
    assert [c.properties["title"] for c in done.annotations("error")] == [f.rule for f in errors][:10]
    assert all((runner.workspace / c.properties["file"]).exists() for c in done.annotations("error"))
    assert done.summary.startswith("### ❌ Migration policy · blocked")
    assert json.loads((runner.workspace / "out" / "bulletproof.sarif").read_bytes())["version"] == "2.1.0"
    assert done.outputs["sarif"] == str(runner.workspace / "out" / "bulletproof.sarif")


def test_a_clean_pull_request_passes(runner: Runner, origin: Origin) -> None:
    """With PostgreSQL as the judge, a clean pull request passes and annotates no error."""
    origin.check_out("refs/pull/1/merge", runner.workspace)
    done = runner.review("pull_request", origin.pull_request(1))
    assert done.code == 0, done.log
    assert done.outputs["verdict"] == "pass"
    assert done.annotations("error") == []
    assert done.summary.startswith("### ✅ Migration policy · passed")


def test_a_push_is_compared_with_what_was_there(runner: Runner, origin: Origin) -> None:
    """A push onto the default branch reviews just what it brought."""
    before, after = origin.git("rev-parse", "main~1"), origin.git("rev-parse", "main")
    origin.check_out("main", runner.workspace)
    event = {"ref": "refs/heads/main", "before": before, "after": after, "repository": {"default_branch": "main"}}
    done = runner.review("push", event, offline="true")
    assert done.code == 0, done.log
    report = Report.model_validate_json(Path(done.outputs["report"]).read_bytes())
    assert (report.base, report.head) == (before, after)
    assert [m.tag for m in report.migrations] == ["0002_discounts"]


def test_a_merge_group_is_compared_with_its_base(runner: Runner, origin: Origin) -> None:
    """In the merge queue, the group's commits are what is reviewed."""
    base, head = origin.git("rev-parse", "main"), origin.git("rev-parse", "refs/pull/1/merge")
    origin.git("update-ref", "refs/heads/gh-readonly-queue/main/pr-1", head)
    origin.check_out("refs/heads/gh-readonly-queue/main/pr-1", runner.workspace)
    done = runner.review("merge_group", {"merge_group": {"base_sha": base, "head_sha": head}}, offline="true")
    assert done.code == 0, done.log
    report = Report.model_validate_json(Path(done.outputs["report"]).read_bytes())
    assert (report.base, report.head) == (base, head)


def test_a_shallow_clone_that_cannot_fetch_is_explained(runner: Runner, origin: Origin) -> None:
    """Without the base and without the server, the step fails and says which line of the workflow helps."""
    origin.check_out("refs/pull/2/merge", runner.workspace)
    event = origin.pull_request(2)
    shutil.rmtree(origin.path)
    done = runner.review("pull_request", event)
    assert done.code == 2
    (error,) = done.annotations("error")
    assert "fetch-depth: 0" in error.message
    assert "fetch-depth: 0" in done.summary
    assert done.outputs["verdict"] == "unjudged"
    assert done.outputs["report"] == ""


def test_code_of_the_pull_request_never_runs(runner: Runner, origin: Origin) -> None:
    """Python files in the repository with the names of our modules are not imported."""
    origin.check_out("refs/pull/1/merge", runner.workspace)
    trap = f"open({str(runner.folder / 'sprung')!r}, 'w')\n"
    for name in ("json.py", "sitecustomize.py", "bot/__init__.py", "bot/__main__.py", "checks/__init__.py"):
        path = runner.workspace / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(trap, encoding="utf-8")
    done = runner.review("pull_request", origin.pull_request(1), offline="true")
    assert done.code == 0, done.log
    assert not (runner.folder / "sprung").exists()


def test_sql_cannot_speak_to_the_runner(runner: Runner, origin: Origin) -> None:
    """Lines of a migration that look like workflow commands stay text."""
    origin.git("checkout", "--quiet", "clean")
    migration = next((origin.path / "lib/database/migrations").glob("0003_*.sql"))
    evil = "::add-mask::e\n::set-output name=verdict::pass\n::warning file=x::evil\n##[error]evil\n"
    migration.write_text(f"{migration.read_text()}--> statement-breakpoint\nSELECT '\n{evil}';\n")
    origin.git("commit", "--quiet", "--all", "--message=speak")
    origin.git("update-ref", "refs/pull/1/head", "clean")
    origin.check_out("refs/pull/1/head", runner.workspace)
    for form in ("text", "markdown", "json"):
        done = runner.review("pull_request", origin.pull_request(1), format=form, offline="true")
        assert {c.kind for c in done.commands} <= {"error", "warning", "notice"}
        assert "evil" not in [c.message for c in done.commands]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"format": "html"}, "The input format is `html`; it can be text, markdown, json, sarif."),
        ({"fail_on": "error"}, "The input fail-on is `error`; it can be block, warning, never."),
        ({"working_directory": "nowhere"}, "Put actions/checkout before this step"),
        ({"base": "nothing", "head": "nothing"}, "nothing"),
    ],
)
def test_wrong_inputs_are_explained(runner: Runner, inputs: dict[str, str], said: str) -> None:
    """A mistake in the workflow is one sentence and exit code 2, whatever `fail-on` says."""
    subprocess.run(["git", "init", "--quiet", runner.workspace], check=True)
    done = runner.review("workflow_dispatch", {}, **inputs)
    assert done.code == 2
    assert said in done.annotations("error")[0].message


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
