"""Branches on Neon: a Neon branch for each review, made and removed through Neon's API, and databases of our own on it.

A Neon branch holds a copy of its parent's data, so the pull request's SQL runs beside that, as `server` has it: in databases
and roles that are made for it, and never as the role that Neon hands out. https://neon.com/docs/reference/api/operations
"""

import contextlib
import secrets
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
import psycopg

from bot.branches import Template
from bot.branches.server import Server, ServerBranch
from checks.errors import CouldNotJudge, UserError

PREFIX = "bulletproof-review-"
"""What our branches' names begin with; nobody else's are touched."""

_OLD = timedelta(minutes=30)  # longer than any review lives
_PATIENCE = 90.0  # seconds for one request, with what has to be waited for
_WAKING = 45.0
_LEAVING = 20.0
_TICK = 0.5
_BUSY = frozenset({423, 429, 500, 502, 503, 504})
_NOT_DONE = frozenset({409, 423, 429, 503})  # of these Neon says that it did nothing
_DONE = frozenset({"finished", "skipped", "cancelled"})


@dataclass(frozen=True, slots=True)
class _Made:
    """A Neon branch, and the address of a database on it, with a role that may make databases and roles."""

    id: str
    address: str


class Neon:
    """Makes branches in a Neon project. In `with`, one Neon branch serves all that is asked for until the end.

    Args:
        api_url: of Neon's API, such as `https://console.neon.tech/api/v2`.
        key: the API key; it is sent to `api_url` and nowhere else, and never said.
        project: the id of the project.
        tick: seconds between two looks at what has to be waited for.
    """

    def __init__(self, api_url: str, key: str, project: str, *, tick: float = _TICK) -> None:
        self._key, self._project, self._tick = key, project, tick
        self._url = f"{api_url.rstrip('/')}/projects/{quote(project, safe='')}"
        self._lock = threading.Lock()
        self._users = 0
        self._made: _Made | None = None

    def __enter__(self) -> Self:
        """Keep the Neon branch, once it is made."""
        self._users += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove it."""
        self._leave()

    def available_extensions(self) -> frozenset[str]:
        """The extensions that a branch can have."""
        with self._branched() as address:
            return Server(address).available_extensions()

    @contextlib.contextmanager
    def branch(
        self, *, template: Template | None = None, extensions: Sequence[str] = (), seconds: float = 120.0
    ) -> Generator[ServerBranch]:
        """See `Provider.branch`."""
        with (
            self._branched() as address,
            Server(address).branch(template=template, extensions=extensions, seconds=seconds) as branch,
        ):
            yield branch

    @contextlib.contextmanager
    def _branched(self) -> Generator[str]:
        """The address of the Neon branch; it is made for the first who asks, and removed by the last who leaves."""
        with self._lock:
            if self._made is None:
                self._made = self._make()
            self._users += 1
            made = self._made
        try:
            yield made.address
        finally:
            self._leave()

    def _leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._made is not None:
                made, self._made = self._made, None
                self._remove(made.id)

    # --- Neon's API ---

    def _make(self) -> _Made:
        self._sweep()
        branch: dict[str, Any] = {"name": f"{PREFIX}{secrets.token_hex(6)}"}
        until = (datetime.now(UTC) + 2 * _OLD).strftime("%Y-%m-%dT%H:%M:%SZ")
        wanted = {"branch": branch | {"expires_at": until}, "endpoints": [{"type": "read_write"}]}
        try:
            said = self._call("POST", "/branches", wanted)
        except _RefusedError as refused:
            if refused.status not in {400, 422}:
                raise
            said = self._call(
                "POST", "/branches", wanted | {"branch": branch}
            )  # not every plan has branches that expire
        id_ = str(said["branch"]["id"])
        try:
            for operation in said.get("operations", []):
                self._wait(operation)
            made = _Made(id_, self._address(id_, said))
            self._wake(made.address)
        except BaseException:
            self._remove(id_)
            raise
        return made

    def _remove(self, id_: str) -> None:
        with contextlib.suppress(UserError):  # the review is done all the same; whoever comes next sweeps what is left
            self._call("DELETE", f"/branches/{quote(id_, safe='')}", patience=_LEAVING)

    def _sweep(self) -> None:
        """Remove the branches of ours whose review is long over: its process was killed."""
        try:
            found: list[dict[str, Any]] = self._call("GET", f"/branches?search={PREFIX}").get("branches", [])
        except _RefusedError:
            return
        for each in found:
            ours = str(each.get("name", "")).startswith(PREFIX) and not (each.get("default") or each.get("protected"))
            if ours and _age(each.get("created_at")) > _OLD:
                self._remove(str(each["id"]))

    def _wait(self, operation: dict[str, Any]) -> None:
        end = time.monotonic() + _PATIENCE
        while operation.get("status") not in _DONE:
            if operation.get("status") == "failed" or time.monotonic() > end:
                raise CouldNotJudge(
                    f"Neon could not make a branch: {operation.get('action')} {operation.get('status')}."
                )
            time.sleep(self._tick)
            operation = self._call("GET", f"/operations/{quote(str(operation['id']), safe='')}")["operation"]

    def _address(self, id_: str, said: dict[str, Any]) -> str:
        """The direct address: a pooler forgets what a session has set."""
        uris: list[dict[str, Any]] = said.get("connection_uris") or []
        if uris:
            return str(uris[0]["connection_uri"])
        databases = (
            said.get("databases") or self._call("GET", f"/branches/{quote(id_, safe='')}/databases")["databases"]
        )
        if not databases:
            raise CouldNotJudge(
                "The Neon project's default branch has no database, so nobody can connect to a branch of it."
            )
        name, role = quote(str(databases[0]["name"]), safe=""), quote(str(databases[0]["owner_name"]), safe="")
        where = f"/connection_uri?branch_id={quote(id_, safe='')}&database_name={name}&role_name={role}"
        return str(self._call("GET", where)["uri"])

    def _wake(self, address: str) -> None:
        """A compute takes a moment after its operation is finished."""
        end = time.monotonic() + _WAKING
        while True:
            try:
                psycopg.connect(address, connect_timeout=10).close()
            except psycopg.OperationalError:
                if time.monotonic() > end:
                    return  # whoever connects next says what is wrong, in words
                time.sleep(self._tick)
            else:
                return

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, patience: float = _PATIENCE
    ) -> dict[str, Any]:
        """One request, with patience while Neon is busy with the project.

        Raises:
            UserError: the key or the project is wrong.
            CouldNotJudge: Neon is out of reach, or says no.
        """
        end, trouble, pause = time.monotonic() + patience, "", self._tick
        while True:
            try:
                answer = httpx.request(
                    method,
                    self._url + path,
                    json=body,
                    headers={"Authorization": f"Bearer {self._key}", "Accept": "application/json"},
                    timeout=httpx.Timeout(30.0, connect=10.0),
                )
            except httpx.HTTPError as error:
                trouble, again = type(error).__name__, method == "GET" or isinstance(error, httpx.ConnectError)
            else:
                if answer.is_success:
                    return _json(answer)
                trouble = f"{answer.status_code} {self._said(answer)}"
                again = answer.status_code in (_BUSY if method != "POST" else _NOT_DONE)
                pause = max(pause, min(_seconds(answer.headers.get("Retry-After")), 30.0))
                if not again:
                    raise self._refused(answer, trouble)
            if not again or time.monotonic() + pause > end:
                raise CouldNotJudge(f"Neon cannot be asked ({method} {path.partition('?')[0]}: {trouble}).")
            time.sleep(pause)
            pause = min(pause * 2, 8.0)

    def _refused(self, answer: httpx.Response, trouble: str) -> UserError:
        if answer.status_code in {401, 403}:
            return UserError(
                "Neon refuses the API key. Check BULLETPROOF_NEON_API_KEY and BULLETPROOF_NEON_PROJECT_ID."
            )
        if answer.status_code == 404 and answer.request.method != "DELETE":
            return UserError(f"Neon has no project {self._project}. Check BULLETPROOF_NEON_PROJECT_ID.")
        return _RefusedError(answer.status_code, f"Neon says no: {trouble}.")

    def _said(self, answer: httpx.Response) -> str:
        said = _json(answer).get("message", "")
        return " ".join(str(said).replace(self._key, "***").split())[:200]


class _RefusedError(CouldNotJudge):
    """Neon answered, and will not."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def _age(created: object) -> timedelta:
    try:
        return datetime.now(UTC) - datetime.fromisoformat(str(created))
    except (ValueError, TypeError):
        return timedelta.max


def _seconds(said: str | None) -> float:
    return float(said) if said is not None and said.isdigit() else 0.0
