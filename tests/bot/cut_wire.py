"""A wire to PostgreSQL that counts what the client asks, and is cut at a chosen question: what `kill -9` looks like to the server."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from bot.branches.embedded import EmbeddedBranch


class Wire:
    """Listens on a port of this machine, and hands everything on to the socket of a branch database.

    Attributes:
        asked: queries that came so far, over all sessions.
        at: the query at which `act` is called, once; None: never.
        late: the query is handed on first, so that the server may act on it and nobody hears of it.
    """

    def __init__(self, sockets: str) -> None:
        self._sockets = sockets
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self.port: int = self._listener.getsockname()[1]
        self.asked = 0
        self.at: int | None = None
        self.late = False
        self.act: Callable[[], None] = self.cut
        self.fired = False
        self._deaf = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def arm(self, at: int | None, *, late: bool = False) -> None:
        """Begin to count anew."""
        self.asked, self.at, self.late, self.fired, self._deaf = 0, at, late, False, False

    def cut(self) -> None:
        """Drop every session, both ends."""
        with self._lock:
            doomed, self._open = self._open, []
        for each in doomed:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Take no more sessions."""
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes `accept`, which closing does not
        self._thread.join()
        self._listener.close()
        self.cut()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(f"{self._sockets}/.s.PGSQL.5432")
                with self._lock:
                    self._open = [*self._open, client, server]
                threading.Thread(target=self._talk, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        first = True
        with contextlib.suppress(OSError, EOFError), client.makefile("rb") as stream:
            while True:  # until the client is gone: `_exactly` says so
                kind = b"" if first else _exactly(stream, 1)
                length = _exactly(stream, 4)
                body = _exactly(stream, int.from_bytes(length, "big") - 4)
                first = False
                counted = kind in {b"Q", b"P"}
                with self._lock:
                    self.asked += counted
                    now = counted and self.at == self.asked and not self.fired
                    self.fired = self.fired or now
                if now and not self.late:
                    self.act()
                self._deaf = self._deaf or now
                server.sendall(kind + length + body)
                if now and self.late:
                    time.sleep(0.02)
                    self.act()

    def _talk(self, client: socket.socket, server: socket.socket) -> None:
        self._ask(client, server)
        for each in (server, client):  # closing alone would not end what the other thread waits for
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := server.recv(65536):
                if not self._deaf:
                    client.sendall(piece)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


def _exactly(stream: Any, size: int) -> bytes:
    found = stream.read(size) if size else b""
    if len(found) < size:
        raise EOFError
    return found


@contextlib.contextmanager
def to(branch: EmbeddedBranch) -> Iterator[tuple[Wire, str]]:
    """A wire to a branch database, and its address."""
    with branch.connect() as session:
        info = session.info
        wire = Wire(info.host)
        address = f"postgresql://{info.user}@127.0.0.1:{wire.port}/{info.dbname}?sslmode=disable&gssencmode=disable"
    try:
        yield wire, address
    finally:
        wire.close()
