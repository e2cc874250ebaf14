"""A branch is a private PostgreSQL cluster: a copied data directory, started for one review, removed with everything in it."""

import contextlib
import hashlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot import cluster
from bot.branches import Template, binaries, blank, files, folders, owner, watch
from bot.branches.ahead import Ahead
from bot.branches.templates import Templates
from checks.errors import CouldNotJudge, UserError

if TYPE_CHECKING:
    import psycopg


_PATIENCE = 30.0  # seconds that a cluster waits for whoever will want it


class EmbeddedBranch:
    """A database in a cluster of its own."""

    may_create_roles = True

    def __init__(self, sockets: Path, version: int, missing: frozenset[str]) -> None:
        self.remark: bytes | None = None
        self.found: bytes | None = None
        self.version = version
        self.missing_extensions = missing
        self._sockets = sockets
        self._watch: watch.Watch | None = None
        self._server: cluster.Server | None = None
        self._untrusted = False

    @property
    def stopped(self) -> watch.Reason | None:
        """Why the watchdog killed the branch, if it did."""
        return self._watch.stopped if self._watch is not None else None

    def wanted(self, seconds: float, missing: frozenset[str]) -> None:
        """It was started before anybody asked for it: its time begins now."""
        self.missing_extensions = missing
        if self._watch is not None:
            self._watch.restart(seconds)

    def runs(self, server: cluster.Server, watched: watch.Watch) -> None:
        """Know who serves and who watches; the last watchdog's word counts."""
        self._server, self._watch = server, watched

    def give_way(self) -> None:
        """Let others go first, from the next session on: it inherits how patient the server is."""
        if self._server is not None:
            self._server.give_way()

    def connect(self, *, autocommit: bool = True) -> "psycopg.Connection[tuple[Any, ...]]":
        """Open a session as the branch role.

        Raises:
            CouldNotJudge: the branch was stopped, or its SQL has locked the role out.
        """
        self._untrusted = True
        return self._open(blank.ROLE, autocommit=autocommit)

    @contextlib.contextmanager
    def admin(self) -> Generator["psycopg.Connection[tuple[Any, ...]]"]:
        """A session for the user's own files: the branch role, and a superuser until the session ends.

        What it makes belongs to the branch role. Only before `connect`: a superuser must never touch what hostile SQL made.
        """
        if self._untrusted:
            raise RuntimeError("admin() comes before connect(): afterwards the database is not to be trusted")
        with self._open(cluster.SUPERUSER) as superuser:
            superuser.execute("ALTER ROLE bulletproof SUPERUSER")
            try:
                with self._open(blank.ROLE) as session:
                    yield session
            finally:
                superuser.execute("ALTER ROLE bulletproof NOSUPERUSER")

    def create(self, extensions: Sequence[str]) -> None:
        """Create extensions that only a superuser may, while nothing else is there yet."""
        if extensions:
            from psycopg import sql  # noqa: PLC0415 - a branch starts without it

            with self._open(cluster.SUPERUSER) as superuser:
                for name in extensions:
                    superuser.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {} CASCADE").format(sql.Identifier(name)))

    def _open(self, role: str, *, autocommit: bool = True) -> "psycopg.Connection[tuple[Any, ...]]":
        import psycopg  # noqa: PLC0415 - a branch starts without it

        try:
            session = cluster.connect(self._sockets, role, autocommit=autocommit)
        except psycopg.OperationalError as error:
            if self.stopped is not None:
                raise CouldNotJudge("The branch database was stopped: it took too long or too much room.") from None
            why = str(error).strip().splitlines()[-1]
            raise CouldNotJudge(f"The branch database takes no session: {why}") from None
        return session


@dataclass(frozen=True, slots=True)
class Begun:
    """A cluster at a template, started before anybody asked for it.

    Attributes:
        branch: with it.
        close: puts it away.
    """

    branch: EmbeddedBranch
    close: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Place:
    """Everything that is found out once, when the first branch is asked for."""

    owner: owner.Owner
    folders: folders.Folders
    binaries: binaries.Binaries
    templates: Templates


