"""The review as a step of GitHub Actions: what to compare, one run of the command, then log, annotations, summary and files."""  # noqa: INP001 - a script, not a package

import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from checks import render
from checks.errors import CouldNotJudge, UserError
from checks.render import markdown, sarif, text, words
from checks.report import Finding, Report, Severity

MOST_ANNOTATIONS = 10  # of each type; GitHub drops what a step says beyond
SUMMARY = 1_000_000  # bytes; GitHub shows no job summary above 1 MiB
DEPTHS = ("--depth=50", "--depth=500", "--unshallow")
ZERO = "0" * 40

Environment = Mapping[str, str]
Refs = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The two revisions to compare, and what to fetch so that they are here.

    Attributes:
        refs: what must be fetched from origin, as refspecs, each with those that serve as well.
    """

    base: str | None
    head: str | None
    refs: Refs = ()


def main(environment: Environment) -> int:
    """Run the step; its exit code fails or passes the job."""
    try:
        report = reviewed(environment)
    except UserError as error:
        return refused(environment, error)
    said(environment, report)
    return exit_code(option(environment, "FAIL_ON", "block"), report)


def reviewed(environment: Environment) -> Report:
    """Find the revisions, run the command, and read its JSON.

    Raises:
        UserError: an input or the workflow is not as it must be (2), or nothing could be judged (3).
    """
    check(environment)
    workspace = Path(environment.get("GITHUB_WORKSPACE") or ".")
    repository = workspace / option(environment, "DIRECTORY", ".")
    if not repository.is_dir():
        raise UserError(
            f"There is no folder {repository}. Put actions/checkout before this step, or set working-directory."
        )
    wanted = revisions(environment)
    fetch(repository, wanted)
    arguments = ["--repo", str(repository.resolve()), "--format", "json"]
    for name, value in (
        ("--base", wanted.base),
        ("--head", wanted.head),
        ("--database", option(environment, "DATABASE")),
    ):
        arguments += [name, value] if value else []
    arguments += ["--offline"] if option(environment, "OFFLINE", "false") == "true" else []
    # -I: no module of the repository under review can be imported, wherever the step runs.
    done = subprocess.run([sys.executable, "-I", "-m", "bot", "review", *arguments], capture_output=True, check=False)
    complaint = done.stderr.decode(errors="replace").strip().removeprefix("bulletproof: ")
    try:
        return Report.model_validate_json(done.stdout)
    except ValueError:
        kind = UserError if done.returncode == UserError.code else CouldNotJudge
        raise kind(complaint or f"The review ended with exit code {done.returncode} and said nothing.") from None


def check(environment: Environment) -> None:
    """Refuse inputs with values that mean nothing, before any work."""
    allowed = {
        "FORMAT": ("text", "markdown", "json", "sarif"),
        "FAIL_ON": ("block", "warning", "never"),
        "OFFLINE": ("true", "false"),
    }
    for name, values in allowed.items():
        value = option(environment, name, values[0])
        if value not in values:
            raise UserError(f"The input {name.lower().replace('_', '-')} is `{value}`; it can be {', '.join(values)}.")


def option(environment: Environment, name: str, default: str = "") -> str:
    """The value of an input."""
    return environment.get(f"BULLETPROOF_ACTION_{name}", "").strip() or default


def revisions(environment: Environment) -> Wanted:
    """What this event is about, unless the inputs say it.

    On `pull_request` the checked-out commit is a merge that GitHub made, and the base in the payload is as old as the last
    push: the pull request's own head, and the tip of its base branch, are what is reviewed.
    """
    base, head = option(environment, "BASE"), option(environment, "HEAD")
    found = (
        _of_event(environment.get("GITHUB_EVENT_NAME", ""), _event(environment))
        if not (base and head)
        else Wanted(None, None)
    )
    if not base and not head:
        return found
    return Wanted(base or found.base, head or found.head, found.refs)


def _event(environment: Environment) -> dict[str, Any]:
    path = environment.get("GITHUB_EVENT_PATH")
    try:
        event: object = json.loads(Path(path).read_bytes()) if path else {}
    except (OSError, ValueError):
        raise UserError(f"The event file {path} cannot be read. Set the inputs base and head.") from None
    return cast("dict[str, Any]", event) if isinstance(event, dict) else {}


def _of_event(name: str, event: dict[str, Any]) -> Wanted:
    try:
        if name in {"pull_request", "pull_request_target"}:
            pull = event["pull_request"]
            head, number = str(pull["head"]["sha"]), int(pull["number"])
            branch, refs = _tip(str(pull["base"]["ref"]))
            return Wanted(branch, head, (*refs, (head, f"refs/pull/{number}/head")))
        if name == "merge_group":
            group = event["merge_group"]
            base, head = str(group["base_sha"]), str(group["head_sha"])
            return Wanted(base, head, ((base,), (head,)))
        default = str(event.get("repository", {}).get("default_branch") or "")
        if name == "push":
            return _of_push(event, default)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UserError(f"The {name} event does not say what to compare. Set the inputs base and head.") from None
    branch, refs = _tip(default) if default else (None, ())
    return Wanted(branch, None, refs)


def _of_push(event: dict[str, Any], default: str) -> Wanted:
    """What was pushed: onto the default branch against what was there before, elsewhere against the default branch."""
    before, after = str(event["before"]), str(event["after"])
    if after == ZERO:
        raise UserError(
            "This push deletes a branch: there is nothing to review. Leave such events out with `on: push: branches`."
        )
    if event["ref"] == f"refs/heads/{default}" and before != ZERO:
        return Wanted(before, after, ((before,), (after,)))
    branch, refs = _tip(default) if default else (None, ())
    return Wanted(branch, after, (*refs, (after,)))


def _tip(branch: str) -> tuple[str, Refs]:
    tracking = f"refs/remotes/origin/{branch}"
    return tracking, ((f"+refs/heads/{branch}:{tracking}",),)


def fetch(repository: Path, wanted: Wanted) -> None:
    """Bring what is wanted, with its history down to the merge base, into a clone that may be shallow.

    What cannot be fetched is left to the review: it reads what is here, and says what is missing.
    """
    if not wanted.refs or not _git(repository, "remote", "get-url", "origin"):
        return
    for depth in DEPTHS if _is_shallow(repository) else ("",):
        if depth == "--unshallow" and not _is_shallow(repository):
            return
        for alternatives in wanted.refs:
            _fetch(repository, alternatives, depth)
        if _git(repository, "merge-base", wanted.base or "HEAD", wanted.head or "HEAD"):
            return


def _fetch(repository: Path, alternatives: tuple[str, ...], depth: str) -> None:
    options = ["--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", *([depth] if depth else [])]
    if not any(_git(repository, "fetch", *options, "origin", ref) for ref in alternatives):
        tell(f"Could not fetch {words.line(alternatives[0])} from origin; the review uses what is checked out.")


def _is_shallow(repository: Path) -> bool:
    return _git(repository, "rev-parse", "--is-shallow-repository", says="true")


def _git(repository: Path, *arguments: str, says: str | None = None) -> bool:
    """Whether git does it (and says just that)."""
    try:
        done = subprocess.run(
            ["git", "-C", str(repository), *arguments],
            env=os.environ | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"},
            capture_output=True,
            timeout=600,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    except FileNotFoundError:
        raise UserError("git is not installed on this runner. Install the package `git` (2.38 or newer).") from None
    return done.returncode == 0 and (says is None or done.stdout.decode(errors="replace").strip() == says)


def said(environment: Environment, report: Report) -> None:
    """Say the report wherever the workflow can read it."""
    folder = Path(tempfile.mkdtemp(prefix="bulletproof-", dir=environment.get("RUNNER_TEMP") or None))
    (folder / "report.json").write_text(render.as_text(report, "json"), encoding="utf-8")
    sarif_file = option(environment, "SARIF_FILE")
    if sarif_file:
        path = Path(environment.get("GITHUB_WORKSPACE") or ".") / sarif_file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(sarif.text(report), encoding="utf-8")
        sarif_file = str(path)
    form = option(environment, "FORMAT", "text")
    with without_commands():
        tell(text.text(report, width=100, color=True) if form == "text" else render.as_text(report, form))
    for line in annotations(report):
        tell(line)
    summarise(environment, lambda room: markdown.text(report, limit=room))
    outputs(
        environment, verdict=report.verdict, title=report.title, report=str(folder / "report.json"), sarif=sarif_file
    )


def refused(environment: Environment, error: UserError) -> int:
    """Say why there is no report; only `fail-on: never` lets the step pass then, and only where the world was in the way."""
    complaint = words.visible(str(error))
    tell(command("error", complaint, title="Bulletproof could not judge"))
    heading = "### ❔ Migration policy · could not judge\n\n"
    summarise(environment, lambda room: heading + markdown.prose(complaint, min(2_000, room // 8)) + "\n")
    outputs(environment, verdict="unjudged", title="could not judge", report="", sarif="")
    lenient = isinstance(error, CouldNotJudge) and option(environment, "FAIL_ON") == "never"
    return 0 if lenient else error.code


def exit_code(fail_on: str, report: Report) -> int:
    """What the step ends with: 1 where the policy says no, 3 where nothing was judged."""
    if fail_on == "never":
        return 0
    if report.verdict == "pass":
        worst = {finding.severity for finding in words.fresh(report.findings)}
        return 1 if fail_on == "warning" and "warning" in worst else 0
    return 1 if report.verdict == "block" else 3


def annotations(report: Report) -> list[str]:
    """Workflow commands for what head introduces, worst first, and what was left out for GitHub's limit."""
    lines: list[str] = []
    if report.verdict == "unjudged":
        reason = " ".join(report.notes) or report.title
        lines.append(command("error", f"Nothing was judged: {reason}", title="Bulletproof could not judge"))
    left: dict[Severity, int] = {
        "error": MOST_ANNOTATIONS - len(lines),
        "warning": MOST_ANNOTATIONS,
        "note": MOST_ANNOTATIONS,
    }
    dropped = 0
    for finding in words.fresh(report.findings):
        left[finding.severity] -= 1
        if left[finding.severity] < 0:
            dropped += 1
            continue
        lines.append(annotation(finding))
    if dropped:
        lines.append(f"{words.count(dropped, 'more finding')} without annotation: the job summary has them.")
    return lines


