"""Makes the schema files and the last snapshot real on branch databases, so that PostgreSQL itself compares them with the chain."""

import hashlib
import re
from dataclasses import dataclass

from bot import redrawing, zero
from bot.stage import Stage, StateFailedError
from checks import equality
from checks.catalog.model import Catalog
from checks.change import Change
from checks.drizzle import snapshot_sql
from checks.drizzle.entities import Unreconstructable
from checks.drizzle.generating.v1 import kept
from checks.drizzle.model import Chain, Project
from checks.drizzle.plan import Plan
from checks.equality import Sides
from checks.errors import CouldNotJudge
from checks.facts import Fact
from checks.report import Equality
from checks.schema import read as schemas
from checks.schema.model import Schema
from checks.schema.snapshot import to_snapshot
from checks.tree import Tree

_LOOSENS = re.compile(r"\bDROP\s+(?:CONSTRAINT|IDENTITY)\b", re.IGNORECASE)


def schema(tree: Tree, project: Project) -> Schema | None:
    """The project's schema files as one commit has them; None where it has none."""
    files = [path for path in project.schema_files if path in tree]
    return schemas.read(tree, files, format=project.format, casing=project.casing) if files else None


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a commit's schema files and last snapshot say, as real schemas; None: it could not be had.

    Attributes:
        read: the schema files as read.
        upon: what the snapshot said before head was drawn first, and head's upon it: for what is then equal that is proof enough.
    """

    read: Schema | None = None
    schema: Catalog | None = None
    snapshot: Catalog | None = None
    upon: bool = False


def draw(tree: Tree, chain: Chain, stage: Stage | None, upon: tuple[Tree, Chain] | None = None) -> Drawn:
    """Read the schema files and the last snapshot of a commit, and make both; it needs nothing of the chain's run.

    Args:
        tree: of the commit.
        chain: at the commit.
        stage: where schemas are made; None: there is no database.
        upon: another commit and its chain, whose snapshot says much the same.
    """
    read = schema(tree, chain.project)
    if stage is None:
        return Drawn(read)
    named = kept.names(read, chain) if read is not None and chain.project.format == "v1" else read
    own = None if named is None else snapshot_sql.of_schema(chain, named)
    if own is not None and read is not None and _is_snapshot_of(chain, read):
        if upon is not None and (both := _redrawn(chain, *upon, stage)) is not None:
            return Drawn(read, both, both, upon=True)
        both = stage.drawn(own)
        return Drawn(read, both, both)
    wanted = [own, _snapshot(chain)]
    made = iter(stage.all_drawn([each for each in wanted if each is not None]))
    first, second = (None if each is None else next(made) for each in wanted)
    return Drawn(read, first, second)


def _redrawn(chain: Chain, tree: Tree, upon: Chain, stage: Stage) -> Catalog | None:
    """The last snapshot of a chain, drawn upon another's."""
    old, new = upon.last_snapshot, chain.last_snapshot
    content = None if old is None else tree.read(old.path)
    if old is None or new is None or content is None or (few := redrawing.narrowed(old, new)) is None:
        return None
    try:
        before, after = (snapshot_sql.ddl(of, each) for of, each in zip((upon, chain), few, strict=True))
    except Unreconstructable:
        return None
    delta = redrawing.between(before, after)
    if delta is None:
        return None
    extensions = [m.hash for m in upon.migrations if "extension" in m.text.lower()]
    parts = [hashlib.sha256(content).hexdigest(), *extensions]
    drawn = stage.redrawn(parts, lambda: snapshot_sql.ddl(upon, old), delta)
    return drawn if drawn is not None and redrawing.certain(drawn, content.decode(errors="replace"), delta) else None


def _is_snapshot_of(chain: Chain, read: Schema) -> bool:
    """Whether the last snapshot is, word for word, the one that would be written for the schema files: then one drawing is both."""
    last = chain.last_snapshot
    if last is None or last.version != "7" or read.unresolved:
        return False
    apart = {"id", "prevId", "_meta"}
    written = {key: value for key, value in to_snapshot(read).items() if key not in apart}
    return written == {key: value for key, value in last.data.items() if key not in apart}


def compare(
    change: Change, plan: Plan, stage: Stage | None, built: Catalog | None, drawn: Drawn
) -> tuple[Equality, tuple[Fact, ...]]:
    """The four-way equality of head, and what head has to do with its inequalities.

    Args:
        change: base and head.
        plan: of one project.
        stage: where schemas are made; None: there is no database, and nothing is compared.
        built: what the whole chain of head builds.
        drawn: what head's schema files and snapshot say.
    """
    fallback = _stands_on(change, plan)
    if stage is None:
        return equality.judge(Sides(schema=drawn.read), Sides(), change.paths, fallback)
    head, before = _sides(drawn, built, plan.head), Sides()
    if drawn.upon and equality.differs(head):
        head = _sides(draw(change.head.tree, plan.head, stage), built, plan.head)
    if equality.differs(head):
        old = plan.merge_base
        before = _sides(draw(change.merge_base.tree, old, stage), _built(old, stage), old)
    return equality.judge(head, before, change.paths, fallback)


def _sides(drawn: Drawn, built: Catalog | None, chain: Chain) -> Sides:
    statements = (statement.sql for migration in chain.migrations for statement in migration.statements)
    return Sides(
        chain=built,
        drawn=drawn.schema,
        snapshot=drawn.snapshot,
        schema=drawn.read,
        loosening=tuple(sql for sql in statements if _LOOSENS.search(sql)),
        unread=chain.newest_snapshot_is_unread,
    )


def _snapshot(chain: Chain) -> list[str] | None:
    if chain.last_snapshot is None:
        return None
    try:
        return snapshot_sql.ddl(chain, chain.last_snapshot)
    except Unreconstructable:
        return None  # the history rules say what is wrong with it


def _built(chain: Chain, stage: Stage) -> Catalog | None:
    """What a chain builds from nothing; None where it does not run there."""
    template = zero.template(chain, stage)
    try:
        with stage.provider.branch(template=template, extensions=stage.extensions, seconds=stage.seconds) as branch:
            return stage.catalog(branch)
    except (StateFailedError, CouldNotJudge):
        return None


def _stands_on(change: Change, plan: Plan) -> str:
    """A file that head changed, for facts that belong to no line: its last migration, else a schema file, else any."""
    if plan.added:
        return plan.added[-1].path
    own = [p for p in plan.project.schema_files if p in change.paths]
    inside = sorted(p for p in change.paths if p.startswith(f"{plan.project.migrations_dir}/"))
    return (own or inside or sorted(change.paths) or [plan.project.migrations_dir])[0]
