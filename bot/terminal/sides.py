"""A side of a difference: a .sql file of the person's own, the migrations of a commit, or a database that is only read."""

import contextlib
import logging
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from bot.branches import Provider
from checks.branch import Branch
from checks.errors import CouldNotJudge, UserError

if TYPE_CHECKING:
    from checks.drizzle.model import Chain

# A session that is lost is told by the error; psycopg's own word of it is for nobody's terminal.
logging.getLogger("psycopg").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class File:
    """A .sql file of the person's own: it may do what a superuser may, in a cluster that is thrown away."""

    path: Path

    @property
    def label(self) -> str:
        """As it is called in progress and errors."""
        return str(self.path)

    @contextlib.contextmanager
    def open(self, provider: Provider, seconds: float) -> Generator[psycopg.Connection[Any]]:
        """A session where the schema is."""
        try:
            text = self.path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UserError(f"{self.path} is not UTF-8 (byte {error.start}).") from None
        except OSError as error:
            raise UserError(f"{self.path} cannot be read: {error.strerror or error}.") from None
        from bot.stage import Stage  # noqa: PLC0415 - a difference of two databases needs none of it
        from checks.witnesses import setup  # noqa: PLC0415 - likewise

        stage = Stage.of(provider, [text], ("drizzle", "__drizzle_migrations"), extensions=(), seconds=seconds)
        with provider.branch(extensions=stage.extensions, seconds=seconds) as branch, strongest(branch) as session:
            setup.load(session, text, str(self.path), private=getattr(branch, "admin", None) is not None)
            session.execute("RESET ALL")
            yield session


@dataclass(frozen=True, slots=True)
class Revision:
    """The migrations of a commit: what comes from a repository never runs as a superuser."""

    revision: str
    chain: "Chain"

    @property
    def label(self) -> str:
        """As it is called in progress and errors."""
        return f"the migrations at {self.revision}"

    @contextlib.contextmanager
    def open(self, provider: Provider, seconds: float) -> Generator[psycopg.Connection[Any]]:
        """A session where the schema is."""
        from bot.stage import Stage, play  # noqa: PLC0415 - only for migrations
        from checks.witnesses import replay  # noqa: PLC0415 - likewise

        project = self.chain.project
        texts = [m.text for m in self.chain.migrations]
        stage = Stage.of(provider, texts, project.table, extensions=(), seconds=seconds)
        with provider.branch(extensions=stage.extensions, seconds=seconds) as branch:
            play(branch, stage.stubs)
            run = replay.build_base(branch, self.chain)
            if run.state == "failed":
                tag, number = run.failed or ("", 0)
                where = next((m for m in self.chain.migrations if m.tag == tag), None)
                line = where.statements[number].line if where and number < len(where.statements) else 1
                said = run.failure.message if run.failure else run.why or ""
                raise UserError(
                    f"{where.path if where else self.label}:{line} at {self.revision} does not run: {said}."
                )
            with branch.connect() as session:
                yield session


@dataclass(frozen=True, slots=True)
class Database:
    """A database that is only read."""

    url: str

    @property
    def label(self) -> str:
        """As it is called in progress and errors."""
        return "the database"

    @contextlib.contextmanager
    def open(self, provider: Provider, seconds: float) -> Generator[psycopg.Connection[Any]]:
        """A session where the schema is."""
        del provider, seconds
        from bot.database import target  # noqa: PLC0415 - only for databases

        there = target.of(self.url)
        with there.connect() as session:
            session.read_only = True
            try:
                yield session
            except psycopg.Error as error:
                raise CouldNotJudge(f"{there.name}: {there.words(error)}.") from None


Side = File | Revision | Database


def read(name: str, repo: Path) -> Side:
    """The side that a word of the command line names.

    Raises:
        UserError: there is no such side; the text says what may stand there.
    """
    if name.startswith(("postgres://", "postgresql://")):
        return Database(name)
    if name.startswith("git:"):
        return _revision(name.removeprefix("git:"), repo)
    if not name:
        raise UserError("A side is a .sql file, a PostgreSQL URL or git:REV, and one of them is empty.")
    return File(Path(name))


def _revision(revision: str, repo: Path) -> Revision:
    """The one project at a commit, or the one that the folder one is in belongs to."""
    from bot import overrides  # noqa: PLC0415 - only for revisions
    from bot.git import Repository  # noqa: PLC0415 - likewise
    from checks import policy  # noqa: PLC0415 - likewise
    from checks.drizzle import chain as chains  # noqa: PLC0415 - likewise
    from checks.drizzle import projects  # noqa: PLC0415 - likewise

    repository = Repository(repo)
    tree = repository.tree(revision)
    found = projects.find(tree, overrides.said(policy.read(tree)))
    if not found:
        raise UserError(f"There is no Drizzle project for PostgreSQL at {revision}.")
    here = f"{repository.inside()}/"
    around = [project for project in found if not project.root or here.startswith(f"{project.root}/")] or found
    deepest = max(len(project.root) for project in around)
    mine = [project for project in around if len(project.root) == deepest] if around is not found else found
    if len(mine) > 1:
        folders = ", ".join(sorted(project.migrations_dir for project in mine)[:10])
        raise UserError(
            f"There are {len(mine)} Drizzle projects at {revision} ({folders}). Run it in the folder of one."
        )
    return Revision(revision, chains.read(tree, mine[0]))


@contextlib.contextmanager
def fresh(provider: Provider, seconds: float) -> Generator[psycopg.Connection[Any]]:
    """A strong session on a branch of its own, with nothing in it."""
    with provider.branch(seconds=seconds) as branch, strongest(branch) as session:
        yield session


@contextlib.contextmanager
def strongest(branch: Branch) -> Generator[psycopg.Connection[Any]]:
    """A superuser's session where the cluster is private, else the branch role's."""
    admin = getattr(branch, "admin", None)
    with admin() if admin is not None else branch.connect() as session:
        yield session
