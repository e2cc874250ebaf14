"""What open pull requests claim, and what the others were told of it."""

from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict

from bot.state import Pool
from checks.rivals import Claim

_MOST = 1_000


class Standing(BaseModel):
    """A claim, and the branch that it is made against."""

    model_config = ConfigDict(frozen=True)

    branch: str
    claim: Claim


async def of(pool: Pool, repository: int, number: int) -> Claim | None:
    """What a pull request claims."""
    async with pool.connection() as session:
        cursor = await session.execute(
            "SELECT claim FROM pull WHERE repository = %s AND number = %s AND open", [repository, number]
        )
        row = await cursor.fetchone()
    return Claim.model_validate(row[0]) if row is not None and row[0] is not None else None


async def make(pool: Pool, repository: int, number: int, claim: Claim | None) -> None:
    """Write down what the head of a pull request claims."""
    async with pool.connection() as session:
        await session.execute(
            "UPDATE pull SET claim = %s WHERE repository = %s AND number = %s",
            [_json(claim), repository, number],
        )


async def against(pool: Pool, repository: int, branch: str, *, but: int) -> list[tuple[int, Claim]]:
    """What all open pull requests against a branch claim, except one; the lowest numbers first."""
    async with pool.connection() as session:
        cursor = await session.execute(
            """
            SELECT number, claim FROM pull
            WHERE repository = %s AND base_ref = %s AND number <> %s AND open AND claim IS NOT NULL ORDER BY number LIMIT %s
            """,
            [repository, branch, but, _MOST],
        )
        rows = await cursor.fetchall()
    return [(row[0], Claim.model_validate(row[1])) for row in rows]


async def standing(pool: Pool, repository: int, number: int) -> tuple[Standing | None, Standing | None]:
    """What a pull request claims now (a closed one: nothing), and what the others were told of last."""
    async with pool.connection() as session:
        cursor = await session.execute(
            "SELECT base_ref, CASE WHEN open THEN claim END, told FROM pull WHERE repository = %s AND number = %s",
            [repository, number],
        )
        row = await cursor.fetchone()
    if row is None:
        return None, None
    now = Standing(branch=row[0], claim=Claim.model_validate(row[1])) if row[1] is not None else None
    return now, Standing.model_validate(row[2]) if row[2] is not None else None


async def heard(pool: Pool, repository: int, number: int, standing: Standing | None) -> None:
    """The others know by now."""
    async with pool.connection() as session:
        await session.execute(
            "UPDATE pull SET told = %s WHERE repository = %s AND number = %s",
            [_json(standing), repository, number],
        )


def _json(value: BaseModel | None) -> Jsonb | None:
    return None if value is None else Jsonb(value.model_dump(mode="json"))
