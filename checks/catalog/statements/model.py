"""A statement of the difference, and what it costs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement, without its semicolon.

    Attributes:
        loses_data: rows or values are gone after it.
        why: what is lost, or why it is made in this way; empty where it speaks for itself.
    """

    sql: str
    loses_data: bool = False
    why: str = ""
