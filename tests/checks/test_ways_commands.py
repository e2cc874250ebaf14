"""Banned commands, wherever they hide; and everything that only looks like one."""

import json

import pytest

from tests.checks.ways_samples import TREE, package, read, seen

PUSHES = [
    "drizzle-kit push",
    "npx drizzle-kit push --force",
    "npx --yes drizzle-kit@0.31 push",
    "npx -p drizzle-kit drizzle-kit push",
    "bunx drizzle-kit push",
    "bun x drizzle-kit push",
    "yarn dlx drizzle-kit push",
    "yarn drizzle-kit push",
    "pnpm dlx drizzle-kit push",
    "pnpm exec drizzle-kit push",
    "pnpm drizzle-kit push",
    "pnpm --filter @shop/db exec drizzle-kit push",
    "npm exec -- drizzle-kit push",
    "drizzle-kit --config=drizzle.config.ts push",
    "drizzle-kit --config drizzle.config.ts push",
    "drizzle-kit push:pg",
    "./node_modules/.bin/drizzle-kit push",
    "node node_modules/drizzle-kit/bin.cjs push",
    "node --env-file=.env ./node_modules/drizzle-kit/bin.cjs push",
    "DATABASE_URL=$PROD_URL drizzle-kit push",
    "cross-env NODE_ENV=production drizzle-kit push",
    "dotenv -e .env.production -- drizzle-kit push",
    "dotenvx run -f .env -- drizzle-kit push",
    "doppler run -- npx drizzle-kit push",
    "op run --env-file=.env -- drizzle-kit push",
    "sh -c 'drizzle-kit push'",
    'bash -lc "cd /app && npx drizzle-kit push"',
    "tsc && drizzle-kit push && next build",
    "drizzle-kit generate; drizzle-kit push",
    "drizzle-kit check || drizzle-kit push",
    "yes | drizzle-kit push",
    "concurrently 'next dev' 'drizzle-kit push'",
    "start-server-and-test 'drizzle-kit push' http://localhost:3000 'cypress'",
    "wait-on tcp:5432 && drizzle-kit push",
    "nodemon --watch src --exec 'drizzle-kit push'",
    "timeout 60 drizzle-kit push",
    "sudo -E npx drizzle-kit push",
    "docker compose exec app npx drizzle-kit push",
    "drizzle-kit \\\n  push",
    'eval "npx drizzle-kit push"',
    "(cd lib && drizzle-kit push)",
    "if true; then drizzle-kit push; fi",
    "KIT='npx drizzle-kit'; $KIT push",
    "echo $(npx drizzle-kit push)",
]


@pytest.mark.parametrize("command", PUSHES)
def test_a_push_in_a_script_is_found_whatever_is_put_before_it(command):
    head = package(build="next build", sync=command)
    assert [s[:2] for s in seen({"package.json": head})] == [("BannedCommand", "package.json")]


@pytest.mark.parametrize("command", PUSHES)
def test_the_same_in_a_shell_script(command):
    assert [s[0] for s in seen({"scripts/deploy.sh": f"#!/bin/sh\nset -e\n{command}\n"})] == ["BannedCommand"]


@pytest.mark.parametrize(
    "command",
    [
        "npm run db:push",
        "npm run --silent db:push -- --force",
        "npm run-script db:push",
        "yarn db:push",
        "yarn run db:push",
        "yarn workspace @shop/db db:push",
        "yarn workspaces foreach -A run db:push",
        "pnpm db:push",
        "pnpm run db:push",
        "pnpm -r db:push",
        "pnpm --filter @shop/db db:push",
        "pnpm -F db run db:push",
        "bun db:push",
        "bun run db:push",
        "bun --filter '*' db:push",
        "npm-run-all clean db:push build",
        "run-s db:push build",
        "run-p 'db:push' lint",
        "concurrently npm:db:push npm:dev",
        "turbo db:push",
        "turbo run build db:push --filter=web",
        "turbo run web#db:push",
        "nx run-many -t db:push",
        "nx run web:db:push",
        "lerna run db:push",
        "npm --prefix packages/db run db:push",
        "npm -w packages/db run db:push",
        "doppler run -- pnpm db:push",
    ],
)
def test_a_call_of_the_banned_script_is_found_by_its_name(command):
    assert [s[0] for s in seen({"package.json": package(release=command)})] == ["BannedCommand"]


def test_a_script_that_calls_a_script_that_pushes_is_found():
    """The old script stays what it was; the new call of it is what the pull request brings."""
    base = {**TREE, "package.json": package(build="next build", sync="drizzle-kit push", wrap="npm run sync")}
    head = package(build="next build", sync="drizzle-kit push", wrap="npm run sync", deploy="yarn wrap && next start")
    (fact,) = read({"package.json": head}, base).facts
    assert (fact.where, fact.through, fact.place.line) == ("the script `deploy`", ("wrap", "sync"), 6)


