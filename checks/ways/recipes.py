"""Which files hold commands, and the commands in them, each with its line."""

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

LARGEST = 2_000_000


@dataclass(frozen=True, slots=True)
class Command:
    """Something that a file asks a shell to run.

    Attributes:
        text: shell text, or the words of the exec form.
        line: 1-based, where the text begins.
        where: in words, for people.
        name: of the script, job or target; two commands of the same name are the same place.
        spread: lines of the text are lines of the file.
        folder: where it runs, from the root of the repository.
        scratch: it works on a database that lives for one run.
        doubtful: it may, and nothing here says so.
        script: the name of the package.json script that this is.
    """

    text: str | tuple[str, ...]
    line: int
    where: str
    name: str
    spread: bool = False
    folder: str = ""
    scratch: bool = False
    doubtful: bool = False
    script: str | None = None


Read = Callable[[str, str], Iterator[Command]]

_CI = re.compile(
    r"(?:^|/)(?:\.(?:github|forgejo|gitea)/workflows/[^/]+\.ya?ml|\.(?:github|forgejo|gitea)/actions/.+\.ya?ml|action\.ya?ml|\.gitlab-ci[\w.-]*\.ya?ml"
    r"|\.gitlab/.+\.ya?ml|\.circleci/.+\.ya?ml|[\w.-]*azure-pipelines[\w.-]*\.ya?ml|\.azure(?:-pipelines|devops)?/.+\.ya?ml|bitbucket-pipelines\.ya?ml"
    r"|\.travis\.ya?ml|\.drone\.ya?ml|\.woodpecker\.ya?ml|\.woodpecker/.+\.ya?ml|\.buildkite/.+\.ya?ml|buildspec[\w.-]*\.ya?ml|cloudbuild[\w.-]*\.ya?ml"
    r"|\.semaphore/.+\.ya?ml|\.?appveyor\.ya?ml|codemagic\.ya?ml|wercker\.ya?ml|\.cirrus\.ya?ml|\.teamcity/.+\.ya?ml|\.eas/workflows/.+\.ya?ml)$"
)
_YAML = re.compile(
    r"(?:^|/)(?:(?:docker-)?compose[\w.-]*\.ya?ml|\.?lefthook[\w.-]*\.ya?ml|\.pre-commit-config\.ya?ml|[Tt]askfile[\w.-]*\.ya?ml|render\.ya?ml|amplify\.ya?ml"
    r"|app\.ya?ml|serverless[\w.-]*\.ya?ml|heroku\.ya?ml|\.gitpod\.ya?ml|skaffold\.ya?ml|\.platform\.app\.ya?ml|\.upsun/.+\.ya?ml|\.do/.+\.ya?ml|fly\.ya?ml"
    r"|\.?moon/.+\.ya?ml|moon\.ya?ml|copilot/.+\.ya?ml|config/deploy[\w.-]*\.ya?ml|zeabur\.ya?ml|captain-definition"
    r"|(?:k8s|kubernetes|manifests|charts?|helm|deploy|deployments?|infra|infrastructure|ops)/.+\.ya?ml)$"
)
_JSON = re.compile(
    r"(?:^|/)(?:package\.json|turbo\.jsonc?|nx\.json|project\.json|deno\.jsonc?|vercel\.json|now\.json|railway\.json|app\.json|\.?devcontainer\.json"
    r"|\.vscode/tasks\.json|lerna\.json|wireit\.json|fly\.json|captain-definition|\.lintstagedrc(?:\.json)?|\.simple-git-hooks\.json|rush[\w-]*\.json)$"
)
_TOML = re.compile(
    r"(?:^|/)(?:fly[\w.-]*\.toml|netlify\.toml|railway\.toml|nixpacks\.toml|\.?mise[\w.-]*\.toml|wrangler[\w.-]*\.toml|Cargo-make\.toml|render\.toml|lefthook\.toml)$"
)
_DOCKER = re.compile(r"(?:^|/)(?:[\w.-]*(?:Dockerfile|Containerfile)[\w.-]*|[\w.-]+\.[Dd]ockerfile)$")
_MAKE = re.compile(r"(?:^|/)(?:GNU|BSD)?[Mm]akefile[\w.-]*$|\.mk$")
_JUST = re.compile(r"(?:^|/)\.?[Jj]ustfile$|\.just$")
_PROC = re.compile(r"(?:^|/)Procfile[\w.-]*$")
_SHELL = re.compile(
    r"\.(?:sh|bash|zsh|ksh|fish|ps1|bat|cmd)$|(?:^|/)\.(?:husky|githooks|git-hooks|hooks)/(?!_/)[^/]+$|(?:^|/)\.(?:bashrc|profile|envrc|zshrc)$"
)
_JENKINS = re.compile(r"(?:^|/)Jenkinsfile[\w.-]*$|\.jenkinsfile$")
_BARE = re.compile(
    r"(?:^|/)(?:bin|scripts?|tools|hack|ci|\.ci|deploy|ops)/(?:[^/]+/)*[^/.]+$"
)  # a script without an ending
_TYPESCRIPT = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")


def reader(path: str) -> Read | None:
    """How the commands of a file are read; None where it is no file of commands."""
    from checks.ways import lines, structured  # noqa: PLC0415 - the readers make what is defined here

    table: tuple[tuple[re.Pattern[str], Read], ...] = (
        (_JSON, structured.json),
        (_CI, structured.ci),
        (_YAML, structured.yaml),
        (_TOML, structured.toml),
        (_DOCKER, lines.docker),
        (_MAKE, lines.make),
        (_JUST, lines.just),
        (_PROC, lines.procfile),
        (_JENKINS, lines.groovy),
        (_SHELL, lines.shell),
        (_BARE, lines.bare),
    )
    return next((read for pattern, read in table if pattern.search(path)), None)


def is_ci(path: str) -> bool:
    """A file of a CI system, where such files are read from: what its jobs do is judged by the jobs, not by its name."""
    return _CI.match(path) is not None


def is_typescript(path: str) -> bool:
    """TypeScript or JavaScript."""
    return path.endswith(_TYPESCRIPT)


def folder_of(path: str) -> str:
    """Where the commands of a file run, if it does not say: beside it, for CI files and hooks at the root."""
    if _CI.search(path) or path.startswith((".husky/", ".githooks/")):
        return ""
    return posixpath.dirname(path)
