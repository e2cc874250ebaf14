"""Projects are found without running a line of their configuration."""

import json
import time

import pytest

from checks.drizzle import config, globs, projects
from checks.drizzle.projects import DrizzleOverrides
from checks.tree import Tree
from tests.checks.drizzle_samples import Story

JOURNAL = json.dumps({"version": "7", "dialect": "postgresql", "entries": []})
SQLITE = json.dumps({"version": "6", "dialect": "sqlite", "entries": []})


def only(files, overrides=None):
    """The one project of these files."""
    (project,) = projects.find(Tree.of(files), overrides)
    return project


OUT = "lib/database/migrations"
WAYS = {
    "defineConfig": 'import { defineConfig } from "drizzle-kit";\nexport default defineConfig({ dialect: "postgresql", out: "./lib/database/migrations" });',
    "satisfies": 'export default { dialect: "postgresql", out: "lib/database/migrations" } satisfies Config;',
    "a typed constant": 'const config: Config = { dialect: "postgresql", out: `lib/database/migrations` };\nexport default config;',
    "module.exports": 'module.exports = { dialect: "postgresql", out: "lib/database/migrations" };',
    "exports.default": 'exports.default = { dialect: "postgresql", out: "lib/database/migrations" };',
    "template": 'const base = "lib/database" as const;\nexport default { dialect: "postgresql", out: `${base}/migrations` };',
    "concatenation": 'const base = "./lib";\nexport default { dialect: "postgresql", out: base + "/database/migrations" };',
    "shorthand and spread": 'const out = "lib/database/migrations";\nconst base = { dialect: "postgresql" as const };\nexport default { ...base, out };',
    "environment with a default": 'export default { dialect: "postgresql", out: process.env.OUT ?? "lib/database/migrations" };',
    "environment or": 'const out = process.env["OUT"] || "lib/database/migrations"; export default { dialect: "postgresql", out };',
    "choice": 'export default { dialect: "postgresql", out: process.env.CI ? "other" : "lib/database/migrations" };',
    "choice of configurations": 'export default process.env.X === "1" ? { dialect: "postgresql", out: "lib/database/migrations" } : { dialect: "postgresql", out: "lib/database/migrations" };',
    "path.join": 'import path from "node:path";\nexport default { dialect: "postgresql", out: path.join(__dirname, "lib", "database", "migrations") };',
    "path.resolve": 'import { resolve } from "path";\nexport default { dialect: "postgresql", out: resolve("lib/database/migrations") };',
    "import.meta.dirname": 'export default { dialect: "postgresql", out: join(import.meta.dirname, "lib/database/migrations") };',
    "URL": 'const here = relative(process.cwd(), fileURLToPath(new URL("./lib/database/migrations", import.meta.url)));\nexport default { dialect: "postgresql", out: here };',
    "dirname of a URL": 'const __here = path.dirname(fileURLToPath(import.meta.url));\nexport default { dialect: "postgresql", out: path.join(__here, "lib/database/migrations") };',
    "imported constant": 'import { OUT as o } from "./paths";\nexport default { dialect: "postgresql", out: o };',
    "member of an import": 'import paths from "./paths.js";\nexport default { dialect: "postgresql", out: paths.migrations };',
    "old driver": 'export default { driver: "pg", out: "lib/database/migrations" };',
    "export list": 'const c = { dialect: "postgresql", out: "lib/database/migrations" };\nexport { c as default };',
    "a path that only running would tell": 'export default { dialect: "postgresql", out: where() };',
    "no dialect": 'export default { out: "lib/database/migrations", schema: "x.ts" };',
    "broken TypeScript": 'export default { dialect: "postgresql", out: "lib/database/migrations", dbCredentials: { url: !!! } };',
}


@pytest.mark.parametrize("text", WAYS.values(), ids=WAYS.keys())
def test_where_migrations_are_is_read_from_any_usual_configuration(text):
    """None of it is executed."""
    paths = 'export const OUT = "./lib/database/migrations";\nexport default { migrations: OUT };'
    project = only(
        {"drizzle.config.ts": text, "paths.ts": paths, "package.json": "{}", f"{OUT}/meta/_journal.json": JOURNAL}
    )
    assert (project.migrations_dir, project.config, project.format) == (OUT, "drizzle.config.ts", "v0")


