"""`bulletproof schema`: what it finds, prints and answers."""

import json

import pytest

from bot.terminal import schema
from checks.errors import UserError

CONFIG = """import { defineConfig } from "drizzle-kit";
export default defineConfig({ dialect: "postgresql", schema: "./src/schema.ts", out: "./drizzle", casing: "snake_case" });
"""
SOURCE = """import { integer, pgTable, text } from "drizzle-orm/pg-core";
export const users = pgTable("users", { userId: integer().primaryKey(), nick: text() });
"""
DDL = """CREATE TABLE "users" (
\t"user_id" integer PRIMARY KEY NOT NULL,
\t"nick" text
);
"""
KIT_1 = '{"devDependencies": {"drizzle-kit": "1.0.0-rc.5"}}'


def test_a_configuration_names_the_files_and_the_casing(repo, capsys):
    """Without arguments the one project of the repository is read, from disk."""
    repo.write({"drizzle.config.ts": CONFIG, "src/schema.ts": SOURCE})
    assert schema.run(repo=repo.path) == 0
    assert capsys.readouterr().out == DDL


def test_the_filters_of_a_configuration_are_for_push_and_pull(repo, capsys):
    """drizzle-kit generates and exports what they leave out, too; so is it printed."""
    filters = 'casing: "snake_case", schemaFilter: ["other"], tablesFilter: ["!users"], entities: { roles: false } });'
    repo.write({"drizzle.config.ts": CONFIG.replace('casing: "snake_case" });', filters), "src/schema.ts": SOURCE})
    assert schema.run(repo=repo.path) == 0
    assert capsys.readouterr().out == DDL


def test_a_revision_is_read_from_git(repo, capsys):
    """`--rev` reads the commit, whatever is on disk."""
    first = repo.commit({"drizzle.config.ts": CONFIG, "src/schema.ts": SOURCE})
    repo.write({"src/schema.ts": "broken("})
    assert schema.run(repo=repo.path, rev=first) == 0
    assert capsys.readouterr().out == DDL


def test_files_may_be_named(repo, capsys, monkeypatch):
    """A file counts from where one stands; the configuration that names it lends its casing; package.json the generation."""
    repo.write({"drizzle.config.ts": CONFIG, "src/schema.ts": SOURCE, "package.json": KIT_1})
    monkeypatch.chdir(repo.path / "src")
    assert schema.run(repo=repo.path, files=["schema.ts"], format="json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found == {
        "version": 1,
        "sql": 'CREATE TABLE "users" (\n\t"userId" integer PRIMARY KEY,\n\t"nick" text\n);\n',
        "unresolved": [],
        "tables": 1,
    }


def test_what_is_not_known_is_listed(repo, capsys):
    """It is behind the SQL as a comment, in the JSON under `unresolved`, and the answer is 1."""
    source = SOURCE.replace("text()", "text().default(process.env.NICK)")
    repo.write({"drizzle.config.ts": CONFIG, "src/schema.ts": source})
    assert schema.run(repo=repo.path) == 1
    lack = "src/schema.ts:2: default of users.nick: depends on the environment (`process.env.NICK`)"
    assert capsys.readouterr().out == f"{DDL}-- unresolved:\n--   {lack}\n"
    assert schema.run(repo=repo.path, format="json") == 1
    lacks = json.loads(capsys.readouterr().out)["unresolved"]
    why = "depends on the environment (`process.env.NICK`)"
    assert lacks == [{"path": "src/schema.ts", "line": 2, "why": why, "what": "default of users.nick"}]


def test_mistakes_are_said_in_words(repo, tmp_path):
    """A wrong name is met by the nearest right one, several projects by their names."""
    repo.write({"a/drizzle.config.ts": CONFIG, "a/src/schema.ts": SOURCE, "a/package.json": "{}"})
    with pytest.raises(UserError, match=r"there is no file `a/src/shema.ts`. Did you mean `a/src/schema.ts`\?"):
        schema.run(repo=repo.path, files=["a/src/shema.ts"])
    repo.write({"b/drizzle.config.ts": CONFIG, "b/src/schema.ts": SOURCE, "b/package.json": "{}"})
    with pytest.raises(UserError, match=r"there are 2 projects here .* Name one with --config"):
        schema.run(repo=repo.path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"there is no drizzle\.config"):
        schema.run(repo=tmp_path / "empty")
    with pytest.raises(UserError, match="there is no folder"):
        schema.run(repo=tmp_path / "missing")
    with pytest.raises(UserError, match="not both"):
        schema.run(repo=repo.path, config="a/drizzle.config.ts", files=["a/src/schema.ts"])
