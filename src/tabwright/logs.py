"""What the processes log: console lines for a person, JSON lines for a machine, nothing secret in them."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

_SECRET_KEY = re.compile(r"pass(word)?|secret|token|cookie|authorization|csrf", re.I)
_SECRETS = (
    (re.compile(r"\btw_[A-Za-z0-9_-]{8,}"), "tw_[hidden]"),  # API tokens
    (re.compile(r"(\w+://[^\s:/@]*):[^\s@]*@"), r"\1:[hidden]@"),  # the password of an address
    (re.compile(r"(?i)\b(bearer|basic) +[A-Za-z0-9+/=_.~-]{8,}"), r"\1 [hidden]"),
    (
        re.compile(
            r"""(?i)\b([a-z_-]*(?:password|secret|token|cookie|csrf)["']?\s*[=:]\s*)(["']?)[^\s"',;&}]+"""
        ),
        r"\1\2[hidden]",
    ),
)


def without_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The event with what nobody may read in a log taken out: by the name of a value, and by its look."""
    for key, value in event.items():
        if key.startswith("_"):
            continue
        if _SECRET_KEY.search(key):
            event[key] = "[hidden]"
        elif isinstance(value, str):
            for pattern, instead in _SECRETS:
                value = pattern.sub(instead, value)
            event[key] = value
    return event


def configure(stream: TextIO | None = None) -> None:
    """Log what the product says to the error stream: lines on a terminal, else JSON lines."""
    stream = stream or sys.stderr
    as_console = stream.isatty()
    last: Any = structlog.dev.ConsoleRenderer(colors=False) if as_console else _json()
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.format_exc_info,
        without_secrets,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    log = logging.getLogger("tabwright")
    log.handlers = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False


def _json() -> Any:
    return structlog.processors.JSONRenderer(ensure_ascii=False)