def test_a_chain_that_is_new_as_a_whole_is_told_once():
    facts = read({"package.json": package(sync="drizzle-kit push", deploy="npm run sync")}).facts
    assert [f.where for f in facts] == ["the script `sync`"]


def test_scripts_that_call_each_other_end():
    base = {**TREE, "package.json": package(a="npm run b", b="npm run a", c="drizzle-kit push")}
    assert (
        seen({"package.json": package(a="npm run b", b="npm run a", c="drizzle-kit push", d="npm run a")}, base) == []
    )


def test_patterns_of_script_runners_reach_what_they_match():
    base = {**TREE, "package.json": package(db__sync="drizzle-kit push")}
    assert [s[0] for s in seen({"package.json": package(db__sync="drizzle-kit push", all="run-s 'db:*'")}, base)] == [
        "BannedCommand"
    ]


def test_a_script_of_another_package_of_the_workspace_is_followed():
    base = {
        **TREE,
        "packages/db/package.json": package(sync="drizzle-kit push"),
        "packages/db/drizzle.config.ts": TREE["drizzle.config.ts"],
    }
    assert seen({"package.json": package(release="pnpm --filter @shop/db sync")}, base) == [
        ("BannedCommand", "package.json", 3)
    ]


HIDING = {
    ".github/workflows/deploy.yml": ("on: push\njobs:\n  deploy:\n    runs-on: ubuntu-latest\n    steps:\n    - uses: actions/checkout@v4\n    - run: |\n        npm ci\n        npx drizzle-kit push\n", 9),
    ".github/workflows/ssh.yaml": ("jobs:\n  d:\n    steps:\n    - uses: appleboy/ssh-action@v1\n      with:\n        script: |\n          cd app\n          pnpm db:push\n", 8),
    ".github/actions/release/action.yml": ("runs:\n  using: composite\n  steps:\n    - shell: bash\n      run: npx drizzle-kit push\n", 5),
    ".gitlab-ci.yml": ("deploy:\n  stage: deploy\n  script:\n    - npm ci\n    - npx drizzle-kit push\n", 5),
    ".circleci/config.yml": ("version: 2.1\njobs:\n  deploy:\n    docker: [{image: cimg/node:20.0}]\n    steps:\n      - run:\n          name: Push\n          command: npx drizzle-kit push\n", 8),
    "azure-pipelines.yml": ("steps:\n- script: npx drizzle-kit push\n  displayName: push\n", 2),
    "bitbucket-pipelines.yml": ("pipelines:\n  default:\n    - step:\n        script:\n          - npx drizzle-kit push\n", 5),
    ".travis.yml": ("script:\n  - npx drizzle-kit push\n", 2),
    ".drone.yml": ("kind: pipeline\nsteps:\n- name: push\n  commands:\n  - npx drizzle-kit push\n", 5),
    ".woodpecker/deploy.yml": ("steps:\n  deploy:\n    commands:\n      - npx drizzle-kit push\n", 4),
    ".buildkite/pipeline.yml": ("steps:\n  - label: push\n    command: npx drizzle-kit push\n", 3),
    "buildspec.yml": ("phases:\n  build:\n    commands:\n      - npx drizzle-kit push\n", 4),
    "cloudbuild.yaml": ("steps:\n- name: node\n  entrypoint: npx\n  args: [drizzle-kit, push]\n", 4),
    "Jenkinsfile": ("pipeline {\n  stages {\n    stage('x') { steps {\n      // sh 'npx drizzle-kit push'\n      sh 'npx drizzle-kit push'\n    } }\n  }\n}\n", 5),
    "Dockerfile": ("FROM node:20\nRUN npm ci \\\n && npx drizzle-kit push\n", 3),
    "docker/Dockerfile": ("FROM node:20\nRUN <<EOF\nnpm ci\nnpx drizzle-kit push\nEOF\nCMD node\n", 4),
    "ecosystem.config.cjs": ("module.exports = { apps: [{ name: 'drizzle-kit push', script: 'npx drizzle-kit push' }] };\n", 1),
    ".github/workflows/folded.yml": ("jobs:\n  d:\n    steps:\n    - run: >-\n        npx drizzle-kit\n        push\n", 5),
    ".github/workflows/action.yml": ("jobs:\n  d:\n    steps:\n    - uses: cypress-io/github-action@v6\n      with:\n        start: npx drizzle-kit push\n", 6),
    "apps/web/Dockerfile.prod": ('FROM node:20\nCMD ["npx", "drizzle-kit", "push"]\n', 2),
    "deploy/api.dockerfile": ('FROM node:20\nENTRYPOINT ["sh", "-c", "npx drizzle-kit push && node server.js"]\n', 2),
    "docker-compose.yml": ("services:\n  app:\n    image: app\n    command: sh -c 'npx drizzle-kit push && npm start'\n", 4),
    "compose.prod.yaml": ('services:\n  app:\n    command: ["npx", "drizzle-kit", "push"]\n', 3),
    "Makefile": ("KIT := npx drizzle-kit\n\nsync: build\n\t@$(KIT) push\n", 4),
    "justfile": ("default:\n  just --list\n\nsync env='dev':\n  npx drizzle-kit push\n", 5),
    "Procfile": ("web: npm start\nrelease: npx drizzle-kit push\n", 2),
    "Taskfile.yml": ("version: '3'\ntasks:\n  sync:\n    cmds:\n      - npx drizzle-kit push\n", 5),
    "lefthook.yml": ("pre-push:\n  commands:\n    db:\n      run: npx drizzle-kit push\n", 4),
    ".husky/post-merge": ("#!/bin/sh\n. husky.sh\nnpx drizzle-kit push\n", 3),
    ".githooks/pre-push": ("npx drizzle-kit push\n", 1),
    "bin/release": ("#!/usr/bin/env bash\nnpx drizzle-kit push\n", 2),
    "scripts/deploy.ps1": ("Write-Host 'drizzle-kit push'\n& npx drizzle-kit push\n", 2),
    "vercel.json": ('{\n  "buildCommand": "npx drizzle-kit push && next build"\n}\n', 2),
    "netlify.toml": ('[build]\n  publish = "dist"\n  command = "npx drizzle-kit push && next build"\n', 3),
    "fly.toml": ('app = "shop"\n\n[deploy]\n  release_command = "npx drizzle-kit push"\n', 4),
    "render.yaml": ("services:\n  - type: web\n    preDeployCommand: npx drizzle-kit push\n", 3),
    "railway.json": ('{\n  "deploy": {\n    "preDeployCommand": ["npx drizzle-kit push"]\n  }\n}\n', 3),
    "railway.toml": ('[deploy]\npreDeployCommand = "npx drizzle-kit push"\n', 2),
    "nixpacks.toml": ('[phases.build]\ncmds = ["npx drizzle-kit push"]\n', 2),
    "turbo.json": ('{\n  "tasks": {\n    "build": { "dependsOn": ["^build", "db:push"] }\n  }\n}\n', 3),
    "apps/api/project.json": ('{\n  "targets": {\n    "sync": { "options": { "command": "npx drizzle-kit push" } }\n  }\n}\n', 3),
    "deno.json": ('{\n  // tasks\n  "tasks": { "sync": "npx drizzle-kit push", },\n}\n', 3),
    ".devcontainer/devcontainer.json": ('{\n  "postCreateCommand": "npx drizzle-kit push"\n}\n', 2),
    ".vscode/tasks.json": ('{ "tasks": [\n  { "label": "push", "type": "shell", "command": "npx drizzle-kit push" }\n] }\n', 2),
    "k8s/job.yaml": ('spec:\n  containers:\n  - name: m\n    command: ["npx"]\n    args: ["drizzle-kit", "push"]\n', 4),
    "amplify.yml": ("backend:\n  phases:\n    build:\n      commands:\n        - npx drizzle-kit push\n", 5),
    "scripts/sync.ts": ("import { execSync } from 'child_process';\n\nexecSync('npx drizzle-kit push', { stdio: 'inherit' });\n", 3),
    "sst.config.ts": ("export default { buildCommand: 'npx drizzle-kit push && next build' };\n", 1),
}  # fmt: skip


