"""Logs: one JSON object a line on stderr; no secrets, no tracebacks of what strangers sent."""

import logging
import re
import sys
from typing import Any

import structlog

_SECRETS = re.compile(
    r"(gh[opsu]_[A-Za-z0-9]{8,}|github_pat_\w+|(?<=://)[^/@\s:]+:[^/@\s]+(?=@)|(?<=signature=)[0-9a-f]+)"
)


def start(level: int = logging.INFO) -> None:
    """Log from now on, also what libraries say."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _clean,
        structlog.processors.JSONRenderer(),
    ]
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = _Handler()
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)


class _Handler(logging.Handler):
    """What libraries log, as ours; of an exception its name and text."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        more = {"error": f"{type(error).__name__}: {error}"[:300]} if error else {}
        structlog.get_logger(record.name).log(record.levelno, record.getMessage()[:500], **more)


def _clean(_logger: object, _name: str, said: dict[str, Any]) -> dict[str, Any]:
    return {key: _SECRETS.sub("***", value) if isinstance(value, str) else value for key, value in said.items()}
