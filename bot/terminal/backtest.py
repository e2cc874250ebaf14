"""`bulletproof backtest`: merged commits that touched migrations, judged as the pull requests they were, under today's policy."""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, TextIO

from bot.branches import Provider
from bot.git import Repository
from bot.progress import Say, silent
from bot.review import review
from bot.terminal import local
from checks import policy
from checks.change import Change, Commit
from checks.drizzle import projects
from checks.errors import UserError
from checks.report import Report, Verdict
from checks.tree import Entry, Tree

Format = Literal["text", "markdown", "json"]
LAST = 20
_PULL = re.compile(r"(?:Merge pull request #|\(#)(\d+)\b|Merge branch .* into .*!(\d+)")
_REMOTE = re.compile(
    r"(?:https?://(?:[^/@]+@)?|ssh://git@|git@)(?P<host>[^/:]+)(?::\d+)?[:/](?P<path>[^\s]+?)(?:\.git)?/?$"
)
_POLICY_ID = "policy"  # no object id of git's has this form
_LEVELS = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Merged:
    """A commit of the default branch: a merge (head is its second parent), or a squashed or rebased pull request (itself)."""

    sha: str
    base: str
    head: str
    title: str
    date: str


@dataclass(frozen=True, slots=True)
class Judged:
    """One merged pull request, and what the review would have said.

    Attributes:
        url: of the pull request, else of the commit; None where the remote has no web address.
        blocked, warned: the rules that would have, with how often.
    """

    commit: str
    title: str
    date: str
    url: str | None
    verdict: Verdict
    blocked: Mapping[str, int]
    warned: Mapping[str, int]
    noted: Mapping[str, int]
    why: str


@dataclass(frozen=True, slots=True)
class Backtest:
    """All of them, the newest first.

    Attributes:
        enforced: there is a policy file; without one the policy's own rules only advise.
    """

    enforced: bool
    judged: tuple[Judged, ...]

    def rules(self) -> dict[str, dict[str, int]]:
        """Rule → how many pull requests it would have blocked, warned and noted; the loudest first."""
        counts: dict[str, Counter[str]] = {}
        for each in self.judged:
            for name, found in (("blocked", each.blocked), ("warned", each.warned), ("noted", each.noted)):
                for rule in found:
                    counts.setdefault(rule, Counter())[name] += 1
        ranked = sorted(counts, key=lambda rule: (-counts[rule]["blocked"], -counts[rule]["warned"], rule))
        return {rule: {name: counts[rule][name] for name in ("blocked", "warned", "noted")} for rule in ranked}

    def count(self, verdict: Verdict) -> int:
        """How many have that verdict."""
        return sum(each.verdict == verdict for each in self.judged)


def run(
    repo: Path,
    *,
    out: TextIO,
    last: int = LAST,
    format: Format | str = "text",  # noqa: A002 - the option's name
    database: str | None = None,
    offline: bool = False,
    say: Say = silent,
) -> int:
    """Judge and print; exit code 0, or 3 where not one could be judged.

    Raises:
        UserError: no such repository, no default branch, or a number that makes no sense.
    """
    if last < 1:
        raise UserError(f"--last {last} reviews nothing; give a number from 1 on.")
    result = judge(Repository(repo), last=last, provider=None if offline else local.provider(database), say=say)
    out.write(shown(result, format))
    return 3 if result.judged and result.count("unjudged") == len(result.judged) else 0


def judge(repository: Repository, *, last: int = LAST, provider: Provider | None = None, say: Say = silent) -> Backtest:
    """Review the last merged commits that touched migrations, each against the base it was merged into."""
    tip = repository.default_branch()
    tree = repository.tree(tip)
    written = _policy(repository, tree)
    folders = [project.migrations_dir for project in projects.find(tree)]
    remote = _address(repository)
    judged: list[Judged] = []
    merged = list(_merged(repository, tip, folders, last)) if folders else []
    for number, each in enumerate(merged, 1):
        say(f"{number} of {len(merged)}: {each.title[:60]}")
        judged.append(_judged(repository, each, written, provider, remote))
    return Backtest(written is not None, tuple(judged))


def shown(result: Backtest, format: Format | str) -> str:  # noqa: A002 - the option's name
    """A backtest as text, Markdown or JSON."""
    match format:
        case "json":
            data = {
                "version": 1,
                "reviewed": len(result.judged),
                "blocked": result.count("block"),
                "passed": result.count("pass"),
                "unjudged": result.count("unjudged"),
                "enforced": result.enforced,
                "rules": [{"rule": rule, **counts} for rule, counts in result.rules().items()],
                "pulls": [asdict(each) for each in result.judged],
            }
            return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
        case "markdown":
            return "\n".join(_markdown(result)) + "\n"
        case _:
            return "\n".join(_text(result)) + "\n"


# --- judging ------------------------------------------------------------------------------------------------------


def _judged(
    repository: Repository, each: Merged, written: bytes | None, provider: Provider | None, remote: str | None
) -> Judged:
    try:
        change = repository.change(each.base, each.head)
        report = review(_under(change, written), provider=provider)
    except UserError as error:
        return _record(each, remote, None, str(error))
    return _record(each, remote, report, "")


def _record(each: Merged, remote: str | None, report: Report | None, why: str) -> Judged:
    found = [f for f in report.findings if f.introduced and f.waived is None] if report is not None else []
    blocked, warned, noted = (dict(Counter(f.rule for f in found if f.severity == level)) for level in _LEVELS)
    title = report.title if report is not None else why
    verdict: Verdict = report.verdict if report is not None else "unjudged"
    return Judged(each.sha, each.title, each.date, _link(remote, each), verdict, blocked, warned, noted, title)


