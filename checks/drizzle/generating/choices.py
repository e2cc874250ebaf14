"""What a person decided about things that are gone: dropped, or renamed to something new. Nothing is guessed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from checks.errors import UserError


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that left schema.ts while something of its kind came: dropped, or renamed?

    Attributes:
        kind: `table`, `column`, `enum`, …
        gone: its name, e.g. `users.nick`.
        new: what it may be called now.
        keep: it may also stay in the database for a while, as a pending drop.
    """

    kind: str
    gone: str
    new: tuple[str, ...]
    keep: bool = False

    @property
    def answers(self) -> tuple[str, ...]:
        """What a person may say."""
        renames = tuple(f"--rename {self.gone}={name}" for name in self.new)
        return (*renames, f"--drop {self.gone}", *((f"--keep {self.gone}",) if self.keep else ()))


@dataclass(frozen=True, slots=True)
class Paired:
    """The names of one kind, decided."""

    renamed: tuple[tuple[str, str], ...]
    created: tuple[str, ...]
    deleted: tuple[str, ...]


@dataclass(slots=True)
class Choices:
    """The answers given, and the questions that they leave open.

    Attributes:
        drops: names to drop.
        renames: old name → new name.
        keeps: columns to leave where they are.
        open: what has to be asked.
        gone: every name that left.
    """

    drops: frozenset[str]
    renames: dict[str, str]
    keeps: frozenset[str]
    open: list[Candidate] = field(default_factory=list[Candidate])
    gone: set[str] = field(default_factory=set[str])
    new: set[str] = field(default_factory=set[str])

    def pair(
        self, kind: str, gone: Sequence[str], new: Sequence[str], keep: Iterable[str] = (), named: Iterable[str] = ()
    ) -> Paired:
        """Match what is gone with what is new, as far as that was answered; the rest is asked.

        Args:
            kind: what they are.
            gone: names that left.
            new: names that came.
            keep: of those that left, what may stay for now.
            named: of those that left, what may neither stay nor be dropped without being named.

        Raises:
            UserError: something is to be kept that cannot be.
        """
        self.gone.update(gone)
        self.new.update(new)
        renamed = tuple((old, self.renames[old]) for old in gone if self.renames.get(old) in new)
        old_names, new_names = {old for old, _ in renamed}, {name for _, name in renamed}
        created = tuple(name for name in new if name not in new_names)
        deleted = tuple(name for name in gone if name not in old_names)
        may_keep, must_name = frozenset(keep), frozenset(named)
        stuck = next((name for name in deleted if name in self.keeps and name not in may_keep), None)
        if stuck is not None:
            why = "rows cannot be written without it" if kind == "column" else "only columns can stay behind"
            raise UserError(
                f"`{stuck}` cannot be kept: {why}. Drop it with `--drop {stuck}`, or put it back into schema.ts."
            )
        self.open += [
            Candidate(kind, name, created, keep=name in may_keep)
            for name in deleted
            if (created or name in must_name) and name not in self.drops | self.keeps
        ]
        return Paired(renamed, created, deleted)

    def check(self) -> None:
        """Every answer must be about something that is gone.

        Raises:
            UserError: one is not.
        """
        left = f" What left it: {', '.join(sorted(self.gone))}." if self.gone else " Nothing left it."
        for name in sorted(self.drops | self.keeps):
            if name not in self.gone:
                raise UserError(f"`{name}` has not left schema.ts, so there is nothing to decide about it.{left}")
        for old, name in self.renames.items():
            if old not in self.gone:
                raise UserError(f"`{old}` has not left schema.ts, so it cannot have been renamed.{left}")
            if name not in self.new:
                came = f" What came: {', '.join(sorted(self.new))}." if self.new else ""
                raise UserError(f"`{name}` is not new in schema.ts, so `{old}` cannot have become it.{came}")


def read(drops: Iterable[str], renames: Iterable[str], keeps: Iterable[str]) -> Choices:
    """The answers as they were written.

    Raises:
        UserError: a rename is not of the form `old=new`, or two answers contradict each other.
    """
    pairs: dict[str, str] = {}
    for rename in renames:
        old, equals, new = (part.strip() for part in rename.partition("="))
        if not equals or not old or not new:
            raise UserError(
                f"`{rename}` does not say what became what. Write it as `--rename users.nick=users.handle`."
            )
        if old in pairs or new in pairs.values():
            raise UserError(f"`{rename}`: one name cannot be renamed twice.")
        pairs[old] = new
    dropped, kept = frozenset(name.strip() for name in drops), frozenset(name.strip() for name in keeps)
    for name in sorted(dropped & kept | dropped & pairs.keys() | kept & pairs.keys()):
        raise UserError(f"`{name}` has two answers; drop it, keep it or rename it.")
    return Choices(dropped, pairs, kept)
