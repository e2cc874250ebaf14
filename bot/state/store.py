"""What is remembered of pull requests, check runs and reviews, and forgotten again."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, TypeVar

from psycopg.rows import class_row, dict_row

from bot.events import Repository
from bot.github.model import Pull
from bot.state import Pool
from checks.report import Report

T = TypeVar("T")

KEPT_DAYS = 120
"""Reviews are kept so long: longer than GitHub shows their check runs as anything but old."""


@dataclass(frozen=True, slots=True)
class Past:
    """The last judgement of a pull request."""

    head: str
    base_ref: str
    base: str | None = None
    inputs: str | None = None
    review: str | None = None
    verdict: str | None = None
    conclusion: str | None = None
    title: str | None = None
    comment: int | None = None
    comment_hash: str | None = None
    rivals: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A check run of ours."""

    head: str
    number: int | None
    id: int | None
    completed: bool
    hash: str | None


@dataclass(frozen=True, slots=True)
class Stored:
    """A review as it was kept."""

    id: str
    owner: str
    name: str
    number: int | None
    enforced: bool
    report: Report
    made: datetime


async def _one(pool: Pool, kind: type[T], query: LiteralString, *values: object) -> T | None:
    async with pool.connection() as session, session.cursor(row_factory=class_row(kind)) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchone()


async def _all(pool: Pool, query: LiteralString, *values: object) -> list[dict[str, Any]]:
    async with pool.connection() as session, session.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchall()


async def _do(pool: Pool, query: LiteralString, *values: object) -> None:
    async with pool.connection() as session:
        await session.execute(query, values)


async def saw(pool: Pool, repository: int, pull: Pull) -> Past:
    """Take down how a pull request stands; gives what was judged before."""
    await _do(
        pool,
        """
        INSERT INTO pull AS p (repository, number, head, base_ref, open) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (repository, number) DO UPDATE
            SET head = EXCLUDED.head, base_ref = EXCLUDED.base_ref, open = EXCLUDED.open, seen = now(),
                conclusion = CASE WHEN p.head = EXCLUDED.head THEN p.conclusion END
        """,
        repository,
        pull.number,
        pull.head.sha,
        pull.base.ref,
        pull.open,
    )
    found = await past(pool, repository, pull.number)
    return found or Past(pull.head.sha, pull.base.ref)


async def past(pool: Pool, repository: int, number: int) -> Past | None:
    """The last judgement of a pull request; None: it was never seen."""
    query = """
        SELECT head, base_ref, base, inputs, review, verdict, conclusion, title, comment, comment_hash, rivals
        FROM pull WHERE repository = %s AND number = %s
    """
    return await _one(pool, Past, query, repository, number)


async def named(pool: Pool, where: Repository) -> None:
    """Take down what a repository is called."""
    await _do(
        pool,
        """
        INSERT INTO repository (id, owner, name, installation) VALUES (%s, %s, %s, %s)
        ON CONFLICT (id) DO UPDATE SET owner = EXCLUDED.owner, name = EXCLUDED.name, installation = EXCLUDED.installation
        """,
        *(where.id, where.owner, where.name, where.installation),
    )


async def work(pool: Pool, key: str) -> dict[str, Any] | None:
    """What a piece of work is about, whether it is done or not."""
    rows = await _all(pool, "SELECT about FROM work WHERE key = %s", key)
    return rows[0]["about"] if rows else None


async def gone(pool: Pool, repository: int, number: int) -> None:
    """A pull request is not there any more."""
    await _do(pool, "UPDATE pull SET open = false WHERE repository = %s AND number = %s", repository, number)


async def judged(pool: Pool, repository: int, number: int, past: Past) -> None:
    """Take down a judgement that is wholly on GitHub."""
    await _do(
        pool,
        """
        UPDATE pull SET base = %s, inputs = %s, review = %s, verdict = %s, conclusion = %s, title = %s, rivals = %s
        WHERE repository = %s AND number = %s AND head = %s
        """,
        *(past.base, past.inputs, past.review, past.verdict, past.conclusion, past.title, past.rivals),
        *(repository, number, past.head),
    )


async def commented(pool: Pool, repository: int, number: int, comment: int | None, digest: str) -> None:
    """Take down what the comment says."""
    query = "UPDATE pull SET comment = %s, comment_hash = %s WHERE repository = %s AND number = %s"
    await _do(pool, query, comment, digest, repository, number)


async def same_head(pool: Pool, repository: int, number: int, head: str) -> list[dict[str, Any]]:
    """Other open pull requests with that very head, which share its check run."""
    return await _all(
        pool,
        """
        SELECT number, title, conclusion FROM pull
        WHERE repository = %s AND head = %s AND number <> %s AND open AND conclusion IS NOT NULL
        """,
        *(repository, head, number),
    )


async def open_with(pool: Pool, repository: int, head: str) -> list[int]:
    """Numbers of the open pull requests with that head, as far as we have seen."""
    rows = await _all(pool, "SELECT number FROM pull WHERE repository = %s AND head = %s AND open", repository, head)
    return [row["number"] for row in rows]


async def against(pool: Pool, repository: int, branch: str) -> list[int]:
    """Numbers of the open pull requests against a branch, as far as we have seen."""
    query = "SELECT number FROM pull WHERE repository = %s AND base_ref = %s AND open"
    return [row["number"] for row in await _all(pool, query, repository, branch)]


