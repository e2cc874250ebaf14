"""Which connections of a file are not the standard one."""

import re
from collections.abc import Iterator

from checks.ways import drivers, globs, opening, standard
from checks.ways.facts import ForbiddenDriver, NonstandardConnection
from checks.ways.model import Connection
from checks.ways.side import Side, Sighting, at
from checks.ways.source import Source

_EDGE = re.compile(r"(?:^|/)(?:supabase/functions|netlify/edge-functions|edge-functions|edge|workers?|cloudflare)/")
_EDGE_RUNTIME = re.compile(rb"\bruntime\s*[:=]\s*['\"](?:edge|experimental-edge)['\"]")
_OWN_NAMES = re.compile(rb"\bneon\b|\bPool\b|\bcreatePool\b")


def may(side: Side, data: bytes) -> bool:
    """Whether a file may connect at all: it names a driver, or something that only a driver has."""
    if standard.mentions(data):
        return True
    if (b"neon" in data or b"Pool" in data) and _OWN_NAMES.search(data) is not None:
        return True
    return any(name.encode() in data for name in side.policy.connection.forbidden)


def of_typescript(side: Side, source: Source) -> Iterator[Sighting]:
    """The drivers a file may not ask for, and the connections it may not open."""
    paths = side.policy.connection.paths
    if paths and not globs.included(source.path, paths):
        return
    asked = opening.asked(
        source,
        lambda package: (
            drivers.is_driver(package) or drivers.under(package, side.policy.connection.forbidden) is not None
        ),
    )
    found = opening.openings(source, side.tree, side.resolver)
    if not asked and not found:
        return
    if side.connection is None:
        side.connection = standard.written(side.tree, side.policy) or standard.inferred(side.tree)
    connection = side.connection
    outside = connection.inferred or (not paths and _is_elsewhere(side, source, connection))
    yield from _forbidden(side, source, asked, connection, outside=outside)
    if connection.module is None or source.path == connection.module:
        return
    ours = side.variables(connection.module)
    for each in found:
        other = opening.other_database(ours, each.variables)
        place = at(source.path, each.line, each.end_line)
        fact = NonstandardConnection(
            place=place, call=each.call, package=each.package, module=connection.module, inferred=outside or other
        )
        yield Sighting(fact, each.package, each.call)


def _forbidden(
    side: Side, source: Source, asked: list[opening.Asked], connection: Connection, *, outside: bool
) -> Iterator[Sighting]:
    driver, guessed = connection.driver, connection.inferred
    if driver is None and connection.module is not None:
        driver, guessed = side.driver_of(connection.module), True
    if source.path == connection.module and connection.inferred:
        return
    seen: set[str] = set()
    for each in asked:
        named = drivers.under(each.package, connection.forbidden) is not None
        mixed = (
            not connection.forbidden
            and driver is not None
            and drivers.family(each.package) != drivers.family(driver)
            and drivers.is_driver(each.package)
        )
        if not (named or mixed) or each.package in seen:
            continue
        seen.add(each.package)
        place = at(source.path, each.line, each.line)
        inferred = outside or (not named and guessed)
        yield Sighting(
            ForbiddenDriver(
                place=place, driver=each.package, standard=driver, module=connection.module, inferred=inferred
            ),
            each.package,
            "",
        )


def _is_elsewhere(side: Side, source: Source, connection: Connection) -> bool:
    """Another package of the repository, or code that runs on the edge: it may have a database, or a way to it, of its own."""
    if _EDGE.search(source.path) or _EDGE_RUNTIME.search(source.data):
        return True
    module = connection.module
    return module is not None and standard.package_folder(side.tree, source.path) != standard.package_folder(
        side.tree, module
    )
