"""A place in a repository: what facts and damage point at."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a fact stands.

    Attributes:
        path: from the root of the repository.
        line, end_line: 1-based, in the file as head has it.
        migration: the tag of the migration, where there is one.
        statement: its 0-based index in the migration, where there is one.
    """

    path: str
    line: int = 1
    end_line: int = 1
    migration: str | None = None
    statement: int | None = None
