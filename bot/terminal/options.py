"""What the options of several commands are called and mean, and the words that they may be."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class ReviewFormat(StrEnum):
    """How a review is printed."""

    text = "text"
    markdown = "markdown"
    json = "json"
    sarif = "sarif"


class SchemaFormat(StrEnum):
    """How a schema is printed."""

    sql = "sql"
    json = "json"


class DiffFormat(StrEnum):
    """How a difference is printed."""

    sql = "sql"
    unified = "unified"
    json = "json"


class BacktestFormat(StrEnum):
    """How a backtest is printed."""

    text = "text"
    markdown = "markdown"
    json = "json"


class Transaction(StrEnum):
    """How statements are run."""

    one = "one"
    each = "each"
    none = "none"


class SyncFormat(StrEnum):
    """How a sync is told."""

    text = "text"
    json = "json"


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
Offline = Annotated[bool, typer.Option("--offline", help="Use no database: read the SQL only.")]
