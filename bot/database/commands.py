"""The command line of `bulletproof db`: reads arguments, runs one command, prints what it says, and picks the exit code."""

# ruff: noqa: FBT002, PLR0917, PLC0415 - typer reads a command's options from its parameters, and each imports what it needs

import json
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

app = typer.Typer(
    name="db",
    help="Runs and checks migrations on a real database. Its address comes from --url, else from DATABASE_URL.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


class Format(StrEnum):
    """How a result is printed."""

    text = "text"
    json = "json"


Url = Annotated[
    str | None, typer.Option("--url", metavar="URL", help="The database [default: DATABASE_URL]. It is never printed.")
]
Repo = Annotated[Path, typer.Option("--repo", metavar="DIR", help="The folder of the project.")]
Rev = Annotated[
    str | None, typer.Option("--rev", metavar="REV", help="A git revision [default: the files as they are on disk].")
]
Config = Annotated[
    str | None,
    typer.Option("--config", metavar="FILE", help="The drizzle.config of the project, where there are several."),
]
How = Annotated[Format, typer.Option("--format", help="How to print the result.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")]


@app.command()
def status(
    url: Url = None,
    repo: Repo = Path(),
    rev: Rev = None,
    config: Config = None,
    format: How = Format.text,  # noqa: A002 - the option's name
    drift: Annotated[bool, typer.Option("--drift/--no-drift", help="Compare the schema, too.")] = True,
) -> int:
    """Show what is applied, pending, would be skipped, unknown, edited or drifted, for each environment.

    Without --url: the database of DATABASE_URL, and the environments of the policy file whose variables are set.
    Exit code 1 where anything is pending or wrong.
    """
    from bot import progress
    from bot.database import source, words
    from bot.database import status as command

    found = source.read(repo, rev, config)
    with progress.shown() as say:
        seen = command.run(found, command.environments(found, url), say, drift=drift)
    _print(format, words.status(seen), words.status_json(seen))
    return command.code(seen)


@app.command()
def migrate(
    url: Url = None,
    repo: Repo = Path(),
    rev: Rev = None,
    config: Config = None,
    format: How = Format.text,  # noqa: A002 - the option's name
    dry_run: DryRun = False,
    sync_only: Annotated[bool, typer.Option("--sync-only", help="Mend the migrations table, run nothing.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Go on where it would refuse, and past a file that fails; this is recorded.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it is forced.")] = "",
    check: Annotated[bool, typer.Option("--check/--no-check", help="Compare the schema before anything runs.")] = True,
    lock_timeout: Annotated[
        float,
        typer.Option("--lock-timeout", metavar="SECONDS", min=0.05, help="How long a statement waits for a lock."),
    ] = 5.0,
    tries: Annotated[int, typer.Option("--tries", min=1, help="How often it is tried while others hold locks.")] = 12,
    wait: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait for another run to end.")
    ] = 60.0,
) -> int:
    """Run what is pending, as Drizzle would, and what Drizzle would skip.

    The migrations table is mended first where push was used or rows are wrong. Nothing runs where the schema has drifted.
    Exit code 1 where it refuses or a migration fails.
    """
    from bot import progress
    from bot.database import migrate as command
    from bot.database import source, target, words
    from bot.database.line import Patience

    found = source.read(repo, rev, config)
    patience = Patience(lock_timeout, tries, wait)
    options = command.Options(force, sync_only, dry_run, check, reason, patience)
    with progress.shown() as say:
        done = command.run(target.of(url), found, options, say)
    _print(format, words.migrated(done), words.migrated_json(done))
    return done.code


@app.command()
def sync(
    url: Url = None,
    repo: Repo = Path(),
    rev: Rev = None,
    config: Config = None,
    format: How = Format.text,  # noqa: A002 - the option's name
    dry_run: DryRun = False,
) -> int:
    """Make the migrations table say what the schema proves: find the point of the chain that the database is at.

    Exit code 1 where it is at none; nothing is written then.
    """
    from bot import progress
    from bot.database import source, target, words
    from bot.database import sync as command

    found = source.read(repo, rev, config)
    source.sound(found)
    with progress.shown() as say, target.trouble(at := target.of(url)):
        done = command.run(at, found, say, dry_run=dry_run)
    _print(format, words.synced(done, dry_run=dry_run), words.synced_json(done))
    return 0 if done.plan.found and not (dry_run and done.plan.changes) else 1


