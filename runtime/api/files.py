"""Files: upload first, then name them in a record's write; and the attachments of records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import marshmallow as ma
from marshmallow import fields, validate

from tabwright.metadata.model import FieldDef
from tabwright.platform.errors import Invalid, Malformed, NotFound, Place
from tabwright.runtime.api.answers import Answer
from tabwright.runtime.api.endpoints import SIGNED_IN, Asked, Endpoint, Upload, uuid_in
from tabwright.runtime.desk import Call
from tabwright.runtime.filing import serving
from tabwright.runtime.filing.attachments import MOST, Attachments
from tabwright.runtime.filing.pictures import SIZES
from tabwright.runtime.filing.rows import Stored
from tabwright.runtime.filing.service import FILE_TYPES, Files

_ATTACHED = "/objects/{object}/records/{id}/attachments"


class PreviewQuery(ma.Schema):
    size = fields.String(
        load_default="preview",
        validate=validate.OneOf(tuple(SIZES)),
        metadata={"description": "`thumb` (160 pixels) or `preview` (1280)."},
    )


class AttachBody(ma.Schema):
    files_ = fields.List(
        fields.String(validate=validate.Length(max=40)),
        data_key="files",
        required=True,
        validate=validate.Length(min=1, max=MOST),
        metadata={"description": "Ids of files that you uploaded."},
    )


class FileApi:
    """The endpoints of files."""

    def endpoints(self) -> tuple[Endpoint, ...]:
        tag = "files"
        return (
            Endpoint("POST", "/files", "upload_file", "Upload a file, to be named in a record's write",
                     SIGNED_IN, self.upload, tag, uploads="FileUpload", answers={201: "File"},
                     problems=(403, 413, 415, 422, 429)),
            Endpoint("GET", "/files/{id}", "get_file", "What a file holds, to be saved", SIGNED_IN,
                     self.content, tag, answers={200: ""}, text="*/*", problems=(404,)),
            Endpoint("GET", "/files/{id}/preview", "preview_file", "A picture of a file, made by the server",
                     SIGNED_IN, self.preview, tag, query=PreviewQuery, answers={200: "", 304: ""},
                     text="image/webp", problems=(404, 422)),
            Endpoint("DELETE", "/files/{id}", "discard_file", "Give up a file that is in no record yet",
                     SIGNED_IN, self.discard, tag, answers={204: ""}, problems=(404,)),
            Endpoint("GET", _ATTACHED, "list_attachments", "The attachments of a record, newest first",
                     SIGNED_IN, self.attachments, tag, answers={200: "Attachments"}, problems=(403, 404)),
            Endpoint("POST", _ATTACHED, "attach_files", "Attach uploaded files to a record", SIGNED_IN,
                     self.attach, tag, body=AttachBody, answers={200: "Attachments"}, replays=False,
                     problems=(403, 404, 409, 415, 422, 429)),
            Endpoint("DELETE", _ATTACHED + "/{file}", "detach_file", "Take an attachment away", SIGNED_IN,
                     self.detach, tag, answers={204: ""}, problems=(403, 404)),
            Endpoint("POST", _ATTACHED + "/{file}/restore", "restore_attachment",
                     "Bring a removed attachment back", SIGNED_IN, self.restore, tag, replays=False,
                     answers={200: "Attachments"}, problems=(403, 404)),
        )  # fmt: skip

    def upload(self, call: Call, asked: Asked) -> Answer:
        given: Upload = asked.body
        unknown = sorted(given.fields.keys() - {"object", "field"})
        if unknown:
            raise Malformed.of("api.parameter_unknown", Place(field=unknown[0][:80]), name=unknown[0][:80])
        stored = Files(call).upload(given.filename, given.content, self._field(call, given.fields))
        headers = {"Location": f"{asked.base}/files/{stored.id.hex}"}
        made = Answer.of(file_json(stored), 201)
        return Answer(made.status, made.body, headers)

    def _field(self, call: Call, given: Mapping[str, str]) -> FieldDef | None:
        """The field for which a file is meant, where that was said."""
        if "field" not in given:
            return None
        object = call.gate.object(given.get("object", ""))
        field = call.gate.resolve(object, given["field"]).field
        if field.type not in FILE_TYPES:
            raise Invalid.of("file.no_such_field", Place(field="field"), field=field.name)
        return field

    def content(self, call: Call, asked: Asked) -> Answer:
        files = Files(call)
        stored = files.get(_file(asked, "id"))
        return Answer(200, files.content(stored), serving.download(stored), serving.media_of(stored))

    def preview(self, call: Call, asked: Asked) -> Answer:
        files, size = Files(call), asked.query["size"]
        stored = files.get(_file(asked, "id"))
        headers = serving.picture(stored, size)
        if stored.pictured and asked.if_none_match == headers["ETag"]:
            return Answer(304, None, headers)
        return Answer(200, files.picture(stored, size), headers, headers["Content-Type"])

    def discard(self, call: Call, asked: Asked) -> Answer:
        Files(call).discard(_file(asked, "id"))
        return Answer(204)

    # ---- attachments -------------------------------------------------------------------------------

    def attachments(self, call: Call, asked: Asked) -> Answer:
        object, id = self._record(call, asked)
        found = Attachments(call).of(object, id)
        return Answer.of({"attachments": [file_json(each) for each in found]})

    def attach(self, call: Call, asked: Asked) -> Answer:
        object, id = self._record(call, asked)
        wanted = []
        for text in asked.body["files_"]:
            file = uuid_in(text)
            if file is None:
                raise Invalid.of("value.not_files", Place(field="files"))
            wanted.append(file)
        Attachments(call).add(object, id, wanted)
        return self.attachments(call, asked)

    def detach(self, call: Call, asked: Asked) -> Answer:
        object, id = self._record(call, asked)
        Attachments(call).remove(object, id, _file(asked, "file"))
        return Answer(204)

    def restore(self, call: Call, asked: Asked) -> Answer:
        object, id = self._record(call, asked)
        Attachments(call).restore(object, id, _file(asked, "file"))
        return self.attachments(call, asked)

    def _record(self, call: Call, asked: Asked) -> tuple[str, UUID]:
        object = call.gate.object(asked.path["object"])
        id = uuid_in(asked.path["id"])
        if id is None:
            place = Place(object=object.name, record=asked.path["id"][:80])
            raise NotFound.of("record.not_found", place, object=object.name)
        return object.name, id


def file_json(stored: Stored) -> dict[str, Any]:
    """A file as the API answers it."""
    return {
        **stored.ref.wire,
        "sha256": stored.sha256,
        "width": stored.width or None,
        "height": stored.height or None,
        "has_preview": stored.pictured,
        "uploaded_by": stored.uploaded_by,
        "uploaded_at": stored.uploaded_at,
    }


def _file(asked: Asked, name: str) -> UUID:
    id = uuid_in(asked.path[name])
    if id is None:
        raise NotFound.of("file.not_found", id=asked.path[name][:80])
    return id