async def run(pool: Pool, repository: int, head: str) -> Run | None:
    """Our check run on a commit."""
    query = "SELECT head, number, id, completed, hash FROM check_run WHERE repository = %s AND head = %s"
    return await _one(pool, Run, query, repository, head)


async def unfinished(pool: Pool, repository: int, number: int, keep: str | None) -> list[Run]:
    """Check runs of a pull request on commits that are its head no longer."""
    rows = await _all(
        pool,
        """
        SELECT head, number, id, completed, hash FROM check_run
        WHERE repository = %s AND number = %s AND NOT completed AND head IS DISTINCT FROM %s
        """,
        *(repository, number, keep),
    )
    return [Run(**row) for row in rows]


async def set_run(pool: Pool, repository: int, run: Run) -> None:
    """Take down a check run as it is, or is about to be."""
    await _do(
        pool,
        """
        INSERT INTO check_run (repository, head, number, id, completed, hash) VALUES (%s, %s, %s, %s, %s, %s)
        ON CONFLICT (repository, head) DO UPDATE
            SET number = EXCLUDED.number, id = EXCLUDED.id, completed = EXCLUDED.completed, hash = EXCLUDED.hash
        """,
        *(repository, run.head, run.number, run.id, run.completed, run.hash),
    )


async def keep(pool: Pool, repository: int, number: int | None, report: Report, *, enforced: bool) -> str:
    """Keep a report for its page; gives its id."""
    id_ = secrets.token_urlsafe(12)
    await _do(
        pool,
        "INSERT INTO review (id, repository, number, enforced, report) VALUES (%s, %s, %s, %s, %s::jsonb)",
        *(id_, repository, number, enforced, _json(report)),
    )
    return id_


def _json(report: Report) -> str:
    """PostgreSQL's JSON has no NUL."""
    return report.model_dump_json().replace("\\u0000", "\\ufffd")


async def amend(pool: Pool, id_: str, report: Report) -> None:
    """Keep another report under the same id: its page says from now on what the check says."""
    await _do(pool, "UPDATE review SET report = %s::jsonb WHERE id = %s", _json(report), id_)


async def review(pool: Pool, id_: str) -> Stored | None:
    """A kept report."""
    rows = await _all(
        pool,
        """
        SELECT v.id, coalesce(r.owner, '?') AS owner, coalesce(r.name, '?') AS name, v.number, v.enforced, v.report, v.made
        FROM review v LEFT JOIN repository r ON r.id = v.repository WHERE v.id = %s
        """,
        id_,
    )
    if not rows:
        return None
    row = rows[0]
    report = Report.model_validate(row.pop("report"))
    return Stored(report=report, **row)


async def overview(pool: Pool) -> list[dict[str, Any]]:
    """Open pull requests and how they stand, for the dashboard."""
    return await _all(
        pool,
        """
        SELECT r.owner, r.name, p.number, p.head, p.base_ref, p.verdict, p.conclusion, p.title, p.review, p.seen
        FROM pull p JOIN repository r ON r.id = p.repository WHERE p.open ORDER BY p.seen DESC LIMIT 200
        """,
    )


async def waiting(pool: Pool) -> dict[str, Any]:
    """How much is to be done."""
    rows = await _all(
        pool,
        """
        SELECT count(*) AS unfinished, coalesce(extract(epoch FROM now() - min(changed)), 0)::float AS oldest
        FROM work WHERE wanted > done
        """,
    )
    return rows[0]


async def forget(pool: Pool) -> None:
    """Forget what nobody asks for any more."""
    await _do(pool, "DELETE FROM review WHERE made < now() - make_interval(days => %s)", KEPT_DAYS)
    await _do(pool, "DELETE FROM delivery WHERE received < now() - interval '14 days'")
    await _do(pool, "DELETE FROM work WHERE wanted <= done AND changed < now() - interval '30 days'")
    await _do(pool, "DELETE FROM procrastinate_jobs WHERE status IN ('failed', 'aborted', 'cancelled')")


async def turn(pool: Pool, name: str, seconds: float) -> bool:
    """Whether it is time for something that one process in so many seconds should do."""
    rows = await _all(
        pool,
        """
        INSERT INTO turn AS t (name, at) VALUES (%s, now()) ON CONFLICT (name) DO UPDATE SET at = now()
        WHERE t.at < now() - make_interval(secs => %s) RETURNING name
        """,
        *(name, seconds),
    )
    return bool(rows)


async def at(pool: Pool, name: str) -> datetime | None:
    """How far something was done."""
    rows = await _all(pool, "SELECT at FROM turn WHERE name = %s", name)
    return rows[0]["at"] if rows else None


async def set_at(pool: Pool, name: str, at: datetime) -> None:
    """Something is done as far as that."""
    query = "INSERT INTO turn (name, at) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET at = EXCLUDED.at"
    await _do(pool, query, name, at)


async def closed(pool: Pool, *, installation: int | None = None, repositories: Sequence[int] = ()) -> None:
    """We see these repositories no longer: nothing is open there as far as we know."""
    await _do(
        pool,
        """
        UPDATE pull SET open = false, claim = NULL, told = NULL
        WHERE open AND (
            repository = ANY(%s) OR repository IN (SELECT id FROM repository WHERE installation = %s)
        )
        """,
        *(list(repositories), installation),
    )
