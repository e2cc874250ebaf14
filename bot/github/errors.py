"""How GitHub says no."""


class Refused(Exception):  # noqa: N818 - GitHub's answer, not our fault
    """GitHub will not do this, now or later.

    Attributes:
        status: of the answer.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"GitHub answered {status}: {message}")
        self.status = status


class Missing(Refused):
    """There is no such thing, or we may not see it."""
