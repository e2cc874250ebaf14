"""One query at a time over libpq: waits without hanging, stops what runs too long, and keeps nothing it need not keep.

The wire is used directly, and not through cursors, because results must be thrown away while they arrive (a `SELECT` of a
billion rows), copies refused, and a session that the server ended told apart from a statement that failed.
"""

import contextlib
import select
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import psycopg
from psycopg import pq

from checks.errors import CouldNotJudge
from checks.witnesses.model import Failure

QUERY_CANCELED = "57014"
IDLE, INTRANS, INERROR = pq.TransactionStatus.IDLE, pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR

_GRACE = 2.0
_ENDED = ("57P01", "57P02", "57P03", "57P04", "57P05", "25P03", "25P04")
_TUPLES = (pq.ExecStatus.SINGLE_TUPLE, pq.ExecStatus.TUPLES_CHUNK)


class Opens(Protocol):
    """What opens another session to the same database (a `Branch` does)."""

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection[tuple[Any, ...]]:
        """Open a session."""
        ...


@runtime_checkable
class _Watched(Protocol):
    """What may be ended from outside, and then says why (a `Branch`)."""

    @property
    def stopped(self) -> str | None:
        """`time` or `disk`."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the server answered to one query.

    Attributes:
        tag: the command tag of the last statement that ended, e.g. `ALTER TABLE`.
        rows: rows that it touched, where the tag of a changing statement counts them.
        ms: wall milliseconds.
        done: how many statements of the query ran to their end.
    """

    tag: str
    rows: int | None
    ms: float
    failure: Failure | None = None
    done: int = 0


