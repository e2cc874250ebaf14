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
import yaml
from fastapi import APIRouter, Request
from starlette.responses import Response

from bot import service, state
from bot.pages.rendering import page
from bot.settings import Settings

MANIFEST = Path(__file__).parent.parent.parent / "app.yml"
_CODE = re.compile(r"[A-Za-z0-9]{1,100}")
_NAME = re.compile(r"[A-Za-z0-9-]{1,39}")


def manifest(public: str) -> dict[str, Any]:
    """The App as GitHub is asked to make it."""
    source = MANIFEST if MANIFEST.is_file() else Path(__file__).parent.parent / "app.yml"
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
        folder = f"organizations/{organization}/settings" if _NAME.fullmatch(organization) else "settings"
        said = manifest(public)
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
            async with httpx.AsyncClient(timeout=20) as client:
                url = f"{settings.github_api_url.rstrip('/')}/app-manifests/{code}/conversions"
                answer = await client.post(url, headers={"Accept": "application/vnd.github+json"})
                answer.raise_for_status()
                made = answer.json()
            path = _keep(settings, made)
        except (httpx.HTTPError, ValueError, KeyError):
            said = (
                "GitHub did not hand over the App's key. A code is good for an hour and for one use: open /setup again."
            )
            return page("message.html", status=502, root=root, heading="GitHub said no", said=said)
        install = f"{web(settings)}/apps/{quote(str(made.get('slug', '')))}/installations/new"
        return page("setup.html", root=root, done=True, app_name=made.get("name", ""), path=str(path), install=install)


def _keep(settings: Settings, made: dict[str, Any]) -> Path:
    """Write the App's secrets where only we can read them; gives the file with the settings."""
    folder = state.home(settings)
    folder.mkdir(parents=True, exist_ok=True)
    key, env = folder / "github-app.pem", folder / "github-app.env"
    _write(key, str(made["pem"]))
    lines = {
        "BULLETPROOF_GITHUB_APP_ID": str(int(made["id"])),
        "BULLETPROOF_GITHUB_PRIVATE_KEY_FILE": str(key),
        "BULLETPROOF_WEBHOOK_SECRET": str(made["webhook_secret"]),
    }
    _write(env, "".join(f"{name}={shlex.quote(value)}\n" for name, value in lines.items()))
    return env


def _write(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
