"""Which commands are no business of the policy, old, or only noted."""

import pytest

from tests.checks.ways_samples import PACKAGE, POLICY_PATH, TREE, package, read, seen

ORDINARY = {
    ".github/workflows/comment.yml": "jobs:\n  c:\n    steps:\n    - uses: actions/github-script@v7\n      with:\n        script: |\n          const body = 'Run `npx drizzle-kit push`';\n    - uses: x/comment@v1\n      with:\n        body: npx drizzle-kit push\n    - shell: python\n      run: print('npx drizzle-kit push')\n    - run: gh pr comment --body 'npx drizzle-kit push'\n",
    "README.md": "Run `npx drizzle-kit push` and never `db:push`.\n",
    "docs/setup.mdx": "```sh\nnpx drizzle-kit push\n```\n",
    "docs/deploy.sh": "npx drizzle-kit push\n",
    "CONTRIBUTING.md": "- db:push is banned\n",
    ".github/workflows/a.yml": "# npx drizzle-kit push\njobs:\n  a:\n    name: no drizzle-kit push\n    steps:\n    - name: drizzle-kit push\n      run: npx drizzle-kit migrate # not drizzle-kit push\n",
    ".github/workflows/b.yml": "jobs:\n  a:\n    steps:\n    - run: |\n        if grep -rq 'drizzle-kit push' package.json; then\n          echo '::error::drizzle-kit push is banned'; exit 1\n        fi\n        ! git grep -n \"db:push\"\n",
    ".github/workflows/c.yml": "jobs:\n  test:\n    services:\n      postgres: {image: 'postgres:16'}\n    env: {DATABASE_URL: 'postgres://postgres@localhost:5432/app'}\n    steps:\n    - run: npx drizzle-kit push\n",
    ".github/workflows/d.yml": "jobs:\n  e2e:\n    services: {db: {image: 'ghcr.io/x/pgvector:pg17'}}\n    steps:\n    - run: pnpm db:push\n",
    ".github/workflows/preview.yml": "on: pull_request\njobs:\n  preview:\n    steps:\n    - uses: neondatabase/create-branch-action@v5\n      id: branch\n    - run: npx drizzle-kit push\n      env: {DATABASE_URL: '${{ steps.branch.outputs.db_url }}'}\n",
    ".github/workflows/e.yml": "jobs:\n  t:\n    env: {DATABASE_URL: '${{ secrets.TEST_DATABASE_URL }}'}\n    steps:\n    - run: npx drizzle-kit push\n",
    ".github/workflows/f.yml": "jobs:\n  t:\n    steps:\n    - run: docker compose up -d db\n    - run: npx drizzle-kit push\n",
    ".gitlab-ci.yml": "test:\n  services: ['postgres:16']\n  script:\n    - npx drizzle-kit push\n",
    ".circleci/config.yml": "jobs:\n  test:\n    docker:\n    - image: cimg/node:20.0\n    - image: cimg/postgres:16.1\n    steps:\n    - run: npx drizzle-kit push\n",
    "docker-compose.test.yml": "services:\n  app:\n    command: npx drizzle-kit push\n",
    "scripts/test-setup.sh": "npx drizzle-kit push\n",
    "tests/setup.sh": "npx drizzle-kit push\n",
    "scripts/check.sh": "#!/bin/sh\n# npx drizzle-kit push\necho 'never run npx drizzle-kit push'\ncat <<END\nnpx drizzle-kit push\nEND\n",
    "templates/basic/package.json": '{"scripts": {"db:push": "drizzle-kit push"}}',
    "examples/neon/package.json": '{"scripts": {"db:push": "drizzle-kit push"}}',
    "Makefile": "# npx drizzle-kit push\nhelp:\n\t@echo 'no drizzle-kit push'\n",
    "Dockerfile": "FROM node\n# RUN npx drizzle-kit push\nRUN echo 'drizzle-kit push'\nLABEL x=\"drizzle-kit push\"\n",
    "renovate.json": '{"description": "npx drizzle-kit push"}',
    ".coderabbit.yaml": "instructions: npx drizzle-kit push is banned\n",
    "turbo.json": '{"tasks": {"db:push": {"cache": false}, "db:migrate": {"cache": false}}}',
    "lib/messages.ts": "// execSync('npx drizzle-kit push')\nexport const help = 'npx drizzle-kit push';\nconsole.log('run npx drizzle-kit push');\nthrow new Error(`npx drizzle-kit push`);\n",
    "lib/regex.ts": "const m = /x/.exec('npx drizzle-kit push'); const t = terms.run('db:push');\n",
    "tests/global-setup.ts": "import { execSync } from 'child_process';\nexecSync('npx drizzle-kit push');\n",
    "vitest.setup.ts": "import { pushSchema } from 'drizzle-kit/api';\nawait pushSchema(schema, db);\n",
    "lib/types.ts": "import type { pushSchema } from 'drizzle-kit/api';\n",
    "lib/dev.ts": "import { PGlite } from '@electric-sql/pglite';\nimport { pushSchema } from 'drizzle-kit/api';\nawait (await pushSchema(s, drizzle(new PGlite()))).apply();\n",
    "lib/sqlite.ts": "import { pushSQLiteSchema } from 'drizzle-kit/api';\nawait pushSQLiteSchema(s, db);\n",
    "lib/push.ts": "import webpush from 'web-push';\nexport const push = () => webpush.sendNotification();\n",
    "dist/cli.js": "execSync('npx drizzle-kit push')\n",
    "vendor/x.sh": "npx drizzle-kit push\n",
}  # fmt: skip