@pytest.mark.parametrize(
    "name",
    ["drizzle.config.ts", "drizzle.config.js", "drizzle.config.mjs", "drizzle.config.cjs", "drizzle.config.mts", "drizzle.config.cts",
     "drizzle-dev.config.ts", "drizzle.config.prod.ts", "drizzle.prod.config.ts", "apps/web/drizzle.config.ts", "db/drizzle.config.ts"],
)  # fmt: skip
def test_every_usual_name_of_a_configuration(name):
    """Paths are from the folder it is started in, so the folder that exists decides."""
    project = only({name: 'export default { dialect: "postgresql", out: "./out" };', "out/meta/_journal.json": JOURNAL})
    assert (project.migrations_dir, project.config) == ("out", name)


def test_a_json_configuration():
    """drizzle-kit reads those too."""
    text = json.dumps({"dialect": "postgresql", "out": "./out", "migrations": {"table": "applied", "schema": "public"}})
    assert only({"drizzle.config.json": text}).table == ("public", "applied")


def test_a_configuration_that_only_a_script_names():
    """By `--config`, in the package.json whose folder is then the one that paths start from."""
    files = {
        "apps/web/package.json": json.dumps({"scripts": {"gen": "drizzle-kit generate --config=../../tools/db.ts"}}),
        "tools/db.ts": 'export default { dialect: "postgresql", out: "./out", schema: "./db/*.ts" };',
        "apps/web/out/meta/_journal.json": JOURNAL,
        "apps/web/db/users.ts": "",
    }
    project = only(files)
    assert (project.migrations_dir, project.root, project.config) == ("apps/web/out", "apps/web", "tools/db.ts")


def test_a_monorepo_has_a_project_a_package():
    """Each with its own folder, in the order of depth and name."""
    files = {}
    for name in ("api", "web"):
        files[f"apps/{name}/package.json"] = "{}"
        files[f"apps/{name}/drizzle.config.ts"] = (
            'export default { dialect: "postgresql", out: "./migrations", schema: "./src/*.ts" };'
        )
        files[f"apps/{name}/src/schema.ts"] = ""
        files[f"apps/{name}/migrations/meta/_journal.json"] = JOURNAL
    assert [(p.root, p.schema_files) for p in projects.find(Tree.of(files))] == [
        ("apps/api", ("apps/api/src/schema.ts",)),
        ("apps/web", ("apps/web/src/schema.ts",)),
    ]


def test_several_configurations_of_one_folder_are_one_project():
    """The plainly named one speaks for it."""
    text = 'export default { dialect: "postgresql", out: "./out" };'
    assert (
        only({"drizzle-test.config.ts": text, "drizzle.config.ts": text, "drizzle.config.prod.ts": text}).config
        == "drizzle.config.ts"
    )


def test_a_project_without_a_configuration_is_found_by_its_shape():
    """And comes after those with one."""
    files = {
        "services/a/migrations/meta/_journal.json": JOURNAL,
        "db/20260101000000_init/snapshot.json": '{"version":"9","dialect":"postgres","id":"a","prevIds":[]}',
        "db/20260101000000_init/migration.sql": "",
        "drizzle.config.ts": 'export default { dialect: "postgresql", out: "x" };',
    }
    assert [(p.migrations_dir, p.format, p.config) for p in projects.find(Tree.of(files))] == [
        ("x", "v0", "drizzle.config.ts"),
        ("db", "v1", None),
        ("services/a/migrations", "v0", None),
    ]


def test_other_databases_are_named_and_not_judged():
    """SQLite, MySQL, by configuration or by shape."""
    tree = Tree.of({
        "drizzle.config.ts": 'export default { dialect: "sqlite", out: "./drizzle" };',
        "drizzle/meta/_journal.json": SQLITE,
        "mobile/drizzle/meta/_journal.json": SQLITE,
        "legacy/drizzle.config.ts": 'export default { driver: "mysql2", out: "./legacy/out" };',
    })  # fmt: skip
    assert projects.find(tree) == []
    assert [(o.path, o.dialect) for o in projects.others(tree)] == [
        ("drizzle.config.ts", "sqlite"),
        ("legacy/drizzle.config.ts", "mysql2"),
        ("mobile/drizzle", "sqlite"),
    ]


def test_a_repository_without_drizzle():
    """Prisma's folders look like v1's, and are none."""
    survey = projects.survey(Tree.of({"prisma/migrations/20260101000000_x/migration.sql": "", "a.ts": ""}))
    assert survey == projects.Survey((), ())


def test_fixtures_and_installed_packages_are_not_projects():
    """A repository's own project is preferred to those in its tests."""
    files = {
        "node_modules/x/drizzle/meta/_journal.json": JOURNAL,
        "tests/fixtures/a/drizzle.config.ts": 'export default { dialect: "postgresql", out: "./drizzle" };',
        "drizzle/meta/_journal.json": JOURNAL,
    }
    assert only(files).migrations_dir == "drizzle"


