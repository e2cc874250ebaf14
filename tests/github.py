"""A GitHub of the tests' own: it keeps pull requests, checks and comments, serves REST and git over HTTP, and can stumble.

Every request is held against GitHub's published description (where npm can bring it); what GitHub would not understand is
kept in `complaints`, and a test that leaves some there fails.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import openapi
from conftest import Files, GitRepo
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

APP = 4242
SLUG = "bulletproof-test"
SECRET = "it's a secret to everybody"
INSTALLATION = 77

_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE_KEY = _KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
).decode()

Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]] | None


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
    answer: Callable[["_Handler"], bool]
    after: bool = False
    """Do what was asked, and then stumble: the answer is lost, the deed is not."""


class Hub:
    """github.com, as far as an App sees it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self.repositories: dict[str, Repository] = {}
        self.renamed: dict[str, str] = {}
        self.requests: list[Request] = []
        self.complaints: list[str] = []
        self.faults: list[Fault] = []
        self.tokens: dict[str, list[int] | None] = {}
        self.minted = 0
        self.may_write = False
        self.suspended = False
        self.unchanged = 0
        self.apps: dict[str, dict[str, Any]] = {}
        self.hook = "http://127.0.0.1:9"  # nobody listens
        self.deliveries: list[dict[str, Any]] = []
        self.description = openapi.published()
        self._ids = iter(range(1000, 10_000_000))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.hub = self  # type: ignore[attr-defined]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it is served."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def api(self) -> str:
        """The setting `github_api_url`."""
        return f"{self.url}/api/v3"

    @property
    def git(self) -> str:
        """The setting `github_git_url`."""
        return f"{self.url}/{{owner}}/{{repo}}.git"

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def id(self) -> int:
        """A number nobody has yet."""
        return next(self._ids)

    def repository(self, name: str, git: GitRepo) -> "Repository":
        """Host a git repository."""
        for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant", "http.uploadpack", "http.receivepack"):
            git.git("config", key, "true")
        made = Repository(self, self.id(), name, git)
        self.repositories[name] = made
        return made

    def stumble(
        self, pattern: str, status: int | None = None, *, method: str = "", times: int = 1, body: Any = None,
        headers: dict[str, str] | None = None, after: bool = False, raw: bytes | None = None, sleep: float = 0.0,
    ) -> None:  # fmt: skip
        """Answer the next requests that fit with `status`; None: hang up, or say only `raw`."""

        def answer(handler: "_Handler") -> bool:
            if sleep:
                time.sleep(sleep)
            if status is None:
                if raw is not None:
                    handler.wfile.write(raw)
                    handler.wfile.flush()
                handler.close_connection = True
                return True
            handler.answer(status, body or {"message": "trouble"}, headers or {})
            return True

        with self.lock:
            self.faults.append(Fault(method, pattern, times, answer, after))

    def asked(self, operation: str) -> list[Request]:
        """The requests of one operation so far."""
        with self.lock:
            return [r for r in self.requests if r.operation == operation or r.operation.endswith(operation)]

    def deliver(self, event: str, payload: dict[str, Any], *, guid: str | None = None, secret: str = SECRET) -> int:
        """Send a webhook, as GitHub does; gives the status of the answer (0: nobody answers)."""
        body = json.dumps(payload).encode()
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        guid = guid or secrets.token_hex(16)
        request = urllib.request.Request(
            f"{self.hook}/webhook",
            data=body,
            headers={
                "Content-Type": "application/json",
                "X-GitHub-Event": event,
                "X-GitHub-Delivery": guid,
                "X-Hub-Signature-256": f"sha256={signature}",
            },
        )
        status = 0
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
            error.close()
        except OSError:
            status = 0
        with self.lock:
            now = _now()
            self.deliveries.insert(
                0, {"id": self.id(), "guid": guid, "delivered_at": now, "status_code": status, "event": event,
                    "payload": payload},
            )  # fmt: skip
        return status


