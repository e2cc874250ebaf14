"""The command line of `bulletproof db`: reads arguments, runs one command, prints what it says, and picks the exit code."""

# ruff: noqa: PLC0415 - typer reads a command's options from its parameters, and each imports what it needs

import os
import sys
from contextlib import nullcontext
from typing import Annotated

import typer

from bot.database.options import ALL, Asked, Format, takes

app = typer.Typer(
    name="db",
    help="Runs and checks migrations on a real database. Its address comes from --url, else from DATABASE_URL.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")]


@app.command()
@takes(*ALL)
def status(
    asked: Asked,
    *,
    drift: Annotated[bool, typer.Option("--drift/--no-drift", help="Compare the schema, too.")] = True,
) -> int:
    """Show what is applied and what is pending, and what is wrong.

    Wrong is what Drizzle would skip, what no file knows, what was edited, and what has drifted. Without --url: the database of DATABASE_URL, and the environments of the policy file whose variables are set.
    Exit code 1 where anything is pending or wrong.
    """
    from bot import progress
    from bot.database import source, words
    from bot.database import status as command

    found = source.read(asked.repo, asked.rev, asked.config)
    with progress.shown() as say:
        seen = command.run(found, command.environments(found, asked.url), say, drift=drift)
    asked.show(words.status(seen), words.status_json(seen))
    return command.code(seen)


@app.command()
@takes(*ALL)
def migrate(
    asked: Asked,
    *,
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
    tries: Annotated[
        int, typer.Option("--tries", metavar="N", min=1, help="How often it is tried while others hold locks.")
    ] = 12,
    wait: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait for another run to end.")
    ] = 60.0,
) -> int:
    """Run what is pending, and what Drizzle would skip.

    The migrations table is mended first where push was used or rows are wrong. Nothing runs where the schema has drifted.
    Exit code 1 where it refuses or a migration fails.
    """
    from bot import progress
    from bot.database import migrate as command
    from bot.database import source, target, words
    from bot.database.line import Patience

    found = source.read(asked.repo, asked.rev, asked.config)
    patience = Patience(lock_timeout, tries, wait)
    options = command.Options(force, sync_only, dry_run, check, reason, patience)
    with progress.shown() as say:
        done = command.run(target.of(asked.url), found, options, say)
    asked.show(words.migrated(done), words.migrated_json(done))
    return done.code


@app.command()
@takes(*ALL)
def sync(
    asked: Asked,
    *,
    dry_run: DryRun = False,
) -> int:
    """Make the migrations table say what the schema proves.

    It finds the point of the chain that the database is at. Exit code 1 where it is at none; nothing is written then.
    """
    from bot import progress
    from bot.database import source, target, words
    from bot.database import sync as command

    found = source.read(asked.repo, asked.rev, asked.config)
    source.sound(found)
    with progress.shown() as say, target.trouble(at := target.of(asked.url)):
        done = command.run(at, found, say, dry_run=dry_run)
    asked.show(words.synced(done, dry_run=dry_run), words.synced_json(done))
    return 0 if done.plan.found and not (dry_run and done.plan.changes) else 1


@app.command()
@takes(*ALL)
def verify(
    asked: Asked,
    *,
    offline: Annotated[bool, typer.Option("--offline", help="No database: audit the files of the whole tree.")] = False,
) -> int:
    """Compare files, migrations table and real schema.

    The drift is shown as SQL, both ways. With --offline: no push anywhere, one connection module, one driver, nobody writes the migrations table.
    Exit code 1 where they differ, or where the policy says no.
    """
    from bot import progress
    from bot.database import source, target, words
    from bot.database import verify as command

    found = source.read(asked.repo, asked.rev, asked.config, required=not offline)
    if offline:
        seen = command.audit(found)
        asked.show(words.audited(seen), words.audited_json(seen))
        return seen.code
    source.sound(found)
    with progress.shown() as say, target.trouble(at := target.of(asked.url)):
        done = command.run(at, found, say)
    asked.show(words.verified(done), words.verified_json(done))
    return done.code


@app.command("reset-dev")
@takes(*ALL)
def reset_dev(
    asked: Asked,
    *,
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

    found = source.read(asked.repo, asked.rev, asked.config)
    ask = input if sys.stdin.isatty() and asked.format is Format.text else None
    agree = command.confirm(yes=yes, typed=name, ask=ask)
    shown = progress.shown() if ask is None else nullcontext(progress.silent)
    with shown as say, target.trouble(at := target.of(asked.url)):
        done = command.run(at, found, agree, say)
    asked.show(words.emptied(done), words.emptied_json(done))
    return done.migrated.code


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@takes("repo", "config", "format")
def generate(
    asked: Asked,
    *,
    context: typer.Context,
    review: Annotated[bool, typer.Option("--review/--no-review", help="Review what was written.")] = True,
    static: Annotated[
        bool,
        typer.Option("--static", help="Run no code: read the schema files and write what lacks, without Node.js."),
    ] = False,
) -> int:
    """Write a migration with the project's own drizzle-kit.

    It is reviewed at once. More options are handed on (`--name=add_nick`). With --static the options are --name NAME, --drop table.column, --rename table.old=table.new and --keep table.column.
    """
    if static:
        return _static(asked, tuple(context.args))
    from bot import progress
    from bot.database import generate as command
    from bot.database import source, words

    found = source.read(asked.repo, None, asked.config)
    with progress.shown() if not sys.stdin.isatty() else nullcontext(progress.silent) as say:
        done = command.run(asked.repo, found, tuple(context.args), say, judge=review)
    asked.show(words.generated(done), words.generated_json(done))
    return done.code


@app.command()
@takes("url", "repo", "config")
def studio(
    asked: Asked,
    *,
    port: Annotated[
        int | None, typer.Option("--port", metavar="PORT", help="The port to serve at.", min=0, max=65535)
    ] = None,
    page: Annotated[
        bool, typer.Option("--page", help="The read-only page, also where Drizzle Studio is installed.")
    ] = False,
) -> int:
    """Open Drizzle Studio, or a read-only page of the schema.

    The page is shown where Drizzle Studio is not installed, and with --page.
    """
    from bot.database import source, target
    from bot.database import studio as command

    found = source.read(asked.repo, None, asked.config)
    at = target.of(asked.url)
    code = None if page else command.official(found, asked.url or os.environ[target.VARIABLE], port=port)
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


def _static(asked: Asked, words: tuple[str, ...]) -> int:
    """Write the missing migration as drizzle-kit would, from the schema files as they are read."""
    import shlex

    from bot.repair import generate as writing

    made = writing.run(asked.repo, writing.answers(shlex.join(words)), config=asked.config)
    asked.show(writing.text(made).splitlines(), writing.data(made))
    return writing.code(made)


def _ready(address: str) -> None:
    sys.stderr.write(f"The schema is at {address} (Ctrl-C ends it).\n")