def _merged(repository: Repository, tip: str, folders: Sequence[str], last: int) -> Iterator[Merged]:
    """The newest commits of the branch's own line that touched a migrations folder, those with a parent."""
    paths = [f":(top,literal){folder}" for folder in dict.fromkeys(folders)]
    words = [
        "log",
        "--first-parent",
        "-z",
        f"--max-count={last + 1}",
        "--format=%H%x01%P%x01%s%x01%cs",
        tip,
        "--",
        *paths,
    ]
    for line in [line for line in _git(repository, *words).split("\0") if line][: last + 1]:
        sha, parents, title, date = line.split("\x01")
        first, *others = parents.split() or [""]
        if first and last > 0:
            last -= 1
            yield Merged(sha, first, others[0] if others else sha, title, date)


def _policy(repository: Repository, tree: Tree) -> bytes | None:
    """Today's policy: the file of the work tree, where there is one, else the default branch's."""
    for path in policy.PATHS:
        here = repository.path / path
        if here.is_file() and here.stat().st_size <= policy.LARGEST:
            return here.read_bytes()
    return next((data for path in policy.PATHS if (data := tree.read(path)) is not None), None)


def _under(change: Change, written: bytes | None) -> Change:
    """The change as if every commit had had that policy, and none other."""
    return replace(
        change,
        base=_with(change.base, written),
        head=_with(change.head, written),
        merge_base=_with(change.merge_base, written),
        files=tuple(f for f in change.files if f.path not in policy.PATHS),
        base_files=tuple(f for f in change.base_files if f.path not in policy.PATHS),
    )


def _with(commit: Commit, written: bytes | None) -> Commit:
    entries = [entry for entry in commit.tree.entries() if entry.path not in policy.PATHS]
    if written is not None:
        entries.append(Entry(policy.PATHS[0], "100644", _POLICY_ID))
    paths = {entry.oid: entry.path for entry in commit.tree.entries()}

    def fetch(oids: Sequence[str]) -> dict[str, bytes]:
        wanted = {paths[oid]: oid for oid in oids if oid in paths}
        found = {wanted[path]: data for path, data in commit.tree.read_all(wanted).items()}
        return found | ({_POLICY_ID: written} if written is not None and _POLICY_ID in oids else {})

    return Commit(commit.sha, Tree(entries, fetch))


# --- links --------------------------------------------------------------------------------------------------------


def _address(repository: Repository) -> str | None:
    """The web address of `origin`."""
    try:
        url = _git(repository, "config", "--get", "remote.origin.url").strip()
    except UserError:
        return None
    found = _REMOTE.match(url)
    return f"https://{found['host']}/{found['path']}" if found else None


def _link(remote: str | None, each: Merged) -> str | None:
    if remote is None:
        return None
    found = _PULL.search(each.title)
    return f"{remote}/pull/{found[1]}" if found and found[1] else f"{remote}/commit/{each.sha}"


def _git(repository: Repository, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(repository.path), *words], capture_output=True, check=False)
    if done.returncode:
        raise UserError(f"git {words[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode(errors="replace")


# --- words --------------------------------------------------------------------------------------------------------


def _headline(result: Backtest) -> str:
    total, blocked = len(result.judged), result.count("block")
    if not total:
        return "No merged commit that touched migrations was found."
    said = f"{total} merged pull request{'s' if total > 1 else ''} that touched migrations: {blocked} would have been blocked"
    unjudged = result.count("unjudged")
    return said + (f", {unjudged} could not be judged." if unjudged else ".")


def _text(result: Backtest) -> Iterator[str]:
    yield _headline(result)
    if not result.enforced:
        yield "There is no policy file: its own rules advise here, and `bulletproof init` writes one."
    rules = result.rules()
    if rules:
        width = max(len(rule) for rule in rules)
        yield ""
        yield f"{'rule':<{width}}  blocked  warned  noted"
        for rule, counts in rules.items():
            yield f"{rule:<{width}}  {counts['blocked']:>7}  {counts['warned']:>6}  {counts['noted']:>5}"
    if result.judged:
        yield ""
    for each in result.judged:
        yield f"{each.verdict:<8}  {each.date}  {each.commit[:10]}  {_plain(each.title)}"
        if each.verdict != "pass":
            yield f"          {', '.join(each.blocked) or _plain(each.why)}"
        if each.verdict != "pass" and each.url:
            yield f"          {each.url}"


def _markdown(result: Backtest) -> Iterator[str]:
    yield f"**{_headline(result)}**"
    rules = result.rules()
    if rules:
        yield ""
        yield "| rule | blocked | warned | noted |"
        yield "|---|--:|--:|--:|"
        for rule, counts in rules.items():
            yield f"| `{rule}` | {counts['blocked']} | {counts['warned']} | {counts['noted']} |"
    if result.judged:
        yield ""
        yield "| verdict | pull request | date | blocked by | warned by |"
        yield "|---|---|---|---|---|"
    for each in result.judged:
        title = re.sub(r"([\\`*_{}\[\]<>()#+!|~@])", r"\\\1", _plain(each.title))
        name = f"[{title}]({each.url})" if each.url else f"{title} ({each.commit[:10]})"
        blocked, warned = (", ".join(f"`{rule}`" for rule in found) for found in (each.blocked, each.warned))
        yield f"| {each.verdict} | {name} | {each.date} | {blocked} | {warned} |"


def _plain(text: str) -> str:
    """A commit's title is anybody's text: no control characters of it reach a terminal."""
    return "".join(c if c.isprintable() else "�" for c in text)[:120]
