"""Every setting, in one place: read from the environment (`BULLETPROOF_…`) or a `.env` file."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from checks.errors import UserError


class Settings(BaseSettings):
    """What the one who installs Bulletproof may choose. Secrets are never printed."""

    model_config = SettingsConfigDict(
        env_prefix="BULLETPROOF_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    github_app_id: int | None = Field(default=None, description="The App's id, from its settings page.")
    github_private_key: SecretStr | None = Field(default=None, description="The App's private key (PEM).")
    github_private_key_file: Path | None = Field(default=None, description="A file that holds the App's private key.")
    webhook_secret: SecretStr | None = Field(default=None, description="The secret that GitHub signs webhooks with.")
    github_api_url: str = Field(
        default="https://api.github.com",
        description="GitHub's REST API; GitHub Enterprise Server: https://HOST/api/v3.",
    )
    github_git_url: str = Field(
        default="https://github.com/{owner}/{repo}.git", description="Where git fetches from (https, ssh or file)."
    )
    database_url: SecretStr | None = Field(
        default=None, description="PostgreSQL for state and queue; default: one of our own."
    )
    branch_provider: Literal["embedded", "server", "neon"] = Field(
        default="embedded", description="Where pull requests' SQL runs."
    )
    branch_server_url: SecretStr | None = Field(
        default=None, description="The server for branch databases (provider `server`)."
    )
    neon_api_key: SecretStr | None = Field(default=None, description="Neon's API key (provider `neon`).")
    neon_api_url: str = Field(default="https://console.neon.tech/api/v2", description="Neon's API.")
    neon_project_id: str | None = Field(default=None, description="The Neon project to branch from.")
    public_url: str | None = Field(
        default=None, description="Where people reach this service; links in check runs begin with it."
    )
    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="The port to listen on.")
    data_dir: Path | None = Field(
        default=None, description="Where templates, clones and state are kept; default: the user's cache folder."
    )
    postgres_bindir: Path | None = Field(
        default=None, description="The bin folder of a PostgreSQL 14-18 to use instead of the wheel's."
    )

    @field_validator("data_dir", "postgres_bindir", "github_private_key_file")
    @classmethod
    def _expanded(cls, value: Path | None) -> Path | None:
        return value.expanduser() if value else None


def read() -> Settings:
    """The settings as the environment has them.

    Raises:
        UserError: one cannot be used; its name and the reason are said, never its value.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(
            f"BULLETPROOF_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors(include_input=False)
        )
        raise UserError(f"These settings cannot be used: {wrong}.") from None
