"""Drafts, the plan, publishing, releases: metadata as documents. Needs the right ``customise``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tabwright.metadata import schema
from tabwright.metadata.diff import MISSING, Clash, Difference
from tabwright.metadata.drafts import Change, Delete, Draft, Drafts, Put, Rename
from tabwright.platform.errors import Fault, Malformed, NotFound, Place
from tabwright.platform.language import say, say_fault
from tabwright.runtime.api.answers import Answer
from tabwright.runtime.api.endpoints import Asked, Endpoint
from tabwright.runtime.api.shapes import DraftBody, PublishBody, ReleasesQuery
from tabwright.runtime.desk import Call
from tabwright.runtime.publishing.consequences import Consequence
from tabwright.runtime.publishing.engine import Published
from tabwright.runtime.publishing.service import Plan, Publishing

if TYPE_CHECKING:
    from tabwright.runtime.api.callers import Site

RIGHT = "customise"


class MetadataApi:
    """The endpoints under /metadata."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def endpoints(self) -> tuple[Endpoint, ...]:
        draft, one, tag = "/metadata/draft", "/metadata/draft/{kind}/{name}", "metadata"
        releases = "/metadata/releases"
        changes = (404, 409, 415, 422, 429)
        published = {200: "Published", 202: "Published"}
        return (
            Endpoint("GET", draft, "get_draft", "Your draft: what it changes", RIGHT,
                     self.get_draft, tag, answers={200: "Draft"}),
            Endpoint("PATCH", draft, "change_draft", "Put, delete and rename many components", RIGHT,
                     self.change_draft, tag, body=DraftBody, answers={200: "Draft"}, problems=changes),
            Endpoint("DELETE", draft, "discard_draft", "Throw your draft away", RIGHT,
                     self.discard_draft, tag, answers={204: ""}),
            Endpoint("GET", one, "get_component", "A component as your draft has it", RIGHT,
                     self.get_component, tag, answers={200: "Document"}, problems=(404,)),
            Endpoint("PUT", one, "put_component", "Make or replace a component", RIGHT,
                     self.put_component, tag, takes_json=True, body_schema="Document",
                     answers={200: "Document"}, problems=changes),
            Endpoint("DELETE", one, "delete_component", "Take a component away", RIGHT,
                     self.delete_component, tag, answers={204: ""}, problems=changes),
            Endpoint("GET", draft + "/plan", "plan", "What a publish would do", RIGHT,
                     self.plan, tag, answers={200: "Plan"}),
            Endpoint("POST", "/metadata/publish", "publish", "Publish your draft", RIGHT,
                     self.publish, tag, body=PublishBody, body_optional=True, answers=published,
                     problems=(409, 415, 422)),
            Endpoint("GET", releases, "list_releases", "Releases, newest first", RIGHT,
                     self.releases, tag, query=ReleasesQuery, answers={200: "Releases"}),
            Endpoint("GET", releases + "/{a}/diff/{b}", "diff_releases", "What leads from a to b", RIGHT,
                     self.diff, tag, answers={200: "Differences"}, problems=(404,)),
            Endpoint("POST", releases + "/{n}/restore", "restore_release", "Publish an old one again", RIGHT,
                     self.restore, tag, body=PublishBody, body_optional=True, answers=published,
                     problems=(404, 409, 415, 422)),
        )  # fmt: skip

    def _publishing(self, call: Call) -> Publishing:
        return Publishing(call.tenant, self._site.releases, call.clock, call.ids)

    # ---- drafts ------------------------------------------------------------------------------------

    def get_draft(self, call: Call, asked: Asked) -> Answer:
        with call.tenant.store.read() as reader:
            return Answer.of(_draft(self._publishing(call).drafts.get(reader, call.principal.user_id)))

    def change_draft(self, call: Call, asked: Asked) -> Answer:
        changes: list[Change] = [Rename(**_named(each, "/rename", "to")) for each in asked.body["rename"]]
        changes += [Delete(**_named(each, "/delete")) for each in asked.body["delete"]]
        changes += [Put(_plain(each)) for each in asked.body["put"]]
        if not changes:
            raise Malformed.of("api.draft_empty", Place(pointer=""))
        drafts = self._publishing(call).drafts
        with call.tenant.store.write() as writer:
            found = drafts.patch(writer, call.principal.user_id, changes, at=call.clock.now())
        return Answer.of(_draft(found))

    def discard_draft(self, call: Call, asked: Asked) -> Answer:
        with call.tenant.store.write() as writer:
            self._publishing(call).drafts.discard(writer, call.principal.user_id)
        return Answer(204)

    def get_component(self, call: Call, asked: Asked) -> Answer:
        kind, name = asked.path["kind"], asked.path["name"]
        drafts: Drafts = self._publishing(call).drafts
        with call.tenant.store.read() as reader:
            tree = drafts.get(reader, call.principal.user_id).tree
        found = tree.get(kind, name) if kind in schema.kinds() else None
        if found is None:
            place = Place(component=f"{kind}/{name}"[:200])
            raise NotFound.of("api.no_component", place, kind=kind[:80], name=name[:80])
        return Answer.of(found.document)

    def put_component(self, call: Call, asked: Asked) -> Answer:
        kind, name = asked.path["kind"], asked.path["name"]
        if not isinstance(asked.body, dict):
            raise Malformed.of("api.not_an_object", Place(pointer=""))
        for key, wanted in (("kind", kind), ("name", name)):
            if asked.body.get(key, wanted) != wanted:
                raise Malformed.of("api.path_differs", Place(pointer=f"/{key}"), key=key)
        document = {**_plain(asked.body), "kind": kind, "name": name}
        with call.tenant.store.write() as writer:
            found = self._publishing(call).drafts.put(
                writer, call.principal.user_id, document, at=call.clock.now()
            )
        return Answer.of(found.document)

    def delete_component(self, call: Call, asked: Asked) -> Answer:
        with call.tenant.store.write() as writer:
            self._publishing(call).drafts.delete(
                writer, call.principal.user_id, asked.path["kind"], asked.path["name"], at=call.clock.now()
            )
        return Answer(204)

    # ---- publishing --------------------------------------------------------------------------------

    def plan(self, call: Call, asked: Asked) -> Answer:
        return Answer.of(plan_json(call, self._publishing(call).preview(call.principal.user_id)))

    def publish(self, call: Call, asked: Asked) -> Answer:
        found = self._publishing(call).publish(
            call.principal,
            note=asked.body["note"],
            expected=asked.body.get("expected_release"),
            request_id=call.request_id,
        )
        return _published(found)

    def restore(self, call: Call, asked: Asked) -> Answer:
        found = self._publishing(call).restore(
            call.principal, _number(asked.path["n"]), note=asked.body["note"], request_id=call.request_id
        )
        return _published(found)

    def releases(self, call: Call, asked: Asked) -> Answer:
        found = self._publishing(call).list(before=asked.query.get("before"), limit=asked.query["limit"])
        return Answer.of(
            {
                "current": call.model.release,
                "releases": [
                    {
                        "number": each.number,
                        "at": each.at,
                        "author": each.author,
                        "note": each.note,
                        "base": each.base,
                        "building": dict(each.building),
                    }
                    for each in found
                ],
            }
        )

    def diff(self, call: Call, asked: Asked) -> Answer:
        a, b = _number(asked.path["a"]), _number(asked.path["b"])
        changes = self._publishing(call).diff(a, b)
        return Answer.of({"from": a, "to": b, "changes": [_difference(each) for each in changes]})


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise NotFound.of("api.no_release", release=text[:40])
    return int(text)


