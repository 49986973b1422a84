"""Where things are in Studio: the sidebar, and the address of the page that edits a component.

A designer that is better than the generic editor registers itself for its kind (``designer``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import current_app

from tabwright.metadata import schema
from tabwright.runtime.access.rights import BASE

if TYPE_CHECKING:
    from tabwright.admin_ui.studio import Studio

HrefOf = Callable[[str], str]

# Icons of kinds, for lists, search and the plan. A kind that is not here gets a general one.
KIND_ICONS = {
    "object": "database", "field": "forms", "picklist": "list", "record_type": "versions", "layout": "layout",
    "list_view": "list-details", "validation_rule": "shield-check", "unique_rule": "copy", "tab": "folder",
    "app": "layout-grid", "permission_set": "key", "permission_set_group": "stack-2", "calendar": "calendar",
    "sharing_rule": "share", "restriction_rule": "eye-off", "custom_label": "language",
}  # fmt: skip
# The kinds that have an entry of their own in the sidebar, by group: what belongs to no object, and more.
_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("data", ("object", "layout", "list_view", "picklist", "validation_rule", "custom_label")),
    ("navigation", ("tab", "app")),
    ("access", ("permission_set", "permission_set_group", "sharing_rule", "restriction_rule")),
)
_designers: dict[str, HrefOf] = {"object": lambda name: path("objects", name)}
_starters: dict[str, HrefOf] = {}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the sidebar, also found by the search for settings."""

    key: str
    label: str
    icon: str
    href: str
    current: bool = False
    count: str = ""


def designer(kind: str, href_of: HrefOf) -> None:
    """Say that components of a kind are edited at ``href_of(full name)``."""
    _designers[kind] = href_of


def starter(kind: str, href_of: HrefOf) -> None:
    """Say that a component of a kind is begun at ``href_of(object)``; the object is "" for a kind of none."""
    _starters[kind] = href_of


def start_href(kind: str, object: str) -> str:
    """Where a component of a kind is begun; "" for the generic form."""
    made = _starters.get(kind)
    return made(object) if made is not None else ""


def path(*parts: str) -> str:
    """An address below /studio; names are ASCII, so quoting is for what people type into addresses."""
    return "/".join(("/studio", *(quote(each, safe="") for each in parts)))


def kind_href(kind: str) -> str:
    """The page that lists the components of a kind."""
    return path("objects") if kind == "object" else path("kinds", kind)


def generic_href(kind: str, name: str) -> str:
    """The generic editor of a component."""
    return path("c", kind, name)


def href_of(kind: str, name: str) -> str:
    """Where a component is edited."""
    made = _designers.get(kind)
    return made(name) if made is not None else generic_href(kind, name)


def icon_of(kind: str) -> str:
    return KIND_ICONS.get(kind, "settings")


def grouped_kinds() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The kinds of the sidebar by group; a new kind of no object stands under "data" by itself."""
    known = {kind for _, kinds in _GROUPS for kind in kinds}
    more = tuple(k for k in schema.kinds() if k not in known and not schema.is_part_of_object(k))
    return tuple((group, kinds + more if group == "data" else kinds) for group, kinds in _GROUPS)


def sections(studio: Studio, at: str) -> tuple[tuple[str, tuple[Entry, ...]], ...]:
    """The sidebar: groups of entries; a group without a title has ""."""
    s = studio.s
    counts: dict[str, int] = {}
    for each in studio.drafting.draft.tree:
        if each.body.get("package") != BASE or each.kind == "permission_set":
            counts[each.kind] = counts.get(each.kind, 0) + 1

    def entry(key: str, icon: str, href: str, count: str = "") -> Entry:
        return Entry(key, s("nav." + key), icon, href, key == at, count)

    def kind(name: str) -> Entry:
        number = str(counts[name]) if name in counts else ""
        known = "studio.nav." + name
        label = s("nav." + name)
        if label == known:  # a kind that Studio has no word for yet: its schema does
            label = kind_title(name, studio.call.language)
        return Entry(name, label, icon_of(name), kind_href(name), name == at, number)

    release = f"r{studio.call.model.release}"
    found: list[tuple[str, tuple[Entry, ...]]] = [("", (entry("home", "home", "/studio"),))]
    for group, kinds in grouped_kinds():
        entries = tuple(kind(each) for each in kinds)
        if group == "access":
            people = "user" in studio.call.model.objects and studio.call.gate.may(
                studio.call.model.objects["user"], "read"
            )
            rights = entry("access", "table", "/studio/access")
            entries = (*((entry("people", "users", "/o/user"),) if people else ()), *entries, rights)
            if studio.call.gate.has("explain_access"):
                entries = (*entries, entry("holders", "user-check", "/studio/holders"))
            if studio.call.gate.has("view_exports"):
                entries = (*entries, entry("exports", "download", "/exports"))
        found.append((s("nav.group_" + group), entries))
    delivery = [
        entry("preview", "eye", "/studio/preview"),
        entry("translations", "language", "/studio/translations"),
        entry("packages", "package", "/studio/packages"),
        entry("releases", "versions", "/studio/releases", release),
        entry("trash", "trash", "/studio/trash"),
    ]
    found.append((s("nav.group_delivery"), tuple(each for each in delivery if _is_there(each.href))))
    return tuple(found)


def _is_there(href: str) -> bool:
    return any(rule.rule == href for rule in current_app.url_map.iter_rules())


def kind_title(kind: str, language: str) -> str:
    """What a kind of component is called."""
    known = schema.shared_schema_of(kind)
    return str(known.get("x-title-zh") if language == "zh" else known.get("title"))