@pytest.mark.parametrize("path", HIDING)
def test_every_place_where_a_command_hides_is_read(path):
    text, line = HIDING[path]
    assert seen({path: text}) == [("BannedCommand", path, line)]


SPAWNS = [
    "import { execSync } from 'child_process'; execSync('npx drizzle-kit push')",
    "import { execSync as sh } from 'node:child_process'; sh(`npx drizzle-kit push`)",
    "import cp from 'child_process'; cp.execSync('drizzle-kit push')",
    "import * as cp from 'node:child_process'; cp.exec('pnpm db:push', () => {})",
    "const { spawn } = require('child_process'); spawn('npx', ['drizzle-kit', 'push'])",
    "require('child_process').execSync('npx drizzle-kit push')",
    "import { spawnSync } from 'child_process'; const args = ['drizzle-kit', 'push']; spawnSync('npx', args)",
    "import { spawnSync } from 'child_process'; const args = ['push']; spawnSync('npx', ['drizzle-kit', ...args])",
    "import { execSync } from 'child_process'; const cmd = 'npx drizzle-kit push'; execSync(cmd)",
    "import { execSync } from 'child_process'; const kit = 'npx drizzle-kit'; execSync(`${kit} push --force`)",
    "import { execSync } from 'child_process'; execSync('npx drizzle-kit ' + 'push')",
    "import { execSync } from 'child_process'; execSync(['npx', 'drizzle-kit', 'push'].join(' '))",
    "import { exec } from 'child_process'; import { promisify } from 'util'; const run = promisify(exec); await run('npx drizzle-kit push')",
    "import { execSync } from 'child_process'; function run(cmd: string) { execSync(cmd, { stdio: 'inherit' }); } run('npx drizzle-kit push')",
    "import { execSync } from 'child_process'; const run = (cmd: string) => execSync(cmd); run('npx drizzle-kit push')",
    "import { execa } from 'execa'; await execa('npx', ['drizzle-kit', 'push'])",
    "import { $ } from 'execa'; await $`npx drizzle-kit push`",
    "import { execaCommand } from 'execa'; await execaCommand('npx drizzle-kit push')",
    "import 'zx/globals'; await $`npx drizzle-kit push`",
    "import { $ } from 'bun'; await $`bunx drizzle-kit push`.quiet()",
    "Bun.spawn(['bunx', 'drizzle-kit', 'push'])",
    "Bun.spawnSync({ cmd: ['bunx', 'drizzle-kit', 'push'] })",
    "new Deno.Command('npx', { args: ['drizzle-kit', 'push'] }).outputSync()",
    "import spawn from 'cross-spawn'; spawn.sync('npx', ['drizzle-kit', 'push'])",
    "import shell from 'shelljs'; shell.exec('npx drizzle-kit push')",
    "import concurrently from 'concurrently'; concurrently(['npx drizzle-kit push'])",
    "import { pushSchema } from 'drizzle-kit/api'; const { apply } = await pushSchema(schema, db); await apply()",
    "import { pushSchema as p } from 'drizzle-kit/api-postgres'; await p(schema, db)",
    "const { pushSchema } = await import('drizzle-kit/api'); await pushSchema(s, db)",
    "import * as kit from 'drizzle-kit/api'; await kit.pushSchema(s, db)",
    "const kit = require('drizzle-kit/api'); await kit.pushSchema(s, db)",
]


