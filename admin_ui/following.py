"""What is called as an object follows when the object is called something else: its plural and its tabs.

Only what still says what it was given stays in step; a word that somebody chose is theirs.
"""

from __future__ import annotations

from typing import Any

from tabwright.admin_ui.names import plural_of
from tabwright.admin_ui.studio import Studio
from tabwright.metadata.documents import Component
from tabwright.metadata.drafts import Change, Put


def follow(studio: Studio, before: Component, document: dict[str, Any]) -> list[Change]:
    """Bring the plural in ``document`` (an object as it will be) into step; the tabs that go with it."""
    was, now = before.body.get("label", {}), document.get("label", {})
    if was == now or not now:
        return []
    many_was, many_now = plural_of(was), plural_of(now)
    if document.get("plural", was) in (was, many_was):
        document.pop("plural", None)
        if many_now != now:
            document["plural"] = many_now
    names = (was, many_was, before.body.get("plural", was))
    return [
        Put({**each.document, "label": document.get("plural", now)})
        for each in studio.drafting.all("tab")
        if each.body.get("object") == before.name and each.body.get("label") in names
    ]
