"""Studio's templates: those of this room, on top of those of the pages that people work in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tabwright.platform.errors import Param
from tabwright.platform.language import Language, register_messages, say
from tabwright.runtime.pages import rendering as pages

HERE = Path(__file__).parent
STATIC = HERE / "static"

register_messages(HERE / "messages.json")


@cache
def asset(path: str) -> str:
    """The address of a static file with its content's mark; ``studio/...`` is a file of this room."""
    own = path.removeprefix("studio/")
    if own == path:
        return pages.asset(path)
    mark = hashlib.sha256((STATIC / own).read_bytes()).hexdigest()[:10]
    return f"/static/studio/{own}?v={mark}"


def text(language: Language) -> Callable[..., str]:
    """The ``s`` of a template: ``s("plan.title")`` says ``studio.plan.title``."""

    def s(code: str, **params: Param) -> str:
        return say("studio." + code, params, language)

    return s


_environment = Environment(
    loader=FileSystemLoader([HERE / "templates", pages.HERE / "templates"]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals.update(asset=asset, icon=pages.icon)


def render(template: str, look: pages.Look, context: Mapping[str, Any]) -> str:
    """A page or a piece. ``template`` is a file name in ``templates/studio``."""
    page = _environment.get_template("studio/" + template)
    return page.render(look=look, t=pages.text(look.language), s=text(look.language), **context)
