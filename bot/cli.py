"""The command line: runs what was asked for, and turns every error into a sentence and an exit code.

Exit codes: 0 fine; 1 the policy says no (or: differences, drift, pending work); 2 usage or configuration; 3 could not judge.
The commands are in `bot.terminal.commands`, which the command-line library makes. To load that takes longer than to read a
schema, so what is asked for plainly is run without it.
"""

import os
import sys
from typing import Any, Literal

from bot import interrupt
from bot.terminal.stderr import say
from checks.errors import CouldNotJudge, UserError


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; every error is one or two plain sentences on stderr."""
    with interrupt.heard():
        return _run(sys.argv[1:] if arguments is None else arguments, leaving=arguments is None)


def _run(words: list[str], *, leaving: bool) -> int:
    try:
        result = _plainly(words)
        if result is not None and leaving:
            _leave(result)
        if result is None:
            from bot.terminal.commands import app  # noqa: PLC0415 - see above

            result = app(words or ["--help"], prog_name="bulletproof", standalone_mode=False)
        if interrupt.told():  # typer gives a code for Ctrl-C, and no word
            return _stopped()
    except KeyboardInterrupt:
        return _stopped()
    except BrokenPipeError:
        # The reader of a pipe went away (`| head`): not an error, and Python must not complain when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - a fault of ours ends in one line and exit code 3
        return _stopped() if interrupt.told() else _failed(error)
    return result if isinstance(result, int) else 0


def _plainly(words: list[str]) -> int | None:
    """What needs no more than its words to be understood; None where the library has to look at them."""
    match words:
        case ["db", *rest]:
            from bot.database import commands  # noqa: PLC0415 - see above

            return commands.plainly(rest)
        case ["diff", before, after] if "-" not in {before[:1], after[:1]}:
            return _difference(before, after, "sql")
        case ["diff", before, after, "--format", ("sql" | "unified" | "json") as form] if "-" not in {
            before[:1],
            after[:1],
        }:
            return _difference(before, after, form)
        case _:
            return None


def _difference(before: str, after: str, form: Literal["sql", "unified", "json"]) -> int:
    from bot.terminal import ahead  # noqa: PLC0415 - see above

    with ahead.started(before) as scratch:
        from bot.terminal import diff  # noqa: PLC0415 - what takes long, while the scratch database starts

        return diff.run(before, after, form, scratch)


def _leave(code: int) -> None:
    """End the process at once: all is written and closed, and to take the interpreter apart takes a tenth of a run."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _stopped() -> int:
    say("stopped.")
    return interrupt.STOPPED


def _failed(error: Exception) -> int:
    """What a person can mend, words that are off (typer names the nearest right one), else a fault of ours: never a pass."""
    if isinstance(error, UserError):
        say(str(error))
        return error.code
    library: Any = sys.modules.get("typer")  # where it is not loaded, it raises nothing
    if library is not None and isinstance(error, library.Abort):
        return _stopped()
    if library is not None and isinstance(error, library.Exit):
        return getattr(error, "exit_code", UserError.code)
    message = getattr(error, "format_message", None)
    if message is not None:
        context = getattr(error, "ctx", None)
        say(message() + (f" See `{context.command_path} --help`." if context is not None else ""))
        return UserError.code
    if os.environ.get("BULLETPROOF_DEBUG"):
        raise error
    say(
        f"could not judge: {type(error).__name__}: {error}. This is a mistake of ours; BULLETPROOF_DEBUG=1 shows where."
    )
    return CouldNotJudge.code
