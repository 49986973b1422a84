"""Files as people reach them: downloads, pictures, and the part of a record page that holds attachments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, request
from markupsafe import Markup

from tabwright.metadata.model import ObjectDef
from tabwright.platform.language import register_messages, say
from tabwright.platform.web import policy, visit
from tabwright.runtime.access import asking as access
from tabwright.runtime.desk import Call
from tabwright.runtime.filing import rows, serving
from tabwright.runtime.filing.names import size_text
from tabwright.runtime.filing.rows import Stored
from tabwright.runtime.filing.service import Files
from tabwright.runtime.forms import files as shown
from tabwright.runtime.forms.marks import SPRITE
from tabwright.runtime.pages.history import names_of, when_text
from tabwright.runtime.pages.preview import Reading
from tabwright.runtime.pages.world import Site, open_desk

register_messages(Path(__file__).with_name("file_messages.json"))

FEW = 8  # are shown at once, the others on demand


@dataclass(frozen=True, slots=True)
class Attached:
    """One attachment as the page lists it."""

    id: str
    face: Markup
    link: Markup
    name: str
    size: str
    who: str
    when: str
    iso: str


@dataclass(frozen=True, slots=True)
class AttachmentPart:
    """The part of a record page. ``href``: where files are attached, None for who may not."""

    files: Sequence[Attached]
    more: Sequence[Attached]
    count: int
    href: str | None
    words: Mapping[str, str]
    largest: str
    sprite: str


def register(app: Flask, site: Site) -> None:
    """Put ``/files`` beside the pages."""
    files = Blueprint("files", __name__)

    def given(id: UUID) -> tuple[Files, Stored]:
        found = Files(open_desk(site, request, visit()).call)
        return found, found.get(id)

    @files.get("/files/<uuid:id>")
    @policy("session")
    def content(id: UUID) -> Response:
        """The file itself, to be saved."""
        found, stored = given(id)
        return Response(found.content(stored), headers=serving.download(stored))

    @files.get("/files/<uuid:id>/<any(thumb, preview):size>")
    @policy("session")
    def picture(id: UUID, size: str) -> Response:
        """A picture of it that was made here."""
        found, stored = given(id)
        headers = serving.picture(stored, size)
        if stored.pictured and request.headers.get("If-None-Match") == headers["ETag"]:
            return Response(status=304, headers=headers)
        return Response(found.picture(stored, size), headers=headers)

    app.register_blueprint(files)


def attachment_part(
    call: Call, reads: Reading, object: ObjectDef, id: UUID, row: Mapping[str, Any]
) -> AttachmentPart:
    """The attachments of a record that was read."""
    with call.tenant.store.read() as reader:
        found = rows.attached_to(reader, object.uid, id)
    names = (
        names_of(call, reads, dict.fromkeys(("user", each.uploaded_by) for each in found)) if found else {}
    )
    zone, now = ZoneInfo(call.zone), call.clock.now()
    made = [
        Attached(
            each.id.hex,
            Markup(shown.face(each.ref, call.language)),
            Markup(shown.link(each.ref)),
            each.name,
            size_text(each.size),
            names.get(each.uploaded_by) or say("pages.record.somebody", {}, call.language),
            when_text(each.uploaded_at, now, zone, call.language),
            each.uploaded_at.astimezone(zone).isoformat(timespec="minutes"),
        )
        for each in found
    ]
    may = call.gate.may(object, "edit") and access.may(call, object, "edit", row)
    keys = ("sending", "away", "attached", "deleted", "restore", "wait")
    return AttachmentPart(
        made[:FEW],
        made[FEW:],
        len(made),
        f"/api/v1/objects/{object.name}/records/{id.hex}/attachments" if may else None,
        {key: say(f"pages.file.{key}", {"name": "{name}"}, call.language) for key in keys},
        size_text(call.tenant.limits.file_bytes),
        SPRITE,
    )
