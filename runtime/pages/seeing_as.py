"""A record as somebody else will see it under a draft: the real page, of which nothing is written.

Who looks sees what the other one will see, and never more than they may see themselves: the page asks the
other's rights by the draft, every read asks both (``JointGate``). Each look stands in the journal, and the
other person is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response

from tabwright.metadata.model import Model, ObjectDef
from tabwright.platform.errors import Denied, NotFound
from tabwright.runtime.access import principals
from tabwright.runtime.access.asking import may
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.joint import JointGate
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.journal.writing import record_event
from tabwright.runtime.pages.preview import PreviewReads, marks
from tabwright.runtime.pages.record_page import read_record, record_page
from tabwright.runtime.pages.rendering import render, text
from tabwright.runtime.pages.saving import form_to_look_at
from tabwright.runtime.pages.world import Desk
from tabwright.runtime.personal.notices import notify
from tabwright.runtime.query.reads import Reads

VIEW_AS = "manage_users"  # the right to look as others do
Show = Literal["record", "form"]


def person_of(desk: Desk, id: UUID) -> Principal:
    """Who signs in as that user now. Raises Denied for others without the right, NotFound for nobody."""
    call = desk.call
    if id == call.principal.user_id:
        return call.principal
    call.gate.require_right(VIEW_AS)
    with call.tenant.store.read() as reader:
        found = principals.load_many(call.tenant, reader, call.model, (id,), call.clock.now())
    if id not in found:
        raise NotFound.of("record.not_found", object="user")
    return found[id]


def desk_as(desk: Desk, draft: Model, person: Principal) -> Desk:
    """The desk as somebody sits at it under a draft's model; reads answer what both may see."""
    mine, theirs = desk.call, Gate(draft, person)
    both = replace(mine, principal=person, gate=JointGate(mine.gate, theirs), zone=person.zone)
    return replace(
        desk,
        call=replace(both, model=draft, gate=theirs),
        reads=PreviewReads(Reads(both), draft, both.gate),
        marks=marks(draft, mine.model),
        is_preview=True,
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """What stands above the page. ``lead`` is where links to other records lead, with a query begun."""

    tag: str
    title: str
    note: str
    nothing: str
    lead: str


@dataclass(frozen=True, slots=True)
class Look:
    """One look: as whom, at which record, at its page or its form."""

    person: Principal
    object: ObjectDef  # as the draft knows it
    record: UUID
    show: Show


def page_of(desk: Desk, theirs: Desk, look: Look, seen: Seen) -> Response:
    """The page in a frame of its own. ``desk`` is of who looks, ``theirs`` what ``desk_as`` made of it."""
    said = text(desk.call.language)
    page: Any
    template = "framed.html"
    try:
        theirs.object(look.object.name)
        if look.show == "form":
            row = read_record(theirs.call, theirs.reads, look.object, look.record)
            if not may(theirs.call, look.object, "edit", row):
                raise theirs.call.gate.denied(look.object, "edit")
            page, template = form_to_look_at(theirs, look.object, look.record), "form.html"
        else:
            page = record_page(
                theirs.call, theirs.reads, look.object, look.record, None, theirs.marks, is_preview=True
            )  # fmt: skip
            template = "record.html"
    except NotFound:
        page = said("seen_as.hidden", who=look.person.name)
    except Denied:
        page = said("seen_as.not_editable", who=look.person.name)
    else:
        _told(desk, look)
    return _framed(desk, template, {"page": page, "seen": seen})


def _framed(desk: Desk, template: str, context: Mapping[str, Any]) -> Response:
    shell = replace(desk.shell("studio"), new_field=False)
    html = render(template, desk.look, {"shell": shell, "around": "pages/framed.html", **context})
    response = Response(html, content_type="text/html; charset=utf-8")
    response.headers["Content-Language"] = desk.look.html_lang
    return response


def _told(desk: Desk, look: Look) -> None:
    """The journal says who looked as whom; the other person hears of it, once a day for each object."""
    call = desk.call
    if look.person.user_id == call.principal.user_id:
        return
    about = {"as": look.person.user_id.hex, "object": look.object.uid, "record": look.record.hex}
    now = call.clock.now()
    day = now.astimezone(ZoneInfo(call.zone)).date().isoformat()
    by = {"by": str(call.principal.user_id)}
    with call.tenant.store.write() as writer:
        record_event(call, writer, "view", about)
        notify(
            writer, (look.person.user_id,), "preview", by, look.object.uid, None, now,
            group=f"{call.principal.user_id}:{day}",
        )  # fmt: skip
