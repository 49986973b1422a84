"""Templates and what they may say: an environment of our own, escaped by default, strict about names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote_plus

from markupsafe import Markup

from tabwright.platform.errors import Param
from tabwright.platform.language import TAGS, Language, messages, register_messages, say
from tabwright.platform.static_files import content_mark
from tabwright.runtime.forms import shown
from tabwright.runtime.pages.templating import Saying, Templates, Unknown

Theme = Literal["auto", "light", "dark"]
Density = Literal["comfortable", "compact"]
THEMES: tuple[Theme, ...] = ("auto", "light", "dark")
DENSITIES: tuple[Density, ...] = ("comfortable", "compact")

HERE = Path(__file__).parent
OWN_STATIC = HERE / "static"
SHARED_STATIC = HERE.parent.parent / "platform" / "static"

register_messages(HERE / "messages.json")
register_messages(HERE / "frame_messages.json")
register_messages(HERE / "people_messages.json")


@dataclass(frozen=True, slots=True)
class Look:
    """How pages are shown to this browser: its language, theme, density; and the token its forms carry."""

    language: Language
    theme: Theme
    density: Density
    csrf: str
    here: str  # this page's path and query: where a switch of language or theme returns to
    whose: str = ""  # the mark that this person's forms carry

    @property
    def quoted(self) -> str:
        """``here`` as a parameter of another address."""
        return quote_plus(self.here)

    @property
    def html_lang(self) -> str:
        return TAGS[self.language]


@cache
def asset(path: str) -> str:
    """The address of a static file, with its content's mark so that browsers keep it for long.

    ``pages/...`` is a file of this room, the rest the platform's.
    """
    own = path.removeprefix("pages/")
    file = OWN_STATIC / own if own != path else SHARED_STATIC / path
    mark = content_mark(file) if file.is_file() else "0"
    return f"/static/{path}?v={mark}"


@cache
def icon(name: str, css: str = "icon") -> Markup:
    """One icon of the sprite."""
    return Markup(shown.icon(name, css))


@cache
def text(language: Language) -> Callable[..., str]:
    """The ``t`` of a page: ``t("list.new", object=...)`` says ``pages.list.new``."""
    return saying("pages.", language)


def saying(prefix: str, language: Language) -> Callable[..., str]:
    """What says the messages whose codes begin with ``prefix``, in a language."""

    def t(code: str, **params: Param) -> str:
        return say(prefix + code, params, language)

    return t


def constant_saying(prefix: str, language: Language) -> Callable[..., str]:
    """The same for calls that are made once (``templating``): only of what has a text already."""

    def t(code: str, **params: Param) -> str:
        if prefix + code not in messages():
            raise Unknown
        return say(prefix + code, params, language)

    return t


@cache
def _templates(language: Language) -> Templates:
    constant: dict[str, Saying] = {"t": constant_saying("pages.", language), "asset": asset, "icon": icon}
    made = Templates([HERE / "templates"], constant)
    made.globals.update(asset=asset, icon=icon, t=text(language))
    return made


def drawn(template: str, language: Language, context: Mapping[str, Any]) -> Markup:
    """A stretch of pages that is the same for many requests, to be kept and put into them as it is."""
    return Markup(_templates(language).get_template("pages/" + template).render(**context))


def render(template: str, look: Look, context: Mapping[str, Any]) -> str:
    """A whole page. ``template`` is a file name in ``templates/pages``."""
    return _templates(look.language).get_template("pages/" + template).render(look=look, **context)
