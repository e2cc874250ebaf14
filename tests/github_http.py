"""The tests' GitHub over HTTP: who asks is checked, every request is kept and held against the published description, and git is served."""

import base64
import hashlib
import json
import os
import re
import secrets
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from github_rest import APP, INSTALLATION, ROUTES, SLUG, Answer

if TYPE_CHECKING:
    from github import Hub, Repository


@dataclass
class Request:
    """What was asked."""

    method: str
    path: str
    query: str
    body: Any
    operation: str


@dataclass
class Fault:
    """A stumble: the next `times` requests that fit are answered so, or not at all."""

    method: str
    pattern: str
    times: int
    answer: Callable[["Handler"], bool]
    after: bool = False
    """Do what was asked, and then stumble: the answer is lost, the deed is not."""


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def hub(self) -> "Hub":
        """Whose requests these are."""
        return self.server.hub  # type: ignore[attr-defined]

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """Say nothing."""

    def do_GET(self) -> None:
        """Every method comes here."""
        self.one()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815 - names of the standard library

    def one(self) -> None:
        """Read a request, hold it against the description, and answer it or stumble."""
        where = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self._chunks()
        if not where.path.startswith("/api/v3/"):
            self._git(where.path, where.query, body)
            return
        path = where.path.removeprefix("/api/v3")
        operation, wrong = "?", []
        if self.hub.description is not None:
            operation, wrong = self.hub.description.complaints(self.command, unquote(path), where.query, body)
        said = json.loads(body) if body else None
        fault = None
        with self.hub.lock:
            self.hub.requests.append(Request(self.command, path, where.query, said, operation))
            self.hub.complaints += [f"{self.command} {path}: {each}" for each in wrong]
            for each in self.hub.faults:
                if each.times > 0 and each.method in {"", self.command} and re.search(each.pattern, path):
                    each.times -= 1
                    fault = each
                    break
        if fault is not None and not fault.after:
            fault.answer(self)
            return
        with self.hub.lock:
            answer = self._route(path, parse_qs(where.query), said)
        if fault is not None:
            fault.answer(self)
        elif answer is None:
            self.answer(404, {"message": "Not Found"}, {})
        else:
            self.answer(answer[0], answer[1], answer[2] if len(answer) > 2 else {})

    def answer(self, status: int, body: Any, headers: dict[str, str]) -> None:
        """Send an answer; one that the asker has already is not sent again."""
        data = b"" if status == 204 else json.dumps(body).encode()
        tag = f'W/"{hashlib.sha256(data).hexdigest()}"'
        if status == 200 and self.command == "GET" and self.headers.get("If-None-Match") == tag:
            status, data = 304, b""
            self.hub.unchanged += 1
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json", "Content-Length": str(len(data)), "ETag": tag, **headers,
        }.items():  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _chunks(self) -> bytes:
        parts = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return parts

    # --- REST ---

    def _route(self, path: str, query: dict[str, list[str]], body: Any) -> Answer:  # noqa: PLR0911 - one answer a kind of address
        authorization = self.headers.get("Authorization", "")
        kind, _, token = authorization.partition(" ")
        if path == "/app" or path.startswith("/app/"):
            if kind != "Bearer" or token.count(".") != 2:
                return 401, {"message": "A JSON web token could not be decoded"}
            return self._app(path, body)
        if path.endswith("/installation") and token.count(".") == 2:
            return 200, {"id": INSTALLATION}
        if match := re.fullmatch(r"/app-manifests/(\w+)/conversions", path):
            return (201, self.hub.apps.pop(match[1])) if match[1] in self.hub.apps else None
        if token not in self.hub.tokens:
            return 401, {"message": "Bad credentials"}
        opened = self.hub.tokens[token]
        if path == "/installation/repositories":
            shown = [{"id": r.id, "full_name": r.name} for r in self.hub.repositories.values()]
            return 200, {"total_count": len(shown), "repositories": shown}
        match = re.fullmatch(r"/repos/([^/]+)/([^/]+)(/.*)", path)
        if match is None:
            return None
        name = f"{unquote(match[1])}/{unquote(match[2])}"
        if name in self.hub.renamed:
            new = self.hub.renamed[name]
            location = f"{self.hub.api}/repos/{new}{match[3]}"
            return (301 if self.command == "GET" else 307), {"message": "Moved Permanently"}, {"Location": location}
        repository = self.hub.repositories.get(name)
        if repository is None or (opened is not None and repository.id not in opened):
            return None
        return self._repository(repository, match[3], query, body)

    def _app(self, path: str, body: Any) -> Answer:  # noqa: PLR0911 - one answer a kind of address
        hub = self.hub
        if path == "/app":
            return 200, {"id": APP, "slug": SLUG, "name": "Bulletproof"}
        if path == "/app/installations":
            asleep = "2026-01-01T00:00:00Z" if hub.suspended else None
            return 200, [{"id": INSTALLATION, "suspended_at": asleep, "account": {"login": "octo", "id": 1}}]
        if path == f"/app/installations/{INSTALLATION}/access_tokens":
            if hub.suspended:
                return 403, {"message": "This installation has been suspended"}
            writes = (body or {}).get("permissions", {}).get("contents") == "write"
            if writes and not hub.may_write:
                return 422, {"message": "The permissions requested are not granted to this installation."}
            hub.minted += 1
            token = f"ghs_{secrets.token_hex(18)}"
            hub.tokens[token] = (body or {}).get("repository_ids")
            until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
            return 201, {"token": token, "expires_at": until, "permissions": {}}
        if path == "/app/hook/deliveries":
            query = parse_qs(urlsplit(self.path).query)
            start, size = int(query.get("cursor", ["0"])[0]), int(query.get("per_page", ["30"])[0])
            page = [{k: v for k, v in each.items() if k != "payload"} for each in hub.deliveries[start : start + size]]
            more = start + size < len(hub.deliveries)
            link = f'<{hub.api}/app/hook/deliveries?per_page={size}&cursor={start + size}>; rel="next"'
            return 200, page, {"Link": link} if more else {}
        match = re.fullmatch(r"/app/hook/deliveries/(\d+)/attempts", path)
        if match is not None:
            for each in hub.deliveries:
                if each["id"] == int(match[1]):
                    again = (each["event"], each["payload"])
                    threading.Thread(target=hub.deliver, args=again, kwargs={"guid": each["guid"]}, daemon=True).start()
                    return 202, {}
        return None

    def _repository(self, here: "Repository", path: str, query: dict[str, list[str]], body: Any) -> Answer:
        for method, pattern, answer in ROUTES:
            match = re.fullmatch(pattern, path)
            if method == self.command and match is not None:
                found = answer(here, match.groups(), query, body)
                page = int(query.get("page", ["1"])[0])
                size = int(query.get("per_page", ["30"])[0])
                if found is not None and isinstance(found[1], list):
                    return found[0], found[1][(page - 1) * size : page * size]
                return found
        return None

    # --- git ---

    def _git(self, path: str, query: str, body: bytes) -> None:
        match = re.fullmatch(r"/([^/]+)/([^/]+)\.git(/.*)", path)
        name = f"{match[1]}/{match[2]}" if match else ""
        name = self.hub.renamed.get(name, name)
        here = self.hub.repositories.get(name)
        secret = base64.b64decode(self.headers.get("Authorization", "Basic ").partition(" ")[2]).decode()
        with self.hub.lock:
            self.hub.requests.append(Request(self.command, path, query, None, "git"))
            opened = self.hub.tokens.get(secret.removeprefix("x-access-token:"), [])
            for each in self.hub.faults:
                if each.times > 0 and re.search(each.pattern, f"git:{path}"):
                    each.times -= 1
                    each.answer(self)
                    return
        if match is None or here is None or (opened is not None and here.id not in opened):
            self.answer(404, {"message": "Repository not found."}, {})
            return
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            capture_output=True,
            check=False,
            env={
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(here.git.path / ".git"),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*",
                "PATH_INFO": match[3],
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REMOTE_ADDR": "127.0.0.1",
            },
        )
        if match[3] == "/git-receive-pack":
            for pull in here.pulls.values():
                tip = here.git.git("rev-parse", f"refs/heads/{pull.branch}") if not pull.fork else pull.head
                if tip != pull.head:
                    threading.Thread(target=pull.set, args=(tip,), daemon=True).start()
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        status = 200
        headers: dict[str, str] = {}
        for line in head.decode().splitlines():
            key, _, value = line.partition(": ")
            if key == "Status":
                status = int(value.split()[0])
            else:
                headers[key] = value
        self.send_response(status)
        for key, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content)
