"""Objects and their records: describe, list, get, create, change, delete, bulk, aggregate, history."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.database import Reader, Writer
from tabwright.platform.errors import Fault, Invalid, Malformed, NotFound, Place, Stale
from tabwright.platform.settings import Limits
from tabwright.runtime.api import lines
from tabwright.runtime.api.answers import Answer
from tabwright.runtime.api.bulk import answer_of, answer_with_lines, intents_of
from tabwright.runtime.api.endpoints import SIGNED_IN, Asked, Endpoint, uuid_in
from tabwright.runtime.api.record_schema import describe
from tabwright.runtime.api.shapes import (
    AggregateBody,
    BulkBody,
    HistoryQuery,
    ListQuery,
    OptionsQuery,
    RecordQuery,
    SearchQuery,
    WriteQuery,
)
from tabwright.runtime.desk import Call
from tabwright.runtime.journal.asof import as_of, moment_of, own_fields
from tabwright.runtime.journal.reading import history_page
from tabwright.runtime.query.aggregate import aggregate
from tabwright.runtime.query.asked import Aggregation, GroupBy, Measure, Query
from tabwright.runtime.query.options import lookup_options
from tabwright.runtime.query.page import Record
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.query.rows import RowShape
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.rules import tokens_in
from tabwright.runtime.records.service import Records
from tabwright.runtime.records.together import Family
from tabwright.runtime.search.everywhere import search_everywhere
from tabwright.runtime.storage.columns import encode
from tabwright.runtime.unmasking import unmask

_tag = re.compile(r'(?:W/)?"r(\d{1,18})-[0-9a-f]{16}"')
_rights = {
    "create": ("create",), "update": ("edit",), "upsert": ("create", "edit"), "delete": ("delete",),
}  # fmt: skip


class StaleRecord(Stale):
    """If-Match does not match; ``more`` holds the present record for the problem document."""

    more: Mapping[str, Any]

    def __init__(self, faults: Sequence[Fault], current: bytes) -> None:
        super().__init__(faults)
        self.more = {"current": msgspec.Raw(current)}


class RecordApi:
    """The endpoints of objects and records, with the operator's limits."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def endpoints(self) -> tuple[Endpoint, ...]:
        one, many = "/objects/{object}/records/{id}", "/objects/{object}/records"
        tag = "records"
        return (
            Endpoint("GET", "/objects", "list_objects", "Objects that you may read", SIGNED_IN,
                     self.list_objects, "objects", answers={200: "Objects"}),
            Endpoint("GET", "/objects/{object}", "describe_object", "One object: fields, rights, schema",
                     SIGNED_IN, self.describe_object, "objects", answers={200: "Description"},
                     problems=(404,)),
            Endpoint("GET", many, "list_records", "A page of records", SIGNED_IN, self.list_records, tag,
                     query=ListQuery, answers={200: "Page"}, problems=(403, 404, 422)),
            Endpoint("POST", many, "create_record", "Make a record", SIGNED_IN, self.create_record, tag,
                     query=WriteQuery, takes_json=True, body_schema="Values", answers={201: "Record"},
                     problems=(403, 404, 409, 415, 422, 429)),
            Endpoint("GET", one, "get_record", "One record", SIGNED_IN, self.get_record, tag,
                     query=RecordQuery, answers={200: "Record", 304: ""}, problems=(403, 404, 422)),
            Endpoint("PATCH", one, "update_record", "Change the fields that are sent", SIGNED_IN,
                     self.update_record, tag, query=WriteQuery, takes_json=True, body_schema="Values",
                     answers={200: "Record"}, problems=(403, 404, 409, 412, 415, 422, 429)),
            Endpoint("DELETE", one, "delete_record", "Into the recycle bin", SIGNED_IN, self.delete_record,
                     tag, answers={204: ""}, problems=(403, 404, 409, 412, 422, 429)),
            Endpoint("GET", one + "/history", "record_history", "The changes of a record, newest first",
                     SIGNED_IN, self.record_history, tag, query=HistoryQuery, answers={200: "History"},
                     problems=(403, 404)),
            Endpoint("POST", many + "/bulk", "bulk", "Many records at once", SIGNED_IN, self.bulk, tag,
                     body=BulkBody, answers={200: "BulkResult"},
                     problems=(403, 404, 409, 412, 415, 422, 429)),
            Endpoint("POST", "/objects/{object}/aggregate", "aggregate", "Group records and compute",
                     SIGNED_IN, self.aggregate, tag, body=AggregateBody, answers={200: "Groups"},
                     problems=(403, 404, 415, 422), replays=False),
            Endpoint("GET", "/objects/{object}/options", "lookup_options", "Records to choose in a lookup",
                     SIGNED_IN, self.options, tag, query=OptionsQuery, answers={200: "Options"},
                     problems=(403, 404, 422)),
            Endpoint("GET", "/search", "search", "Records by what they, their comments and attachments hold",
                     SIGNED_IN, self.search, tag, query=SearchQuery, answers={200: "Hits"},
                     problems=(404, 422)),
        )  # fmt: skip

    # ---- objects -----------------------------------------------------------------------------------

    def list_objects(self, call: Call, asked: Asked) -> Answer:
        objects = [
            {
                "name": each.name,
                "label": dict(each.labels),
                "plural": dict(each.plural),
                "icon": each.icon,
                "operations": call.gate.operations(each),
            }
            for each in call.gate.objects()
        ]
        return Answer.of({"objects": objects})

    def describe_object(self, call: Call, asked: Asked) -> Answer:
        object = call.gate.object(asked.path["object"])
        return Answer.of({**describe(call.gate, object), "lines": lines.described(call.gate, object)})

    # ---- reading -----------------------------------------------------------------------------------

    def list_records(self, call: Call, asked: Asked) -> Answer:
        given = asked.query
        if given.get("as_of") is not None:
            raise Invalid.of("journal.lists", Place(field="as_of"))
        query = Query(
            asked.path["object"],
            given.get("fields_", ()),
            given.get("where"),
            given.get("order", ()),
            given.get("limit"),
            given.get("cursor"),
            given["count"],
        )
        return Answer(200, Reads(call).list(query).json())

    def get_record(self, call: Call, asked: Asked) -> Answer:
        if asked.query.get("as_of") is not None:
            return self._past_record(call, asked)
        if asked.query.get("unmask"):
            return self._unmasked(call, asked)
        record = self._record(
            call, asked.path["object"], self._id(call, asked), asked.query.get("fields_", ())
        )
        tag, body = _etag(call, record)
        if asked.if_none_match is not None and _any_tag(asked.if_none_match, tag):
            return Answer(304, None, {"ETag": tag})
        return Answer(200, body, {"ETag": tag})

    def _unmasked(self, call: Call, asked: Asked) -> Answer:
        """The record with some masked fields whole. Never from a cache: each look is noted."""
        object, id = call.gate.object(asked.path["object"]), self._id(call, asked)
        whole = unmask(call, object, id, asked.query["unmask"])
        record = self._record(call, object.name, id, asked.query.get("fields_", ()))
        _, body = _etag(call, record)
        shown = {**msgspec.json.decode(body, type=dict[str, msgspec.Raw]), **whole}
        return Answer(200, encode(shown), {"Cache-Control": "no-store"})

    def _past_record(self, call: Call, asked: Asked) -> Answer:
        object, id = call.gate.object(asked.path["object"]), self._id(call, asked)
        at = moment_of(asked.query["as_of"], ZoneInfo(call.zone))
        names = own_fields(call, object, asked.query.get("fields_", ()))
        past = as_of(call, object.name, id, at)
        table = call.tables.of(object)
        codecs = [table.codec(name) for name in names]
        values = [_outside(object, name, past.values[name]) for name in names]
        stored = [codec.to_storage(value) for value, codec in zip(values, codecs, strict=True)]
        return Answer(200, encode(RowShape(names, codecs).wire([tuple(stored)])[0]))

    def record_history(self, call: Call, asked: Asked) -> Answer:
        entries, cursor = history_page(
            call, asked.path["object"], self._id(call, asked), asked.query["limit"], asked.query.get("cursor")
        )
        object = call.gate.object(asked.path["object"])
        table = call.tables.of(object)

        def wire(name: str, value: Any) -> Any:
            """As a record's own values are answered."""
            codec = table.codec(name)
            return codec.to_wire(codec.to_storage(_outside(object, name, value)))

        return Answer.of(
            {
                "history": [
                    {
                        "operation": each.operation_id,
                        "at": each.at,
                        "by": each.principal_id,
                        "by_kind": each.principal_kind,
                        "cause": each.cause,
                        "release": each.release,
                        "revision": each.revision,
                        "action": each.action,
                        "fields": [
                            {"field": f.field, "old": wire(f.field, f.old), "new": wire(f.field, f.new)}
                            for f in each.fields
                        ],
                    }
                    for each in entries
                ],
                "next_cursor": cursor,
            }
        )

    def options(self, call: Call, asked: Asked) -> Answer:
        field = self._lookup(call, asked.query["for_"]) if "for_" in asked.query else None
        found = lookup_options(call, asked.path["object"], asked.query["q"], asked.query["limit"], field)
        return Answer.of({"options": [{"id": each.id, "name": each.name} for each in found]})

    def _lookup(self, call: Call, path: str) -> FieldDef:
        object, _, name = path.partition(".")
        field = call.gate.resolve(call.gate.object(object), name).field
        if not field.is_reference:
            raise Invalid.of("query.not_a_lookup", Place(field=path), path=path)
        return field

    def search(self, call: Call, asked: Asked) -> Answer:
        found = search_everywhere(call, asked.query["q"], asked.query.get("objects"), asked.query["limit"])
        hits = []
        for each in found:
            hit: dict[str, Any] = {"object": each.hit.object, "id": each.hit.id, "name": each.hit.name}
            if each.note is not None:
                hit["beside"] = {"kind": each.note.kind, "id": each.note.id, "text": each.note.text}
            hits.append(hit)
        return Answer.of({"hits": hits})

    def aggregate(self, call: Call, asked: Asked) -> Answer:
        body = asked.body
        measures = tuple(Measure(**each) for each in body.get("measures", ()))
        wanted = Aggregation(
            asked.path["object"],
            tuple(GroupBy(**each) for each in body.get("group", ())),
            measures or (Measure("count", None, "count"),),
            body.get("where"),
            body.get("having"),
            body.get("order", ()),
            body["limit"],
        )
        return Answer(200, aggregate(call, wanted).json())

    # ---- writing -----------------------------------------------------------------------------------

    def create_record(self, call: Call, asked: Asked) -> Answer:
        object = self._object(call, asked, "create")
        call = call.confirming(tokens_in(asked.query["confirm"]))
        family = self._family(call, object, Intent("create"), asked.body)
        with call.tenant.store.write() as writer:
            answer = self._written(call, asked, object, family, writer, created=True)
            asked.keep(writer, answer)
        return answer

    def update_record(self, call: Call, asked: Asked) -> Answer:
        object = self._object(call, asked, "edit")
        id = self._id(call, asked)
        call = call.confirming(tokens_in(asked.query["confirm"]))
        revision = self._expected(call, asked, object, id)
        family = self._family(call, object, Intent("update", id, revision=revision), asked.body)
        try:
            with call.tenant.store.write() as writer:
                return self._written(call, asked, object, family, writer)
        except Stale as stale:
            raise self._with_current(call, object, id, stale) from None

    def delete_record(self, call: Call, asked: Asked) -> Answer:
        object = self._object(call, asked, "delete")
        id = self._id(call, asked)
        try:
            Records(call).delete(object.name, id, self._expected(call, asked, object, id))
        except Stale as stale:
            raise self._with_current(call, object, id, stale) from None
        return Answer(204)

    def bulk(self, call: Call, asked: Asked) -> Answer:
        body = asked.body
        action = body["action"]
        found = call.gate.object(asked.path["object"])
        for right in _rights[action]:
            call.gate.require(found, right)
        self._count(len(body["records"]), "/records")
        intents = intents_of(action, body["records"], body.get("key"))
        families = self._families(call, found, intents)
        with call.tenant.store.write() as writer:
            confirming = call.because("bulk").confirming(tokens_in(" ".join(body["confirm"])))
            records, per_row = Records(confirming), not body["all_or_nothing"]
            if any(each.lines for each in families):
                answer = answer_with_lines(
                    call, found, families, records.save_in(writer, found, families, per_row=per_row)
                )
            else:
                answer = answer_of(call, records.apply_in(writer, found, intents, per_row=per_row))
            asked.keep(writer, answer)
        return answer

    # ---- inside ------------------------------------------------------------------------------------

    def _object(self, call: Call, asked: Asked, right: str) -> ObjectDef:
        found = call.gate.object(asked.path["object"])
        call.gate.require(found, right)
        return found

    def _family(self, call: Call, object: ObjectDef, head: Intent, body: Any) -> Family:
        values, wanted = lines.split(call.gate, object, _values(body), "")
        self._count(sum(len(each.intents) for each in wanted), f"/{lines.KEY}")
        return Family(replace(head, values=values), wanted)

    def _families(self, call: Call, object: ObjectDef, intents: Sequence[Intent]) -> list[Family]:
        families, faults = [], []
        for number, intent in enumerate(intents):
            try:
                values, wanted = lines.split(call.gate, object, intent.values, f"/records/{number}")
            except Malformed as error:
                faults += [Fault(f.code, f.params, replace(f.place, row=number + 1)) for f in error.faults]
                continue
            families.append(Family(replace(intent, values=values), wanted) if wanted else Family(intent))
        if faults:
            raise Malformed(faults[:1000])
        self._count(sum(1 + sum(len(some.intents) for some in each.lines) for each in families), "/records")
        return families

    def _count(self, rows: int, pointer: str) -> None:
        if rows > self._limits.bulk_rows:
            raise Invalid.of("api.bulk_rows", Place(pointer=pointer), limit=self._limits.bulk_rows)

    def _id(self, call: Call, asked: Asked) -> UUID:
        object = call.gate.object(asked.path["object"])  # an unknown object is told before an unknown record
        id = uuid_in(asked.path["id"])
        if id is None:
            record = asked.path["id"][:80]
            raise NotFound.of(
                "record.not_found", Place(object=object.name, record=record), object=object.name
            )
        return id

    def _record(
        self, call: Call, object: str, id: UUID, fields: Sequence[str] = (), reader: Reader | None = None
    ) -> Record:
        return Reads(call).record(object, id, fields, reader)

    def _written(
        self,
        call: Call,
        asked: Asked,
        object: ObjectDef,
        family: Family,
        writer: Writer,
        created: bool = False,
    ) -> Answer:
        """Write a record, with its lines where there are any. The answer is the record as it stands then,
        with its tag, and what became of the lines.
        """
        records, more = Records(call), {}
        if family.lines:
            saved = records.save_in(writer, object, (family,))
            head = saved.heads[0]
            more = {lines.KEY: lines.told(call.gate, object, family.lines, saved.lines[0])}
        else:
            head = records.apply_in(writer, object, (family.head,)).rows[0]
        assert head.id is not None
        status, headers = 200, {}
        if created:
            status = 201
            headers["Location"] = f"{asked.base}/objects/{object.name}/records/{head.id.hex}"
        try:
            record = self._record(call, object.name, head.id, (), writer)
        except NotFound:  # written, but not to be seen by whoever wrote it
            return Answer.of({"id": head.id, "revision": head.revision, **more}, status, headers)
        tag, body = _etag(call, record)
        if more:
            body = encode({**msgspec.json.decode(body, type=dict[str, msgspec.Raw]), **more})
        return Answer(status, body, {**headers, "ETag": tag})

    def _expected(self, call: Call, asked: Asked, object: ObjectDef, id: UUID) -> int | None:
        """The revision that If-Match names; None where there is no such header, or any will do."""
        header = asked.if_match
        if header is None or header.strip() == "*":
            return None
        revisions = [
            int(found.group(1)) for part in header.split(",") if (found := _tag.fullmatch(part.strip()))
        ]
        if len(revisions) == 1:
            return revisions[0]
        present = self._record(call, object.name, id).revision
        if present not in revisions:
            place = Place(object=object.name, record=id.hex)
            raise self._with_current(call, object, id, Stale.of("api.stale", place))
        return present

    def _with_current(self, call: Call, object: ObjectDef, id: UUID, stale: Stale) -> StaleRecord:
        return StaleRecord(stale.faults, self._record(call, object.name, id).json())


def _outside(object: ObjectDef, name: str, value: Any) -> Any:
    """A stored value as others know it: a record type by its name."""
    if object.fields[name].type != "record_type" or value is None:
        return value
    return next((each.name for each in object.record_types.values() if each.uid == value), None)


def _etag(call: Call, record: Record) -> tuple[str, bytes]:
    """The record's tag: its revision, and a digest of body and release, since names of lookups may change."""
    body = record.json()
    digest = hashlib.sha256(b"%d %s " % (call.model.release, record.footprint.encode()) + body).hexdigest()[
        :16
    ]
    return f'"r{record.revision or 0}-{digest}"', body


def _any_tag(header: str, tag: str) -> bool:
    return header.strip() == "*" or tag in {part.strip().removeprefix("W/") for part in header.split(",")}


def _values(body: Any) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise Malformed.of("api.not_an_object", Place(pointer=""))
    return body
