"""The command line: reads arguments, opens one of the doors, prints what comes back, and picks the exit code.

Exit codes: 0 fine; 1 the policy says no (or: differences, drift, pending work); 2 usage or configuration; 3 could not judge.
"""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from checks.errors import CouldNotJudge, UserError

app = typer.Typer(
    name="bulletproof",
    help="Reviews the database migrations of a Drizzle ORM project, with PostgreSQL as the judge.",
    epilog="Start with `bulletproof demo`, then `bulletproof review` in a repository of yours.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)


class ReviewFormat(StrEnum):
    """How a review is printed."""

    text = "text"
    markdown = "markdown"
    json = "json"
    sarif = "sarif"


Repo = Annotated[Path, typer.Option("--repo", metavar="DIR", help="The git repository.")]
Base = Annotated[
    str | None, typer.Option("--base", metavar="REV", help="What to compare with [default: the default branch].")
]
Head = Annotated[str, typer.Option("--head", metavar="REV", help="What to review.")]
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="A PostgreSQL server to use instead of the embedded one; databases are made and dropped on it.",
    ),
]


@app.command()
def review(
    repo: Repo = Path(),
    base: Base = None,
    head: Head = "HEAD",
    format: Annotated[ReviewFormat, typer.Option("--format", help="How to print the report.")] = ReviewFormat.text,  # noqa: A002 - the option's name
    database: Database = None,
    offline: Annotated[bool, typer.Option("--offline", help="Use no database: read the SQL only.")] = False,
) -> int:
    """Review what HEAD would do to the database, against BASE.

    Both commits are read from git (the work tree is not touched), head's migrations run on a branch database as Drizzle would
    run them, and the report says what they do, whether they obey the policy, and what to do next.
    Exit code 1 where the policy says no.
    """
    from bot import local, progress
    from checks import render

    with progress.shown() as say:
        report = local.review(repo=repo, base=base, head=head, database=database, offline=offline, say=say)
    render.write(report, format.value, sys.stdout)
    return {"pass": 0, "block": 1, "unjudged": 3}[report.verdict]


@app.command()
def demo() -> int:
    """Review two pull requests of a small shop, one clean and one that breaks the policy."""
    from bot import demo as the_demo

    return the_demo.run()


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; every error is one or two plain sentences on stderr."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        result = app(words or ["--help"], prog_name="bulletproof", standalone_mode=False)
    except UserError as error:
        _say(str(error))
        return error.code
    except (KeyboardInterrupt, typer.Abort):
        _say("stopped.")
        return 130
    except BrokenPipeError:
        # The reader of a pipe went away (`| head`): not an error, and Python must not complain when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - a fault of ours ends in one line and exit code 3
        return _unexpected(error)
    return result if isinstance(result, int) else 0


def _unexpected(error: Exception) -> int:
    """Words of the command line that are off (typer names the nearest right one), else a fault of ours: never a pass."""
    if isinstance(error, typer.Exit):
        return error.exit_code
    message = getattr(error, "format_message", None)
    if message is not None:
        context = getattr(error, "ctx", None)
        _say(message() + (f" See `{context.command_path} --help`." if context is not None else ""))
        return UserError.code
    if os.environ.get("BULLETPROOF_DEBUG"):
        raise error
    _say(
        f"could not judge: {type(error).__name__}: {error}. This is a mistake of ours; BULLETPROOF_DEBUG=1 shows where."
    )
    return CouldNotJudge.code


def _say(sentence: str) -> None:
    sys.stderr.write(f"bulletproof: {sentence}\n")
