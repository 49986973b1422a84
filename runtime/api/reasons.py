"""Why somebody may or may not do something, and who may see a record."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma
from marshmallow import fields, validate

from tabwright.platform.errors import NotFound, Place
from tabwright.platform.language import say
from tabwright.runtime.access.rights import OPERATIONS
from tabwright.runtime.api.answers import Answer
from tabwright.runtime.api.endpoints import SIGNED_IN, Asked, Endpoint, uuid_in
from tabwright.runtime.desk import Call
from tabwright.runtime.reasons.changes import Proposal, least_changes
from tabwright.runtime.reasons.explaining import RIGHT, Explanation, Part, explain_in, question


class ExplainQuery(ma.Schema):
    object = fields.String(required=True, validate=validate.Length(min=1, max=200))
    operation = fields.String(
        load_default="read",
        validate=validate.OneOf(OPERATIONS),
        metadata={"description": "A right on objects; of a record read, edit, delete, share or transfer."},
    )
    user = fields.String(
        validate=validate.Length(max=40),
        metadata={"description": "Of whom; you yourself when it is left out. Others: the right to explain."},
    )
    record = fields.String(
        validate=validate.Length(max=40), metadata={"description": "A record that you may see yourself."}
    )
    field = fields.String(
        validate=validate.Length(max=200), metadata={"description": "A field of the object itself."}
    )


class ReasonApi:
    """The endpoints of explanations."""

    def endpoints(self) -> tuple[Endpoint, ...]:
        return (
            Endpoint("GET", "/access/explain", "explain_access", "Why somebody may or may not do something",
                     SIGNED_IN, self.explain, "sharing", query=ExplainQuery, answers={200: "Explanation"},
                     problems=(403, 404, 422)),
        )  # fmt: skip

    def explain(self, call: Call, asked: Asked) -> Answer:
        given = asked.query
        user, record = _id("user", given.get("user")), _id(given["object"], given.get("record"))
        about = question(
            call, user or call.principal.user_id, given["object"], given["operation"], record,
            given.get("field"),
        )  # fmt: skip
        with call.tenant.store.read() as reader:
            told = explain_in(call, reader, about)
            changes = least_changes(call, reader, told) if call.gate.has(RIGHT) else ()
        return Answer.of(_shown(call, told, changes))


def _id(object: str, text: str | None) -> UUID | None:
    if text is None:
        return None
    found = uuid_in(text)
    if found is None:
        raise NotFound.of("record.not_found", Place(object=object[:80], record=text[:80]), object=object[:80])
    return found


def _shown(call: Call, told: Explanation, changes: tuple[Proposal, ...]) -> dict[str, Any]:
    asked = told.question
    return {
        "user": asked.user,
        "user_name": told.user_name,
        "object": asked.object.name,
        "record": asked.record,
        "field": asked.field.name if asked.field is not None else None,
        "operation": asked.operation,
        "allowed": told.allowed,
        "layers": [
            {"layer": each.name, "ok": each.ok, "parts": [_part(call, part) for part in each.parts]}
            for each in told.layers
        ],
        "changes": [
            {
                "steps": [
                    {
                        "kind": step.kind,
                        "text": say(f"access.change.{step.kind}", step.params, call.language),
                        "ids": step.ids,
                    }
                    for step in each.steps
                ],
                "people": each.people,
                "records": each.records,
                "rights": each.rights,
            }
            for each in changes
        ],
    }


def _part(call: Call, part: Part) -> dict[str, Any]:
    return {
        "code": part.code,
        "text": say(f"access.why.{part.code}", part.params, call.language),
        "ok": part.ok,
        "gives": part.gives or None,
        "until": part.until,
        "ids": dict(part.ids),
    }