@pytest.mark.parametrize("path", ORDINARY)
def test_ordinary_files_raise_no_alarm(path):
    reading = read({path: ORDINARY[path]})
    assert reading.facts == ()
    assert reading.unread == ()


@pytest.mark.parametrize(
    "scripts",
    [
        {"db__push": "echo 'Use npm run db:migrate' && exit 1"},
        {"db__push": "node -e \"console.error('db:push is banned: npm run db:migrate'); process.exit(1)\""},
        {"db__push": "npm run db:migrate"},
        {"db__push": "supabase db push"},
        {"test": "drizzle-kit push && vitest"},
        {"pretest": "drizzle-kit push --force"},
        {"test__db": "drizzle-kit push"},
        {"e2e__setup": "drizzle-kit push"},
        {"setup": "dotenv -e .env.test -- drizzle-kit push"},
        {"setup": "drizzle-kit push --config drizzle.test.config.ts"},
        {"setup": "NODE_ENV=test drizzle-kit push"},
        {"db__generate": "drizzle-kit generate", "db__studio": "drizzle-kit studio", "db__check": "drizzle-kit check"},
        {"help": "drizzle-kit push --help"},
        {"web": "web-push generate-vapid-keys", "release": "git push --follow-tags", "docker": "docker push x/db"},
        {"postinstall": "npm install drizzle-kit push"},
    ],
)
def test_ordinary_scripts_raise_no_alarm(scripts):
    assert seen({"package.json": package(**scripts)}) == []


@pytest.mark.parametrize("dialect", ["sqlite", "mysql", "turso", "singlestore"])
def test_a_push_of_another_dialect_is_nobodys_business(dialect):
    config = f"export default {{ dialect: '{dialect}', schema: './s.ts' }};\n"
    assert (
        seen(
            {"apps/mobile/package.json": package(db__push="drizzle-kit push"), "apps/mobile/drizzle.config.ts": config}
        )
        == []
    )
    assert (
        seen(
            {
                "package.json": package(mobile="drizzle-kit push --config apps/mobile/drizzle.config.ts"),
                "apps/mobile/drizzle.config.ts": config,
            }
        )
        == []
    )
    assert (
        seen({"scripts/m.sh": "cd ../apps/mobile\nnpx drizzle-kit push\n", "apps/mobile/drizzle.config.ts": config})
        == []
    )


def test_an_app_whose_package_was_born_with_it_is_only_noted():
    made = seen(
        {
            "apps/admin/package.json": package(db__push="drizzle-kit push"),
            "apps/admin/drizzle.config.ts": TREE["drizzle.config.ts"],
        }
    )
    assert made == [("BannedCommand?", "apps/admin/package.json", 3)]


def test_a_package_json_of_the_project_itself_is_judged_when_it_is_born():
    base = {path: text for path, text in TREE.items() if path != "package.json"}
    assert seen({"package.json": package(sync="drizzle-kit push")}, base) == [("BannedCommand", "package.json", 3)]


