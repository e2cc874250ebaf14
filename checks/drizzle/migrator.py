"""Which of drizzle-orm's migrators a project runs. It is inferred from the code, so it never blocks."""

import posixpath
import re
from collections.abc import Sequence

from checks.drizzle.model import Format, Transaction
from checks.drizzle.packages import Package
from checks.tree import Tree

MOST_FILES = 400
LARGEST = 300_000

POSTGRES = (
    "aws-data-api/pg",
    "bun-sql",
    "effect-postgres",
    "neon-http",
    "neon-serverless",
    "netlify-db",
    "node-postgres",
    "pg-proxy",
    "pglite",
    "postgres-js",
    "vercel-postgres",
    "xata-http",
)
# In the order in which drizzle-kit looks for an installed driver.
DRIVERS = {
    "pg": "node-postgres",
    "postgres": "postgres-js",
    "@vercel/postgres": "vercel-postgres",
    "@neondatabase/serverless": "neon-serverless",
    "@electric-sql/pglite": "pglite",
}
_CODE = (".ts", ".mts", ".cts", ".js", ".mjs", ".cjs", ".tsx")
_IMPORT = re.compile(r"""(?:from|import|require)\s*\(?\s*["']drizzle-orm/([\w/-]+?)(/migrator)?["']""")
_LIKELY = re.compile(
    r"migrat|database|connection|drizzle|(?:^|/)(?:db|pg|postgres|neon|client|server)\b", re.IGNORECASE
)
_FILE = re.compile(r"[\w./@-]+\.(?:[cm]?[jt]s|tsx)\b")


def infer(tree: Tree, packages: Sequence[Package], root: str) -> str:
    """The name of the migrator, `unknown` where nothing tells.

    What the package's own `migrate` scripts run comes first, then any call of a migrator, then any connection, then the
    installed drivers.
    """
    named = [p for package in packages for p in _run_by_scripts(tree, package)]
    found = _imports(tree, named)
    if migrating := [name for name, is_migrator in found if is_migrator]:
        return migrating[0]
    scripts = " ; ".join(s for package in packages for s in package.scripts.values())
    installed = next((DRIVERS[d] for d in DRIVERS for p in packages if d in p.dependencies), None)
    if "drizzle-kit migrate" in scripts and installed is not None:
        return installed
    everything = found + _imports(tree, _likely(tree, root))
    ranked = sorted(everything, key=lambda pair: not pair[1])
    return ranked[0][0] if ranked else installed or "unknown"


def transaction(name: str, form: Format) -> Transaction:
    """How a migrator runs what is pending (drizzle-orm, `MIGRATOR/migrator.ts`): v0's neon-http has no transaction."""
    return "none" if name == "neon-http" and form == "v0" else "one"


def _run_by_scripts(tree: Tree, package: Package) -> list[str]:
    scripts = [text for name, text in package.scripts.items() if "migrat" in name.lower() or "migrat" in text.lower()]
    files = (posixpath.normpath(posixpath.join(package.folder, f)) for text in scripts for f in _FILE.findall(text))
    return [path for path in files if path in tree]


def _likely(tree: Tree, root: str) -> list[str]:
    paths = (
        p for p in tree.under(root) if p.endswith(_CODE) and _LIKELY.search(p[len(root) :]) and "node_modules/" not in p
    )
    return sorted(paths, key=lambda p: ("migrat" not in p.lower(), p.count("/"), p))[:MOST_FILES]


def _imports(tree: Tree, paths: Sequence[str]) -> list[tuple[str, bool]]:
    found: list[tuple[str, bool]] = []
    contents = tree.read_all(paths)
    for path in paths:
        text = contents.get(path, b"")[:LARGEST].decode(errors="replace")
        found += [(name, bool(end)) for name, end in _IMPORT.findall(text) if name in POSTGRES]
    return found
