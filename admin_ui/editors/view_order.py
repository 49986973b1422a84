"""In which order the views of an object stand, and with which one it opens.

Each view keeps its own place, so that deleting or renaming one touches no other. The generated view of all
records has no document to keep one in: it stands at the place that a view has which says none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tabwright.admin_ui.editors.bench import Bench, Editor, Form
from tabwright.admin_ui.editors.list_views import GENERATED, PLACE, WAYS, arranged
from tabwright.admin_ui.navigation import path
from tabwright.metadata.drafts import Change, Put
from tabwright.metadata.tree import Key


def read(bench: Bench, form: Form) -> Sequence[Change]:
    """The views with the places that a form says; the object itself stays as it is."""
    found: list[Change] = [bench.changed({})]
    known = {each.local: each for each in arranged(bench.studio, bench.name) if each is not None}
    named = list(dict.fromkeys(form.getlist("views")))
    start = 1
    for name in [*named, *(each for each in known if each not in named)]:
        view = known.get(name)
        if view is None:
            start = PLACE + 1  # what follows the generated one
            continue
        body = {key: value for key, value in view.document.items() if key not in ("place", "default")}
        more: dict[str, Any] = {"default": True} if form.get("first") == name else {}
        found.append(Put({**body, **more, "place": start}))
        start += 1
    return found


def more(bench: Bench) -> dict[str, Any]:
    """What the page shows."""
    studio = bench.studio
    lines: list[tuple[str, str, str, tuple[str, ...], str]] = []
    icons, first = dict(WAYS), ""
    for each in arranged(studio, bench.name):
        if each is None:
            lines.append((GENERATED, studio.s("views.all"), icons["table"], ("views.generated_tag",), ""))
            continue
        body = each.body
        first = each.local if body.get("default") else first
        tags = ("views.limited",) if "shown_to" in body else ()
        way = body.get("way", "table")
        lines.append((each.local, studio.label(each), icons[way], tags, path("views", each.name)))
    return {"lines": lines, "first": first}


def owns(bench: Bench, key: Key) -> bool:
    """The views of the object."""
    return key[0] == "list_view" and key[1].partition(".")[0] == bench.name


EDITOR = Editor("object", "view-order", "view_order.html", read, more, owns=owns, is_page=False)