def test_no_migrations_yet():
    """The folder is where they will be; the format is that of the installed generation."""
    text = 'export default { dialect: "postgresql", schema: "./s.ts" };'
    package = {"dependencies": {"drizzle-orm": "1.0.0-rc.5"}, "devDependencies": {"drizzle-kit": "1.0.0-rc.5"}}
    project = only({"drizzle.config.ts": text, "s.ts": "", "package.json": json.dumps(package)})
    assert (project.migrations_dir, project.format, project.schema_files) == ("drizzle", "v1", ("s.ts",))
    assert {"format", "migrations_dir"} <= project.inferred


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"scripts/migrate.ts": 'import { migrate } from "drizzle-orm/neon-http/migrator";'}, ("neon-http", "none")),
        ({"scripts/migrate.ts": "import { migrate } from 'drizzle-orm/postgres-js/migrator'"}, ("postgres-js", "one")),
        (
            {"src/server.ts": 'const { migrate } = await import("drizzle-orm/node-postgres/migrator")'},
            ("node-postgres", "one"),
        ),
        (
            {"lib/database/connection-standard.ts": 'import { drizzle } from "drizzle-orm/neon-serverless";'},
            ("neon-serverless", "one"),
        ),
        ({"a.ts": ""}, ("unknown", "one")),
        ({"package.json": '{"dependencies": {"postgres": "3"}}'}, ("postgres-js", "one")),
        (
            {
                "package.json": '{"dependencies": {"pg": "8"}, "scripts": {"db:migrate": "drizzle-kit migrate"}}',
                "src/db.ts": 'import { drizzle } from "drizzle-orm/neon-http";',
            },
            ("node-postgres", "one"),
        ),
        (
            {
                "package.json": '{"dependencies": {"pg": "8"}, "scripts": {"db:migrate": "tsx tools/up.ts"}}',
                "tools/up.ts": 'import { migrate } from "drizzle-orm/neon-http/migrator";',
                "src/db/index.ts": 'import { drizzle } from "drizzle-orm/node-postgres";',
            },
            ("neon-http", "none"),
        ),
    ],
)
def test_the_migrator_is_inferred(files, expected):
    """What the scripts run comes first, then any migrator, then any connection, then what is installed."""
    project = only({"drizzle.config.ts": 'export default { dialect: "postgresql" };', "package.json": "{}", **files})
    assert (project.migrator, project.transaction) == expected
    assert "migrator" in project.inferred


def test_the_policy_decides():
    """What it says is not inferred, and needs no configuration that can be read."""
    overrides = DrizzleOverrides(
        migrations="./m/", schema=("lib/*.ts",), migrator="neon-http", format="v1", table="public.done"
    )
    files = {"drizzle.config.ts": "export default await load();", "lib/a.ts": "", "lib/b.ts": ""}
    project = only(files, overrides)
    assert (project.migrations_dir, project.schema_files, project.table) == (
        "m",
        ("lib/a.ts", "lib/b.ts"),
        ("public", "done"),
    )
    assert (project.format, project.migrator, project.transaction) == ("v1", "neon-http", "one")
    assert "migrator" not in project.inferred


def test_the_policy_names_one_of_several_configurations():
    """The others are not looked at."""
    text = 'export default { dialect: "postgresql", out: "./%s", casing: "snake_case" };'
    files = {"drizzle.config.ts": text % "a", "drizzle.config.b.ts": text % "b", "a/meta/_journal.json": JOURNAL}
    project = only(files, DrizzleOverrides(config="drizzle.config.b.ts"))
    assert (project.migrations_dir, project.casing) == ("b", "snake_case")


def test_what_cannot_be_known_is_said():
    """A value from a function of the project's own is not guessed."""
    (read,) = config.read(
        Tree.of({"c.ts": 'export default { dialect: "postgresql", out: where(), schema: ["a.ts", b()] };'}), "c.ts"
    )
    assert (read.out, read.schema, read.unresolved) == ((), ("a.ts",), frozenset({"out"}))


