"""The GitHub Action, run as a runner runs it: its own steps from action.yml, in bash, on shallow clones, for each event."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot import demo
from checks.report import Report
from tests.bot.action_runner import ACTION, DEFINITION, ROOT, STEPS, Command, commands


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
