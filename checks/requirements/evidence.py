"""What the checklist is judged by, and the words it is judged in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from checks.report import Equality, Finding, Replay, State
from checks.ways.model import Reading


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state of one checklist item, and what it rests on."""

    state: State
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """Everything the nine items look at. The defaults say that nothing is known.

    Attributes:
        migrations: tags that head adds, edits, renames or deletes.
        added: those of them that are new.
        schema_files: the project's schema files at head.
        astray: what else `schema` names, each with why the commit does not show it.
        schema_changed: those that head changes, adds or deletes.
        findings: all findings, severities as the policy has them, waivers set.
        halves: rule, path and line of what says that a migration's file, journal entry or snapshot is not there.
        equality: schema.ts ⇔ snapshot ⇔ chain.
        replay: what running the migrations showed.
        not_replayed: why they were not run, where they were not.
        offline: there was no database by choice.
        ways: what was read of how the repository runs and connects; None: nothing was read.
        approvals: who approved the SQL of this very head; None: that cannot be seen from here.
        review_required: the policy asks for an approval.
        policy_path: the policy file on base, if any.
        unknown: checklist id → why it could not be checked, for whatever only the caller knows.
    """

    migrations: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    schema_files: tuple[str, ...] = ()
    astray: tuple[str, ...] = ()
    schema_changed: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    halves: frozenset[tuple[str, str, int]] = frozenset()
    equality: Equality = field(default_factory=Equality)
    replay: Replay = field(default_factory=Replay)
    not_replayed: str | None = None
    offline: bool = False
    ways: Reading | None = None
    approvals: tuple[str, ...] | None = None
    review_required: bool = False
    policy_path: str | None = None
    unknown: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def touches_the_schema(self) -> bool:
        """Head changes a schema file or a migration."""
        return bool(self.migrations or self.schema_changed)

    def breaches(self, *rules: str) -> tuple[Finding, ...]:
        """What these rules say against head: introduced, and more than a note."""
        return tuple(f for f in self.findings if f.rule in rules and f.introduced and f.severity != "note")

    def halved(self) -> tuple[Finding, ...]:
        """What says that head brings one half of a migration without the other."""
        found = self.breaches("journal-mismatch", "snapshot-chain")
        return tuple(f for f in found if (f.rule, f.path, f.line) in self.halves)

    def notes(self, *rules: str) -> tuple[Finding, ...]:
        """What these rules say of head in passing."""
        return tuple(f for f in self.findings if f.rule in rules and f.introduced and f.severity == "note")


def broken(findings: tuple[Finding, ...]) -> Outcome | None:
    """Unmet or waived, in the findings' own words; None where nothing was found."""
    if not findings:
        return None
    standing = [f for f in findings if f.waived is None]
    if standing:
        return Outcome("unmet", _words(standing))
    waiver = findings[0].waived
    by = f" by {waiver.by}: {waiver.reason}" if waiver else ""
    return Outcome("waived", f"{_words(list(findings))} Waived{by}".rstrip(".") + ".")


def uncompared(evidence: Evidence) -> Outcome:
    """Why the schema file and the migrations could not be compared."""
    match evidence.equality.schema_ts:
        case "unresolved":
            places = evidence.equality.unresolved
            where = f", first `{places[0].path}:{places[0].line}`: {places[0].why}" if places else ""
            return Outcome(
                "unknown",
                f"{len(places)} places of the schema file cannot be told by reading alone{where}."
                if len(places) > 1
                else f"A part of the schema file cannot be told by reading alone{where.replace(', first', ':', 1)}.",
            )
        case "absent":
            astray = f": {', '.join(evidence.astray[:3])}" if evidence.astray else ""
            return Outcome(
                "unknown", f"No schema file was found{astray}; the policy file can name it (`drizzle.schema`)."
            )
        case "differs":
            why = "The schema file and the migrations differed before this pull request, so that its own part cannot be told."
            return Outcome("unknown", why)
        case _:
            return Outcome("unknown", "The schema file was not compared with what the migrations build.")


def unapplicable(why: str) -> Outcome:
    """The item does not ask anything of this pull request."""
    return Outcome("not-applicable", why)


def named(names: tuple[str, ...], most: int = 3) -> str:
    """Up to three names in code marks, and how many more there are."""
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def _words(findings: list[Finding]) -> str:
    first = findings[0]
    message = first.message.strip().splitlines()[0].rstrip(".")
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return f"{message}: `{first.path}:{first.line}`, `{first.rule}`{more}."
