"""Reading a pull request of 3,000 changed files, beside the bare parse of those that can matter."""

import pytest

from checks import ways
from checks.change import Change, Changed, Commit
from checks.drizzle import projects
from checks.policy import PolicyFile
from checks.tree import Tree
from checks.typescript import syntax
from tests.bench import measure
from tests.bench.shop import Shop

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1200)]

COMPONENT = """import {{ useState }} from "react";
import {{ db }} from "../lib/database";

export function Component{n}({{ name }}: {{ name: string }}) {{
  const [count, setCount] = useState({n});
  const label = `${{name}} ${{count}}`;
  return {{ label, add: () => setCount(count + 1), rows: () => db.query.users.findMany({{ limit: count }}) }};
}}
"""
LIKELY = """import {{ drizzle }} from "drizzle-orm/node-postgres";
import {{ Pool }} from "pg";
export const db{n} = drizzle(new Pool({{ connectionString: process.env.DATABASE_URL }}));
"""


def test_many_changed_files() -> None:
    """Most cannot matter, and are not parsed."""
    before: dict[str, str] = dict(Shop(2).files())
    after = dict(before)
    for n in range(3000):
        name, text = (f"scripts/job{n}.ts", LIKELY) if n % 30 == 0 else (f"src/component{n}.ts", COMPONENT)
        after[name] = text.format(n=n) + COMPONENT.format(n=n) * 10
    base, head = Commit("base", Tree.of(before)), Commit("head", Tree.of(after))
    added = sorted(set(after) - set(before))
    change = Change(base, head, base, tuple(Changed(path, "added") for path in added))
    project = projects.find(head.tree)[0]

    likely = [path for path in added if path.startswith("scripts/")]

    def parse(paths: list[str]) -> None:
        for path in paths:
            syntax.parse(after[path].encode())

    ours, peer, few = measure.medians(
        [lambda: ways.read(change, PolicyFile(), project), lambda: parse(added), lambda: parse(likely)], rounds=3
    )
    measure.line("ways of 3,000 changed files, beside tree-sitter on all", ours, peer, at_most=2.0)
    measure.line(f"  beside tree-sitter on the {len(likely)} that connect", ours, few)
