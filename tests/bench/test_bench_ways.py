"""Reading a pull request of 3,000 changed files, beside the bare parse of those that can matter."""

import pytest

from checks import policy, ways
from checks.change import Change, Changed, Commit
from checks.drizzle import projects
from checks.policy import PolicyFile
from checks.tree import Tree
from checks.typescript import syntax
from tests.bench import measure
from tests.bench.shop import Shop
from tests.checks.ways_samples import PROJECT, TREE, change

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1200)]

IMPORTS = """import {{ useState }} from "react";
import {{ db }} from "../lib/database";
"""
COMPONENT = """
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
        after[name] = (IMPORTS + text).format(n=n) + COMPONENT.format(n=n) * 10
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


def test_many_changed_files_of_usual_size() -> None:
    """A tenth of them connects or runs something banned, and each is some ten kilobytes long."""
    body = "".join(
        f"export async function load{i}(id: string) {{\n  const rows = await db.select().from(orders).where(eq(orders.id, id));\n"
        f"  return rows.map((row) => ({{ ...row, total: row.total * {i} }}));\n}}\n"
        for i in range(40)
    )
    connects = 'import { neon } from "@neondatabase/serverless";\nexport const sql = neon(process.env.DATABASE_URL!);\n'
    runs = "import { execSync } from 'child_process';\nexecSync('npx drizzle-kit push');\n"
    added = {f"src/f{i}/page.tsx": 'import { db } from "@/db";\n' + body for i in range(2700)}
    added |= {f"src/g{i}/page.tsx": connects + body for i in range(200)}
    added |= {f"scripts/h{i}.ts": runs + body for i in range(100)}
    mattering = [text.encode() for path, text in added.items() if "/f" not in path]
    made = change(TREE, {**TREE, **added})
    said = policy.read(made.base.tree)

    def parse() -> None:
        for data in mattering:
            syntax.parse(data, "x.tsx")

    timed = measure.interleaved(lambda: ways.read(made, said, PROJECT), parse, rounds=3)
    measure.line("ways of 3,000 files of usual size, beside tree-sitter on 300", timed.ours, timed.peer, at_most=2.0)
    assert len(ways.read(made, said, PROJECT).facts) == 300
