"""What several commands of `bulletproof db` are asked for, said once: where the project is, which of it, and how to tell."""

import dataclasses
import functools
import inspect
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any, Concatenate, get_type_hints

import typer


class Format(StrEnum):
    """How a result is printed."""

    text = "text"
    json = "json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The options that commands share; each field is one."""

    url: Annotated[
        str | None,
        typer.Option("--url", metavar="URL", help="The database [default: DATABASE_URL]. It is never printed."),
    ] = None
    repo: Annotated[Path, typer.Option("--repo", metavar="DIR", help="The folder of the project.")] = Path()
    rev: Annotated[
        str | None,
        typer.Option("--rev", metavar="REV", help="A git revision [default: the files as they are on disk]."),
    ] = None
    config: Annotated[
        str | None,
        typer.Option("--config", metavar="FILE", help="The drizzle.config of the project, where there are several."),
    ] = None
    format: Annotated[Format, typer.Option("--format", help="How to print the result.")] = Format.text

    def show(self, lines: Iterable[str], data: dict[str, Any]) -> None:
        """Print a result as it was asked for."""
        if self.format is Format.json:
            sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")
            return
        for line in lines:
            sys.stdout.write(line + "\n")


Run = Callable[Concatenate[Asked, ...], int]
ALL = tuple(field.name for field in dataclasses.fields(Asked))


def takes(*names: str) -> Callable[[Run], Callable[..., int]]:
    """Give a command the shared options of these names, before its own; it gets them as one `Asked`."""
    hints, defaults = get_type_hints(Asked, include_extras=True), {f.name: f.default for f in dataclasses.fields(Asked)}
    shared = [Parameter(n, Parameter.KEYWORD_ONLY, default=defaults[n], annotation=hints[n]) for n in names]

    def given_to(run: Run) -> Callable[..., int]:
        signature = inspect.signature(run)
        parameters = [*shared, *list(signature.parameters.values())[1:]]

        @functools.wraps(run)
        def command(**given: Any) -> int:  # noqa: ANN401 - options of any type
            asked = Asked(**{name: given.pop(name) for name in names if name in given})
            return run(asked, **given)

        # The command-line library reads both.
        command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return command

    return given_to
