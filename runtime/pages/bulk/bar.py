"""The bar under a list: how many records are chosen, and what this person may do with them."""

from __future__ import annotations

from dataclasses import dataclass

from tabwright.metadata.model import ObjectDef
from tabwright.runtime.bulk.allowing import actions_of
from tabwright.runtime.desk import Call
from tabwright.runtime.pages.rendering import text

_ICONS = {"edit": "pencil", "transfer": "user-share", "delete": "trash"}


@dataclass(frozen=True, slots=True)
class Action:
    name: str
    label: str
    icon: str


@dataclass(frozen=True, slots=True)
class Bar:
    """``all_text`` offers every record of the list; blank where they all stand on the page."""

    href: str
    actions: tuple[Action, ...]
    all_text: str
    export_href: str | None


def may_choose(call: Call, object: ObjectDef) -> bool:
    """Whether there is anything that this person may do with many records."""
    return call.gate.may(object, "export") or bool(actions_of(call, object))


def bar_of(call: Call, object: ObjectDef, rows: int, count: int | None, is_capped: bool) -> Bar | None:
    """The bar of a list that shows ``rows`` of ``count`` records; None where nothing may be done."""
    t = text(call.language)
    actions = tuple(Action(name, t(f"bulk.{name}"), _ICONS[name]) for name in actions_of(call, object))
    exports = call.gate.may(object, "export")
    if not actions and not exports:
        return None
    more = count is not None and (is_capped or count > rows)
    shown = f"{count or 0:,}" + ("+" if is_capped else "")
    return Bar(
        f"/o/{object.name}/bulk",
        actions,
        t("bulk.all", count=shown) if more else "",
        f"/o/{object.name}/export" if exports else None,
    )