def annotation(finding: Finding) -> str:
    """One finding at its place in the files of the pull request."""
    kinds: dict[Severity, Literal["error", "warning", "notice"]] = {
        "error": "error",
        "warning": "warning",
        "note": "notice",
    }
    advice = f"\n{words.way_out(finding.help)}" if finding.help else ""
    return command(
        kinds[finding.severity],
        words.visible(finding.message)[:4_000] + advice,
        file=words.visible(finding.path),
        line=str(finding.line),
        endLine=str(max(finding.end_line, finding.line)),
        title=words.line(finding.rule, 100),
    )


def command(kind: str, message: str, **properties: str) -> str:
    """A workflow command; what would end it, or one of its properties, is escaped as the runner unescapes it."""
    data = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    escaped = {
        name: value.replace("%", "%25")
        .replace("\r", "%0D")
        .replace("\n", "%0A")
        .replace(":", "%3A")
        .replace(",", "%2C")
        for name, value in properties.items()
    }
    return f"::{kind} {','.join(f'{name}={value}' for name, value in escaped.items())}::{data}"


@contextmanager
def without_commands() -> Generator[None]:
    """While it lasts, lines that look like workflow commands (in SQL, say) are only text."""
    token = secrets.token_hex(16)
    tell(f"::stop-commands::{token}")
    try:
        yield
    finally:
        tell(f"::{token}::")


def tell(line: str) -> None:
    """A line in the step's log, where the runner reads its commands."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def summarise(environment: Environment, written: Callable[[int], str]) -> None:
    """Append to the job summary what fits."""
    if path := environment.get("GITHUB_STEP_SUMMARY"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(written(max(SUMMARY - file.tell(), 0)))


def outputs(environment: Environment, **values: str) -> None:
    """Set the step's outputs, each between delimiters that nobody can foresee."""
    if path := environment.get("GITHUB_OUTPUT"):
        with Path(path).open("a", encoding="utf-8") as file:
            for name, value in values.items():
                end = f"end-{secrets.token_hex(16)}"
                file.write(f"{name}<<{end}\n{words.visible(value)}\n{end}\n")


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]  # a text stream always can
    sys.exit(main(os.environ))
