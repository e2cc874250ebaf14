"""What a database must look like after some of the migrations: they are run on a scratch database, and the catalogs compared."""

# ruff: noqa: PLC0415 - a run that has nothing to compare does without the catalogs, and starts in half the time

import dataclasses
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

from psycopg import sql

from bot.branches import Provider, platforms
from bot.database import ours, stepping, tracking
from bot.database.target import Session
from bot.progress import Say
from checks.branch import Branch
from checks.drizzle.model import Chain, Migration
from checks.errors import CouldNotJudge
from checks.witnesses.model import Failure, Run
from checks.witnesses.wire import Wire

if TYPE_CHECKING:
    from bot.stage import Stage
    from checks.catalog.model import Catalog

SECONDS = 600.0

# What a schema has, by name: cheap enough to ask after every migration.
_NAMES = """
select n.nspname::text, c.relname::text, a.attname::text
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
and not exists (select from pg_catalog.pg_depend d where d.objid = c.oid and d.deptype = 'e')
"""
_TABLES = """
select n.nspname::text, c.relname::text from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'drizzle')
and pg_catalog.has_schema_privilege(n.oid, 'usage') and pg_catalog.has_table_privilege(c.oid, 'select')
"""
_ANYTHING = """
select exists (
  select from (
    select oid, relnamespace as home from pg_catalog.pg_class where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    union all select oid, typnamespace from pg_catalog.pg_type where typtype in ('e', 'd', 'r')
    union all select oid, pronamespace from pg_catalog.pg_proc
  ) thing join pg_catalog.pg_namespace n on n.oid = thing.home
  where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and n.nspname <> all (%(theirs)s)
  and not exists (select from pg_catalog.pg_depend d where d.objid = thing.oid and d.deptype = 'e'))
"""
_OWN = """
select rolname::text from pg_catalog.pg_roles where rolname = current_user
union select pg_catalog.pg_get_userbyid(datdba)::text from pg_catalog.pg_database where datname = pg_catalog.current_database()
"""
Name = tuple[str, str, str]
Where = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Drift:
    """Two schemas that should be the same, and are not.

    Attributes:
        to_files: statements that make the database what the files say.
        to_real: statements that make what the files say into the database.
        unified, summary: the difference from the files to the database, as a text and in words.
        lacking: in words, what the files have and the database has not: the same the other way.
    """

    to_files: str
    to_real: str
    unified: str
    summary: tuple[str, ...]
    lacking: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """Where in the chain a database stands.

    Attributes:
        equal: the points (numbers of migrations) whose catalog is the database's.
        nearest: the point that is most like it, where none is equal; `drift` is what lies between.
        lacking: tags whose rows are not in the database: they fill tables that are empty there.
        filled: tags whose rows the database has.
        stuck: the migration at which the scratch database ended, and why.
    """

    equal: tuple[int, ...]
    nearest: int
    drift: Drift | None = None
    lacking: frozenset[str] = frozenset()
    filled: frozenset[str] = frozenset()
    stuck: tuple[str, str] | None = None


class Scratch:
    """A private place where the migrations of one chain are run."""

    def __init__(self, chain: Chain, extensions: Sequence[str], say: Say, provider: Provider | None = None) -> None:
        self.chain, self.say = chain, say
        self._extensions, self._provider = extensions, provider

    @cached_property
    def stage(self) -> "Stage":
        """The stubs and extensions that the chain needs."""
        from bot.stage import Stage

        provider = self._provider or _embedded()
        texts = [m.text for m in self.chain.migrations]
        return Stage.of(provider, texts, self.chain.project.table, extensions=self._extensions, seconds=SECONDS)

    def after(self, tags: Collection[str]) -> "Catalog":
        """The catalog after these migrations, in the order of the chain.

        Raises:
            CouldNotJudge: they do not run, or there is no scratch database.
        """
        from bot.database import kept
        from bot.stage import StateFailedError

        wanted = [m for m in self.chain.migrations if m.tag in tags]
        if not wanted:
            with (
                self.stage.empty() as branch
            ):  # not quite nothing: there is a schema `public`, and what the platform brings
                return self.stage.catalog(branch)
        self.say(f"running {len(wanted)} migrations on a scratch database")
        parts = ["steps", *(f"{m.tag} {m.hash}" for m in wanted)]
        template = self.stage.template("database", parts, _grow(wanted))
        stage = self.stage

        def build() -> "Catalog":
            with stage.provider.branch(template=template, extensions=stage.extensions, seconds=SECONDS) as branch:
                return stage.catalog(branch)

        try:
            return kept.catalog(" ".join((template.key, *stage.ignored)), build) if self._provider is None else build()
        except StateFailedError as error:
            where = error.run.failed[0] if error.run.failed else ""
            raise CouldNotJudge(f"{where} does not run on a scratch database: {_words(error.run.failure)}.") from None

    def search(self, real: "Catalog", session: Session) -> Search:
        """Run the chain from nothing, migration by migration, and look which states are the database's."""
        from checks.catalog import difference

        stage, found = self.stage, _Points(_names(session), _filled(session))
        template = stage.template("database", [], lambda _: None) if stage.stubs else None
        with stage.provider.branch(template=template, extensions=stage.extensions, seconds=SECONDS) as branch:
            wire = Wire(branch)
            try:
                self._walk(found, branch, wire)
            finally:
                wire.close()
        within = ours.schemas([*(c for _, c in found.catalogs), found.last])
        equal = tuple(n for n, catalog in found.catalogs if difference.equal(*ours.pair(catalog, real, within)))
        nearest = equal[0] if equal else found.nearest(within)
        drift = None
        if not equal:
            tags = [m.tag for m in self.chain.migrations[:nearest]]
            drift = compare(self.after(tags), real, within)
        return Search(
            equal=equal,
            nearest=nearest,
            drift=drift,
            lacking=frozenset(found.lacking),
            filled=frozenset(found.present),
            stuck=found.stuck,
        )

    def _walk(self, found: "_Points", branch: Branch, wire: Wire) -> None:
        migrations = self.chain.migrations
        found.at(0, wire, lambda: self.stage.catalog(branch))
        for number, migration in enumerate(migrations, start=1):
            self.say(f"looking for the database's state: {migration.tag} ({number} of {len(migrations)})")
            failure = stepping.play(wire, migration)
            if failure is not None:
                found.stuck = (migration.tag, failure.message)
                break
            found.rows(migration, wire)
            found.at(number, wire, lambda: self.stage.catalog(branch))
        found.last = self.stage.catalog(branch)