@pytest.mark.parametrize("source", SPAWNS)
def test_typescript_that_pushes_is_found(source):
    assert seen({"scripts/sync.ts": f"// a comment\n{source}\n"}) == [("BannedCommand", "scripts/sync.ts", 2)]


def test_a_broken_package_json_is_placed_and_said():
    reading = read({"package.json": '{\n  "scripts": {\n    "db:push": "drizzle-kit push"\n    "x": 1\n  }\n}\n'})
    assert [(u.path, u.line, u.why) for u in reading.unread] == [
        ("package.json", 4, 'a comma is expected before `"x"`')
    ]


def test_a_broken_workflow_is_placed_and_said():
    reading = read({".github/workflows/d.yml": "jobs:\n  d:\n   steps:\n  - run: npx drizzle-kit push\n"})
    assert [(u.path, u.line) for u in reading.unread] == [(".github/workflows/d.yml", 4)]


def test_json_written_on_one_line_is_read():
    text = json.dumps({"scripts": {"a": "b", "sync": "drizzle-kit push"}})
    assert seen({"package.json": text}) == [("BannedCommand", "package.json", 1)]


SYNC = {**TREE, "package.json": package(sync="drizzle-kit push")}


@pytest.mark.parametrize(
    "command", ["npx nx run shop:sync", "npx nx run-many -t sync", "node --run sync", "npx turbo run sync"]
)
def test_a_script_is_found_behind_those_who_orchestrate_scripts(command):
    """`nx run PROJECT:TARGET`, and Node.js's own runner of scripts."""
    workflow = f"jobs:\n  d:\n    steps:\n      - run: {command}\n"
    assert seen({".github/workflows/d.yml": workflow}, SYNC) == [("BannedCommand", ".github/workflows/d.yml", 4)]


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("azure-pipelines.yml", "steps:\n- task: Npm@1\n  inputs:\n    customCommand: exec drizzle-kit push\n", 4),
        ("ecosystem.config.js", 'module.exports = { apps: [\n  { script: "npx", args: "drizzle-kit push" }] };\n', 2),
        (
            "ecosystem.config.cjs",
            'module.exports = { deploy: { x: {\n "post-deploy": "npx drizzle-kit push" } } };\n',
            2,
        ),
    ],
)
def test_tasks_and_process_managers_run_commands(path, text, line):
    """Inputs of an Azure task, and what pm2 starts."""
    assert seen({path: text}) == [("BannedCommand", path, line)]


def test_a_compose_file_for_ci_is_cis():
    """Its databases live for one run, as its name says."""
    compose = 'services:\n  test:\n    command: sh -c "npx drizzle-kit push && npm test"\n'
    assert seen({"docker-compose.ci.yml": compose}) == []
    assert seen({"docker-compose.yml": compose}) != []
