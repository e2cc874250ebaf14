"""Writes the migration that is missing between the last snapshot and schema.ts, without running anything: `generate.migration(…)`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from checks.drizzle.generating import choices, content, files, steps
from checks.drizzle.generating.choices import Candidate, Choices
from checks.drizzle.generating.decide import decide
from checks.drizzle.generating.v1 import write as v1
from checks.drizzle.model import Chain
from checks.errors import UserError
from checks.schema import snapshot as snapshots
from checks.schema.model import Schema

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_SHOWN = 8

Files = dict[str, str]


@dataclass(frozen=True, slots=True)
class Generated:
    """What came of it. Exactly one of three: files were written, something has to be asked, or nothing is missing.

    Attributes:
        files: path → text, from the root of the repository; empty where nothing is written.
        tag: of the new migration.
        statements: its statements.
        questions: what was perhaps renamed; no file is written while one is open.
        pending: columns that left schema.ts and stay in the database until their drop is asked for by name.
        notes: what a person should know about the SQL, in sentences.
    """

    files: Files = field(default_factory=Files)
    tag: str | None = None
    statements: tuple[str, ...] = ()
    questions: tuple[Candidate, ...] = ()
    pending: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def sql(self) -> str:
        """The text of the SQL file; empty where none is written."""
        return next((text for path, text in self.files.items() if path.endswith(".sql")), "")


def migration(
    chain: Chain,
    wanted: Schema,
    *,
    name: str | None = None,
    drops: Sequence[str] = (),
    renames: Sequence[str] = (),
    keeps: Sequence[str] = (),
    when: int,
    journal: str | None = None,
    kit: str | None = None,
) -> Generated:
    """The next migration of a chain, in Drizzle's own format.

    A column that left schema.ts and can be left alone (nullable, or with a default) is not dropped unless `drops` names it:
    the release that no longer reads it has to be out first.

    Args:
        chain: the migrations so far.
        wanted: what the schema files mean.
        name: what to call it, as `drizzle-kit generate --name`; None: two words.
        drops: what may be dropped, e.g. `users.nick`; also the answer where a rename was possible.
        renames: `users.nick=users.handle`, `users=people`.
        keeps: columns that leave schema.ts but stay for now, where a rename was possible.
        when: now, in milliseconds.
        journal: the text of the journal (v0), whose manner is kept.
        kit: the version of drizzle-kit that the project asks for (v1), whose form of snapshots is kept.

    Raises:
        UserError: it cannot be written, and why.
    """
    _possible(chain, wanted, name)
    answers = choices.read(drops, renames, keeps)
    if chain.project.format == "v1":
        return _v1(chain, wanted, answers, name=name, when=when, kit=kit)
    last = chain.last_snapshot
    try:
        before = content.of(content.EMPTY if last is None else last.data)
        decided = decide(before, content.of(snapshots.to_snapshot(wanted)), answers)
        statements = [] if answers.open else steps.statements(decided, wanted)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        if last is None:
            raise
        raise UserError(
            f"{last.path} is not as drizzle-kit writes it ({error!r}); no migration was written. Repair it, or restore it from git."
        ) from None
    answers.check()
    if answers.open:
        asked = {each.gone for each in answers.open}
        return Generated(
            questions=tuple(answers.open), pending=tuple(name for name in decided.pending if name not in asked)
        )
    if not statements:
        return Generated(pending=decided.pending)
    _printable(statements)
    tag, made = files.write(chain, decided.after, statements, name=name, when=when, journal=journal)
    return Generated(made, tag, tuple(statements), pending=decided.pending)


def _v1(chain: Chain, wanted: Schema, answers: Choices, *, name: str | None, when: int, kit: str | None) -> Generated:
    made = v1.write(chain, wanted, answers, name=name, when=when, kit=kit)
    answers.check()
    if answers.open:
        asked = {each.gone for each in answers.open}
        return Generated(
            questions=tuple(answers.open), pending=tuple(each for each in made.pending if each not in asked)
        )
    _printable(made.statements)
    return Generated(made.files, made.tag, made.statements, pending=made.pending)


def _possible(chain: Chain, wanted: Schema, name: str | None) -> None:
    if name is not None and not _NAME.fullmatch(name):
        raise UserError(f"`{name}` cannot be the name of a migration; use letters, digits and `_`.")
    if wanted.unresolved:
        places = [f"{lack.path}:{lack.line} {lack.what}: {lack.why}" for lack in wanted.unresolved]
        more = f"\n… and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
        raise UserError(
            "schema.ts could not be read completely, so no migration was written. Run `drizzle-kit generate`, or write these places plainly:\n"
            + "\n".join(places[:_SHOWN])
            + more
        )
    _sound(chain)


def _printable(statements: Sequence[str]) -> None:
    for text in statements:
        if any("\ud800" <= letter <= "\udfff" or letter == "\0" for letter in text):
            raise UserError(
                f"`{ascii(text)[:200]}` holds a character that PostgreSQL cannot store; no migration was written. Take it out of schema.ts."
            )


def _sound(chain: Chain) -> None:
    last = chain.last_snapshot
    two = next((d for d in chain.damage if d.problem in {"two-children", "prefix"}), None)
    if two is not None:
        raise UserError(
            f"Two migrations claim one place: {two.tag or two.places[0].path} and {two.other}. Run sync first; no migration was written."
        )
    for damage in chain.damage:
        at = damage.places[0].path
        unread = damage.area == "journal" and damage.tag is None
        newer = damage.area == "snapshot" and damage.other == at and (last is None or at >= last.path)
        if unread or newer:
            raise UserError(
                f"{at} cannot be built on ({damage.problem.replace('-', ' ')}). Repair it first; no migration was written."
            )
    if last is None and chain.migrations:
        raise UserError(
            f"{chain.project.migrations_dir} has migrations but no snapshot to compare schema.ts with; no migration was written."
        )
    if last is not None and last.version not in ({"7"} if chain.project.format == "v0" else {"8", "9"}):
        raise UserError(
            f"{last.path} is of version {last.version}. Run `drizzle-kit up` first, as drizzle-kit itself asks for; no migration was written."
        )
