"""The next migration of a v1 chain: decided, planned, put into words and files."""

from dataclasses import dataclass, field

from checks.drizzle.entities import Row, Unreconstructable
from checks.drizzle.generating.choices import Choices
from checks.drizzle.generating.v1 import decide, folder, footprints, plan, state, words
from checks.drizzle.generating.v1.state import State
from checks.drizzle.model import Chain
from checks.errors import UserError
from checks.schema import snapshot
from checks.schema.model import Schema


@dataclass(frozen=True, slots=True)
class Written:
    """What came of it; without files where nothing is to be written.

    Attributes:
        files: path → text.
        tag: the name of the folder.
        statements: of the migration.
        pending: columns that left schema.ts and stay for now.
    """

    files: dict[str, str] = field(default_factory=dict[str, str])
    tag: str | None = None
    statements: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()


def write(chain: Chain, wanted: Schema, answers: Choices, *, name: str | None, when: int, kit: str | None) -> Written:
    """The migration from the chain's schema to the wanted one.

    Args:
        chain: the migrations so far.
        wanted: what the schema files mean.
        answers: what a person decided; what is unanswered is left in it.
        name: what to call it; None: two words.
        when: now, in milliseconds.
        kit: the version of drizzle-kit that the project asks for.

    Raises:
        UserError: it cannot be written, and why.
    """
    before = folder.state(chain)
    try:
        made = decide.decide(before, State(snapshot.entities(wanted)), answers)
    except Unreconstructable as error:
        raise UserError(f"{error} No migration was written.") from None
    if answers.open:
        return Written(pending=made.pending)
    places = {f"{view.schema}.{view.name}": (view.schema, view.name) for view in wanted.views}
    needs = {(view.schema, view.name): [places[need] for need in view.needs if need in places] for view in wanted.views}
    steps = plan.steps(made, needs)
    spoken = [(step, words.of(step)) for step in steps]
    statements = [text for _, texts in spoken for text in texts]
    if not statements:
        return Written(pending=made.pending)
    tag, files = folder.write(
        chain,
        made.after,
        statements,
        deltas=[*made.deltas, *state.deltas(made.compared)],
        renames=[f"{_whole(old)}->{_whole(new)}" for pairs in made.renamed.values() for old, new in pairs],
        footprints=[footprints.of(step, texts) for step, texts in spoken],
        name=name,
        when=when,
        form=folder.version(chain, kit),
    )
    return Written(files, tag, tuple(statements), made.pending)


def _whole(row: Row) -> str:
    return ".".join(row[part] for part in ("schema", "table", "name") if row.get(part))
