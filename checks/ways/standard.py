"""The standard connection: as the policy says, as its default layout has it, or inferred from the tree."""

import posixpath
import re

from checks.policy import Policy
from checks.tree import Tree
from checks.ways import drivers, opening, ordinary, recipes
from checks.ways.model import Connection
from checks.ways.source import Source

MODULE = "lib/database/connection-standard.ts"  # where the policy that this product was made for has it
FORBIDDEN = "drizzle-orm/node-postgres"
_MOST = 400
_LIKELY = re.compile(
    r"(?:^|[/._-])(?:db|dbs|database|databases|drizzle|connection|connections|client|pool|pg|postgres|postgresql|neon|sql|orm|store|persistence)(?=[/._-])",
    re.IGNORECASE,
)
_SCRIPT = re.compile(
    r"(?:^|[/._-])(?:seed\w*|migrat\w*|scripts?|bin|cli|reset\w*|studio|cron|jobs?|workers?|drizzle\.config|truncate|backup|import|export|etl)(?=[/._-])",
    re.IGNORECASE,
)


def written(tree: Tree, policy: Policy) -> Connection | None:
    """What is said of the connection; None where nothing is."""
    said = policy.connection
    module = said.module.removeprefix("./") if said.module else MODULE if MODULE in tree else None
    if module is None and not said.driver and not said.forbidden:
        return None
    forbidden = said.forbidden
    if not forbidden and not said.module and module == MODULE and not said.driver:
        forbidden = (FORBIDDEN,)
    return Connection(module, said.driver, forbidden, inferred=False)


def inferred(tree: Tree) -> Connection:
    """The one module, outside scripts and tests, that opens a connection; nothing where several do."""
    paths = [
        path
        for path in tree
        if recipes.is_typescript(path)
        and _LIKELY.search(path)
        and not _SCRIPT.search(path)
        and not ordinary.aside(path)
    ]
    paths = sorted(paths, key=lambda path: (path.count("/"), path))[:_MOST]
    found: list[Connection] = []
    for path, data in tree.read_all(paths).items():
        if not mentions(data) or ordinary.generated(path, data):
            continue
        opened = opening.openings(Source(path, data))
        if opened:
            found.append(Connection(path, opened[0].package, (), inferred=True))
    return found[0] if len(found) == 1 else Connection()


def driver_of(tree: Tree, module: str) -> str | None:
    """The driver that a module asks for."""
    data = tree.read(module)
    if data is None or not mentions(data):
        return None
    asked = opening.asked(Source(module, data), drivers.is_driver)
    return asked[0].package if asked else None


def mentions(data: bytes) -> bool:
    """Whether a file may ask for a driver: a string begins with the name of one, or with the address of another registry."""
    return any(pattern.search(data) for pattern in _NAMED)


def package_folder(tree: Tree, path: str) -> str:
    """The folder of the nearest package.json."""
    folder = posixpath.dirname(path)
    while folder and f"{folder}/package.json" not in tree:
        folder = posixpath.dirname(folder)
    return folder


# One pattern a quote: a search for a single first byte is many times faster than one for a set of them.
_NAMES = b"|".join(re.escape(name.encode()) for name in drivers.packages())
_NAMED = tuple(re.compile(quote + rb"(?:(?:npm|jsr|https?):|" + _NAMES + rb")") for quote in (b'"', b"'", b"`"))