def test_what_base_has_is_not_introduced_wherever_its_line_moves():
    base = {**TREE, "package.json": package(db__push="drizzle-kit push", build="next build")}
    moved = package(lint="eslint", typecheck="tsc", build="next build", db__push="drizzle-kit push")
    assert seen({"package.json": moved}, base) == []


def test_an_old_push_that_is_only_edited_is_not_introduced():
    base = {**TREE, "package.json": package(db__push="drizzle-kit push")}
    assert seen({"package.json": package(db__push="drizzle-kit push --verbose")}, base) == []


def test_a_second_push_beside_an_old_one_is_introduced():
    base = {**TREE, "package.json": package(db__push="drizzle-kit push")}
    assert seen({"package.json": package(db__push="drizzle-kit push", sync="drizzle-kit push")}, base) == [
        ("BannedCommand", "package.json", 4)
    ]


def test_a_new_call_of_an_old_push_is_introduced():
    base = {**TREE, "package.json": package(db__push="drizzle-kit push")}
    workflow = "jobs:\n  d:\n    steps:\n    - run: npm run db:push\n"
    assert seen({".github/workflows/d.yml": workflow}, base) == [("BannedCommand", ".github/workflows/d.yml", 4)]


def test_a_renamed_file_brings_nothing_new():
    old = "npx drizzle-kit push\n"
    base = {**TREE, "scripts/a.sh": old}
    assert seen({"scripts/b.sh": "set -e\n" + old}, base, without=["scripts/a.sh"]) == []


def test_a_script_that_moves_to_another_package_is_not_introduced():
    base = {
        **TREE,
        "package.json": package(build="x", sync="drizzle-kit push"),
        "packages/db/package.json": package(build="y"),
    }
    assert (
        seen(
            {
                "package.json": package(build="x"),
                "packages/db/package.json": package(build="y", sync="drizzle-kit push"),
            },
            base,
        )
        == []
    )


def test_a_deploy_step_beside_a_test_database_is_still_found():
    """The service container is the test's; the step's own URL is a database that lives on."""
    workflow = "jobs:\n  all:\n    services: {db: {image: 'postgres:16'}}\n    steps:\n    - run: npx drizzle-kit push\n      env: {DATABASE_URL: '${{ secrets.DATABASE_URL }}'}\n"
    assert seen({".github/workflows/d.yml": workflow}) == [("BannedCommand", ".github/workflows/d.yml", 5)]


@pytest.mark.parametrize(
    ("path", "job"),
    [
        (".github/workflows/test.yml", "unit:\n    steps:\n    - run: npx drizzle-kit push\n"),
        (".github/workflows/ci.yml", "e2e:\n    steps:\n    - run: npx drizzle-kit push\n"),
        (
            ".github/workflows/preview.yml",
            "deploy:\n    env: {DATABASE_URL: '${{ secrets.DATABASE_URL }}'}\n    steps:\n    - run: npx drizzle-kit push\n",
        ),
        (
            ".github/workflows/deploy.yml",
            "d:\n    environment: {name: preview}\n    steps:\n    - run: npx drizzle-kit push\n",
        ),
    ],
)
def test_a_test_or_preview_whose_database_cannot_be_known_is_only_noted(path, job):
    assert [s[0] for s in seen({path: f"jobs:\n  {job}"})] == ["BannedCommand?"]


def test_the_policy_may_ban_other_commands():
    base = {**TREE, POLICY_PATH: 'commands: {banned: ["prisma db push", "db:reset"], migrate: "db:up"}\n'}
    head = package(a="npx prisma db push", b="npm run db:reset", c="drizzle-kit push")
    facts = read({"package.json": head}, base).facts
    assert [(f.banned, f.place.line, f.migrate) for f in facts] == [
        ("prisma db push", 3, "npm run db:up"),
        ("db:reset", 4, "npm run db:up"),
    ]


def test_a_script_with_a_banned_name_that_does_something_of_its_own_is_found():
    assert seen({"package.json": package(db__push="tsx scripts/sync.ts")}) == [("BannedCommand", "package.json", 3)]


def test_a_broken_file_that_cannot_matter_is_nobodys_business():
    assert read({"package.json": "{ nope", ".github/workflows/d.yml": "a: b: c"}).unread == ()


def test_a_script_that_is_taken_out_is_no_finding():
    base = {**TREE, "package.json": package(db__push="drizzle-kit push")}
    assert seen({"package.json": PACKAGE}, base) == []
