"""Chooses where a pull request's SQL runs: what the policy asks for, where the settings have it, else what the settings say."""

import contextlib
from collections.abc import Generator
from typing import Literal

from bot.branches import Provider
from bot.settings import Settings
from checks.errors import UserError
from checks.report import Report

Name = Literal["embedded", "server", "neon"]


def choose(settings: Settings, name: Name | None = None) -> Provider:
    """The provider of that name, by default the one of the settings. The settings of others are not looked at.

    Raises:
        UserError: a setting that it needs is missing.
    """
    match name or settings.branch_provider:
        case "server":
            from bot.branches.server import Server  # noqa: PLC0415 - only where it is chosen

            if settings.branch_server_url is None:
                raise UserError(
                    "The branch provider `server` needs BULLETPROOF_BRANCH_SERVER_URL: a PostgreSQL server whose user may "
                    "create databases and roles."
                )
            return Server(settings.branch_server_url.get_secret_value())
        case "neon":
            from bot.branches.neon import Neon  # noqa: PLC0415

            if settings.neon_api_key is None or settings.neon_project_id is None:
                raise UserError(
                    "The branch provider `neon` needs BULLETPROOF_NEON_API_KEY and BULLETPROOF_NEON_PROJECT_ID."
                )
            return Neon(settings.neon_api_url, settings.neon_api_key.get_secret_value(), settings.neon_project_id)
        case _:
            from bot.branches.embedded import Embedded  # noqa: PLC0415

            return Embedded(settings.data_dir, settings.postgres_bindir)


def asked(settings: Settings, wanted: Name | None) -> tuple[Provider, str | None]:
    """The provider that a policy asks for; where it is not set up here, the usual one, and a sentence that says so."""
    if wanted is None or wanted == settings.branch_provider:
        return choose(settings), None
    try:
        return choose(settings, wanted), None
    except UserError as error:
        usual = settings.branch_provider
        return choose(
            settings
        ), f"The policy asks for the branch provider `{wanted}`; judged on `{usual}` instead. {error}"


def noted(report: Report, note: str | None) -> Report:
    """The report with that sentence, where anything ran at all."""
    if note is None or not report.migrations:
        return report
    return report.model_copy(update={"notes": (*report.notes, note)})


@contextlib.contextmanager
def held(provider: Provider) -> Generator[Provider]:
    """The provider, with what it makes once for a whole review."""
    with contextlib.ExitStack() as opened:
        if isinstance(provider, contextlib.AbstractContextManager):
            opened.enter_context(provider)  # pyright: ignore[reportUnknownArgumentType]
        yield provider
