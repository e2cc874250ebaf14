"""The difference of two schemas as SQL, proved before it is shown. A side is a .sql file, a PostgreSQL URL, or `git:REV`."""

import contextlib
import json
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import psycopg

from bot.branches import Provider
from bot.progress import Say, silent
from bot.stage import Stage, play
from bot.terminal import respelling
from checks.branch import Branch
from checks.catalog import difference, ground, proof, statements, words
from checks.catalog import read as catalogs
from checks.catalog.model import Catalog
from checks.errors import CouldNotJudge, UserError
from checks.witnesses import setup

if TYPE_CHECKING:
    from checks.drizzle.model import Chain

Format = Literal["sql", "unified", "json"]
_TRACKING = ("drizzle",)


@dataclass(frozen=True, slots=True)
class Difference:
    """What turns one schema into the other.

    Attributes:
        sql: the statements; empty where the two are equal.
        unified: the text difference of both dumps.
        changes: in words.
        proven: the statements were run on a database at FROM, and it was then at TO.
        why: why it is not proven, or what does not hold for every row.
    """

    equal: bool
    sql: str = ""
    unified: str = ""
    changes: tuple[str, ...] = ()
    proven: bool = True
    why: str = ""

    def text(self, form: Format) -> str:
        """As it is printed."""
        if form == "unified":
            return self.unified
        if form == "sql":
            return (f"-- not proven: {self.why}\n" if not self.proven else "") + self.sql
        found: dict[str, object] = {"version": 1, "equal": self.equal, "sql": self.sql, "unified": self.unified}
        found |= {"changes": list(self.changes), "proven": self.proven, "why": self.why}
        return json.dumps(found, ensure_ascii=False, indent=2) + "\n"


def diff(
    before: str, after: str, *, provider: Provider, repo: Path = Path(), seconds: float = 300.0, say: Say = silent
) -> Difference:
    """Compare two sides, and prove the difference on a branch database.

    Raises:
        UserError: a side cannot be read, or its SQL fails; the text names file, line and PostgreSQL's words.
        CouldNotJudge: a database cannot be reached.
    """
    sides = [_side(name, repo) for name in (before, after)]
    look = _Look(ignore=_TRACKING if any(isinstance(side, _Revision) for side in sides) else ())

    def other() -> Catalog:
        with sides[1].open(provider, seconds) as session:
            return look.at(session)

    say(f"reading {sides[0].label} and {sides[1].label}")
    with ThreadPoolExecutor(1) as aside:
        reading = aside.submit(other)
        with sides[0].open(provider, seconds) as session:
            start = look.at(session)
            start, wanted = respelling.alike(start, reading.result(), lambda: _fresh(provider, seconds))
            made = statements.sql(start, wanted)
            if not made and difference.equal(start, wanted):
                return Difference(equal=True)
            say("proving the difference")
            if isinstance(sides[0], _Database):
                shown = _prove_elsewhere(start, made, wanted, provider, seconds)
            else:
                shown = proof.prove(
                    lambda: contextlib.nullcontext(session), made, wanted, ignore=look.ignore, start=start
                )
    return Difference(
        equal=False,
        sql=statements.text(made),
        unified=difference.unified(start, wanted, before=before, after=after),
        changes=tuple(words.summary(start, wanted)),
        proven=shown.proven,
        why=shown.why or shown.caution,
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """How both sides are read. Roles belong to the cluster, not to the schema: those that TO names are made where they lack."""

    ignore: tuple[str, ...]

    def at(self, session: psycopg.Connection[Any]) -> Catalog:
        return catalogs.read(session, ignore=self.ignore)


def _prove_elsewhere(
    start: Catalog, made: list[statements.Statement], wanted: Catalog, provider: Provider, seconds: float
) -> proof.Proof:
    """A database of the person's is only read; what the difference touches is made again on a branch, and tried there."""
    start, wanted = ground.of(start, wanted)
    try:
        with _fresh(provider, seconds) as session:
            script = ";\n".join(each.sql for each in statements.sql(catalogs.read(session), start))
            session.execute(script.encode())
            if not difference.equal(catalogs.read(session), start):
                return proof.Proof(proven=False, why="the schema could not be made again here exactly as it is there")
            return proof.prove(lambda: contextlib.nullcontext(session), made, wanted, start=start)
    except psycopg.Error as error:
        return proof.Proof(
            proven=False, why=f"the schema could not be made again here: {error.diag.message_primary or error}"
        )


# --- sides ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _File:
    """A .sql file of the person's own: it may do what a superuser may, in a cluster that is thrown away."""

    path: Path

    @property
    def label(self) -> str:
        return str(self.path)

    @contextlib.contextmanager
    def open(self, provider: Provider, seconds: float) -> Generator[psycopg.Connection[Any]]:
        try:
            text = self.path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UserError(f"{self.path} is not UTF-8 (byte {error.start}).") from None
        except OSError as error:
            raise UserError(f"{self.path} cannot be read: {error.strerror or error}.") from None
        stage = Stage.of(provider, [text], ("drizzle", "__drizzle_migrations"), extensions=(), seconds=seconds)
        with provider.branch(extensions=stage.extensions, seconds=seconds) as branch, _strongest(branch) as session:
            setup.load(session, text, str(self.path), private=getattr(branch, "admin", None) is not None)
            session.execute("RESET ALL")
            yield session


@dataclass(frozen=True, slots=True)
class _Revision:
    """The migrations of a commit: what comes from a repository never runs as a superuser."""

    revision: str
    chain: "Chain"

    @property
    def label(self) -> str:
        return f"the migrations at {self.revision}"

    @contextlib.contextmanager
    def open(self, provider: Provider, seconds: float) -> Generator[psycopg.Connection[Any]]:
        from checks.witnesses import replay  # noqa: PLC0415 - only for migrations

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
class _Database:
    """A database that is only read."""

    url: str

    @property
    def label(self) -> str:
        return "the database"

    @contextlib.contextmanager
    def open(self, provider: Provider, seconds: float) -> Generator[psycopg.Connection[Any]]:
        del provider, seconds
        from bot.database import target  # noqa: PLC0415 - only for databases

        there = target.of(self.url)
        with there.connect() as session:
            session.read_only = True
            try:
                yield session
            except psycopg.Error as error:
                raise CouldNotJudge(f"{there.name}: {there.words(error)}.") from None


def _side(name: str, repo: Path) -> _File | _Revision | _Database:
    if name.startswith(("postgres://", "postgresql://")):
        return _Database(name)
    if name.startswith("git:"):
        return _revision(name.removeprefix("git:"), repo)
    if not name:
        raise UserError("A side is a .sql file, a PostgreSQL URL or git:REV, and one of them is empty.")
    return _File(Path(name))


def _revision(revision: str, repo: Path) -> _Revision:
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
    return _Revision(revision, chains.read(tree, mine[0]))


@contextlib.contextmanager
def _fresh(provider: Provider, seconds: float) -> Generator[psycopg.Connection[Any]]:
    """A strong session on a branch of its own."""
    with provider.branch(seconds=seconds) as branch, _strongest(branch) as session:
        yield session


@contextlib.contextmanager
def _strongest(branch: Branch) -> Generator[psycopg.Connection[Any]]:
    """A superuser's session where the cluster is private, else the branch role's."""
    admin = getattr(branch, "admin", None)
    with admin() if admin is not None else branch.connect() as session:
        yield session