def _embedded() -> Provider:
    from bot import settings
    from bot.branches.embedded import Embedded

    chosen = settings.read()
    return Embedded(chosen.data_dir, chosen.postgres_bindir)


class _Points:
    """The states that were passed, and how each compares with the database by name."""

    def __init__(self, names: frozenset[Name], filled: frozenset[Where]) -> None:
        self._names, self._filled = names, filled
        self._seen: frozenset[Where] = frozenset()
        self._points: list[frozenset[Name]] = []
        self.catalogs: list[tuple[int, Catalog]] = []
        self.lacking: set[str] = set()
        self.present: set[str] = set()
        self.stuck: tuple[str, str] | None = None
        self.last = empty()

    def at(self, number: int, wire: Wire, catalog: "Callable[[], Catalog]") -> None:
        """Look at a state; its whole catalog is read where the names are right, in the schemas that it has."""
        names = _own(wire.ask(_NAMES))
        self._points.append(names)
        within = {ours.ALWAYS, *(name[0] for name in names)}
        if {n for n in self._names if n[0] in within} == {n for n in names if n[0] in within}:
            self.catalogs.append((number, catalog()))

    def rows(self, migration: Migration, wire: Wire) -> None:
        """Which tables a migration filled, and whether the database's have rows, too."""
        text = migration.text.lower()
        if "insert" not in text and "copy" not in text:
            return
        filled = _filled(wire.connection)
        new = filled - self._seen
        self._seen = filled
        if new:
            (self.present if new & self._filled else self.lacking).add(migration.tag)

    def nearest(self, within: frozenset[str]) -> int:
        """The point with the fewest names too many or too few; of several the last."""
        real = {n for n in self._names if n[0] in within}
        scores = [len(real ^ {n for n in names if n[0] in within}) for names in self._points]
        return max(n for n, score in enumerate(scores) if score == min(scores))


def bare(session: Session) -> bool:
    """Nothing is in the database but what extensions and platforms bring, and Drizzle's own: there is nothing to compare."""
    row = session.execute(_ANYTHING, {"theirs": [tracking.STEPS[0], *platforms.SCHEMAS]}).fetchone()
    return row is not None and not row[0]


@cache
def empty() -> "Catalog":
    """The catalog of a database with nothing in it."""
    from checks.catalog.model import Catalog

    return Catalog()


def read(session: Session, chain: Chain) -> "Catalog":
    """The catalog of a real database, without Drizzle's own tables."""
    from bot.database.spoken import Deployed
    from checks.catalog import read as catalogs

    schema, name = chain.project.table
    found = catalogs.read(session, ignore=(tracking.STEPS[0], f"{schema}.{name}"))
    own = session.execute(_OWN).fetchall()
    fields = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    return Deployed(**fields, own=frozenset(name for (name,) in own))


def compare(files: "Catalog", real: "Catalog", within: frozenset[str]) -> Drift | None:
    """The difference in what the migrations answer for; None where there is none."""
    from checks.catalog import difference, statements, words

    left, right = ours.pair(files, real, within)
    if difference.equal(left, right):
        return None
    return Drift(
        to_files=statements.text(statements.sql(right, left)),
        to_real=statements.text(statements.sql(left, right)),
        unified=difference.unified(left, right, before="files", after="database"),
        summary=tuple(words.summary(left, right)),
        lacking=tuple(words.summary(right, left)),
    )


def _grow(migrations: Sequence[Migration]) -> Callable[[Branch], None]:
    from bot.stage import StateFailedError

    def build(branch: Branch) -> None:
        wire = Wire(branch)
        try:
            for migration in migrations:
                failure = stepping.play(wire, migration)
                if failure is not None:
                    run = Run(state="failed", transaction="each", failed=(migration.tag, 0), failure=failure)
                    raise StateFailedError(run)
        finally:
            wire.close()

    return build


def _words(failure: Failure | None) -> str:
    return failure.message if failure is not None else "no reason given"


def _names(session: Session) -> frozenset[Name]:
    return _own(session.execute(_NAMES).fetchall())


def _own(rows: Sequence[tuple[str, ...]]) -> frozenset[Name]:
    """Names that the migrations may answer for; a platform's are stubs here, and another's there."""
    theirs = {tracking.STEPS[0], *platforms.SCHEMAS}
    return frozenset((a, b, c) for a, b, c in rows if a not in theirs)


def _filled(session: Session) -> frozenset[Where]:
    """The tables that have rows."""
    tables: list[Where] = [(row[0], row[1]) for row in session.execute(_TABLES).fetchall()]
    if not tables:
        return frozenset()
    parts = [
        sql.SQL("select {}::int where exists (select from {}.{})").format(
            number, sql.Identifier(schema), sql.Identifier(name)
        )
        for number, (schema, name) in enumerate(tables)
    ]
    found = session.execute(sql.SQL(" union all ").join(parts)).fetchall()
    return frozenset(tables[int(row[0])] for row in found)
