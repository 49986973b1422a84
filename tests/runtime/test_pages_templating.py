"""Templates say what is constant when they are compiled, and the same as when each request says it."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from tabwright.platform.language import Language
from tabwright.runtime.pages import rendering
from tabwright.runtime.pages.templating import Templates, Unknown

TEXTS = {"hello": "Hello <b>", "bye": "Good & bye"}


class Site:
    """Templates of a folder, and how often their functions were called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.templates = Templates([folder], {"t": self.t, "icon": self.icon})
        self.templates.globals.update(t=self.t, icon=self.icon)

    def t(self, code: str, **params: Any) -> str:
        self.said.append(code)
        if code not in TEXTS:
            raise Unknown
        return TEXTS[code] + "".join(f" {value}" for value in params.values())

    def icon(self, name: str, css: str = "icon") -> Markup:
        self.said.append(name)
        return Markup('<svg class="{}"><use href="#{}"/></svg>').format(css, name)

    def render(self, source: str, **context: Any) -> str:
        (self.folder / "page.html").write_text(source, "utf-8")
        return self.templates.get_template("page.html").render(**context)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("<p title=\"{{ t('hello') }}\">{{ t('bye') }}</p>", '<p title="Hello &lt;b&gt;">Good &amp; bye</p>'),
        ("{{ icon('plus') }}", '<svg class="icon"><use href="#plus"/></svg>'),
        ("{{ icon('plus', css='big') }}", '<svg class="big"><use href="#plus"/></svg>'),
        ("{{ t('hello' if yes else 'bye') }}", "Hello &lt;b&gt;"),
        ("{{ icon('a' if not yes else 'b') }}", '<svg class="icon"><use href="#b"/></svg>'),
        ("{% for n in (1, 2) %}{{ t('bye') }} {% endfor %}", "Good &amp; bye Good &amp; bye "),
        ("{% set said = t('bye') %}{{ said|length }}", "10"),
        ("{{ t('bye', name='<x>') }}", "Good &amp; bye &lt;x&gt;"),
    ],
)
def test_what_is_constant_is_said_once(site: Site, source: str, shown: str) -> None:
    assert site.render(source, yes=True) == shown
    before = list(site.said)
    assert site.templates.get_template("page.html").render(yes=True) == shown
    assert site.said == before, "said again by a request"


def test_what_a_request_decides_is_said_by_it(site: Site) -> None:
    site.render("{{ t('bye', name=name) }} {{ icon(name) }}", name="first")
    page = site.templates.get_template("page.html")
    assert page.render(name="<x>") == (
        'Good &amp; bye &lt;x&gt; <svg class="icon"><use href="#&lt;x&gt;"/></svg>'
    )


def test_a_text_that_is_not_there_yet_is_not_kept(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rooms bring their messages one after the other: what is unknown at first may be known later."""
    (site.folder / "page.html").write_text("{{ t('later') }}", "utf-8")
    page = site.templates.get_template("page.html")
    monkeypatch.setitem(TEXTS, "later", "now known")
    assert page.render() == "now known"


def test_each_language_has_its_own_texts() -> None:
    made = {}
    languages: tuple[Language, ...] = ("zh", "en")
    for language in languages:
        look = rendering.Look(language, "auto", "comfortable", "token", "/o/thing?where=a+b")
        made[language] = rendering.render("shortcuts_dialog.html", look, {})
    assert rendering.text("zh")("keys.title") in made["zh"]
    assert rendering.text("en")("keys.title") in made["en"]
    assert look.quoted == "%2Fo%2Fthing%3Fwhere%3Da%2Bb"


class Named(str):
    """A text of a class of its own."""


_texts = st.text() | st.text("<>&\"'a")


@given(st.one_of(_texts, _texts.map(Markup), _texts.map(Named), st.integers(), st.none(), st.lists(_texts)))
def test_what_is_printed_is_escaped_as_markupsafe_does(value: Any) -> None:
    assert Templates.escaped(value) == escape(value)


def test_printing_goes_through_it(site: Site) -> None:
    macros = "{% macro cell(text) %}<td title='{{ text }}'>{{ text }}</td>{% endmacro %}"
    source = macros + "{{ cell(x) }}{% set y %}{{ x }}{% endset %}{{ y }}{{ x|upper }}{{ x ~ x }}"
    plain = "&lt;i&gt;&#39;"
    assert site.render(source, x="<i>'") == (
        f"<td title='{plain}'>{plain}</td>{plain}&lt;I&gt;&#39;{plain}{plain}"
    )
