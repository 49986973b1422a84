"""What stands round every page: apps, tabs, person, notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from tabwright.metadata.model import AppDef, ObjectDef, TabDef, label_in
from tabwright.platform.language import Language, register_messages
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.forms.shown import colour_of, initials
from tabwright.runtime.pages.rendering import drawn, text

register_messages(Path(__file__).with_name("studio_messages.json"))

LOOSE = "-"  # the name of the app of all tabs that are in none: no document can have it
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
    colour: str = "blue"


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
class Kept:
    """A favourite in the sidebar. ``key`` is what forms send of it."""

    key: str
    label: str
    note: str
    icon: str
    colour: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class Star:
    """What this page may be kept as; ``kept``: it is a favourite already."""

    key: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Own:
    """What a person's own choices and notices add to the frame."""

    tabs: Mapping[str, Sequence[str]]  # app -> its tabs in their order
    favourites: tuple[Kept, ...] = ()
    star: Star | None = None
    unread: str = ""  # "" for none
    has_shortcuts: bool = True


NOTHING_OWN = Own({})


@dataclass(frozen=True, slots=True)
class Drawn:
    """The links of apps and tabs as HTML, made once: they are a good part of every page."""

    apps: Markup
    tabs: Markup
    phone: Markup


@dataclass(frozen=True, slots=True)
class Emergency:
    """Rights that were taken in an emergency and have not ended."""

    text: str
    end_href: str


@dataclass(frozen=True, slots=True)
class Shell:
    tenant_name: str
    app_label: str
    apps: tuple[App, ...]
    tabs: tuple[Tab, ...]
    drawn: Drawn
    user: Person
    at: str
    query: str
    flash: tuple[Notice, ...]
    studio: str | None
    preview: str | None  # where "leave preview" goes, None when the release in force is shown
    new_field: bool = False  # whether this person may add a field where they are
    own: Own = NOTHING_OWN
    sees_exports: bool = False
    manages_users: bool = False
    emergency: tuple[Emergency, ...] = ()


def href_of(tab: TabDef) -> str:
    """Where a tab leads."""
    if tab.object is None:
        return tab.url or "/"
    if tab.list_view is None:
        return f"/o/{tab.object}"
    return f"/o/{tab.object}?view={tab.list_view.rpartition('.')[2]}"


def apps_of(gate: Gate, language: Language) -> tuple[AppDef, ...]:
    """The apps that show: the default one, others for work, one of all tabs that are in none, the platform's.

    An object that was made a minute ago is in no app yet, and must be found all the same.
    """
    apps, tabs = gate.apps(), gate.tabs()
    inside = {name for app in apps for name in app.tabs}
    loose = tuple(tab.name for tab in tabs if tab.name not in inside and not _is_base(gate, tab))
    platform = {app.name for app in apps if _is_platform(gate, app)}
    made = sorted(
        (app for app in apps if app.name not in platform),
        key=lambda app: (not app.is_default, -len(tabs_of(gate, app))),
    )
    if loose:
        label = text(language)("nav.objects")
        made.append(AppDef(None, LOOSE, {language: label}, "layout-grid", loose))
    return (*made, *(app for app in apps if app.name in platform))


def _is_platform(gate: Gate, app: AppDef) -> bool:
    return all(_is_base(gate, tab) for tab in tabs_of(gate, app))


def _is_base(gate: Gate, tab: TabDef) -> bool:
    object = gate.model.objects.get(tab.object or "")
    return object is not None and object.package == BASE


def tabs_of(gate: Gate, app: AppDef | None) -> tuple[TabDef, ...]:
    """The app's tabs that show, in its order."""
    shown = {tab.name: tab for tab in gate.tabs()}
    return tuple(shown[n] for n in app.tabs if n in shown) if app is not None else ()


def arranged(tabs: Sequence[TabDef], order: Sequence[str]) -> tuple[TabDef, ...]:
    """Tabs in a person's order; those that it does not name follow as the app has them."""
    places = {name: at for at, name in enumerate(order)}
    return tuple(sorted(tabs, key=lambda tab: places.get(tab.name, len(places))))


@dataclass(frozen=True, slots=True)
class Ways:
    """Where the frame leads: apps, and the tabs of the one that is open."""

    app_label: str
    apps: tuple[App, ...]
    tabs: tuple[Tab, ...]
    drawn: Drawn


def ways_of(
    gate: Gate, language: Language, app: str | None, at: str, own: Mapping[str, Sequence[str]]
) -> Ways:
    """Apps and tabs for a person who has opened ``app`` last and looks at ``at`` (as ``make_shell``); ``own``
    is their own order of an app's tabs.
    """
    apps = apps_of(gate, language)
    chosen = next((each for each in apps if each.name == app), apps[0] if apps else None)
    if at in gate.model.objects and not _holds(gate, chosen, at):
        # A link led out of the app: the frame follows, so that "where I am" is in it.
        chosen = next((each for each in apps if _holds(gate, each, at)), chosen)
    order = own.get(chosen.name, ()) if chosen is not None else ()
    tabs = tuple(_tab(each, at, language) for each in arranged(tabs_of(gate, chosen), order))
    first = [tab for tab in tabs if tab.current] + [tab for tab in tabs if not tab.current]
    shown = tuple(App(a.name, label_in(a.labels, language), a.icon, a is chosen, a.colour) for a in apps)
    return Ways(
        label_in(chosen.labels, language) if chosen is not None else "Tabwright",
        shown,
        tabs,
        Drawn(
            drawn("ways/apps.html", language, {"ways": shown}),
            drawn("ways/tabs.html", language, {"ways": tabs}),
            drawn("ways/phone.html", language, {"ways": [tab for tab in tabs if tab in first[:PHONE_TABS]]}),
        ),
    )


def make_shell(
    gate: Gate,
    ways: Ways,
    *,
    tenant_name: str,
    address: str,
    at: str,
    query: str = "",
    flash: Sequence[Notice] = (),
    studio: str | None = None,
    preview: str | None = None,
    new_field: bool = False,
    own: Own = NOTHING_OWN,
    emergency: tuple[Emergency, ...] = (),
) -> Shell:
    """The frame for a signed-in person. ``at`` is an object's name, home, search, bin, settings or more."""
    name = gate.principal.name
    return Shell(
        tenant_name,
        ways.app_label,
        ways.apps,
        ways.tabs,
        ways.drawn,
        Person(name, address, initials(name), colour_of(str(gate.principal.user_id))),
        at,
        query,
        tuple(flash),
        studio,
        preview,
        new_field,
        own,
        gate.has("view_exports"),
        gate.has("manage_users"),
        emergency,
    )


def _holds(gate: Gate, app: AppDef | None, object: str) -> bool:
    return any(tab.object == object for tab in tabs_of(gate, app))


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
