"""A GitHub of the tests' own: it keeps pull requests, checks and comments, serves REST and git over HTTP, and can stumble.

Every request is held against GitHub's published description (where npm can bring it); what GitHub would not understand is
kept in `complaints`, and a test that leaves some there fails.
"""

import hashlib
import hmac
import json
import secrets
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import openapi
from conftest import Files, GitRepo
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from github_http import Fault, Handler, Request
from github_rest import APP, INSTALLATION, SLUG, clock

__all__ = ["APP", "INSTALLATION", "PRIVATE_KEY", "SECRET", "SLUG", "Hub", "Pull", "Repository"]

SECRET = "it's a secret to everybody"

_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE_KEY = _KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
).decode()


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
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
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

        def answer(handler: "Handler") -> bool:
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
            now = clock()
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
            now = clock()
            made = {"id": self.hub.id(), "body": body, "user": user, "created_at": now, "updated_at": now, **more}
            self.comments.setdefault(number, []).append(made)
            return made