def _named(each: Any, pointer: str, *more: str) -> dict[str, str]:
    keys = ("kind", "name", *more)
    if (
        not isinstance(each, dict)
        or set(each) != set(keys)
        or not all(isinstance(each[key], str) for key in keys)
    ):
        raise Malformed.of("api.draft_named", Place(pointer=pointer), keys=", ".join(keys))
    return each


def _plain(value: Any) -> Any:
    """Numbers with a point as documents have them; records' numbers stay Decimal."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return float(value) if isinstance(value, Decimal) else value


def _published(found: Published) -> Answer:
    body = {"release": found.release, "waiting": found.waiting, "jobs": list(found.jobs)}
    return Answer.of(body, 200 if found.waiting is None else 202)


def _draft(draft: Draft) -> dict[str, Any]:
    return {
        "release": draft.release,
        "revision": draft.revision,
        "updated_at": draft.updated_at,
        "changes": [_difference(each) for each in draft.differences],
        "clashes": [_clash(each) for each in draft.clashes],
    }


def _difference(each: Difference) -> dict[str, Any]:
    component = each.component
    found: dict[str, Any] = {
        "action": each.action, "kind": component.kind, "name": component.name, "uid": component.uid,
    }  # fmt: skip
    if each.properties:
        found["properties"] = [
            {
                "pointer": one.pointer,
                **({} if one.old is MISSING else {"old": one.old}),
                **({} if one.new is MISSING else {"new": one.new}),
            }
            for one in each.properties
        ]
    return found


def _clash(each: Clash) -> dict[str, Any]:
    component = each.component
    return {"kind": component.kind, "name": component.name, "properties": list(each.pointers)}


def _faults(call: Call, faults: Iterable[Fault]) -> list[Mapping[str, Any]]:
    return [
        {"code": each.code, "message": say_fault(each, call.language), **each.place.known()}
        for each in faults
    ]


def _examples(call: Call, each: Consequence) -> list[dict[str, Any]]:
    """Values of records, only to who may read that field of all of them: who may publish may not read all."""
    place = each.says.place
    object = call.model.find(place.object or "")
    field = object.find(place.field or "") if object is not None else None
    if object is None or field is None:
        return []
    if not (call.gate.can_read(field) and call.gate.may(object, "view_all")):
        return []
    return [{"record": one.record, "value": one.value} for one in each.examples]


def _accepts(each: Consequence) -> dict[str, Any]:
    """What has to stand in the field's ``declassifies`` before this is published."""
    if each.accepts is None:
        return {}
    return {"accepts": {"field": each.accepts[0], "input": each.accepts[1]}}


def plan_json(call: Call, plan: Plan) -> dict[str, Any]:
    """What a publish would do, as the API and the command line tell it, in the language of the call."""
    return {
        "release": plan.release,
        "publishable": plan.publishable,
        "waits": plan.waits,
        "changes": [_difference(each) for each in plan.differences],
        "clashes": [_clash(each) for each in plan.clashes],
        "faults": _faults(call, plan.faults),
        "operations": [
            {"code": code, "name": name, "message": say(code, {"name": name}, call.language)}
            for code, name in ((each.code, each.name) for each in plan.operations)
        ],
        "consequences": [
            {
                "weight": each.weight,
                "code": each.says.code,
                "message": say_fault(each.says, call.language),
                "count": each.count,
                "examples": _examples(call, each),
                **_accepts(each),
            }
            for each in plan.consequences
        ],
        "rights": [
            {"object": each.object, "right": each.right, "gain": each.gain, "lose": each.lose}
            for each in plan.shifts
        ],
        "steps": [
            {
                "kind": each.kind, "object": each.object, "name": each.name, "when": each.when,
                "rows": each.rows, "seconds": each.seconds,
            }
            for each in plan.steps
        ],
    }  # fmt: skip
