"""Loads a set-up: SQL as people and pg_dump write it, inline COPY data and psql's own marks included."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from checks.catalog import names
from checks.errors import UserError
from checks.witnesses import grammar

# pg_dump's own settings; they are for loading, and say nothing of how a migration runs.
_FOR_LOADING = frozenset(
    {
        *("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"),
        *(
            "client_encoding",
            "standard_conforming_strings",
            "check_function_bodies",
            "xmloption",
            "client_min_messages",
        ),
        *("row_security", "default_tablespace", "default_table_access_method", "application_name"),
    }
)
_SET = re.compile(r"SET\s+(\w+)\s*(?:=|TO\b)", re.IGNORECASE)
_RESTRICT = re.compile(r"^\\(?:un)?restrict\b.*$", re.MULTILINE)
_META = re.compile(r"^\\(?!\.)\w*", re.MULTILINE)
_COPY = re.compile(
    r"^COPY\s[^;]*\sFROM\s+stdin\b[^;\n]*;[ \t]*\r?\n(?P<data>(?:.*\n)*?)\\\.[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
)
_NAME = r"""(?P<name>"(?:[^"]|"")+"|[a-z_][\w$]*)"""
# As pg_dump writes them, one a line; it never makes the roles that it names.
_ROLES = (
    re.compile(rf"^ALTER\s[^;]*\sOWNER TO {_NAME};", re.MULTILINE),
    re.compile(rf"^(?:ALTER DEFAULT PRIVILEGES\s[^;]*?)?(?:GRANT|REVOKE)\s[^;]*\s(?:TO|FROM) {_NAME}(?: WITH GRANT OPTION)?;", re.MULTILINE),
    re.compile(rf"^ALTER DEFAULT PRIVILEGES FOR ROLE {_NAME}\s", re.MULTILINE),
    re.compile(rf"^CREATE POLICY\s[^;]*?\sTO {_NAME}(?=\s|;)", re.MULTILINE),
)  # fmt: skip
_NO_ROLE = frozenset({"public", "current_user", "current_role", "session_user"})
_NO_SUCH_ROLE = re.compile(r'role "(.+)" does not exist', re.DOTALL)
_MOST_ROLES = 20  # in one statement
_MAKE_ROLE = "DO $role$ BEGIN CREATE ROLE {name}; GRANT {name} TO CURRENT_USER; EXCEPTION WHEN duplicate_object THEN NULL; END $role$"


@dataclass(frozen=True, slots=True)
class _Piece:
    sql: str
    line: int
    data: str | None = None


def load(
    connection: psycopg.Connection[tuple[Any, ...]], text: str, name: str = "the set-up", *, private: bool = False
) -> dict[str, str]:
    """Run a set-up, statement by statement, each committed.

    Args:
        connection: to the database.
        text: the SQL.
        name: of the file, for messages.
        private: the cluster is thrown away afterwards, so roles that a dump names and does not make may be made there.

    Returns:
        The session settings that it leaves and that change what later statements mean (`TimeZone`, `search_path`, …).

    Raises:
        UserError: a statement failed; the text names file and line.
    """
    if "\0" in text:  # libpq would send what stands before it, and nobody would know
        line = text.count("\n", 0, text.index("\0")) + 1
        raise UserError(
            f"{name}, line {line}: there is a zero byte, which no SQL may hold. Save the file as UTF-8, then run it again."
        )
    if private:
        for role in sorted({role for form in _ROLES for role in (m["name"] for m in form.finditer(text))}):
            if role not in _NO_ROLE and not _made(role, text):
                connection.execute(_MAKE_ROLE.format(name=role).encode())
    for piece in _pieces(_RESTRICT.sub("", text), name):
        try:
            if piece.data is None:
                _execute(connection, piece.sql, private=private)
            else:
                with connection.cursor() as cursor, cursor.copy(piece.sql.encode()) as copy:
                    copy.write(piece.data)
        except psycopg.Error as error:
            if error.sqlstate is None:
                raise
            words = error.diag.message_primary or str(error)
            raise UserError(
                f"{name}, line {piece.line}: {words} ({error.sqlstate}). Mend the file, then run it again."
            ) from None
    if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        connection.execute("commit")
    rows = connection.execute(
        "select name, pg_catalog.current_setting(name) from pg_catalog.pg_settings where source = 'session'"
    ).fetchall()
    return {
        key: value
        for key, value in rows
        if key not in _FOR_LOADING and not (key == "search_path" and value in {"", '""'})
    }


def _execute(connection: psycopg.Connection[tuple[Any, ...]], sql: str, *, private: bool) -> None:
    """Run one statement; a setting for loading that this server does not have is of a newer pg_dump, and left out."""
    try:
        _run(connection, sql, private=private)
    except psycopg.errors.UndefinedObject:
        named = _SET.match(sql)
        idle = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        if not idle or named is None or named[1].lower() not in _FOR_LOADING:
            raise


def _run(connection: psycopg.Connection[tuple[Any, ...]], sql: str, *, private: bool) -> None:
    """Run one statement; a role that it names belongs to the cluster, and is made where the cluster is thrown away."""
    for _ in range(_MOST_ROLES if private else 0):
        try:
            connection.execute(sql.encode())
        except psycopg.errors.UndefinedObject as error:
            lacking = _NO_SUCH_ROLE.fullmatch(error.diag.message_primary or "")
            idle = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
            if lacking is None or not idle or sql[:9].upper() == "DROP ROLE":
                raise
            connection.execute(_MAKE_ROLE.format(name=names.quoted(lacking[1])).encode())
        else:
            return
    connection.execute(sql.encode())


def _made(role: str, text: str) -> bool:
    return bool(re.search(rf"\bcreate\s+(?:role|user|group)\s+{re.escape(role)}(?![\w$])", text, re.IGNORECASE))


def _pieces(text: str, name: str) -> Iterator[_Piece]:
    begin = 0
    for copy in _COPY.finditer(text):
        yield from _statements(text, begin, copy.start(), name)
        data = copy["data"]
        sql = copy[0][: copy.start("data") - copy.start()].strip().rstrip(";")
        yield _Piece(sql, text.count("\n", 0, copy.start()) + 1, data)
        begin = copy.end()
    yield from _statements(text, begin, len(text), name)


def _statements(text: str, begin: int, end: int, name: str) -> Iterator[_Piece]:
    part = text[begin:end]
    line, counted = text.count("\n", 0, begin) + 1, 0
    for span in grammar.split(part):
        line += part.count("\n", counted, span.start)
        counted = span.start
        sql = part[span.start : span.end]
        if (meta := _META.match(sql)) is not None:
            raise UserError(
                f"{name}, line {line}: `{meta[0]}` is a command of psql, not SQL. Remove it, then run it again."
            )
        yield _Piece(sql, line)