@dataclass
class Pull:
    """A pull request."""

    repository: "Repository"
    number: int
    title: str
    branch: str
    base: str
    author: str
    fork: bool = False
    draft: bool = False
    state: str = "open"
    head: str = ""
    fork_deleted: bool = False
    reviews: list[dict[str, Any]] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """As the API shows it; `base.sha` is stale, as at GitHub."""
        owner = self.repository.name.split("/")[0]
        theirs = {"id": self.repository.id + 1, "full_name": f"{self.author}/fork"}
        ours = {"id": self.repository.id, "full_name": self.repository.name}
        repo = (None if self.fork_deleted else theirs) if self.fork else ours
        return {
            "number": self.number,
            "state": self.state,
            "title": self.title,
            "draft": self.draft,
            "user": {"login": self.author, "id": 5, "type": "User"},
            "head": {"ref": self.branch, "sha": self.head, "repo": repo, "label": f"{owner}:{self.branch}"},
            "base": {"ref": self.base, "sha": self.repository.stale_base, "repo": ours},
        }

    def push(self, files: Files, message: str = "a step", *, tell: bool = True) -> str:
        """Somebody pushes one more commit."""
        git = self.repository.git
        git.git("checkout", "--quiet", "--detach", self.head)
        return self.set(git.commit(files, message), tell=tell)

    def set(self, sha: str, *, tell: bool = True) -> str:
        """Somebody pushes: the head is another commit from now on."""
        git = self.repository.git
        with self.repository.hub.lock:
            git.git("update-ref", f"refs/pull/{self.number}/head", sha)
            if not self.fork:
                git.git("update-ref", f"refs/heads/{self.branch}", sha)
            self.head = sha
        if tell:
            self.tell("synchronize")
        return sha

    def close(self) -> None:
        """Somebody closes it."""
        self.state = "closed"
        self.tell("closed")

    def tell(self, action: str, **more: Any) -> int:
        """GitHub tells the App."""
        payload = self.repository.payload(action, number=self.number, pull_request=self.shown(), **more)
        return self.repository.hub.deliver("pull_request", payload)

    @property
    def check(self) -> dict[str, Any] | None:
        """The check run on the present head."""
        return self.repository.check(self.head)

    @property
    def comments(self) -> list[dict[str, Any]]:
        """The conversation."""
        with self.repository.hub.lock:
            return list(self.repository.comments.get(self.number, []))

    @property
    def ours(self) -> list[dict[str, Any]]:
        """What the App said."""
        return [c for c in self.comments if c["user"]["login"] == f"{SLUG}[bot]"]

    def say(self, body: str, login: str = "ada", *, tell: bool = True, **more: Any) -> dict[str, Any]:
        """Somebody comments."""
        made = self.repository.comment(self.number, body, {"login": login, "id": 6, "type": "User"}, **more)
        if tell:
            issue = {"number": self.number, "pull_request": {"url": "x"}}
            payload = self.repository.payload("created", issue=issue, comment=made)
            self.repository.hub.deliver("issue_comment", payload)
        return made

    def edit(self, comment: dict[str, Any], body: str) -> None:
        """Somebody edits a comment."""
        was = comment["body"]
        comment |= {"body": body, "updated_at": "2099-01-01T00:00:00Z"}
        issue = {"number": self.number, "pull_request": {"url": "x"}}
        payload = self.repository.payload("edited", issue=issue, comment=comment, changes={"body": {"from": was}})
        self.repository.hub.deliver("issue_comment", payload)

    def press(self, identifier: str, login: str = "ada") -> None:
        """Somebody presses a button of the check run."""
        shown = {"id": 1, "name": "Migration policy", "head_sha": self.head, "app": {"id": APP}}
        run = shown | {"pull_requests": [{"number": self.number}]}
        action = {"identifier": identifier}
        payload = self.repository.payload("requested_action", check_run=run, requested_action=action)
        self.repository.hub.deliver("check_run", payload | {"sender": {"login": login, "id": 6, "type": "User"}})

    @property
    def replies(self) -> list[str]:
        """What the App replied to comments and buttons."""
        return [c["body"] for c in self.ours if not c["body"].startswith("<!-- bulletproof -->")]


