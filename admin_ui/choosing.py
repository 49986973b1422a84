"""Records to choose from in Studio: those of the release in force, for objects that the draft names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flask import Response, request

from tabwright.admin_ui.studio import Studio
from tabwright.metadata.model import ObjectDef
from tabwright.runtime.forms.entry import Option
from tabwright.runtime.pages import lookups
from tabwright.runtime.pages.preview import object_now
from tabwright.runtime.pages.rendering import render
from tabwright.runtime.pages.shell import singular
from tabwright.runtime.query.options import MAX_TEXT, lookup_options
from tabwright.runtime.search.querying import search

MOST = lookups.OPTIONS


def records(studio: Studio, objects: Iterable[ObjectDef], text: str) -> Sequence[Option]:
    """Records of objects of the draft whose name fits, then what the global search finds; none of an object
    that no release has, or that this person may not read. Of several objects each record says its kind.
    """
    call = studio.call
    known = [now for each in objects if (now := object_now(each, call.model)) and call.gate.may(now, "read")]
    found: dict[object, Option] = {}
    for object in known:
        kind = singular(object, call.language) if len(known) > 1 else ""
        for each in lookup_options(call, object.name, text[:MAX_TEXT], MOST):
            if each.name:
                found.setdefault(each.id, Option(each.id, each.name, kind))
        if text.strip() and len(found) < MOST:
            for hit in search(call, text[:MAX_TEXT], [object.name], MOST):
                found.setdefault(hit.id, Option(hit.id, hit.name, kind))
    return list(found.values())[: MOST * max(1, len(known))]


def offered(studio: Studio, found: Sequence[Option], text: str, *, people: bool = False) -> Response:
    """The options of a picker, as a lookup of the pages shows them."""
    context = {
        "options": lookups.shown(found, text),
        "prefix": request.args.get("prefix", "x")[:20],
        "people": people,
        "new": None,
    }
    html = render("lookup.html", studio.desk.look, context)
    return Response(html, content_type="text/html; charset=utf-8", headers={"Cache-Control": "no-store"})