@app.command()
def verify(
    url: Url = None,
    repo: Repo = Path(),
    rev: Rev = None,
    config: Config = None,
    format: How = Format.text,  # noqa: A002 - the option's name
    offline: Annotated[bool, typer.Option("--offline", help="No database: audit the files of the whole tree.")] = False,
) -> int:
    """Compare files, migrations table and real schema with each other, with the drift as SQL both ways.

    With --offline: no push anywhere, one connection module, one driver, nobody writes the migrations table.
    Exit code 1 where they differ, or where the policy says no.
    """
    from bot import progress
    from bot.database import source, target, words
    from bot.database import verify as command

    found = source.read(repo, rev, config, required=not offline)
    if offline:
        seen = command.audit(found)
        _print(format, words.audited(seen), words.audited_json(seen))
        return seen.code
    source.sound(found)
    with progress.shown() as say, target.trouble(at := target.of(url)):
        done = command.run(at, found, say)
    _print(format, words.verified(done), words.verified_json(done))
    return done.code


@app.command("reset-dev")
def reset_dev(
    url: Url = None,
    repo: Repo = Path(),
    rev: Rev = None,
    config: Config = None,
    format: How = Format.text,  # noqa: A002 - the option's name
    yes: Annotated[bool, typer.Option("--yes", help="All data may be lost.")] = False,
    name: Annotated[
        str | None, typer.Option("--name", metavar="DATABASE", help="The database's name, where it may be production.")
    ] = None,
) -> int:
    """Empty a development database and run all migrations.

    What looks like production (by its name, host, size or sessions) is refused without --yes and its name.
    """
    from bot import progress
    from bot.database import reset as command
    from bot.database import source, target, words

    found = source.read(repo, rev, config)
    ask = input if sys.stdin.isatty() and format is Format.text else None
    agree = command.confirm(yes=yes, typed=name, ask=ask)
    shown = progress.shown() if ask is None else nullcontext(progress.silent)
    with shown as say, target.trouble(at := target.of(url)):
        done = command.run(at, found, agree, say)
    _print(format, words.emptied(done), words.emptied_json(done))
    return done.migrated.code


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def generate(
    context: typer.Context,
    repo: Repo = Path(),
    config: Config = None,
    format: How = Format.text,  # noqa: A002 - the option's name
    review: Annotated[bool, typer.Option("--review/--no-review", help="Review what was written.")] = True,
    static: Annotated[
        bool,
        typer.Option("--static", help="Run no code: read the schema files and write what lacks (v0), without Node.js."),
    ] = False,
) -> int:
    """Write a migration with the project's own drizzle-kit, and review it. More options are handed on (`--name=add_nick`).

    With --static the options are --name NAME, --drop table.column, --rename table.old=table.new and --keep table.column.
    """
    if static:
        return _static(repo, config, tuple(context.args), format)
    from bot import progress
    from bot.database import generate as command
    from bot.database import source, words

    found = source.read(repo, None, config)
    with progress.shown() if not sys.stdin.isatty() else nullcontext(progress.silent) as say:
        done = command.run(repo, found, tuple(context.args), say, judge=review)
    _print(format, words.generated(done), words.generated_json(done))
    return done.code


@app.command()
def studio(
    url: Url = None,
    repo: Repo = Path(),
    config: Config = None,
    port: Annotated[int | None, typer.Option("--port", help="The port to serve at.", min=0, max=65535)] = None,
    page: Annotated[
        bool, typer.Option("--page", help="The read-only page, also where Drizzle Studio is installed.")
    ] = False,
) -> int:
    """Open Drizzle Studio; where it is not installed, a read-only page of the schema and its migrations."""
    import os

    from bot.database import source, target
    from bot.database import studio as command

    found = source.read(repo, None, config)
    at = target.of(url)
    code = None if page else command.official(found, url or os.environ[target.VARIABLE], port=port)
    if code is not None:
        return code
    with target.trouble(at):
        command.page(at, found)  # what is wrong is said at once, not at the first look
    command.serve(lambda: command.page(at, found), 4983 if port is None else port, _ready)
    return 0


def plainly(words: list[str]) -> int | None:
    """Run a command whose options are plain, in half the time; None where the library has to look at them."""
    from bot.database import plain

    return plain.run(
        {"status": status, "migrate": migrate, "sync": sync, "verify": verify, "reset-dev": reset_dev}, words
    )


def leave(code: int) -> NoReturn:
    """End the process at once: all is written and closed, and to take the interpreter apart takes a tenth of a run."""
    import os

    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _static(repo: Path, config: str | None, words: tuple[str, ...], how: Format) -> int:
    """Write the missing migration as drizzle-kit would, from the schema files as they are read."""
    import shlex

    from bot.repair import generate as writing

    made = writing.run(repo, writing.answers(shlex.join(words)), config=config)
    _print(how, writing.text(made).splitlines(), writing.data(made))
    return writing.code(made)


def _ready(address: str) -> None:
    sys.stderr.write(f"The schema is at {address} (Ctrl-C ends it).\n")


def _print(how: Format, lines: Iterable[str], data: dict[str, Any]) -> None:
    if how is Format.json:
        sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")
        return
    for line in lines:
        sys.stdout.write(line + "\n")
