"""Records that may be the one somebody is typing in as new (UX14): by name, phone, e-mail, unique fields.

Everything is found by the read path in the person's own name, so that what they may not see is not hinted at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from flask import Blueprint, Flask, Response, request

from tabwright.formula.lexer import quote
from tabwright.metadata.model import FieldDef, ObjectDef, label_in
from tabwright.platform.errors import Invalid
from tabwright.platform.web import policy, visit
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.pages import visiting
from tabwright.runtime.pages.rendering import render
from tabwright.runtime.pages.world import Desk, Site, open_desk
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.options import MAX_TEXT, lookup_options
from tabwright.runtime.records.values import Refused, converter
from tabwright.runtime.search.querying import search

MOST: Final = 5
LEAST: Final = 2  # characters of a name, before it says anything
_TEXTS: Final = ("text", "phone", "email", "url")


@dataclass(frozen=True, slots=True)
class Alike:
    """A record that may be the same; ``owner`` is "" where that may not be known."""

    href: str
    name: str
    owner: str


def checked(gate: Gate, object: ObjectDef) -> tuple[str, ...]:
    """The fields whose text is looked up while it is typed: readable, not masked."""
    if not gate.may(object, "read"):
        return ()
    return tuple(
        field.name
        for field in gate.readable(object)
        if field.type in _TEXTS
        and field.mask is None
        and (field.name == object.name_field or field.type in ("phone", "email") or field.unique)
    )


def register(app: Flask, site: Site) -> None:
    """Put ``/alike`` beside the form of a new record."""
    pages = Blueprint("alike", __name__)

    @pages.get("/o/<object>/alike")
    @policy("session")
    def alike(object: str) -> Response:
        """Records like the one being typed: ``field`` and its ``text``; HTML, empty where there are none."""
        desk = open_desk(site, request, visit())
        found = desk.object(object)
        desk.call.gate.require(found, "create")
        desk.call.gate.require(found, "read")
        name, text = request.args.get("field", ""), request.args.get("text", "").strip()[:MAX_TEXT]
        if name not in checked(desk.call.gate, found):
            raise Invalid.of("field.unknown", path=name[:80])
        field = found.fields[name]
        rows = _found(desk, found, field, text) if text else ()
        label = label_in(field.labels, desk.call.language)
        html = render("alike.html", desk.look, {"rows": rows, "label": label})
        return Response(html, content_type="text/html; charset=utf-8")

    app.register_blueprint(pages)


def _found(desk: Desk, object: ObjectDef, field: FieldDef, text: str) -> tuple[Alike, ...]:
    if field.name == object.name_field:
        return _by_name(desk, object, text)
    try:
        value = converter(field, desk.call.zone)(text)
    except Refused:  # not all of it is typed yet
        return ()
    if not isinstance(value, str):
        return ()
    return _shown(desk, object, f"{field.name} = {quote(value)}")


def _by_name(desk: Desk, object: ObjectDef, text: str) -> tuple[Alike, ...]:
    if len(text) < LEAST:
        return ()
    ids: dict[UUID, None] = dict.fromkeys(
        each.id for each in lookup_options(desk.call, object.name, text, MOST)
    )
    if len(ids) < MOST and object.fields[object.name_field].searchable:
        ids.update(dict.fromkeys(hit.id for hit in search(desk.call, text, [object.name], MOST)))
    if not ids:
        return ()
    either = " || ".join(f"id = {quote(str(id))}" for id in list(ids)[:MOST])
    shown = {each.href: each for each in _shown(desk, object, either)}
    return tuple(shown[href] for id in ids if (href := f"/o/{object.name}/{id}") in shown)


def _shown(desk: Desk, object: ObjectDef, where: str) -> tuple[Alike, ...]:
    paths = ["id", object.name_field]
    try:
        paths.append(desk.call.gate.resolve(object, "owner.name").text)
    except Invalid:
        pass
    rows = desk.reads.list(Query(object.name, fields=tuple(paths), where=where, limit=MOST)).rows
    return tuple(
        Alike(
            f"/o/{object.name}/{row['id']}",
            visiting.name_of(desk.call, object, row),
            str(row.get("owner.name") or ""),
        )
        for row in rows
    )
