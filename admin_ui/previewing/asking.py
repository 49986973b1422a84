"""What a preview is asked for: an object, a person, a record; with what may be chosen for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import request

from tabwright.admin_ui import choosing
from tabwright.admin_ui.studio import Studio
from tabwright.metadata.model import Model, ObjectDef
from tabwright.platform.errors import TabwrightError
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.forms.entry import Option
from tabwright.runtime.pages.preview import object_now
from tabwright.runtime.pages.seeing_as import VIEW_AS, Look, Show, desk_as, person_of
from tabwright.runtime.pages.visiting import as_uuid
from tabwright.runtime.query.asked import Query


@dataclass(frozen=True, slots=True)
class Asked:
    """What stands in the pickers. ``record`` is None where there is none yet; ``unknown`` what was typed and
    names nothing.
    """

    object: ObjectDef
    person: UUID
    person_name: str
    record: UUID | None
    record_name: str
    show: Show
    is_phone: bool
    layout: str  # the full name of the layout that is being edited, "" for none
    unknown: str = ""


def may_choose_person(studio: Studio) -> bool:
    """Whether this person may look as others do."""
    return studio.call.gate.has(VIEW_AS)


def objects(studio: Studio, model: Model) -> tuple[ObjectDef, ...]:
    """The objects to choose from: the organisation's own first."""
    return tuple(sorted(model.objects.values(), key=lambda each: each.package == BASE))


def read(studio: Studio, model: Model) -> Asked:
    """The address. Without a person it is who asks, without a record the one changed last that both see."""
    args, call = request.args, studio.call
    object = model.find(args.get("object", "").lower()) or _first(studio, model)
    person, unknown = as_uuid(args.get("as")), ""
    if person is None and args.get("as.text"):
        found = people(studio, args["as.text"])
        person, unknown = (found[0].id, "") if found else (None, args["as.text"][:80])
    if not may_choose_person(studio):
        person = None
    who = person or call.principal.user_id
    record = as_uuid(args.get("record"))
    if record is None and args.get("record.text"):
        known = records(studio, object, args["record.text"])
        record, unknown = (known[0].id, unknown) if known else (None, args["record.text"][:80])
    if record is None and not unknown:
        record = _newest(studio, model, object, who)
    return Asked(
        object,
        who,
        studio.people([who]).get(who, "") or call.principal.name,
        record,
        _name(studio, object, record),
        "form" if args.get("show") == "form" else "record",
        args.get("width") == "phone",
        args.get("layout", "")[:160],
        unknown,
    )


def look_of(studio: Studio, asked: Asked) -> Look:
    """Raises Denied without the right to look as that person, NotFound where nobody is."""
    assert asked.record is not None
    return Look(person_of(studio.desk, asked.person), asked.object, asked.record, asked.show)


def people(studio: Studio, text: str) -> Sequence[Option]:
    """People whose name fits."""
    return choosing.records(studio, [studio.call.model.objects["user"]], text)


def records(studio: Studio, object: ObjectDef, text: str) -> Sequence[Option]:
    """Records of an object of the draft that fit."""
    return choosing.records(studio, [object], text)


def _first(studio: Studio, model: Model) -> ObjectDef:
    """The object that the draft changes, else the first of one's own."""
    changed = {each.component.name.partition(".")[0] for each in studio.drafting.draft.differences}
    known = objects(studio, model)
    return next((each for each in known if each.name in changed), known[0])


def _newest(studio: Studio, model: Model, object: ObjectDef, who: UUID) -> UUID | None:
    """The record changed last that both may see."""
    theirs = desk_as(studio.desk, model, person_of(studio.desk, who))
    if not theirs.call.gate.may(object, "read"):
        return None
    query = Query(object.name, ("id",), order=(("updated_at", "desc"),), limit=1)
    rows = theirs.reads.list(query).rows
    return rows[0]["id"] if rows else None


def _name(studio: Studio, object: ObjectDef, record: UUID | None) -> str:
    now = object_now(object, studio.call.model)
    if now is None or record is None:
        return ""
    try:
        row = studio.desk.reads.get(now.name, record, (now.name_field,))
    except TabwrightError:
        return ""
    return str(row.get(now.name_field) or "") or studio.s("preview.record")
