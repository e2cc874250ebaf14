"""What a policy file may say."""

from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from checks.report import Severity

BANNED = ("db:push", "drizzle-kit push")
MIGRATE = "db:migrate"
OF_THE_POLICY = frozenset({"banned-command", "forbidden-driver", "nonstandard-connection", "manual-tracking"})

Level = Literal["error", "warning", "note", "off"]
_RANK: dict[str, int] = {"off": 0, "note": 1, "warning": 2, "error": 3}


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _list(value: object) -> object:
    """One word where a list may stand is a list of one word."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list) else (value,) if isinstance(value, str) else value  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


class DrizzleSection(_Section):
    """Where the Drizzle project is; whatever is not said is detected."""

    config: str | None = None
    schema_files: tuple[str, ...] = Field(default=(), alias="schema")
    migrations: str | None = None
    format: Literal["auto", "v0", "v1"] = "auto"
    migrator: str = "auto"
    table: str | None = None

    @field_validator("schema_files", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return _list(value)

    @property
    def tracking_table(self) -> tuple[str, str] | None:
        """Schema and name of the tracking table, where the policy names it (`public.migrations`)."""
        if not self.table:
            return None
        schema, dot, name = self.table.rpartition(".")
        return (schema.strip('"') if dot else "drizzle", name.strip('"'))


class ConnectionSection(_Section):
    """The one module that may open a connection, its driver, and the drivers that nobody may use beside it."""

    module: str | None = None
    driver: str | None = None
    forbidden: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    @field_validator("forbidden", "paths", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return _list(value)


class CommandsSection(_Section):
    """Commands that nobody may run, and the one that migrates."""

    banned: tuple[str, ...] = BANNED
    migrate: str = MIGRATE

    @field_validator("banned", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return _list(value)


class ReviewSection(_Section):
    """Whether somebody must approve the SQL."""

    required: bool = False


class BranchSection(_Section):
    """Where the SQL of a pull request runs."""

    provider: Literal["embedded", "server", "neon"] | None = None
    extensions: tuple[str, ...] = ()

    @field_validator("extensions", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return _list(value)


class EnvironmentSection(_Section):
    """A deployed database, named by the environment variable that holds its URL."""

    url_env: str


class Policy(_Section):
    """Everything a policy file may say. An empty file is a valid policy."""

    version: Literal[1] = 1
    drizzle: DrizzleSection = DrizzleSection()
    connection: ConnectionSection = ConnectionSection()
    commands: CommandsSection = CommandsSection()
    rules: dict[str, Level] = Field(default_factory=dict)
    review: ReviewSection = ReviewSection()
    strict: bool = False
    large_tables: dict[str, int] = Field(default_factory=dict)
    branch: BranchSection = BranchSection()
    environments: dict[str, EnvironmentSection] = Field(default_factory=dict)

    @field_validator("rules", mode="before")
    @classmethod
    def _off_is_a_boolean_in_yaml(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {key: "off" if each is False else each for key, each in value.items()}  # pyright: ignore[reportUnknownVariableType]

    def severity(self, rule: str, default: Severity) -> Level:
        """How loud a rule is here. The policy's own four can be made quieter than they come, never louder: what was inferred never blocks."""
        said = self.rules.get(rule)
        if said is None:
            return default
        return min(said, default, key=_RANK.__getitem__) if rule in OF_THE_POLICY else said


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in the policy file, and where it is."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """The policy of one commit.

    Attributes:
        policy: what is valid of it (all defaults where there is no file).
        path: where it was found; None: there is no policy file, and nothing is enforced.
        problems: what is wrong with it, in the order of the file.
    """

    policy: Policy = field(default_factory=Policy)
    path: str | None = None
    problems: tuple[Problem, ...] = ()