class Repository:
    """A repository with everything around it."""

    def __init__(self, hub: Hub, id_: int, name: str, git: GitRepo) -> None:
        self.hub, self.id, self.name, self.git = hub, id_, name, git
        self.pulls: dict[int, Pull] = {}
        self.comments: dict[int, list[dict[str, Any]]] = {}
        self.runs: list[dict[str, Any]] = []
        self.rules: dict[str, list[dict[str, Any]]] = {}
        self.permissions: dict[str, str] = {"ada": "admin", "grace": "write"}
        self.stale_base = git.git("rev-parse", "main")

    def payload(self, action: str | None, **more: Any) -> dict[str, Any]:
        """A webhook about this repository."""
        said: dict[str, Any] = {
            "repository": {
                "id": self.id,
                "full_name": self.name,
                "name": self.name.split("/")[1],
                "default_branch": "main",
            },
            "installation": {"id": INSTALLATION},
            "sender": {"login": "ada", "id": 6, "type": "User"},
        }
        return said | ({"action": action} if action else {}) | more

    def open(
        self, branch: str, *, base: str = "main", title: str = "A change", author: str = "grace", fork: bool = False,
        draft: bool = False, tell: bool = True,
    ) -> Pull:  # fmt: skip
        """Somebody opens a pull request for a branch that is there (a fork's branch is not a branch of ours)."""
        pull = Pull(self, len(self.pulls) + 1, title, branch, base, author, fork, draft)
        self.pulls[pull.number] = pull
        pull.set(self.git.git("rev-parse", branch), tell=False)
        if fork:
            self.git.git("update-ref", "-d", f"refs/heads/{branch}")
        if tell:
            pull.tell("opened")
        return pull

    def push(self, files: Files, branch: str = "main", *, tell: bool = True) -> str:
        """Somebody pushes to a branch."""
        self.git.git("checkout", "--quiet", "--detach", branch)
        sha = self.git.commit(files, "on base")
        return self.move(sha, branch, tell=tell)

    def move(self, sha: str, branch: str = "main", *, tell: bool = True) -> str:
        """A branch points to another commit from now on."""
        self.git.git("update-ref", f"refs/heads/{branch}", sha)
        if tell:
            payload = self.payload(None, ref=f"refs/heads/{branch}", after=sha, before="0" * 40)
            self.hub.deliver("push", payload)
        return sha

    def merge(self, pull: Pull) -> str:
        """Merge a pull request into its base."""
        self.git.git("checkout", "--quiet", "--detach", pull.base)
        self.git.git("merge", "--quiet", "--no-ff", "-m", f"Merge #{pull.number}", pull.head)
        pull.state = "closed"
        pull.tell("closed")
        return self.move(self.git.git("rev-parse", "HEAD"), pull.base)

    def queue(self, *pulls: Pull, base: str = "main", branch: str = "main", method: str = "merge") -> tuple[str, str]:
        """Put pull requests into the merge queue together; gives the merged commit and the ref.

        Args:
            pulls: in the order in which they are merged.
            base: what they are put upon: the branch, or what waits before them.
            branch: where they are to be merged.
            method: `merge`, `squash` or `rebase`, as the queue is configured.
        """
        tip = self.git.git("rev-parse", base)
        self.git.git("checkout", "--quiet", "--detach", tip)
        for pull in pulls:
            if method == "rebase":
                self.git.git("cherry-pick", f"{branch}..{pull.head}")
                continue
            how = ["--no-ff"] if method == "merge" else ["--squash"]
            self.git.git("merge", "--quiet", *how, "-m", f"Merge pull request #{pull.number} from x/y", pull.head)
            if method == "squash":
                self.git.git("commit", "--quiet", "-m", f"{pull.title} (#{pull.number})")
        sha = self.git.git("rev-parse", "HEAD")
        ref = f"refs/heads/gh-readonly-queue/{branch}/pr-{pulls[-1].number}-{tip}"
        self.git.git("update-ref", ref, sha)
        group = {
            "head_sha": sha,
            "head_ref": ref,
            "base_sha": tip,
            "base_ref": f"refs/heads/{branch}",
            "head_commit": {},
        }
        self.hub.deliver("merge_group", self.payload("checks_requested", merge_group=group))
        return sha, ref

    def guard(self, branch: str, *, signed: bool) -> None:
        """Take only signed commits on a branch, or (as a protected one) none that are pushed."""
        words = "Commits must have verified signatures." if signed else "Changes must be made through a pull request."
        guarded = f'[ "$1" = "refs/heads/{branch}" ]'
        if signed:
            guarded += ' && ! git cat-file commit "$3" | grep -q "^gpgsig "'
        hook = self.git.path / ".git/hooks/update"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(
            f"#!/bin/sh\nif {guarded}; then\n"
            f'echo "error: GH006: Protected branch update failed for $1." >&2\necho "- {words}" >&2\nexit 1\nfi\n'
        )
        hook.chmod(0o755)

    def check(self, sha: str) -> dict[str, Any] | None:
        """The check run on a commit; there may be one at most."""
        with self.hub.lock:
            found = [run for run in self.runs if run["head_sha"] == sha]
        assert len(found) <= 1, f"{len(found)} check runs on one commit"
        return dict(found[0]) if found else None

    def comment(self, number: int, body: str, user: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Put a comment into the conversation."""
        with self.hub.lock:
            now = _now()
            made = {"id": self.hub.id(), "body": body, "user": user, "created_at": now, "updated_at": now, **more}
            self.comments.setdefault(number, []).append(made)
            return made


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def hub(self) -> Hub:
        return self.server.hub  # type: ignore[attr-defined]

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        pass

    def do_GET(self) -> None:
        self.one()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815 - names of the standard library

    def one(self) -> None:
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

    def _repository(self, here: Repository, path: str, query: dict[str, list[str]], body: Any) -> Answer:
        for method, pattern, answer in _ROUTES:
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


# What can be asked of a repository: the repository, the path's parts, the query, the body.


def _pull(here: Repository, parts: Any, _query: Any, _body: Any) -> Answer:
    pull = here.pulls.get(int(parts[0]))
    return (200, pull.shown()) if pull else None


def _pulls(here: Repository, _parts: Any, query: Any, _body: Any) -> Answer:
    state, base = query.get("state", ["open"])[0], query.get("base", [None])[0]
    found = [p for p in here.pulls.values() if state in {"all", p.state} and base in {None, p.base}]
    return 200, [p.shown() for p in found]


def _pulls_with(here: Repository, parts: Any, _query: Any, _body: Any) -> Answer:
    return 200, [p.shown() for p in here.pulls.values() if p.head == parts[0]]


def _runs(here: Repository, parts: Any, query: Any, _body: Any) -> Answer:
    name = query.get("check_name", [None])[0]
    found = [r for r in here.runs if r["head_sha"] == parts[0] and name in {None, r["name"]}]
    return 200, {"total_count": len(found), "check_runs": [_run_shown(r) for r in found]}


def _run_shown(run: dict[str, Any]) -> dict[str, Any]:
    output = {k: v for k, v in run["output"].items() if k != "annotations"}
    return run | {"output": output | {"annotations_count": len(run["output"]["annotations"])}}


def _begin_run(here: Repository, _parts: Any, _query: Any, body: Any) -> Answer:
    run = {
        "id": here.hub.id(),
        "app": {"id": APP, "slug": SLUG},
        "conclusion": None,
        "history": [],
        "started_at": _now(),
        **body,
    }
    run["output"] = {"annotations": [], **body.get("output", {})}
    run["history"].append((run["status"], run["conclusion"]))
    here.runs.append(run)
    return 201, _run_shown(run)


def _change_run(here: Repository, parts: Any, _query: Any, body: Any) -> Answer:
    run = next((r for r in here.runs if r["id"] == int(parts[0])), None)
    if run is None:
        return None
    output = dict(body.pop("output", {}))
    more = output.pop("annotations", [])
    assert len(more) <= 50, "GitHub takes 50 annotations at a time"
    for key, most in (("summary", 65_535), ("text", 65_535), ("title", 255)):
        if len(output.get(key, "").encode()) > most:
            return 422, {"message": f"{key} is too long"}
    run.update(body)
    if body.get("status") == "in_progress":
        run["conclusion"] = None
    run["output"].update(output)
    run["output"]["annotations"] += more
    run["history"].append((run["status"], run["conclusion"]))
    return 200, _run_shown(run)


def _annotations(here: Repository, parts: Any, _query: Any, _body: Any) -> Answer:
    run = next((r for r in here.runs if r["id"] == int(parts[0])), None)
    return (200, run["output"]["annotations"]) if run else None


def _comments(here: Repository, parts: Any, _query: Any, _body: Any) -> Answer:
    return 200, list(here.comments.get(int(parts[0]), []))


def _comment(here: Repository, parts: Any, _query: Any, body: Any) -> Answer:
    if len(body["body"]) > 65_536:
        return 422, {"message": "Validation Failed", "errors": ["body is too long (maximum is 65536 characters)"]}
    user = {"login": f"{SLUG}[bot]", "id": 9, "type": "Bot"}
    return 201, here.comment(int(parts[0]), body["body"], user, performed_via_github_app={"id": APP, "slug": SLUG})


def _edit(here: Repository, parts: Any, _query: Any, body: Any) -> Answer:
    for each in (c for found in here.comments.values() for c in found):
        if each["id"] == int(parts[0]):
            each["body"] = body["body"]
            each["edits"] = each.get("edits", 0) + 1
            return 200, each
    return None


def _branch(here: Repository, parts: Any, _query: Any, _body: Any) -> Answer:
    done = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"refs/heads/{unquote(parts[0])}"],
        cwd=here.git.path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        return None
    return 200, {"ref": f"refs/heads/{parts[0]}", "object": {"sha": done.stdout.strip(), "type": "commit"}}


def _make_commit(here: Repository, _parts: Any, _query: Any, body: Any) -> Answer:
    """Signed, where neither author nor committer is named; the tree and the parents have to be there."""
    lines = [f"tree {body['tree']}", *(f"parent {parent}" for parent in body["parents"])]
    who = f"{SLUG}[bot] <{SLUG}[bot]@users.noreply.github.com> {int(time.time())} +0000"
    lines += [f"author {who}", "committer GitHub <noreply@github.com>" + who[who.index("> ") + 1 :]]
    if "author" not in body and "committer" not in body:
        lines.append("gpgsig -----BEGIN PGP SIGNATURE-----\n \n -----END PGP SIGNATURE-----")
    raw = "\n".join([*lines, "", body["message"]]).encode()
    for each in (body["tree"], *body["parents"]):
        here.git.git("cat-file", "-e", each)
    sha = here.git.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=raw)
    return 201, {"sha": sha, "tree": {"sha": body["tree"]}, "message": body["message"]}


def _forward(here: Repository, parts: Any, _query: Any, body: Any) -> Answer:
    name, sha = f"refs/heads/{unquote(parts[0])}", body["sha"]
    old = here.git.git("rev-parse", name)
    if here.git.git("merge-base", old, sha) != old:
        return 422, {"message": "Update is not a fast forward"}
    here.git.git("update-ref", name, sha, old)
    for pull in here.pulls.values():
        if not pull.fork and f"refs/heads/{pull.branch}" == name:
            threading.Thread(target=pull.set, args=(sha,), daemon=True).start()
    return 200, {"ref": name, "object": {"sha": sha, "type": "commit"}}


def _drop_ref(here: Repository, parts: Any, _query: Any, _body: Any) -> Answer:
    here.git.git("update-ref", "-d", f"refs/{unquote(parts[0])}")
    return 204, None


def _permission(here: Repository, parts: Any, _query: Any, _body: Any) -> Answer:
    found = here.permissions.get(unquote(parts[0]), "none")
    return 200, {"permission": found, "role_name": found, "user": {"login": parts[0], "id": 1}}


_ROUTES: list[tuple[str, str, Callable[[Repository, Any, Any, Any], Answer]]] = [
    ("GET", r"/pulls/(\d+)", _pull),
    ("GET", r"/pulls", _pulls),
    ("GET", r"/pulls/(\d+)/reviews", lambda h, p, _q, _b: (200, h.pulls[int(p[0])].reviews)),
    ("GET", r"/commits/(\w+)/pulls", _pulls_with),
    ("GET", r"/commits/(\w+)/check-runs", _runs),
    ("POST", r"/check-runs", _begin_run),
    ("PATCH", r"/check-runs/(\d+)", _change_run),
    ("GET", r"/check-runs/(\d+)/annotations", _annotations),
    ("GET", r"/issues/(\d+)/comments", _comments),
    ("POST", r"/issues/(\d+)/comments", _comment),
    ("PATCH", r"/issues/comments/(\d+)", _edit),
    ("POST", r"/issues/comments/(\d+)/reactions", lambda _h, _p, _q, b: (201, {"id": 1, "content": b["content"]})),
    ("GET", r"/git/ref/heads/(.+)", _branch),
    ("POST", r"/git/commits", _make_commit),
    ("PATCH", r"/git/refs/heads/(.+)", _forward),
    ("DELETE", r"/git/refs/(.+)", _drop_ref),
    ("GET", r"/rules/branches/(.+)", lambda h, p, _q, _b: (200, h.rules.get(unquote(p[0]), []))),
    ("GET", r"/collaborators/([^/]+)/permission", _permission),
]
