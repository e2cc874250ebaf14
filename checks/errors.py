"""What a person can mend: errors whose text is what they are shown."""


class UserError(Exception):
    """A person can fix this; the text says what is wrong and what to do next.

    Attributes:
        code: the exit code of the command line (2: usage or configuration).
    """

    code = 2


class CouldNotJudge(UserError):  # noqa: N818 - it is said to people in these words
    """The world is in the way (no database, no network): nothing was judged, which is never a pass."""

    code = 3
