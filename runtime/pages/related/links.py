"""Many to many: existing records are linked to a record by a search, several at once, and let go again.

A link is a record of an object that stands between two others (decision 0021): it has exactly two
master-details and a unique rule over both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Flask, Response, request

from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.errors import NotFound, TabwrightError
from tabwright.platform.language import register_messages, say_fault
from tabwright.platform.web import policy, visit
from tabwright.runtime.desk import Call
from tabwright.runtime.pages import visiting
from tabwright.runtime.pages.lookups import Lookups
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.shell import plural, singular
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.world import Desk, Site, open_desk
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.batch import Intent

register_messages(Path(__file__).with_name("messages.json"))

MOST_LINKS = 10_000  # that are looked at to tell what is linked already


def far_end(object: ObjectDef, near: str) -> FieldDef | None:
    """The other end of a link object as seen from the lookup ``near``; None where it is none."""
    ends = [field for field in object.own_fields if field.type == "master_detail"]
    if len(ends) != 2 or near not in {field.name for field in ends}:
        return None
    names = {field.name for field in ends}
    if not any(set(rule.fields) == names and rule.needs is None for rule in object.unique_rules):
        return None
    return next(field for field in ends if field.name != near)


def may_link(call: Call, object: ObjectDef, near: str) -> FieldDef | None:
    """The far end where this person may make links, else None."""
    far = far_end(object, near)
    if far is None or not call.gate.may(object, "create"):
        return None
    target = call.model.objects.get(far.target or "")
    both = call.gate.can_edit(far) and call.gate.can_edit(object.fields[near])
    return far if both and target is not None and call.gate.may(target, "read") else None


@dataclass(frozen=True, slots=True)
class Candidate:
    id: UUID
    name: str
    hint: str
    linked: bool


@dataclass(frozen=True, slots=True)
class LinkPage:
    """The records that may be linked to ``name``."""

    object: ObjectDef
    plural: str
    name: str
    title: str
    far: ObjectDef
    far_plural: str
    action: str
    record_href: str
    q: str
    found: tuple[Candidate, ...]
    new_href: str | None
    new_label: str
    faults: tuple[str, ...] = ()


def register(app: Flask, site: Site) -> None:
    """Put the pages of links beside the record's."""
    links = Blueprint("links", __name__)

    @links.get("/o/<object>/<uuid:id>/links/<link>/<field>")
    @policy("session")
    def choose(object: str, id: UUID, link: str, field: str) -> Response:
        """Records to link, found by ``q``."""
        desk = open_desk(site, request, visit())
        ends = _ends(desk, object, id, link, field)
        return desk.page("link_add.html", ends.near.name, _page(ends))

    @links.post("/o/<object>/<uuid:id>/links/<link>/<field>")
    @policy("session")
    def add(object: str, id: UUID, link: str, field: str) -> Response:
        """Link the records ``id``; those that are linked by now stay as they are."""
        desk = open_desk(site, request, visit())
        return _add(_ends(desk, object, id, link, field))

    @links.post("/o/<object>/<uuid:id>/links/<link>/<field>/remove")
    @policy("session")
    def remove(object: str, id: UUID, link: str, field: str) -> Response:
        """Let one link (``id``) go; the records at its ends stay."""
        desk = open_desk(site, request, visit())
        ends = _ends(desk, object, id, link, field, adding=False)
        gone = visiting.as_uuid(request.form.get("id"))
        row = None if gone is None else desk.reads.get(ends.link.name, gone, ("id", ends.field.name))
        if row is None or row[ends.field.name] != id:
            raise NotFound.of("record.not_found", object=ends.link.name, id=request.form.get("id", "")[:80])
        saved = desk.records.delete(ends.link.name, row["id"])
        desk.flash("links.removed", undo=saved.operation)
        return redirect(f"/o/{ends.near.name}/{id}")

    app.register_blueprint(links)


@dataclass(frozen=True, slots=True)
class _Ends:
    desk: Desk
    near: ObjectDef
    row: Mapping[str, Any]
    link: ObjectDef
    field: FieldDef
    far: FieldDef
    target: ObjectDef

    @property
    def id(self) -> UUID:
        found: UUID = self.row["id"]
        return found

    @property
    def at(self) -> str:
        return f"/o/{self.near.name}/{self.id}/links/{self.link.name}/{self.field.name}"


def _ends(
    desk: Desk, object: str, id: UUID, link_name: str, field_name: str, *, adding: bool = True
) -> _Ends:
    call = desk.call
    near, link = desk.object(object), desk.object(link_name)
    field = call.gate.find(link, field_name)
    far = far_end(link, field.name) if field is not None else None
    target = call.model.objects.get(far.target or "") if far is not None else None
    if field is None or far is None or target is None or field.target != near.name:
        raise NotFound.of("record.not_found", object=link.name, id=field_name[:80])
    if adding:
        call.gate.require(link, "create")
        call.gate.require(target, "read")
    row = desk.reads.get(near.name, id, ("id", near.name_field))
    return _Ends(desk, near, row, link, field, far, target)


def _linked(ends: _Ends) -> set[UUID]:
    query = Query(ends.link.name, (ends.far.name,), parent=(ends.field.name, ends.id))
    rows = Reads(ends.desk.call).stretch(query, MOST_LINKS).rows
    return {row[ends.far.name] for row in rows if row[ends.far.name] is not None}


def _page(ends: _Ends, faults: tuple[str, ...] = ()) -> LinkPage:
    desk, call = ends.desk, ends.desk.call
    q = desk.request.values.get("q", "")[:200]
    linked = _linked(ends)
    options = Lookups(call, desk.reads, MOST_SHOWN).options(ends.far, q)
    name = visiting.name_of(call, ends.near, ends.row)
    t = text(call.language)
    back = urlencode({"_back": ends.at})
    return LinkPage(
        object=ends.near,
        plural=plural(ends.near, call.language),
        name=name,
        title=t("links.title", objects=plural(ends.target, call.language), name=name),
        far=ends.target,
        far_plural=plural(ends.target, call.language),
        action=ends.at,
        record_href=f"/o/{ends.near.name}/{ends.id}",
        q=q,
        found=tuple(Candidate(each.id, each.name, each.hint, each.id in linked) for each in options),
        new_href=f"/o/{ends.target.name}/new?{back}" if call.gate.may(ends.target, "create") else None,
        new_label=singular(ends.target, call.language),
        faults=faults,
    )


MOST_SHOWN = 30


def _add(ends: _Ends) -> Response:
    desk, call = ends.desk, ends.desk.call
    linked = _linked(ends)
    chosen = dict.fromkeys(visiting.as_uuid(each) for each in request.form.getlist("id"))
    fresh = [id for id in chosen if id is not None and id not in linked]
    if not fresh:
        nothing = text(call.language)("links.nothing")
        return desk.page("link_add.html", ends.near.name, _page(ends, (nothing,)), 422)
    intents = [Intent("create", values={ends.field.name: ends.id, ends.far.name: id}) for id in fresh]
    try:
        saved = desk.records.apply(ends.link.name, intents)
    except TabwrightError as error:
        told = tuple(dict.fromkeys(say_fault(each, call.language) for each in error.faults))
        return desk.page("link_add.html", ends.near.name, _page(ends, told), error.status)
    desk.flash("links.added", undo=saved.operation, count=len(fresh))
    return redirect(f"/o/{ends.near.name}/{ends.id}")