class Wire:
    """A session with a deadline."""

    def __init__(self, branch: Opens, *, seconds: float | None = None) -> None:
        """Open a session; `seconds` is what all queries together may take (None: as long as the server lets them)."""
        self._branch = branch
        self._started = time.monotonic()
        self._deadline = None if seconds is None else self._started + seconds
        self.connection = branch.connect()
        self.connection.prepare_threshold = None
        self.pgconn = self.connection.pgconn
        self._poll = select.poll()
        self._poll.register(self.pgconn.socket, select.POLLIN)
        self.gone: Failure | None = None

    def close(self) -> None:
        """End the session."""
        with contextlib.suppress(psycopg.Error):
            self.connection.close()

    @property
    def status(self) -> int:
        """Where the session stands, as `pq.TransactionStatus` numbers it: idle, in a transaction, in a failed one."""
        return self.pgconn.transaction_status

    def execute(
        self,
        sql: str | bytes,
        *,
        extended: bool = False,
        first: Callable[[], None] | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> Outcome:
        """Send one query and wait for its end.

        Args:
            sql: one query; several statements in it are one simple query, as drivers send them.
            extended: send it by the extended protocol (one statement only), as Neon's HTTP driver does.
            first: called once, as soon as the query is sent, while the server works.
            meanwhile: called about every millisecond while the server works.
        """
        data = sql.encode(errors="replace") if isinstance(sql, str) else sql
        began = time.perf_counter()
        if self.gone is not None:
            return Outcome("", None, 0.0, self.gone)
        if b"\0" in data:  # libpq would send what stands before it, and the server refuses it anyhow
            return self._refuse_nul(began)
        try:
            if extended:
                self.pgconn.send_query_params(data, None)
            else:
                self.pgconn.send_query(data)
            self.pgconn.set_single_row_mode()
            self._flush()
            if first is not None:
                first()
            tag, rows, failure, done = self._results(meanwhile)
        except psycopg.OperationalError as error:
            tag, rows, failure, done = "", None, self._lost(str(error)), 0
        ms = (time.perf_counter() - began) * 1000
        return Outcome(tag, rows, ms, self._plain(failure), done)

    def batch(self, queries: Sequence[bytes]) -> tuple[int, Failure | None]:
        """Send statements without waiting for each one's answer (libpq's pipeline).

        Args:
            queries: one statement each, in an open transaction that none of them ends; none gives rows or takes data.

        Returns:
            How many ran, and why the next one did not.
        """
        if self.gone is not None:
            return 0, self.gone
        try:
            self.pgconn.enter_pipeline_mode()
            for query in queries:
                self.pgconn.send_query_params(query, None)
            self.pgconn.pipeline_sync()
            self._flush()
            done, failure = self._batch_results()
            self.pgconn.exit_pipeline_mode()
        except psycopg.OperationalError as error:
            return 0, self._lost(str(error))
        return done, self._plain(failure)

    def ask(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query of our own; [] where the session is gone.

        Raises:
            psycopg.Error: the server refused it.
        """
        if self.gone is not None:
            return []
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(sql, parameters or None)  # pyright: ignore[reportCallIssue, reportArgumentType] - a str, not a literal
                return cursor.fetchall() if cursor.description else []
        except psycopg.OperationalError as error:
            if self.pgconn.status == pq.ConnStatus.OK:
                raise
            self._lost(str(error))
            return []

    def _refuse_nul(self, began: float) -> Outcome:
        if self.status == INTRANS:  # the server's answer ends the transaction too
            self.pgconn.exec_(b"do $$ begin raise exception 'nul'; end $$")
        failure = Failure("08P01", "invalid message format: the statement holds a NUL byte")
        return Outcome("", None, (time.perf_counter() - began) * 1000, failure)

    def _flush(self) -> None:
        while self.pgconn.flush():
            select.select([self.pgconn.socket], [self.pgconn.socket], [], 1.0)
            self.pgconn.consume_input()
            self._check_time()

    def _results(self, meanwhile: Callable[[], None] | None) -> tuple[str, int | None, Failure | None, int]:
        tag, rows, failure, done = "", None, None, 0
        while True:
            self._wait(meanwhile)
            result = self.pgconn.get_result()
            if result is None:
                break
            status = result.status
            if status in _TUPLES:
                continue
            if status == pq.ExecStatus.COPY_IN:
                self.pgconn.put_copy_end(b"No source stream defined")  # node-postgres' words
                self._flush()
            elif status == pq.ExecStatus.COPY_OUT:
                self._drain()
            elif status == pq.ExecStatus.FATAL_ERROR:
                failure = failure or failure_of(result)
            else:
                command = result.command_status
                tag = command.decode(errors="replace") if command else ""
                done += 1
                rows = result.command_tuples if tag.startswith(_COUNTED) else None
        while self.pgconn.notifies() is not None:
            pass
        return tag, rows, failure, done

    def _batch_results(self) -> tuple[int, Failure | None]:
        done, failure = 0, None
        while True:
            self._wait(None)
            result = self.pgconn.get_result()
            if result is None:  # between two queries, or for ever
                if self.pgconn.status != pq.ConnStatus.OK:
                    raise psycopg.OperationalError(failure.message if failure else "connection lost")
            elif result.status == pq.ExecStatus.PIPELINE_SYNC:
                return done, failure
            elif result.status == pq.ExecStatus.FATAL_ERROR:
                failure = failure or failure_of(result)
            elif result.status != pq.ExecStatus.PIPELINE_ABORTED:
                done += 1

    def _wait(self, meanwhile: Callable[[], None] | None) -> None:
        while self.pgconn.is_busy():
            if not self._poll.poll(1 if meanwhile else 500):
                if meanwhile:
                    meanwhile()
            else:
                self.pgconn.consume_input()
            self._check_time()

    def _drain(self) -> None:
        while True:
            size, _ = self.pgconn.get_copy_data(1)
            if size < 0:
                return
            if size == 0:
                self._poll.poll(500)
                self.pgconn.consume_input()
            self._check_time()

    def _check_time(self) -> None:
        if self._deadline is None or time.monotonic() < self._deadline:
            return
        late = time.monotonic() - self._deadline
        if late < _GRACE:
            if self._stops == 0:
                self._stops = 1
                with contextlib.suppress(psycopg.Error):
                    self.pgconn.get_cancel().cancel()
        elif late < 2 * _GRACE:
            if self._stops == 1:
                self._stops = 2
                self._terminate()
        else:
            self.gone = Failure(QUERY_CANCELED, "stopped: it would not end", stopped=True)
            self.pgconn.finish()
            raise psycopg.OperationalError("the server did not end the session")

    _stops = 0

    def _terminate(self) -> None:
        """End the backend from another session: a loop that traps the cancellation survives everything milder."""
        with contextlib.suppress(psycopg.Error, CouldNotJudge), self._branch.connect() as other:
            other.execute("select pg_catalog.pg_terminate_backend(%s)", (self.pgconn.backend_pid,))

    def _plain(self, failure: Failure | None) -> Failure | None:
        """Say what ended a query that did not fail by itself: our limit, or the end of the session."""
        if failure is None:
            return None
        if failure.sqlstate in _ENDED or self.pgconn.status != pq.ConnStatus.OK:
            return self._lost(failure.message)
        if failure.sqlstate == QUERY_CANCELED and self._stops:
            seconds = time.monotonic() - self._started
            return Failure(QUERY_CANCELED, f"stopped after {seconds:.0f} s: its time was up", stopped=True)
        return failure

    def _lost(self, words: str) -> Failure:
        if self.gone is None:
            seconds = time.monotonic() - self._started
            late = self._deadline is not None and time.monotonic() >= self._deadline
            ended = self._branch.stopped if isinstance(self._branch, _Watched) else None
            first = (words.strip() or "connection lost").splitlines()[0]
            why = (
                "its time was up"
                if late or ended == "time"
                else "it took too much room on disk"
                if ended == "disk"
                else f"the server ended the session: {first}"
            )
            self.gone = Failure(QUERY_CANCELED, f"stopped after {seconds:.0f} s: {why}", stopped=True)
        return self.gone


_COUNTED = ("INSERT", "UPDATE", "DELETE", "MERGE", "COPY")


def failure_of(result: pq.abc.PGresult) -> Failure:
    """PostgreSQL's own words in an error result."""

    def field(code: pq.DiagnosticField) -> str | None:
        value = result.error_field(code)
        return None if value is None else value.decode(errors="replace")

    position = field(pq.DiagnosticField.STATEMENT_POSITION)
    return Failure(
        field(pq.DiagnosticField.SQLSTATE) or "08006",
        field(pq.DiagnosticField.MESSAGE_PRIMARY) or result.get_error_message().strip(),
        int(position) - 1 if position else None,
        detail=field(pq.DiagnosticField.MESSAGE_DETAIL),
        hint=field(pq.DiagnosticField.MESSAGE_HINT),
    )
