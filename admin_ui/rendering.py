"""Studio's templates: those of this room, on top of those of the pages that people work in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tabwright.platform.language import Language, register_messages
from tabwright.runtime.pages import rendering as pages
from tabwright.runtime.pages.templating import Saying, Templates

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


@cache
def text(language: Language) -> Callable[..., str]:
    """The ``s`` of a template: ``s("plan.title")`` says ``studio.plan.title``."""
    return pages.saying("studio.", language)


@cache
def _templates(language: Language) -> Templates:
    constant: dict[str, Saying] = {
        "t": pages.constant_saying("pages.", language),
        "s": pages.constant_saying("studio.", language),
        "asset": asset,
        "icon": pages.icon,
    }
    made = Templates([HERE / "templates", pages.HERE / "templates"], constant)
    made.globals.update(asset=asset, icon=pages.icon, t=pages.text(language), s=text(language))
    return made


def render(template: str, look: pages.Look, context: Mapping[str, Any]) -> str:
    """A page or a piece. ``template`` is a file name in ``templates/studio``."""
    return _templates(look.language).get_template("studio/" + template).render(look=look, **context)
