"""`/setup`: makes the GitHub App from `app.yml`, by GitHub's manifest flow, and keeps its key."""

import json
import os
import re
import secrets
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import structlog
import yaml
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from bot import service, state
from bot.pages.rendering import page
from bot.settings import Settings
from checks.errors import UserError

_PLACES = (Path(__file__).parents[2] / "app.yml", Path(__file__).parents[1] / "app.yml")  # in a checkout; in a wheel
_CODE = re.compile(r"[A-Za-z0-9]{1,100}")
_NAME = re.compile(r"[A-Za-z0-9-]{1,39}")

log: structlog.stdlib.BoundLogger = structlog.get_logger("setup")


class _App(BaseModel):
    """What GitHub says of an App that it has just made."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    id: int
    slug: str = ""
    name: str = ""
    pem: str = Field(repr=False)
    webhook_secret: str = Field(repr=False)


def manifest(public: str) -> dict[str, Any]:
    """The App as GitHub is asked to make it.

    Raises:
        UserError: `app.yml` is missing.
    """
    source = next((place for place in _PLACES if place.is_file()), None)
    if source is None:
        raise UserError(
            "app.yml is not here: it lies beside the folder `bot` of a checkout. Take it from the repository."
        )
    said: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
    return said | {
        "url": public,
        "hook_attributes": {"url": f"{public}/webhook", "active": True},
        "redirect_url": f"{public}/setup/done",
        "public": bool(said.get("public", False)),
    }


def web(settings: Settings) -> str:
    """Where people see GitHub, as its API's address tells."""
    where = urlsplit(settings.github_api_url)
    host = where.netloc.removeprefix("api.") if where.netloc == "api.github.com" else where.netloc
    return f"{where.scheme}://{host}"


def add(routes: APIRouter, settings: Settings, root: str) -> None:
    """Add the two pages of the flow."""
    states: list[str] = []  # of forms that were shown; one comes back

    def address(request: Request) -> str:
        return (settings.public_url or str(request.base_url)).rstrip("/")

    @routes.get("/setup")
    async def start(request: Request, organization: str = "") -> Response:
        if service.configured(settings):
            return page("setup.html", root=root, ready=True, app=settings.github_app_id)
        public = address(request)
        token = secrets.token_urlsafe(24)
        states[:] = [*states[-20:], token]
        try:
            said = manifest(public)
        except UserError as error:
            return page(
                "message.html", status=500, root=root, heading="The App cannot be made from here", said=str(error)
            )
        folder = f"organizations/{organization}/settings" if _NAME.fullmatch(organization) else "settings"
        return page(
            "setup.html",
            root=root,
            form=web(settings),
            public=public,
            action=f"{web(settings)}/{folder}/apps/new?state={quote(token)}",
            manifest=json.dumps(said),
            permissions=said["default_permissions"],
        )

    @routes.get("/setup/done")
    async def done(code: str = "", state: str = "") -> Response:
        if service.configured(settings) or state not in states or not _CODE.fullmatch(code):
            said = "The form is too old, or was not shown by this service. Open /setup again."
            return page("message.html", status=400, root=root, heading="This did not come from here", said=said)
        states.remove(state)
        try:
            made = await _converted(settings, code)
        except (httpx.HTTPError, ValueError):
            said = (
                "GitHub did not hand over the App's key. A code is good for an hour and for one use: open /setup again."
            )
            return page("message.html", status=502, root=root, heading="GitHub said no", said=said)
        install = f"{web(settings)}/apps/{quote(made.slug)}/installations/new"
        try:
            path = str(_keep(settings, made))
        except OSError as error:
            log.warning("the App's key cannot be kept", why=error.strerror)
            path = None
        return page(
            "setup.html", root=root, done=True, app_name=made.name, path=path, install=install, lines=_lines(made, None)
        )


async def _converted(settings: Settings, code: str) -> _App:
    """The App that GitHub made, for the code that it gave.

    Raises:
        ValueError: the answer is not what GitHub sends.
    """
    url = f"{settings.github_api_url.rstrip('/')}/app-manifests/{code}/conversions"
    async with httpx.AsyncClient(timeout=20) as client:
        answer = await client.post(url, headers={"Accept": "application/vnd.github+json"})
    answer.raise_for_status()
    return _App.model_validate_json(answer.content)


def _lines(made: _App, key: Path | None) -> str:
    """The settings of the service; the private key in one line where it is in no file."""
    lines = {
        "BULLETPROOF_GITHUB_APP_ID": str(made.id),
        "BULLETPROOF_WEBHOOK_SECRET": made.webhook_secret,
        **(
            {"BULLETPROOF_GITHUB_PRIVATE_KEY_FILE": str(key)}
            if key is not None
            else {"BULLETPROOF_GITHUB_PRIVATE_KEY": made.pem.replace("\n", "\\n")}
        ),
    }
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in lines.items())


def _keep(settings: Settings, made: _App) -> Path:
    """Write the App's secrets where only we can read them; gives the file with the settings."""
    folder = state.home(settings)
    folder.mkdir(parents=True, exist_ok=True)
    key, env = folder / "github-app.pem", folder / "github-app.env"
    _write(key, made.pem)
    _write(env, _lines(made, key))
    return env


def _write(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
