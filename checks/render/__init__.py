"""A report as text for a terminal, as markdown, as JSON and as SARIF."""

from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    from checks.report import Report, TraceReport

Format = Literal["text", "markdown", "json", "sarif"]


def write(report: "Report | TraceReport", format: Format | str, out: TextIO) -> None:  # noqa: A002 - the option's name
    """Write a report to a file or terminal: text in the terminal's width, colours and characters, all else in UTF-8."""
    if format == "text":
        from rich.console import Console  # noqa: PLC0415 - only text needs it

        from checks.render import text  # noqa: PLC0415

        text.show(report, Console(file=out))
        return
    said = as_text(report, format)
    if (buffer := getattr(out, "buffer", None)) is not None:
        out.flush()
        buffer.write(said.encode())
    else:
        out.write(said)
    out.flush()


def as_text(report: "Report | TraceReport", format: Format | str) -> str:  # noqa: A002 - the option's name
    """A report as a string; text is 80 columns wide and has no colours."""
    from checks.render import json, markdown, sarif, text  # noqa: PLC0415 - they load pydantic and Rich

    return {"text": text, "markdown": markdown, "json": json, "sarif": sarif}[format].text(report)
