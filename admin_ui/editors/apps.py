"""The editors of apps and tabs: what stands in the navigation, in which order, with which icon, for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response

from tabwright.admin_ui.editors.audience import holders, shown_to
from tabwright.admin_ui.editors.bench import Bench, Editor, Form, labels_in
from tabwright.admin_ui.editors.choices import Choice, colours
from tabwright.admin_ui.editors.start import Ask, Beginning
from tabwright.admin_ui.names import finding
from tabwright.admin_ui.objects import own_apps
from tabwright.admin_ui.studio import Studio
from tabwright.metadata.drafts import Change, Put
from tabwright.metadata.model import TabDef, label_in
from tabwright.metadata.tree import Key
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.pages.shell import PHONE_TABS

ICON = "layout-grid"  # of an app that says none


@dataclass(frozen=True, slots=True)
class Line:
    """A tab as the navigation shows it."""

    name: str
    label: str
    icon: str
    href: str


# ---- apps ------------------------------------------------------------------------------------------


def _tabs(studio: Studio) -> Mapping[str, Line]:
    """Every tab that an app may hold: those of the draft, and objects that no tab shows."""
    model, language = studio.drafting.checked.model or studio.call.model, studio.call.language
    found = {each.name: _line(each, language) for each in model.tabs.values()}
    for each in studio.drafting.all("tab"):  # of a draft that has faults elsewhere
        found.setdefault(each.name, Line(each.name, studio.label(each), each.body.get("icon", "link"), ""))
    return found


def _line(tab: TabDef, language: str) -> Line:
    return Line(tab.name, label_in(tab.labels, language), tab.icon, tab.url or f"/o/{tab.object}")


def read_app(bench: Bench, form: Form) -> Sequence[Change]:
    """The app that a form says, the others that are no longer the default, and who sees it."""
    studio = bench.studio
    icon, colour = form.get("icon", ""), form.get("colour", "")
    body: dict[str, Any] = {
        "label": labels_in(form),
        "icon": icon if icon and icon != ICON else None,
        "colour": colour if colour and colour != "blue" else None,
        "tabs": list(dict.fromkeys(form.getlist("tabs"))),
        "default": True if "default" in form else None,
    }
    found: list[Change] = [bench.changed(body)]
    if "default" in form:
        for each in studio.drafting.all("app"):
            if each.name != bench.name and each.body.get("default"):
                found.append(Put({key: value for key, value in each.document.items() if key != "default"}))
    if "asked" in form:
        found += shown_to(studio, "apps", bench.name, form.getlist("set"))
    return found


def more_of_app(bench: Bench) -> dict[str, Any]:
    """What the page of the app's editor shows."""
    studio, body = bench.studio, bench.document
    tabs = _tabs(studio)
    pool = [
        Choice(each.name, each.label, "", each.icon, finding(each.label, each.name)) for each in tabs.values()
    ]
    chosen = [tabs.get(name, Line(name, name, "link", "")) for name in body.get("tabs", ())]
    return {
        "pool": pool,
        "tabs": chosen,
        "icon": body.get("icon", ICON),
        "colour": body.get("colour", "blue"),
        "default": body.get("default", False),
        "icons": studio.icons,
        "colours": colours(studio.call.language),
        "holders": holders(studio, "apps", bench.name),
    }


def preview_app(bench: Bench) -> Response:
    """The navigation as it will look on a desktop and on a phone."""
    tabs, body = _tabs(bench.studio), bench.document
    lines = [tabs[name] for name in body.get("tabs", ()) if name in tabs]
    labels = body.get("label") or {"en": bench.name}
    return bench.studio.piece(
        "editors/app_preview.html",
        label=label_in(labels, bench.studio.call.language),
        icon=body.get("icon", ICON),
        colour=body.get("colour", "blue"),
        tabs=lines,
        phone=lines[:PHONE_TABS],
    )


def owns_app(bench: Bench, key: Key) -> bool:
    """The other apps, of which only one is the default. Rights go through the plan."""
    return key[0] == "app"


def asks_of_app(studio: Studio, object: str) -> tuple[Ask, ...]:
    """The tabs that a new app begins with: it needs one."""
    own = {each.name: each for each in studio.drafting.all("tab")}

    def rank(line: Line) -> tuple[int, str]:  # what the organisation made, its packages, the platform
        tab = own.get(line.name)
        if tab is None or tab.body.get("package") == BASE:
            return 2, line.label
        return (1 if tab.body.get("package") else 0), tab.uid

    made = tuple(Choice(each.name, each.label) for each in sorted(_tabs(studio).values(), key=rank))
    return (Ask("tabs", studio.s("apps.tabs"), "checks", made),)


def body_of_app(studio: Studio, object: str, form: Form) -> Mapping[str, Any]:
    return {"tabs": form.getlist("tabs")}


# ---- tabs ------------------------------------------------------------------------------------------


