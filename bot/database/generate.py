"""`db generate`: lets the repository's own drizzle-kit write the migration, looks at what it really did, and reviews that."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from bot.database import kit
from bot.database import source as sources
from bot.database.source import Source
from bot.git import Repository
from bot.progress import Say
from bot.review import review
from bot.terminal import local
from checks.change import Change, Changed, Commit
from checks.drizzle.model import Damage
from checks.errors import CouldNotJudge, UserError
from checks.report import Report
from checks.tree import Tree

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PROMPT = re.compile(r"^.*\b(?:created or renamed|renamed from another|rename\b.*\?).*$", re.IGNORECASE | re.MULTILINE)
_TTY = re.compile(r"interactive prompts? require a tty|is not a tty|raw mode", re.IGNORECASE)
_NOTHING = re.compile(r"no schema changes|nothing to migrate", re.IGNORECASE)
# v1 lists its questions, and the answers that it would take (drizzle-kit/skills/drizzle/hints.md).
_HINTS = re.compile(r"^\d+\. .*?—\s+(\w+)\s+(\S+)$", re.MULTILINE)
_CHOICES = re.compile(r'^\s*(\{ "type": .*\})$', re.MULTILINE)
_SAID = 6


@dataclass(slots=True)
class Generated:
    """What was written.

    Attributes:
        state: `written`, `nothing` (schema and migrations agree), or `failed`.
        tags: of the new migrations.
        files: paths that are new or changed.
        why: what went wrong, in a sentence.
        report: the review of what was written.
    """

    state: str
    tags: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    why: str = ""
    notes: list[str] = field(default_factory=list[str])
    report: Report | None = None

    @property
    def code(self) -> int:
        """0 where a migration was written that the review lets pass, or none is needed."""
        if self.state == "failed":
            return 1
        if self.report is None:
            return 0
        return {"pass": 0, "block": 1, "unjudged": 3}[self.report.verdict]


def run(repo: Path, source: Source, arguments: tuple[str, ...], say: Say, *, judge: bool = True) -> Generated:
    """Run drizzle-kit generate, and say what came of it.

    Args:
        repo: the folder of the project.
        source: its files before.
        arguments: more for drizzle-kit (`--name=add_nick`, `--custom`).
        say: is told what is being done.
        judge: review what was written.

    Raises:
        UserError: there is no drizzle-kit, or the migrations are broken already.
    """
    _collisions(source)
    program = kit.require(source)
    written = (*source.tree.under(source.project.migrations_dir), *source.project.schema_files)
    source.tree.read_all(written)  # what drizzle-kit changes is read before it does
    say("running drizzle-kit generate")
    ended = kit.run(program, "generate", *kit.config(source), *arguments)
    after = sources.read(repo, config=source.project.config)
    before_tags = {m.tag for m in source.chain.migrations}
    new = tuple(m.tag for m in after.chain.migrations if m.tag not in before_tags)
    files = tuple(_changed(source.tree, after.tree))
    output = _ESCAPES.sub("", ended.output)
    if not new:
        return _nothing(source, ended, output, files)
    made = Generated("written", new, files)
    if ended.code not in {0, None}:
        made.notes.append(f"drizzle-kit ended with {ended.code} though it wrote a migration; read it with care.")
    overwritten = [path for path in files if path in source.tree and path.endswith(("_snapshot.json", ".sql"))]
    if overwritten:
        return Generated(
            "failed", new, files, f"drizzle-kit overwrote {', '.join(overwritten)}: the journal was behind the files."
        )
    if judge:
        say("reviewing what was written")
        made.report = _reviewed(repo, source, after, say)
    return made


def _collisions(source: Source) -> None:
    """What drizzle-kit would build on, or overwrite, without a word.

    Raises:
        UserError: the history is damaged.
    """
    sources.sound(source)
    two: Damage | None = next((d for d in source.chain.damage if d.problem in {"two-children", "prefix"}), None)
    if two is not None and source.project.format == "v0":
        raise UserError(
            f"Two migrations claim one place: {two.tag or two.places[0].path} and {two.other}. Run `bulletproof sync` first; nothing was generated."
        )


def _nothing(source: Source, ended: kit.Ended, output: str, files: tuple[str, ...]) -> Generated:
    """Why there is no new migration."""
    hints = _HINTS.findall(output)
    if hints:
        asked = ", ".join(f"{kind} {name}" for kind, name in hints)
        choice = " or ".join(_CHOICES.findall(output)[:2])
        return Generated(
            "failed", (), files,
            f"drizzle-kit asks whether something was renamed: {asked}. Run `db generate` in a terminal, or answer with "
            f"`db generate --hints '[…]'`, one answer for each, such as {choice}.",
        )  # fmt: skip
    prompt = _PROMPT.search(output)
    if prompt is not None or _TTY.search(output):
        asked = f": {' '.join(prompt[0].split())}" if prompt is not None else "."
        return Generated(
            "failed", (), files,
            f"drizzle-kit asks whether something was renamed, and there is no terminal to answer in{asked} Run `db generate` in a terminal"
            + (", or answer with `db generate --static --rename table.old=table.new`." if source.project.format == "v0" else "."),
        )  # fmt: skip
    if ended.code is None:
        return Generated(
            "failed",
            (),
            files,
            "drizzle-kit did not end; it may be waiting for an answer. Run `db generate` in a terminal.",
        )
    if ended.code == 0 and (_NOTHING.search(output) or not output):
        return Generated("nothing", (), files)
    last = [line.strip() for line in output.splitlines() if line.strip()][-_SAID:]
    why = f": {' '.join(last)}" if last else "."
    return Generated("failed", (), files, f"drizzle-kit wrote no migration (exit code {ended.code}){why}")


def _changed(before: Tree, after: Tree) -> list[str]:
    """Paths whose bytes are not the same; what is on disk is read again."""
    paths = [p for p in {*before, *after} if p.endswith((".sql", ".json", ".ts"))]
    old, new = before.read_all(paths), after.read_all(paths)
    return sorted(p for p in paths if old.get(p) != new.get(p))


def _reviewed(repo: Path, source: Source, after: Source, say: Say) -> Report | None:
    """The same review as of a pull request: what is on disk now against the last commit."""
    try:
        base = Commit("HEAD", Repository(repo).tree("HEAD"))
    except UserError:  # no repository, or no commit yet
        base = Commit("before", source.tree)
    files = tuple(
        Changed(p, "deleted" if p not in after.tree else "modified" if p in base.tree else "added")
        for p in _changed(base.tree, after.tree)
    )
    change = Change(base=base, head=Commit("on disk", after.tree), merge_base=base, files=files)
    try:
        return review(change, provider=local.provider(), seconds=local.SECONDS, say=say)
    except CouldNotJudge:
        return None