@contextlib.contextmanager
def _disk_trouble() -> Generator[None]:
    """A full disk or a folder that vanished is no bug of ours, and no verdict."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise CouldNotJudge(f"The branch database could not be made: {error.strerror or error}{where}.") from None


class Embedded:
    """Gives private clusters, from the programs of the wheel or of `bindir`.

    Args:
        data_dir: where programs and templates are kept (default: the user's cache).
        bindir: the programs of any PostgreSQL 14 to 18.
        room: bytes that a branch may take on disk.
        memory: bytes of address space for each of its processes.
    """

    def __init__(
        self, data_dir: Path | None = None, bindir: Path | None = None, *, room: int = 1 << 30, memory: int = 1 << 30
    ) -> None:
        self._data_dir, self._bindir, self._room, self._memory = data_dir, bindir, room, memory

    @cached_property
    def _place(self) -> _Place:
        who = owner.current()
        with _disk_trouble():
            where = folders.find(self._data_dir, who)
            folders.sweep(where)
            programs = binaries.prepare(self._bindir, where.programs)
            return _Place(who, where, programs, Templates(files.make(where.kept / "templates", mode=0o755)))

    def available_extensions(self) -> frozenset[str]:
        """The extensions that the branch role can create."""
        return self._place.binaries.extensions | self._place.binaries.before

    def prepare(self) -> None:
        """Make what the first branch would make: afterwards a user id without a name can use the same data folder."""
        place = self._place
        with folders.run(place.folders, place.owner) as folder:
            self._blank(folder / "data")

    @contextlib.contextmanager
    def branch(
        self, *, template: Template | None = None, extensions: Sequence[str] = (), seconds: float = 120.0
    ) -> Generator[EmbeddedBranch]:
        """See `Provider.branch`; `stopped` says whether the watchdog ended it."""
        place = self._place
        missing = frozenset(extensions) - self.available_extensions()
        first = sorted(set(extensions) & place.binaries.before)
        with contextlib.ExitStack() as opened:
            with _disk_trouble():
                folder = opened.enter_context(folders.run(place.folders, place.owner))
                branch = EmbeddedBranch(folder, place.binaries.version, missing)
                if template is not None:
                    self._template(folder / "data", template, branch, first, seconds)
                    first = []
                else:
                    self._blank(folder / "data")
                opened.enter_context(self._running(folder, branch, seconds))
                branch.create(first)
            yield branch

    @contextlib.contextmanager
    def ahead(self, token: str) -> Generator[Ahead]:
        """See `StartsAhead`."""
        made = Ahead(self, token)
        try:
            yield made
        finally:
            made.close()

    def hint(self, name: str, key: str | None = None) -> str | None:
        """The template that a name stands for; `key`: from now on that one."""
        with contextlib.suppress(OSError, CouldNotJudge, UserError):  # who asks for a branch is told
            return self._place.templates.hint(name, key)
        return None

    def begin(self, key: str) -> Begun | None:
        """Start a cluster at the template of that key; None where it is not there."""
        place = self._place
        with contextlib.ExitStack() as opened, _disk_trouble():
            folder = opened.enter_context(folders.run(place.folders, place.owner))
            with place.templates.copying(key, folder / "data", place.owner) as copying:
                if not copying:
                    return None
                branch = EmbeddedBranch(folder, place.binaries.version, frozenset())
                opened.enter_context(self._running(folder, branch, _PATIENCE, after=copying))
                branch.remark, branch.found = place.templates.said(key)
            return Begun(branch, opened.pop_all().close)

    @contextlib.contextmanager
    def go_on(self, begun: Begun, *, extensions: Sequence[str], seconds: float) -> Generator[EmbeddedBranch]:
        """The branch that was begun, as `branch` would have given it."""
        try:
            begun.branch.wanted(seconds, frozenset(extensions) - self.available_extensions())
            yield begun.branch
        finally:
            begun.close()

    def _blank(self, data: Path) -> None:
        """Copy the blank cluster to `data`; make it first where nobody has yet."""
        place = self._place
        key = blank.key(place.binaries)
        if place.templates.copy(key, data, place.owner):
            return
        if place.folders.prepared is not None and Templates(place.folders.prepared / "templates").peek(
            key, data, place.owner
        ):
            return
        with place.templates.making(key) as needed:
            if needed:
                with folders.run(place.folders, place.owner) as folder:
                    blank.make(place.binaries, folder, place.owner)
                    place.templates.keep(key, folder / "data", public=True)
        if not place.templates.copy(key, data, place.owner):
            raise CouldNotJudge(f"The blank cluster vanished from {place.templates.folder} while it was being made.")

    def _template(
        self, data: Path, template: Template, branch: EmbeddedBranch, first: Sequence[str], seconds: float
    ) -> None:
        """Copy the template to `data`; the first to need it builds it right there, and keeps a copy."""
        place = self._place
        key = self._key(template, first)
        if place.templates.copy(key, data, place.owner):
            branch.remark, branch.found = place.templates.said(key)
            return
        with place.templates.making(key) as needed:
            if not needed and place.templates.copy(key, data, place.owner):
                branch.remark, branch.found = place.templates.said(key)
                return
            self._blank(data)
            with self._running(data.parent, branch, seconds) as server:
                branch.create(first)
                try:
                    branch.remark = template.build(branch)
                except Exception:
                    self._complain(branch, seconds)
                    raise
                server.stop()
                self._complain(branch, seconds)  # also where the build caught the error itself
            place.templates.keep(key, data, remark=branch.remark)

    def learn(self, template: Template, extensions: Sequence[str], found: bytes) -> None:
        """See `Learns`."""
        self._place.templates.learn(self.key(template, extensions), found)

    def key(self, template: Template, extensions: Sequence[str]) -> str:
        """What the template is kept as."""
        return self._key(template, sorted(set(extensions) & self._place.binaries.before))

    def _key(self, template: Template, first: Sequence[str]) -> str:
        """The name of a template's data directory, with the extensions that were created first."""
        parts = [blank.key(self._place.binaries), template.key, *first]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

    def _complain(self, branch: EmbeddedBranch, seconds: float) -> None:
        if branch.stopped == "time":
            raise CouldNotJudge(
                f"The base migrations were stopped: they did not end within {seconds:.0f} seconds."
            ) from None
        if branch.stopped == "disk":
            raise CouldNotJudge(
                f"The base migrations were stopped: they took more than {self._room >> 20} MB of disk."
            ) from None

    @contextlib.contextmanager
    def _running(
        self, folder: Path, branch: EmbeddedBranch, seconds: float, *, after: Sequence[str] = ()
    ) -> Generator[cluster.Server]:
        place = self._place
        server = cluster.start(
            place.binaries,
            folder / "data",
            folder,
            place.owner,
            blank.settings(place.binaries),
            memory=self._memory,
            disposable=folder,
            after=after,
        )
        watched = watch.Watch(folder, seconds=seconds, room=self._room, kill=server.interrupt)
        try:
            branch.runs(server, watched)
            yield server
        finally:
            watched.end()
            server.kill()
