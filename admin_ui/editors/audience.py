"""Who sees an app or a tab, as the permission sets of the draft say it, and the changes that change it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tabwright.admin_ui.studio import Studio
from tabwright.metadata.drafts import Change, Put
from tabwright.runtime.access.rights import BASE


@dataclass(frozen=True, slots=True)
class Holder:
    """A permission set that may show something. ``fixed``: it cannot be changed here; ``note`` says why."""

    name: str
    label: str
    chosen: bool
    fixed: bool
    note: str


def holders(studio: Studio, key: str, name: str) -> tuple[Holder, ...]:
    """Every permission set, with whether it names ``name`` under ``key`` (``apps``, ``tabs``)."""
    found = []
    for each in studio.drafting.all("permission_set"):
        shown = each.body.get(key, ())
        everything, built_in = "*" in shown, each.body.get("package") == BASE
        note = studio.s("audience.all") if everything else studio.s("audience.built_in") if built_in else ""
        found.append(
            Holder(
                each.name, studio.label(each), everything or name in shown, everything or built_in, note
            )
        )  # fmt: skip
    return tuple(found)


def shown_to(studio: Studio, key: str, name: str, wanted: Collection[str]) -> Sequence[Change]:
    """What makes exactly these permission sets name ``name`` under ``key``; those that are fixed stay."""
    found: list[Change] = []
    for holder in holders(studio, key, name):
        if holder.fixed or holder.chosen == (holder.name in wanted):
            continue
        document = dict(studio.drafting.get("permission_set", holder.name).document)
        rest = [each for each in document.get(key, ()) if each != name]
        document[key] = [*rest, name] if holder.name in wanted else rest
        if not document[key]:
            del document[key]
        found.append(Put(document))
    return found
