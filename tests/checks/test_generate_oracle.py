"""The migrations that we write are those that the real drizzle-kit writes: the same statements, after which it sees no change."""

import json
import re

import pytest

from tests import node_oracle
from tests.checks.generate_samples import PAIRS
from tests.checks.generated import Generation, put

pytestmark = pytest.mark.node

V0 = Generation("v0")
SCRIPT = r"""
import { createRequire } from "node:module";
import { readFileSync, writeFileSync, mkdirSync } from "node:fs";
import path from "node:path";
const pairs = JSON.parse(readFileSync(0, "utf8"));
const require = createRequire(import.meta.url);
const esbuild = require("esbuild");
const kit = require("drizzle-kit/api");
const answers = [];
const log = console.log;
process.exit = (code) => { throw new Error("exit " + code); };
console.log = console.error = console.info = () => {};
let count = 0;
function load(source) {
  const target = path.resolve("case" + count++ + ".js");
  writeFileSync(target, esbuild.transformSync(source, { loader: "ts", format: "cjs", target: "node20" }).code);
  return kit.generateDrizzleJson(require(target));
}
for (const [before, after] of pairs) {
  try { answers.push(await kit.generateMigration(load(before), load(after))); }
  catch (failure) { answers.push(String(failure && failure.stack || failure)); }
}
console.log = log;
console.log(JSON.stringify(answers));
"""


def test_every_statement_is_drizzle_kits(tmp_path):
    """Seventy changes, two hundred that dice made, and sample schemas from nothing: the same statements in the same order."""
    oracle = node_oracle.require("v0")

    def ask(pairs):
        return oracle.script(SCRIPT, tmp_path, stdin=json.dumps(pairs)).stdout

    assert V0.wrong(PAIRS | V0.pairs(), ask, refused="BigInt") == []


def _written(folder):
    """The files of the migrations folder, without what is random or the time of day."""
    found = {}
    ids = {}
    for path in sorted((folder / "drizzle").rglob("*.*")):
        text = path.read_text(encoding="utf-8")
        for known in re.findall(r'"id": "([^"]+)"', text):
            ids[known] = f"id {len(ids)}"
        for known, plain in ids.items():
            text = text.replace(known, plain)
        found[str(path.relative_to(folder))] = re.sub(r'"when": \d+', '"when": 0', text)
    return found


@pytest.mark.parametrize("name", ["many at once", "in a schema", "policy changes", "materialized changes"])
def test_files_are_drizzle_kits_to_the_byte_and_it_sees_no_change_after_them(name, tmp_path):
    """Its own command, run twice beside ours, writes the same files; run after ours, it has nothing to do."""
    oracle = node_oracle.require("v0")
    before, later = PAIRS[name]
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    for source, word in ((before, "start"), (later, "next")):
        put(theirs, {}, source)
        oracle.kit(theirs, "generate", f"--name={word}")
    made, files = V0.second(before, later)
    put(ours, files, later)
    assert made.tag == "0001_next"
    assert _written(ours) == _written(theirs)
    assert "No schema changes" in oracle.kit(ours, "generate").stdout


def test_a_renamed_column_table_and_type_leave_drizzle_kit_nothing_to_do(tmp_path):
    """What was answered is written as renames, and the snapshot says so too."""
    oracle = node_oracle.require("v0")
    before = "export const mood = pgEnum('mood', ['a']); export const users = pgTable('users', { id: integer().primaryKey(), nick: text().notNull().unique(), m: mood() }, (t) => [index('i').on(t.nick)]);"
    later = "export const feeling = pgEnum('feeling', ['a']); export const people = pgTable('people', { id: integer().primaryKey(), handle: text().notNull().unique(), m: feeling() }, (t) => [index('i').on(t.handle)]);"
    made, files = V0.second(before, later, renames=["users=people", "people.nick=people.handle", "mood=feeling"])
    assert list(made.statements)[:3] == [
        'ALTER TYPE "public"."mood" RENAME TO "feeling";',
        'ALTER TABLE "users" RENAME TO "people";',
        'ALTER TABLE "people" RENAME COLUMN "nick" TO "handle";',
    ]
    put(tmp_path, files, later)
    assert "No schema changes" in oracle.kit(tmp_path, "generate").stdout
