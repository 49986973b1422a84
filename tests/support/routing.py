"""Sites of tests share what werkzeug compiles of a route: the same again for each rule of each site."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

_made: dict[tuple[Any, ...], Callable[..., tuple[str, str]]] = {}
_compile = Rule._compile_builder


def _shared(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    key = rule.rule, append_unknown, tuple(rule._trace), repr(rule.defaults)
    if key not in _made:
        _made[key] = _compile(rule, append_unknown)
    return _made[key]


def share_routes() -> None:
    """From now on."""
    setattr(Rule, "_compile_builder", _shared)  # noqa: B010 - not ours to declare
