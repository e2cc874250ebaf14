"""`bulletproof init`: writes a policy file that says what was found, and the policy's commands into package.json."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from bot.git import Repository
from bot.terminal import package_json
from checks import placed, policy
from checks.drizzle import projects
from checks.drizzle.model import Project
from checks.errors import UserError
from checks.tree import Tree
from checks.ways import drivers, standard, structured
from checks.ways.model import Connection

_PLAIN = re.compile(r"[A-Za-z_./][\w./-]*\Z")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
_COLUMN = 72
_MANAGERS = (("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun run"), ("bun.lockb", "bun run"))
SCRIPTS = {
    "db:status": "bulletproof db status",
    "db:generate": "bulletproof db generate",
    "db:migrate": "bulletproof db migrate",
    "db:sync": "bulletproof db sync",
    "db:verify": "bulletproof db verify",
    "db:studio": "bulletproof db studio",
    "db:reset-dev": "bulletproof db reset-dev",
}


@dataclass(frozen=True, slots=True)
class Found:
    """What a tree says of itself."""

    projects: tuple[Project, ...]
    connection: Connection
    migrate: str
    manager: str


def run(repo: Path, *, scripts: bool = False) -> int:
    """Write the files, and say what was done.

    Raises:
        UserError: there is a policy file already (and nothing else was asked for), or package.json cannot be edited.
    """
    try:
        said = write(repo, scripts=scripts)
    except OSError as error:
        raise UserError(f"{error.filename or repo} cannot be written: {error.strerror or error}.") from error
    for sentence in said:
        sys.stdout.write(sentence + "\n")
    return 0


def write(repo: Path, *, scripts: bool = False) -> tuple[str, ...]:
    """Write the policy file, and with `scripts` the policy's commands into package.json.

    Returns:
        What was done, a sentence each.

    Raises:
        UserError: there is a policy file already (and nothing else was asked for), or package.json cannot be edited.
    """
    top = _top(repo)
    tree = Repository(repo).tree("HEAD")
    found = look(tree)
    said: list[str] = []
    existing = next((path for path in policy.PATHS if (top / path).exists() or (top / path).is_symlink()), None)
    if existing is not None and not scripts:
        raise UserError(f"{existing} exists already and is left as it is. Edit it, or move it away first.")
    if existing is not None:
        said.append(f"{existing} exists already and is left as it is.")
    else:
        path = top / policy.PATHS[0]
        path.parent.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text(found))
        said.append(f"Wrote {policy.PATHS[0]}. Read it, commit it, and it holds from the next pull request on.")
    if scripts:
        said += _write_scripts(top, found)
    said.append("`bulletproof backtest` shows what it would have said about the pull requests that are merged already.")
    return tuple(said)


def look(tree: Tree) -> Found:
    """What there is to say about a tree."""
    survey = projects.survey(tree)
    connection = standard.written(tree, policy.Policy()) or standard.inferred(tree)
    if connection.module is not None and connection.driver is None:
        driver = standard.driver_of(tree, connection.module)
        connection = Connection(connection.module, driver, connection.forbidden, connection.inferred)
    manager = next((name for lock, name in _MANAGERS if lock in tree), "npm run")
    return Found(survey.projects, connection, _migrate(tree, survey.projects), manager)


def text(found: Found) -> str:
    """The policy file: what was found as it is, what was not as a comment, and a word beside every line."""
    lines = [
        "# The migration policy of this repository. A pull request is judged by the copy on its base branch.",
        "# Every key may be left out: what is not said is detected, and what is only detected never blocks.",
        _said("version: 1", "the format of this file"),
        "",
        *_drizzle(found.projects),
        "",
        *_connection(found.connection),
        "",
        "# Commands: what nobody may run in scripts, CI, images and hooks, and what to run instead.",
        _said("commands:", "what may run, and what may not"),
        _said(f"  banned: {_list(('db:push', 'drizzle-kit push'))}", "they change a database past its migrations"),
        _said(
            f"  migrate: {_word(found.migrate)}", "the one command that migrates; named to whoever uses a banned one"
        ),
        "",
        "# How loud a rule is: error, warning, note or off. `bulletproof rules` lists all of them.",
        _said("rules: {}", "for example {drops-column: error, int-primary-key: off}"),
        "",
        "# Whether an approval of the SQL is required (`/migrate approve`, or an approving review).",
        _said("review: {required: false}", "true: nothing merges before somebody has read the SQL"),
        "",
        "# Whether what could not be checked blocks, too.",
        _said("strict: false", "true: unknown is not good enough"),
        "",
        "# Tables that hold many rows: what merely warns elsewhere blocks there.",
        _said("large_tables: {}", "for example {events: 80000000}"),
        "",
        "# Where the SQL of a pull request runs.",
        _said("branch: {provider: embedded, extensions: []}", "the extensions that production has, e.g. [vector]"),
        "",
        "# Deployed databases to compare with, each by the environment variable that holds its URL.",
        _said("environments: {}", "for example {production: {url_env: PRODUCTION_READONLY_URL}}"),
    ]
    return "\n".join(lines) + "\n"


def refusal(manager: str, migrate: str) -> str:
    """A script in place of `db:push`: it says what to do instead, on every system, and fails."""
    way = f"{manager} db:generate, then {manager} {migrate}"
    return f"node -e \"console.error('db:push is banned by the migration policy. Use: {way}'); process.exit(1)\""


def _drizzle(found: tuple[Project, ...]) -> list[str]:
    if not found:
        return [
            "# drizzle: no project for PostgreSQL was found; name its configuration when there is one.",
            "# drizzle: {config: drizzle.config.ts}",
        ]
    if len(found) > 1:
        return [
            "# Several Drizzle projects were found. They are detected, each with its own migrations; naming one here would leave out the others.",
            *(f"#   {p.migrations_dir} ({p.config or 'no configuration'})" for p in found),
        ]
    project = next(iter(found))
    lines = ["# The Drizzle project, as it was found.", _said("drizzle:", "where things are")]
    if project.config:
        lines.append(
            _said(f"  config: {_word(project.config)}", "names the schema, the migrations and the tracking table")
        )
        lines.append(_said(f"  # migrations: {_word(project.migrations_dir)}", "as the configuration says"))
    else:
        lines.append(_said(f"  migrations: {_word(project.migrations_dir)}", f"format {project.format}"))
    why = "as the configuration says" if project.config else "detected"
    lines.extend(_said(f"  # schema: {_word(path)}", why) for path in project.schema_files[:20])
    lines.append(
        _said(
            f"  # migrator: {_word(project.migrator)}",
            "detected" if project.migrator != "unknown" else "name it: node-postgres, neon-http, …",
        )
    )
    lines.append(_said(f"  # table: {_word('.'.join(project.table))}", "where the migrator keeps what it has run"))
    return lines


def _connection(connection: Connection) -> list[str]:
    if connection.module is None:
        return [
            "# No module was found to be the only one that opens connections. Name it, and only it may:",
            '# connection: {module: lib/database/connection-standard.ts, driver: "@neondatabase/serverless"}',
        ]
    forbidden = connection.forbidden
    if not forbidden and connection.driver is not None and drivers.family(connection.driver) == "neon":
        forbidden = (standard.FORBIDDEN,)
    lines = [
        "# The one module that may open connections. Old code stays as it is; new code has to import from there.",
        _said("connection:", "who may connect, and how"),
        _said(f"  module: {_word(connection.module)}", "found: it opens the connection"),
    ]
    if connection.driver:
        lines.append(_said(f"  driver: {_word(connection.driver)}", "found: what it connects with"))
    lines.append(_said(f"  forbidden: {_list(forbidden)}", "packages that nobody may connect with"))
    lines.append(_said('  # paths: ["scripts/**", "lib/**"]', "where this holds; everywhere but in tests, if not said"))
    return lines


def _migrate(tree: Tree, found: tuple[Project, ...]) -> str:
    """The script that migrates: of that name, else the one that runs the migrator."""
    for folder in dict.fromkeys([*(p.root for p in found), ""]):
        data = tree.text(f"{folder}/package.json" if folder else "package.json")
        try:
            scripts = structured.scripts(data) if data else {}
        except placed.Unreadable:
            continue
        if "db:migrate" in scripts:
            return "db:migrate"
        for name, (command, _) in scripts.items():
            if "drizzle-kit migrate" in command or "bulletproof db migrate" in command:
                return name
    return "db:migrate"


def _write_scripts(top: Path, found: Found) -> list[str]:
    roots = [p.root for p in found.projects if (top / p.root / "package.json").is_file()]
    path = top / (roots[0] if len(set(roots)) == 1 else "") / "package.json"
    shown = path.relative_to(top).as_posix()
    if not path.is_file():
        raise UserError(
            f"There is no {shown} to put scripts into. Run this where package.json is, or leave --scripts out."
        )
    raw = path.read_bytes()
    try:
        before = raw.decode("utf-8")
        there = structured.scripts(before)
    except UnicodeDecodeError as error:
        raise UserError(f"{shown} is not UTF-8; mend it first.") from error
    except placed.Unreadable as error:
        raise UserError(f"{shown} is not JSON (line {error.line}: {error.why}); mend it first.") from error
    kept = [name for name in SCRIPTS if name in there and there[name][0] != SCRIPTS[name]]
    new = {name: command for name, command in SCRIPTS.items() if name not in there}
    new["db:push"] = refusal(found.manager, found.migrate)
    after = package_json.with_scripts(before, new)
    said: list[str] = []
    if after != before:
        path.write_bytes(after.encode())
        said.append(
            f"Edited {shown}: added {', '.join(n for n in new if n != 'db:push') or 'nothing'}; `db:push` refuses now."
        )
    else:
        said.append(f"{shown} has the scripts already.")
    if kept:
        said.append(f"Left as they are: {', '.join(kept)}.")
    return said


def _top(repo: Path) -> Path:
    """The folder of the work tree."""
    here = repo.resolve()
    for folder in (here, *here.parents):
        if (folder / ".git").exists():
            return folder
    raise UserError(f"{repo} is in no git work tree. Run this in a clone of the repository.")


def _said(line: str, why: str) -> str:
    return f"{line}{' ' * max(2, _COLUMN - len(line))}# {why}"


def _word(value: str) -> str:
    """A YAML scalar: quoted where a reader could take it for something else."""
    if _PLAIN.match(value) and value.lower() not in _WORDS:
        return value
    escaped = value.encode("utf-8", "backslashreplace").decode().replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _list(values: tuple[str, ...]) -> str:
    return f"[{', '.join(_word(value) for value in values)}]"