def read_tab(bench: Bench, form: Form) -> Sequence[Change]:
    """The tab that a form says, the apps that it stands in, and who sees it."""
    icon = form.get("icon", "")
    if "icon" not in bench.document and icon == _fallback(bench):
        icon = ""  # the object's, as long as nobody chose another
    body: dict[str, Any] = {"label": labels_in(form), "icon": icon or None, **_target(form)}
    found: list[Change] = [bench.changed(body, ("object", "list_view", "url") if "target" in form else ())]
    if "asked" in form:
        found += shown_to(bench.studio, "tabs", bench.name, form.getlist("set"))
        found += _in_apps(bench.studio, bench.name, form.getlist("app"))
    return found


def _target(form: Form) -> dict[str, str]:
    match form.get("target"):
        case "object":
            named = {"object": form.get("object", "")}
        case "list_view":
            full = form.get("list_view", "")
            named = {"object": full.partition(".")[0], "list_view": full}
        case "url":
            named = {"url": form.get("url", "").strip()}
        case _:
            named = {}
    return {key: value for key, value in named.items() if value}


def _in_apps(studio: Studio, tab: str, wanted: Sequence[str]) -> list[Change]:
    """The apps that change so that exactly the wanted ones hold a tab; one keeps its last tab."""
    found: list[Change] = []
    for name, _ in own_apps(studio):
        app = studio.drafting.get("app", name)
        tabs = list(app.body["tabs"])
        if (tab in tabs) == (name in wanted):
            continue
        left = [*tabs, tab] if name in wanted else [each for each in tabs if each != tab]
        found.append(Put({**app.document, "tabs": left}))
    return found


def more_of_tab(bench: Bench) -> dict[str, Any]:
    """What the page of the tab's editor shows."""
    studio, body = bench.studio, bench.document
    apps = [
        (name, label, bench.name in studio.drafting.get("app", name).body["tabs"])
        for name, label in own_apps(studio)
    ]
    target = "url" if "url" in body else "list_view" if "list_view" in body else "object"
    return {
        "target": target,
        "objects": _objects(studio),
        "list_views": _list_views(studio),
        "icon": body.get("icon", ""),
        "fallback": _fallback(bench),
        "icons": studio.icons,
        "apps": apps,
        "holders": holders(studio, "tabs", bench.name),
    }


def _fallback(bench: Bench) -> str:
    """The icon of a tab that says none."""
    found = bench.studio.drafting.find("object", str(bench.document.get("object", "")))
    return str(found.body.get("icon", "box")) if found is not None else "link"


def _objects(studio: Studio) -> tuple[Choice, ...]:
    return tuple(Choice(each.name, studio.label(each)) for each in studio.drafting.all("object"))


def _list_views(studio: Studio) -> tuple[Choice, ...]:
    return tuple(
        Choice(each.name, f"{studio.title_of('object', each.object or '')} › {studio.label(each)}")
        for each in studio.drafting.all("list_view")
    )


def owns_tab(bench: Bench, key: Key) -> bool:
    """The apps that the tab is put into."""
    return key[0] == "app"


def asks_of_tab(studio: Studio, object: str) -> tuple[Ask, ...]:
    """What a new tab leads to: an object, or a page; and the app that it goes into."""
    page = Choice("", studio.s("tabs.a_page"))
    none = Choice("", studio.s("object.no_app"))
    apps = tuple(Choice(name, label) for name, label in own_apps(studio))
    return (
        Ask("object", studio.s("tabs.to_object"), "select", (*_own_objects(studio), page)),
        Ask("url", studio.s("tabs.url"), "text", hint=studio.s("tabs.url_hint")),
        Ask("app", studio.s("object.app"), "select", (*apps, none)),
    )


def _own_objects(studio: Studio) -> tuple[Choice, ...]:
    own = (each for each in studio.drafting.all("object") if each.body.get("package") != BASE)
    return tuple(Choice(each.name, studio.label(each)) for each in own)


def body_of_tab(studio: Studio, object: str, form: Form) -> Mapping[str, Any]:
    return _target(Form({**form.to_dict(), "target": "object" if form.get("object") else "url"}))


def around_tab(studio: Studio, name: str, form: Form) -> Sequence[Change]:
    """The app that the new tab goes into."""
    app = studio.drafting.find("app", form.get("app", ""))
    return (Put({**app.document, "tabs": [*app.body["tabs"], name]}),) if app is not None else ()


APP = Editor("app", "apps", "app.html", read_app, more_of_app, preview=preview_app, owns=owns_app)
TAB = Editor("tab", "tabs", "tab.html", read_tab, more_of_tab, owns=owns_tab)
NEW_APP = Beginning(APP, "new-app", asks_of_app, body_of_app)
NEW_TAB = Beginning(TAB, "new-tab", asks_of_tab, body_of_tab, around_tab)
