"""What stands round every page: apps, tabs, person, notices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tabwright.metadata.model import AppDef, ObjectDef, TabDef, label_in
from tabwright.platform.language import Language
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.forms.shown import colour_of, initials

PHONE_TABS = 2  # beside home, search and more, at the bottom of a phone


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    label: str
    icon: str
    href: str
    current: bool
    outside: bool
    object: str | None


@dataclass(frozen=True, slots=True)
class App:
    name: str
    label: str
    icon: str
    current: bool


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    address: str
    initials: str
    colour: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A line at the lower left after something was done. ``undo`` is the path that a button posts to."""

    text: str
    kind: str = "ok"  # ok | warn
    undo: str | None = None

    @property
    def icon(self) -> str:
        return "circle-check" if self.kind == "ok" else "alert-triangle"

    @property
    def css(self) -> str:
        return "icon-ok" if self.kind == "ok" else "tw-warned"


@dataclass(frozen=True, slots=True)
class Shell:
    tenant_name: str
    app_label: str
    apps: tuple[App, ...]
    tabs: tuple[Tab, ...]
    phone_tabs: tuple[Tab, ...]
    user: Person
    at: str
    query: str
    flash: tuple[Notice, ...]
    studio: str | None
    preview: str | None  # where "leave preview" goes, None when the release in force is shown


def href_of(tab: TabDef) -> str:
    """Where a tab leads."""
    if tab.object is None:
        return tab.url or "/"
    if tab.list_view is None:
        return f"/o/{tab.object}"
    return f"/o/{tab.object}?view={tab.list_view.rpartition('.')[2]}"


def chosen_app(gate: Gate, wanted: str | None) -> AppDef | None:
    """The app that was chosen, else the first that shows; None where no app shows."""
    apps = gate.apps()
    return next((app for app in apps if app.name == wanted), apps[0] if apps else None)


def tabs_of(gate: Gate, app: AppDef | None) -> tuple[TabDef, ...]:
    """The app's tabs that show, in its order; every tab that shows where there is no app."""
    shown = {tab.name: tab for tab in gate.tabs()}
    return tuple(shown.values()) if app is None else tuple(shown[n] for n in app.tabs if n in shown)


def make_shell(
    gate: Gate,
    language: Language,
    *,
    tenant_name: str,
    address: str,
    app: str | None,
    at: str,
    query: str = "",
    flash: Sequence[Notice] = (),
    studio: str | None = None,
    preview: str | None = None,
) -> Shell:
    """The frame for a signed-in person. ``at`` is an object's name, home, search, bin, settings or more."""
    chosen = chosen_app(gate, app)
    tabs = tuple(_tab(each, at, language) for each in tabs_of(gate, chosen))
    first = [tab for tab in tabs if tab.current] + [tab for tab in tabs if not tab.current]
    phone = tuple(tab for tab in tabs if tab in first[:PHONE_TABS])
    name = gate.principal.name
    return Shell(
        tenant_name,
        label_in(chosen.labels, language) if chosen is not None else "Tabwright",
        tuple(App(a.name, label_in(a.labels, language), a.icon, a is chosen) for a in gate.apps()),
        tabs,
        phone,
        Person(name, address, initials(name), colour_of(str(gate.principal.user_id))),
        at,
        query,
        tuple(flash),
        studio,
        preview,
    )


def _tab(tab: TabDef, at: str, language: Language) -> Tab:
    current = tab.object is not None and tab.object == at
    return Tab(
        tab.name,
        label_in(tab.labels, language),
        tab.icon,
        href_of(tab),
        current,
        tab.object is None,
        tab.object,
    )


def plural(object: ObjectDef, language: Language) -> str:
    """What many records of the object are called."""
    return label_in(object.plural or object.labels, language)


def singular(object: ObjectDef, language: Language) -> str:
    """What one record is called, as it stands inside a sentence: English starts it small."""
    return in_sentence(label_in(object.labels, language), language)


def in_sentence(label: str, language: Language) -> str:
    """A label as it stands inside a sentence: English starts it small, but for abbreviations."""
    return label[:1].lower() + label[1:] if language == "en" and not label[:2].isupper() else label