@pytest.mark.parametrize(
    "text",
    [
        "", "export default", "export default x; const x = x;", "const a = b; const b = a; export default a;",
        "export default " + "(" * 5000 + "1" + ")" * 5000, 'import a from "./c"; export default a;', "\0\xff", "[" * 20_000,
        "export default {" + "a:{" * 3000 + "}" * 3000 + "}", "export default " + "'a'+" * 5000 + "'a'",
    ],
)  # fmt: skip
def test_hostile_configurations_end(text):
    """Circles and depth cost nothing."""
    started = time.process_time()
    assert config.read(Tree.of({"c.ts": text}), "c.ts") == []
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a.ts", ["a.ts"]),
        ("a", ["a.ts"]),
        ("db", ["db/one.ts", "db/two.ts"]),
        ("db/*.ts", ["db/one.ts", "db/two.ts"]),
        ("db/**/*.ts", ["db/deep/three.ts", "db/one.ts", "db/two.ts"]),
        ("**/one.ts", ["db/one.ts"]),
        ("db/{one,two}.ts", ["db/one.ts", "db/two.ts"]),
        ("db/t?o.ts", ["db/two.ts"]),
        ("db/[ot]*.ts", ["db/one.ts", "db/two.ts"]),
        ("d*", ["db/one.ts", "db/two.ts"]),
        ("nothing/*.ts", []),
        ("db/[.ts", []),
    ],
)
def test_schema_patterns(pattern, expected):
    """A file, a file without its ending, a folder, or a glob."""
    tree = Tree.of({"a.ts": "", "db/one.ts": "", "db/two.ts": "", "db/deep/three.ts": "", "db/readme.md": ""})
    assert globs.expand(tree, pattern) == expected


def test_a_large_repository_is_searched_quickly():
    """100,000 files, of which almost none are read."""
    files = {f"src/{n % 300}/{n}.ts": "x" for n in range(100_000)}
    tree = Tree.of({**files, "drizzle.config.ts": 'export default { dialect: "postgresql" };', "package.json": "{}"})
    started = time.process_time()
    assert len(projects.find(tree)) == 1
    assert time.process_time() - started < 1.5


@pytest.mark.parametrize(
    ("out", "why"), [('"../../drizzle"', "leads out of the repository"), ("process.env.X!", "cannot be known")]
)
def test_a_folder_that_cannot_be_known_is_the_only_one_there_is_or_is_lost(out: str, why: str):
    """Where the configuration says nothing usable, the one folder of migrations is taken; else nothing is claimed of it."""
    config = f'export default {{ dialect: "postgresql", schema: "./schema.ts", out: {out} }};'
    story = Story({"drizzle.config.ts": config, "schema.ts": ""}).add("users")
    (found,) = projects.find(Tree.of(story.files))
    assert (found.migrations_dir, found.config, found.lost) == ("drizzle", "drizzle.config.ts", None)
    (alone,) = projects.find(Tree.of({"drizzle.config.ts": config, "schema.ts": ""}))
    assert alone.lost is not None
    assert why in alone.lost


@pytest.mark.parametrize(
    "said",
    [
        DrizzleOverrides(migrations="../x"),
        DrizzleOverrides(migrations="lib/migration"),
        DrizzleOverrides(config="no.ts"),
    ],
)
def test_a_policy_that_names_what_is_not_there_is_told_so(said: DrizzleOverrides):
    """What was found is judged instead: a typing error in the policy is no way past it."""
    story = Story({"drizzle.config.ts": 'export default { dialect: "postgresql", out: "./drizzle" };'}).add("users")
    found = projects.survey(Tree.of(story.files), said)
    assert [p.migrations_dir for p in found.projects] == ["drizzle"]
    assert len(found.remarks) == 1
    first = projects.survey(Tree.of({"package.json": "{}"}), DrizzleOverrides(migrations="lib/migrations"))
    assert ([p.migrations_dir for p in first.projects], first.remarks) == (["lib/migrations"], ())


@pytest.mark.parametrize(
    "text",
    [
        'export default defineConfig(() => ({ dialect: "postgresql", schema: "./s.ts", out: "./o" }));',
        'const make = () => defineConfig({ dialect: "postgresql", schema: "./s.ts", out: "./o" }); export default make();',
        'function make(more) { const out = "./o"; return { dialect: "postgresql", schema: "./s.ts", out, ...more }; } export default make({});',
        'const f = () => g(); const g = () => f(); export default { dialect: "postgresql", schema: f() ?? "./s.ts", out: "./o" };',
    ],
)
def test_a_configuration_may_be_what_a_function_returns(text: str) -> None:
    """Functions of the file stand for what they return; one that needs itself is unknown."""
    (found,) = config.read(Tree.of({"drizzle.config.ts": text}), "drizzle.config.ts")
    assert (found.postgres, found.schema, found.out) == (True, ("./s.ts",), ("./o",))
