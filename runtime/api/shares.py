"""With whom a record is shared, and its team."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from tabwright.metadata.model import ObjectDef
from tabwright.platform.errors import NotFound, Place
from tabwright.runtime.access.share_rows import Share, Terms, Whom
from tabwright.runtime.access.sharing import Shares
from tabwright.runtime.api.answers import Answer
from tabwright.runtime.api.endpoints import SIGNED_IN, Asked, Endpoint, uuid_in
from tabwright.runtime.api.shapes import ShareBody, SharesBody, TakeBackBody
from tabwright.runtime.desk import Call
from tabwright.runtime.query.naming import named

_MANY = "/objects/{object}/records/{id}/shares"


class ShareApi:
    """The endpoints of shares."""

    def endpoints(self) -> tuple[Endpoint, ...]:
        all, tag = "/objects/{object}/shares", "sharing"
        return (
            Endpoint("GET", _MANY, "list_shares", "With whom a record is shared now, its team first",
                     SIGNED_IN, self.list_shares, tag, answers={200: "Shares"}, problems=(403, 404)),
            Endpoint("POST", _MANY, "share_record", "Share a record, or change on what terms", SIGNED_IN,
                     self.share_record, tag, body=ShareBody, answers={200: "Shared"}, replays=False,
                     problems=(403, 404, 415, 422, 429)),
            Endpoint("DELETE", _MANY + "/{grantee}", "unshare_record", "Take a share back", SIGNED_IN,
                     self.unshare_record, tag, answers={204: ""}, problems=(403, 404, 422)),
            Endpoint("POST", all, "share_records", "Share up to 1,000 records with the same people",
                     SIGNED_IN, self.share_records, tag, body=SharesBody, answers={200: "Shared"},
                     replays=False, problems=(403, 404, 415, 422, 429)),
            Endpoint("POST", all + "/take-back", "unshare_records", "Take shares of up to 1,000 records back",
                     SIGNED_IN, self.unshare_records, tag, body=TakeBackBody, answers={200: "Shared"},
                     replays=False, problems=(403, 404, 415, 422, 429)),
        )  # fmt: skip

    def list_shares(self, call: Call, asked: Asked) -> Answer:
        object, record = _record(call, asked)
        return Answer.of({"shares": _shown(call, Shares(call).of(object.name, record))})

    def share_record(self, call: Call, asked: Asked) -> Answer:
        object, record = _record(call, asked)
        return self._share(call, object, [record], asked.body)

    def unshare_record(self, call: Call, asked: Asked) -> Answer:
        object, record = _record(call, asked)
        grantee = uuid_in(asked.path["grantee"])
        if grantee is None or Shares(call).take_back(object.name, [record], grantee) is None:
            raise NotFound.of("share.not_found", Place(object=object.name, record=record.hex))
        return Answer(204)

    def share_records(self, call: Call, asked: Asked) -> Answer:
        object = call.gate.object(asked.path["object"])
        return self._share(call, object, [UUID(each) for each in asked.body["records"]], asked.body)

    def unshare_records(self, call: Call, asked: Asked) -> Answer:
        object, body = call.gate.object(asked.path["object"]), asked.body
        records = [UUID(each) for each in body["records"]]
        operation = Shares(call).take_back(object.name, records, UUID(body["grantee"]))
        return Answer.of({"operation": operation})

    def _share(
        self, call: Call, object: ObjectDef, records: Collection[UUID], body: Mapping[str, Any]
    ) -> Answer:
        shares, given = Shares(call), body["with_"]
        ends = body["expires_at"] if "expires_at" in body else shares.default_end
        whom = Whom(given["kind"], UUID(given["id"]), given["below"])
        terms = Terms(body["level"], body["role"].strip(), body["reason"].strip(), ends)
        return Answer.of(
            {"operation": shares.give(object.name, records, whom, terms), "grantee": whom.grantee}
        )


def _record(call: Call, asked: Asked) -> tuple[ObjectDef, UUID]:
    object = call.gate.object(asked.path["object"])
    call.gate.require(object, "read")
    id = uuid_in(asked.path["id"])
    if id is None:
        place = Place(object=object.name, record=asked.path["id"][:80])
        raise NotFound.of("record.not_found", place, object=object.name)
    return object, id


def _shown(call: Call, shares: Collection[Share]) -> list[dict[str, Any]]:
    objects = call.model.objects
    names = named(call, ((objects[each.whom.kind].uid, each.whom.id) for each in shares if each.whom))
    return [
        {
            "grantee": each.grantee,
            "with": {
                "kind": each.whom.kind,
                "id": each.whom.id,
                "below": each.whom.below,
                "name": names[each.whom.id].name if each.whom.id in names else None,
            },
            "level": each.terms.level,
            "role": each.terms.role,
            "reason": each.terms.reason,
            "expires_at": each.terms.expires_at,
            "created_at": each.created_at,
            "created_by": each.created_by,
        }
        for each in shares
        if each.whom
    ]
