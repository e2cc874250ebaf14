"""Projects on disk, databases with an address, and the database commands run as a terminal runs them."""

import io
import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bot.branches.embedded import EmbeddedBranch
from bot.database.commands import app
from checks.errors import UserError

BREAK = "\n--> statement-breakpoint\n"
USERS = 'CREATE TABLE "users" (\n\t"id" serial PRIMARY KEY NOT NULL,\n\t"email" text NOT NULL\n);\n'
POSTS = (
    'CREATE TABLE "posts" (\n\t"id" serial PRIMARY KEY NOT NULL,\n\t"author" integer NOT NULL\n);\n'
    + BREAK
    + 'ALTER TABLE "posts" ADD CONSTRAINT "posts_author_users_id_fk" FOREIGN KEY ("author") REFERENCES "public"."users"("id");'
)
TITLE = 'ALTER TABLE "posts" ADD COLUMN "title" text DEFAULT \'\' NOT NULL;'
CHAIN = (USERS, POSTS, TITLE)


def project(
    folder: Path,
    texts: Sequence[str] = CHAIN,
    *,
    format: str = "v0",  # noqa: A002 - the project's word
    names: Sequence[str] | None = None,
    whens: Sequence[int] | None = None,
) -> Path:
    """A Drizzle project whose migrations are `texts`, one second apart."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "drizzle.config.ts").write_text(
        'export default { dialect: "postgresql", out: "./drizzle", schema: "./schema.ts" };\n', encoding="utf-8"
    )
    orm = "1.0.0-rc.5" if format == "v1" else "0.45.4"
    (folder / "package.json").write_text(
        json.dumps({"dependencies": {"drizzle-orm": orm, "pg": "8"}}), encoding="utf-8"
    )
    whens = whens or [1_700_000_000_000 + n * 1000 for n in range(len(texts))]
    if format == "v1":
        for number, text in enumerate(texts):
            step = folder / "drizzle" / (names[number] if names else f"{20231114221320 + number}_step")
            step.mkdir(parents=True)
            (step / "migration.sql").write_bytes(text.encode())
        return folder
    tags = names or [f"{n:04d}_step" for n in range(len(texts))]
    (folder / "drizzle" / "meta").mkdir(parents=True, exist_ok=True)
    entries = [
        {"idx": n, "version": "7", "when": when, "tag": tag, "breakpoints": True}
        for n, (tag, when) in enumerate(zip(tags, whens, strict=True))
    ]
    journal = {"version": "7", "dialect": "postgresql", "entries": entries}
    (folder / "drizzle" / "meta" / "_journal.json").write_text(json.dumps(journal, indent=2), encoding="utf-8")
    for tag, text in zip(tags, texts, strict=True):
        (folder / "drizzle" / f"{tag}.sql").write_bytes(text.encode())
    return folder


def url(branch: EmbeddedBranch) -> str:
    """The address of a branch database."""
    with branch.connect() as session:
        info = session.info
        return f"postgresql://{info.user}@/{info.dbname}?host={quote(info.host, safe='')}"


def db(*arguments: str | Path) -> tuple[int, str]:
    """Run `bulletproof db …`: exit code, and what it printed (an error's text where it ended in one)."""
    out = io.StringIO()
    try:
        with redirect_stdout(out):
            code = app([str(a) for a in arguments], standalone_mode=False)
    except UserError as error:
        return error.code, out.getvalue() + str(error)
    return (code if isinstance(code, int) else 0), out.getvalue()


def data(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
    """The same, as JSON."""
    code, text = db(*arguments, "--format", "json")
    try:
        return code, json.loads(text)
    except ValueError:
        sys.stderr.write(text)
        raise


def rows(
    branch: EmbeddedBranch, columns: str = "hash, created_at", table: str = "drizzle.__drizzle_migrations"
) -> list[Any]:
    """The tracking rows, in the order of their ids."""
    with branch.connect() as session:
        return session.execute(f"select {columns} from {table} order by id").fetchall()
