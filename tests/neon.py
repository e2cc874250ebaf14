"""A Neon of the tests' own: projects, branches and operations over HTTP, and a real PostgreSQL cluster behind every branch."""

import contextlib
import json
import re
import secrets
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
from psycopg.conninfo import make_conninfo

from bot import cluster

KEY = "napi_s3cretkey"
PROJECT = "quiet-hill-123456"


@dataclass
class Branch:
    """A branch, and the cluster behind it."""

    id: str
    name: str
    created: datetime
    closing: contextlib.ExitStack
    address: str = ""
    default: bool = False
    polls: int = 0

    def shown(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "id": self.id,
            "project_id": PROJECT,
            "name": self.name,
            "default": self.default,
            "created_at": self.created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


@dataclass
class Neon:
    """console.neon.tech, as far as one project goes.

    Attributes:
        busy: so many requests that change something are answered 423.
        failing: operations fail.
        expiring: whether branches may have an end.
        bare: the answer has no connection address; it has to be asked for.
    """

    folder: Path
    branches: dict[str, Branch] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    busy: int = 0
    failing: bool = False
    expiring: bool = True
    bare: bool = False

    def __post_init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.neon = self  # type: ignore[attr-defined]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.branches["br-main"] = Branch("br-main", "main", datetime.now(UTC), contextlib.ExitStack(), default=True)

    @property
    def api(self) -> str:
        """The setting `neon_api_url`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/api/v2"

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        for branch in self.branches.values():
            branch.closing.close()

    def leave(self, name: str, age: timedelta) -> str:
        """Somebody left a branch behind, so long ago."""
        id_ = f"br-{secrets.token_hex(4)}"
        self.branches[id_] = Branch(id_, name, datetime.now(UTC) - age, contextlib.ExitStack())
        return id_

    def make(self, name: str) -> Branch:
        """A branch with a cluster, whose database has the parent's data, and whose role may make databases and roles."""
        branch = Branch(f"br-{secrets.token_hex(4)}", name, datetime.now(UTC), contextlib.ExitStack())
        superuser = branch.closing.enter_context(cluster.persistent(self.folder / branch.id))
        with psycopg.connect(superuser, autocommit=True) as session:
            session.execute("CREATE ROLE neondb_owner LOGIN CREATEDB CREATEROLE PASSWORD 'pw'")
            session.execute("CREATE DATABASE production OWNER neondb_owner")
        branch.address = make_conninfo(superuser, user="neondb_owner", password="pw", dbname="production")
        with psycopg.connect(branch.address, autocommit=True) as session:
            session.execute("CREATE TABLE orders (id int, secret text); INSERT INTO orders VALUES (1, 'of a customer')")
        self.branches[branch.id] = branch
        return branch


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    @property
    def neon(self) -> Neon:
        return self.server.neon  # type: ignore[attr-defined]

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        pass

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
        self.neon.requests.append((self.command, where.path))
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            self.answer(401, {"message": f"authentication failed for {self.headers.get('Authorization')}"})
            return
        match = re.fullmatch(rf"/api/v2/projects/{PROJECT}(/.*)", where.path)
        if match is None:
            self.answer(404, {"message": "project not found"})
        elif self.command != "GET" and self.neon.busy > 0:
            self.neon.busy -= 1
            self.answer(
                423, {"message": "project already has running operations, scheduling of new ones is prohibited"}
            )
        else:
            self.answer(*self.route(match[1], parse_qs(where.query), body))

    do_POST = do_DELETE = do_GET  # noqa: N815 - names of the standard library

    def route(self, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:  # noqa: PLR0911 - one a kind of address
        neon = self.neon
        if path == "/branches" and self.command == "POST":
            if "expires_at" in body["branch"] and not neon.expiring:
                return 400, {"message": "branch expiration is not available"}
            assert body["endpoints"] == [{"type": "read_write"}]
            branch = neon.make(body["branch"]["name"])
            operations = [{"id": f"op-{branch.id}", "action": "create_branch", "status": "scheduling"}]
            more = {} if neon.bare else {"connection_uris": [{"connection_uri": branch.address}]}
            return 201, {"branch": branch.shown(), "operations": operations, "endpoints": [{}], **more}
        if path == "/branches":
            search = query.get("search", [""])[0]
            return 200, {"branches": [b.shown() for b in neon.branches.values() if search in b.name]}
        if match := re.fullmatch(r"/operations/op-(.+)", path):
            branch = neon.branches[match[1]]
            branch.polls += 1
            status = "failed" if neon.failing else "finished" if branch.polls > 2 else "running"
            return 200, {"operation": {"id": f"op-{branch.id}", "action": "create_branch", "status": status}}
        if match := re.fullmatch(r"/branches/([^/]+)/databases", path):
            return 200, {"databases": [{"name": "production", "owner_name": "neondb_owner"}]}
        if path == "/connection_uri":
            return 200, {"uri": neon.branches[query["branch_id"][0]].address}
        if (match := re.fullmatch(r"/branches/([^/]+)", path)) and self.command == "DELETE":
            branch = neon.branches.pop(match[1], None)
            if branch is None:
                return 404, {"message": "branch not found"}
            branch.closing.close()
            return 200, {"branch": branch.shown(), "operations": []}
        return 404, {"message": "not found"}

    def answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
