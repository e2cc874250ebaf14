"""What the options of several commands are called and mean, and the words that they may be."""

from pathlib import Path
from typing import Annotated, Literal

import typer

ReviewFormat = Literal["text", "markdown", "json", "sarif"]
"""How a review is printed."""

SchemaFormat = Literal["sql", "json"]
"""How a schema is printed."""

DiffFormat = Literal["sql", "unified", "json"]
"""How a difference is printed."""

BacktestFormat = Literal["text", "markdown", "json"]
"""How a backtest is printed."""

SyncFormat = Literal["text", "json"]
"""How a sync is told."""

Transaction = Literal["one", "each", "none"]
"""How statements are run."""

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
Timeout = Annotated[
    int,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        min=3,
        help="How long the set-up and the SQL may take on the database, together.",
    ),
]
