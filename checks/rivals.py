"""What the migrations of two open pull requests claim, and where they collide once either is merged. Pure."""

from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ConfigDict

from checks.report import Conflict

MOST_THINGS = 3
FIX = (
    "Whoever is merged second puts its migrations after the other's: `bulletproof sync`, or a comment `/migrate sync`."
)
FIX_THINGS = "Whoever is merged second has to change its migration: agree on who makes the change."


class Place(BaseModel):
    """The place in the chain that one new migration takes.

    Attributes:
        parents: of its snapshot, as far as nothing else may continue them.
    """

    model_config = ConfigDict(frozen=True)

    folder: str
    tag: str
    idx: int | None = None
    number: str = ""
    parents: tuple[str, ...] = ()


class Claim(BaseModel):
    """What a pull request's new migrations claim.

    Attributes:
        makes: objects that are there afterwards and were not before, as people name them.
        drops: objects that are gone afterwards.
        needs: objects that have to be there.
        types: column → the type that it gets.
    """

    model_config = ConfigDict(frozen=True)

    places: tuple[Place, ...] = ()
    makes: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    types: tuple[tuple[str, str], ...] = ()


def collisions(ours: Claim, theirs: Claim, other: str) -> list[Conflict]:
    """How two claims collide, as far as that is certain: their places in the chain first, then the objects.

    Args:
        ours: of the pull request that is told.
        theirs: of the other one.
        other: what the other one is called (`#12`).
    """
    found = [*_of_places(ours.places, theirs.places), *_of_things(ours, theirs)]
    return [Conflict.model_validate({"with": other, "kind": k, "message": m, "fix": f}) for k, m, f in found]


def _of_places(ours: Sequence[Place], theirs: Sequence[Place]) -> Iterator[tuple[str, str, str]]:
    for one in ours:
        for two in (each for each in theirs if each.folder == one.folder):
            names = f"`{one.tag}` here and `{two.tag}` there"
            if one.tag == two.tag:
                yield "name", f"Both bring a migration named `{one.tag}`.", FIX
            elif one.idx is not None and one.idx == two.idx:
                yield "idx", f"{names} both are number {one.idx} of the journal.", FIX
            elif one.number and one.number == two.number:
                yield "prefix", f"{names} both begin with {one.number}.", FIX
            elif set(one.parents) & set(two.parents):
                yield "parent", f"The snapshots of {names} continue the same snapshot.", FIX
            else:
                continue
            return  # one is enough to know what to do


def _of_things(ours: Claim, theirs: Claim) -> Iterator[tuple[str, str, str]]:
    both = sorted(set(ours.makes) & set(theirs.makes))
    if both:
        yield "objects", f"Both make {_listed(both)}.", FIX_THINGS
    gone = sorted(set(ours.drops) & {*theirs.needs, *theirs.drops})
    if gone:
        yield "objects", f"This one drops or renames {_listed(gone)}, which the other one changes.", FIX_THINGS
    lost = sorted(set(theirs.drops) & {*ours.needs, *ours.drops} - {*gone})
    if lost:
        yield "objects", f"The other one drops or renames {_listed(lost)}, which this one changes.", FIX_THINGS
    their_types = dict(theirs.types)
    unlike = [(name, new, their_types[name]) for name, new in ours.types if their_types.get(name, new) != new]
    for name, new, other in unlike[:1]:
        yield "objects", f"This one makes {_quoted(name)} `{new}`, the other one `{other}`.", FIX_THINGS


def _listed(things: Sequence[str]) -> str:
    said = ", ".join(_quoted(thing) for thing in things[:MOST_THINGS])
    return said if len(things) <= MOST_THINGS else f"{said} and {len(things) - MOST_THINGS} more"


def _quoted(thing: str) -> str:
    kind, _, name = thing.partition(" ")
    return f"the {kind} `{name.removeprefix('public.')}`"
