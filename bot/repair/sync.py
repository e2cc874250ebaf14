"""`sync`: one commit, with parents head and base, in which head's migrations come after base's."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from bot import git_write
from bot.branches import Provider
from bot.git import Repository
from bot.git_objects import Objects
from bot.progress import Say, silent
from bot.repair import folders, proof, words
from checks.drizzle.repair import RefusedError
from checks.errors import UserError


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a sync did.

    Attributes:
        commit: the new commit, None where none was made.
        renamed: old tag, new tag.
        reason: why it was refused.
        conflicts: paths that a person has to look at.
        omitted: statements that base has run already, in sentences.
        notes: what was not proved, and what else a person should know.
        proven: PostgreSQL ran base's chain and the repaired one after it, and the snapshot says what it made.
    """

    status: Literal["synced", "nothing-to-do", "refused"]
    head: str = ""
    base: str = ""
    commit: str | None = None
    renamed: tuple[tuple[str, str], ...] = ()
    reason: str | None = None
    conflicts: tuple[str, ...] = ()
    omitted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    proven: bool = False

    @property
    def code(self) -> int:
        """The exit code of the command line."""
        return 1 if self.status == "refused" else 0

    def json(self) -> dict[str, Any]:
        """As `sync --format json` prints it."""
        told = asdict(self)
        told["renamed"] = [{"from": old, "to": new} for old, new in self.renamed]
        first = ("status", "commit", "renamed", "reason", "conflicts")
        return {"version": 1, **{k: told[k] for k in first}, **{k: told[k] for k in ("omitted", "notes", "proven")}}

    def text(self) -> str:
        """For people."""
        if self.status == "refused":
            return f"refused: {self.reason}"
        if self.status == "nothing-to-do":
            return "nothing to do: this branch's migrations come after base's already."
        lines = [f"synced: {self.commit}"]
        lines += [f"  {old} → {new}" for old, new in self.renamed]
        lines += [f"  {line}" for line in (*self.omitted, *self.notes)]
        return "\n".join(lines)


def prepare(
    repository: Repository,
    base: str,
    head: str,
    *,
    provider: Provider | None,
    sign: bool = False,
    seconds: float = 120.0,
    say: Say = silent,
) -> Outcome:
    """Make the commit, proved; no ref points to it yet.

    Args:
        repository: where the commits are.
        base: a revision, whose migrations come first.
        head: a revision, whose own migrations come after them.
        provider: of branch databases for the proof; None: it is not proved.
        sign: sign the commit.
        seconds: how long a branch database may live.
        say: is told what is being done.

    Raises:
        UserError: a revision is not there, or git fails.
    """
    base_id, head_id, fork = git_write.parted(repository, base, head)
    try:
        with Objects(repository) as objects:
            sides = _Sides(base_id, head_id, fork)
            return _prepared(repository, objects, sides, provider=provider, sign=sign, seconds=seconds, say=say)
    except RecursionError:
        reason = "A snapshot or the journal is nested too deep to be Drizzle's."
        return Outcome(status="refused", head=head_id, base=base_id, reason=reason)
    except RefusedError as error:
        return Outcome(
            status="refused",
            head=head_id,
            base=base_id,
            reason=str(error),
            conflicts=tuple(sorted(set(error.conflicts))),
        )


@dataclass(frozen=True, slots=True)
class _Sides:
    base: str
    head: str
    fork: str | None


def _prepared(
    repository: Repository,
    objects: Objects,
    sides: _Sides,
    *,
    provider: Provider | None,
    sign: bool,
    seconds: float,
    say: Say,
) -> Outcome:
    base, head = sides.base, sides.head
    try:
        fork = sides.fork or repository.merge_base(base, head)  # which says what to do where there is none
    except UserError as error:
        raise RefusedError(str(error)) from None
    if fork == head:
        return Outcome(status="nothing-to-do", head=head, base=base)
    say("merging")
    with ThreadPoolExecutor(1, "git") as beside:
        differing = beside.submit(git_write.changed, repository, fork, head, base)
        merge = git_write.merge(repository, head, base)
        ours, theirs = differing.result()
    made = folders.repairs(objects, (base, fork, head), merge, (ours, theirs))
    beside = [p for p in merge.conflicted if p not in made.files and not folders.inside(p, made.folders)]
    if beside:
        for folder, database in made.others.items():
            theirs = [path for path in beside if folders.inside(path, [folder])]
            if theirs:
                raise RefusedError(
                    f"Git cannot merge {words.some(theirs)}: migrations for {database}, and only PostgreSQL's are repaired. "
                    "Merge base, delete this branch's migrations and generate them again.",
                    theirs,
                )
        raise RefusedError(
            f"Git cannot merge {words.some(beside)}, which {'is no migration' if len(beside) == 1 else 'are no migrations'}. "
            "Merge base into this branch and resolve that first; then sync.",
            beside,
        )
    if not made.folders:
        return Outcome(status="nothing-to-do", head=head, base=base)
    tree = git_write.with_files(repository, merge.tree, made.files, objects)
    commit = git_write.commit(repository, tree, [head, base], words.message(made, base), sign=sign)
    proven, notes = False, ["Not proved: there was no database."]
    if provider is not None:
        shown = proof.prove(repository, base, head, commit, made.folders, provider=provider, seconds=seconds, say=say)
        proven, notes = shown.proven, list(shown.notes)
    return Outcome(
        status="synced",
        head=head,
        base=base,
        commit=commit,
        renamed=tuple(made.renamed),
        omitted=tuple(made.omitted),
        notes=(*made.notes, *notes),
        proven=proven,
    )


def run(
    *,
    repo: Path,
    base: str | None = None,
    head: str = "HEAD",
    write_ref: str | None = None,
    provider: Provider | None,
    sign: bool = False,
    say: Say = silent,
) -> Outcome:
    """The command: prepare, and move the checked-out branch (or only `write_ref`) to the commit.

    Raises:
        UserError: wrong arguments, or the branch moved meanwhile.
    """
    repository = Repository(repo)
    base = base or repository.default_branch()
    head_id = repository.resolve(head)
    target: tuple[str, str | None] | None = None
    if write_ref is None:
        if (trouble := git_write.trouble(repository)) is not None:
            return Outcome(status="refused", head=head_id, reason=trouble)
        if head_id != repository.resolve("HEAD"):
            raise UserError(f"{head} is not checked out. Check it out, or name the ref to write: --write-ref REF.")
    else:
        target = git_write.ref(repository, write_ref)
    outcome = prepare(repository, base, head_id, provider=provider, sign=sign, say=say)
    if outcome.commit is None:
        return outcome
    try:
        _write(repository, outcome.commit, head_id, target)
    except git_write.MovedError as error:
        return replace(outcome, status="refused", commit=None, reason=str(error))
    return outcome


def _write(repository: Repository, commit: str, head: str, target: tuple[str, str | None] | None) -> None:
    """Move the checked-out branch, or a ref, to the commit."""
    if target is None:
        if repository.resolve("HEAD") != head:
            raise git_write.MovedError("The checked-out branch moved meanwhile; nothing was written. Sync again.")
        git_write.advance(repository, commit)
        return
    name, old = target
    if old is not None and not git_write.is_ancestor(repository, old, commit):
        raise git_write.MovedError(f"{name} holds commits that the result does not contain; nothing was written.")
    git_write.move(repository, name, commit, old)
