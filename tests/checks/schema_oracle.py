"""Asks the real drizzle-kit what many small schemas mean, all in one process."""

import json
from pathlib import Path
from typing import Any

from tests import node_oracle

# Drizzle's own API gives what `generate` would write for a first migration. A refusal (process.exit) is an answer too.
SCRIPT = r"""
import { createRequire } from "node:module";
import { readFileSync, writeFileSync, mkdirSync } from "node:fs";
import path from "node:path";
const question = JSON.parse(readFileSync(0, "utf8"));
const require = createRequire(import.meta.url);
const esbuild = createRequire(question.esbuild + "/x.js")("esbuild");
const kit = require(question.version === "v1" ? "drizzle-kit/api-postgres" : "drizzle-kit/api");
const answers = [];
const log = console.log, error = console.error, info = console.info;
process.exit = (code) => { throw new Error("drizzle-kit refuses (exit " + code + ")"); };
console.log = console.error = console.info = () => {};
for (const [index, { files, casing }] of question.cases.entries()) {
  const folder = path.resolve("case" + index);
  try {
    for (const [name, source] of Object.entries(files)) {
      const code = esbuild.transformSync(source, { loader: "ts", format: "cjs", target: "node20" }).code;
      const target = path.join(folder, name.replace(/\.ts$/, ".js"));
      mkdirSync(path.dirname(target), { recursive: true });
      writeFileSync(target, code);
    }
    const exported = require(path.join(folder, "schema.js"));
    const sorted = question.version === "v1"
      ? Object.fromEntries(Object.keys(exported).sort().map((key) => [key, exported[key]])) : exported;
    const empty = await kit.generateDrizzleJson({});
    const snapshot = await kit.generateDrizzleJson(sorted, undefined, undefined, casing ?? undefined);
    const statements = await kit.generateMigration(empty, snapshot);
    answers.push({ statements, snapshot: JSON.parse(JSON.stringify(snapshot, (_, v) => typeof v === "bigint" ? String(v) : v)) });
  } catch (failure) {
    answers.push({ error: String(failure && failure.message || failure) });
  }
}
console.log = log;
console.log(JSON.stringify(answers));
"""


def ask(version: node_oracle.Version, cases: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """For every case (`files`, `casing`): `statements` and `snapshot`, or `error`."""
    oracle = node_oracle.require(version)
    esbuild = node_oracle.require("v0").folder
    question = {"version": version, "cases": cases, "esbuild": str(esbuild)}
    done = oracle.script(SCRIPT, folder, stdin=json.dumps(question))
    return json.loads(done.stdout.strip().split("\n")[-1])
