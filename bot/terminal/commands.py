"""The commands of the terminal: each reads its options, opens one of the doors, prints what comes back, and picks the exit code."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.database import commands as databases
from bot.terminal.options import (
    BacktestFormat,
    Base,
    Database,
    DiffFormat,
    Head,
    Offline,
    Repo,
    ReviewFormat,
    SchemaFormat,
    SyncFormat,
    Timeout,
    Transaction,
)

app = typer.Typer(
    name="bulletproof",
    help="Reviews the database migrations of a Drizzle ORM project, with PostgreSQL as the judge.",
    epilog="Start with `bulletproof demo`, then `bulletproof review` in a repository of yours.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.command()
def review(
    repo: Repo = Path(),
    base: Base = None,
    head: Head = "HEAD",
    format: Annotated[ReviewFormat, typer.Option("--format", help="How to print the report.")] = "text",
    database: Database = None,
    offline: Offline = False,
) -> int:
    """Review what HEAD would do to the database, against BASE.

    Both commits are read from git (the work tree is not touched), head's migrations run on a branch database as Drizzle would
    run them, and the report says what they do, whether they obey the policy, and what to do next.
    Exit code 1 where the policy says no.
    """
    from bot import progress
    from bot.terminal import local
    from checks import render

    with progress.shown() as say:
        report = local.review(repo=repo, base=base, head=head, database=database, offline=offline, say=say)
    render.write(report, format, sys.stdout)
    return {"pass": 0, "block": 1, "unjudged": 3}[report.verdict]


@app.command()
def trace(
    sql: Annotated[str, typer.Option("--sql", metavar="FILE", help="The SQL to run; `-` is standard input.")],
    setup: Annotated[
        str | None, typer.Option("--setup", metavar="FILE", help="What is there before, e.g. a pg_dump.")
    ] = None,
    transaction: Annotated[
        Transaction, typer.Option("--transaction", help="One for all statements, one for each, or none.")
    ] = "one",
    format: Annotated[ReviewFormat, typer.Option("--format", help="How to print what was seen.")] = "text",
    timeout: Timeout = 120,
    database: Database = None,
) -> int:
    """Run any SQL file and say what PostgreSQL did.

    Locks, rewrites, scans, time and findings, statement by statement. Works with any framework. Exit code 1 where a finding is an error.
    """
    from bot import progress
    from bot.terminal import local
    from bot.terminal import trace as tracing
    from checks import render

    with progress.shown() as say:
        report = tracing.trace(
            sql, setup, transaction=transaction, provider=local.provider(database), seconds=timeout, say=say
        )
    render.write(report, format, sys.stdout)
    return 1 if any(f.severity == "error" and f.waived is None for f in report.findings) else 0


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="FROM", help="A .sql file, a PostgreSQL URL, or git:REV.")],
    after: Annotated[str, typer.Argument(metavar="TO", help="Likewise.")],
    format: Annotated[
        DiffFormat, typer.Option("--format", help="Statements, a text difference, or both as JSON.")
    ] = "sql",
) -> int:
    """Say what turns one schema into another, proved on PostgreSQL. Exit code 1 where they differ."""
    from bot.terminal import diff as differing

    return differing.run(before, after, format)


@app.command()
def schema(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="FILE", help="Schema files, instead of the project's.")
    ] = None,
    repo: Repo = Path(),
    rev: Annotated[
        str | None, typer.Option("--rev", metavar="REV", help="Read a commit [default: the files on disk].")
    ] = None,
    config: Annotated[
        str | None, typer.Option("--config", metavar="FILE", help="Which drizzle.config, where there are several.")
    ] = None,
    format: Annotated[SchemaFormat, typer.Option("--format", help="SQL, or JSON.")] = "sql",
) -> int:
    """Print the DDL that schema files mean, without running them.

    What could not be resolved is listed with file and line, never guessed; then the exit code is 1.
    """
    from bot.terminal import schema as reading

    return reading.run(repo=repo, rev=rev, config=config, files=files or (), format=format)


@app.command()
def rollback(
    repo: Repo = Path(),
    base: Base = None,
    head: Annotated[str, typer.Option("--head", metavar="REV", help="Whose migrations to undo.")] = "HEAD",
    database: Database = None,
) -> int:
    """Print the SQL that undoes head's migrations.

    It is run here, up, down and up again; what it cannot bring back is said. Exit code 1 where it is not proven.
    """
    from bot import progress
    from bot.terminal import local
    from bot.terminal import rollback as undoing

    with progress.shown() as say:
        found = undoing.rollback(repo=repo, base=base, head=head, provider=local.provider(database), say=say)
    sys.stdout.write(
        "-- "
        + ("proven: up, down and up again give equal schemas" if found.proven else "NOT PROVEN: read it with care")
        + "\n"
    )
    sys.stdout.writelines(f"-- does not come back: {lost}\n" for lost in found.irreversible)
    sys.stdout.write(found.sql)
    return 0 if found.proven else 1


@app.command()
def backtest(
    repo: Repo = Path(),
    last: Annotated[
        int, typer.Option("--last", metavar="N", help="How many merged commits that touched migrations.")
    ] = 20,
    format: Annotated[BacktestFormat, typer.Option("--format", help="How to print the result.")] = "text",
    database: Database = None,
    offline: Offline = False,
) -> int:
    """Review the last merged commits as if they were pull requests.

    It shows what would have been blocked or warned of, by rule, before anyone requires the check.
    """
    from bot import progress
    from bot.terminal import backtest as testing

    with progress.shown() as say:
        return testing.run(repo, out=sys.stdout, last=last, format=format, database=database, offline=offline, say=say)


@app.command()
def rules(rule: Annotated[str | None, typer.Argument(metavar="ID", help="One rule's page.")] = None) -> int:
    """List all rules, or show the page of one.

    A page tells the harm, a bad example and the way out.
    """
    from checks import rules as book

    if rule is not None:
        sys.stdout.write(book.page(rule).markdown)
        return 0
    for each in book.all_rules().values():
        sys.stdout.write(f"{each.id:<28} {each.severity:<8} {each.page.title}\n")
    return 0


@app.command()
def init(
    repo: Repo = Path(),
    scripts: Annotated[
        bool, typer.Option("--scripts", help="Also write the policy's db:* scripts into package.json.")
    ] = False,
) -> int:
    """Write a policy file that states what was found here.

    Every line has a comment that says what it does.
    """
    from bot.terminal import init as writing

    return writing.run(repo, scripts=scripts)


@app.command()
def sync(
    repo: Repo = Path(),
    base: Base = None,
    head: Annotated[str, typer.Option("--head", metavar="REV", help="Whose migrations to move.")] = "HEAD",
    write_ref: Annotated[
        str | None, typer.Option("--write-ref", metavar="REF", help="Write only this ref, not the checked-out branch.")
    ] = None,
    format: Annotated[SyncFormat, typer.Option("--format", help="How to print the result.")] = "text",
    database: Database = None,
    offline: Annotated[bool, typer.Option("--offline", help="Use no database: the result is not proved.")] = False,
    sign: Annotated[bool, typer.Option("--sign", help="Sign the commit.")] = False,
) -> int:
    """Put the migrations of HEAD after those of BASE.

    One commit merges base. Base's migrations stay as they are; head's get the next numbers, the journal and the snapshots follow. The result is proved
    on PostgreSQL before anything is written. Exit code 1 where it takes a person.
    """
    from bot import progress
    from bot.repair import sync as the_sync
    from bot.terminal import local

    with progress.shown() as say:
        provider = None if offline else local.provider(database)
        outcome = the_sync.run(
            repo=repo, base=base, head=head, write_ref=write_ref, provider=provider, sign=sign, say=say
        )
    if format == "json":
        import json

        sys.stdout.write(json.dumps(outcome.json(), indent=2) + "\n")
    elif outcome.status == "refused":
        say(outcome.text())
    else:
        sys.stdout.write(outcome.text() + "\n")
    return outcome.code


@app.command()
def serve(
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Only take webhooks and show pages; work elsewhere.")
    ] = False,
) -> int:
    """Serve the GitHub App: webhooks, pages and a worker.

    All in one process. Settings come from the environment, or from `.env`.
    """
    from bot import serve as serving
    from bot import settings

    return serving.serve(settings.read(), work=not no_worker)


@app.command()
def worker() -> int:
    """Do the work of the service's queue.

    Any number of these may run, on any machine that reaches the same database. Settings as for `serve`.
    """
    from bot import serve as serving
    from bot import settings

    return serving.work(settings.read())


@app.command()
def demo() -> int:
    """Review two pull requests of a small shop.

    One is clean, one breaks the policy; both run on a real PostgreSQL, in a repository made for it.
    """
    from bot import demo as the_demo

    return the_demo.run()


app.add_typer(databases.app, name="db")
