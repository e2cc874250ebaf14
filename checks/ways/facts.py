"""What the policy's four rules hear of. `inferred`: nobody wrote it down, so it never blocks."""

from dataclasses import dataclass

from checks.facts import Fact


@dataclass(frozen=True, kw_only=True, slots=True)
class BannedCommand(Fact):
    """A place runs a command that the policy bans.

    Attributes:
        banned: the policy's words, e.g. `drizzle-kit push`.
        command: as it stands there, shortened.
        where: in words, e.g. ``the script `db:push` ``.
        through: the scripts between the place and the command.
        migrate: the command to use instead, e.g. `npm run db:migrate`.
    """

    banned: str
    command: str
    where: str
    through: tuple[str, ...] = ()
    migrate: str = "db:migrate"
    inferred: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ForbiddenDriver(Fact):
    """A module imports a driver that may not be used beside the standard one."""

    driver: str
    standard: str | None = None
    module: str | None = None
    inferred: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class NonstandardConnection(Fact):
    """A module opens a connection of its own.

    Attributes:
        call: as it stands there, e.g. `new Pool(…)`.
        module: the standard connection module.
    """

    call: str
    package: str
    module: str
    inferred: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ManualTracking(Fact):
    """Something other than the migrator writes the tracking table.

    Attributes:
        table: as it is called there.
        action: in words, e.g. `INSERT INTO`.
        observed: PostgreSQL was seen to do it; the text does not show it.
    """

    table: str
    action: str
    observed: bool = False
    inferred: bool = False
