"""One picklist value in place of another on all records: counted before, a job, undone as a whole.

Every record passes the write path (cause "bulk"), so rules, history and rights hold; what a rule refuses is
counted and listed, the others are changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tabwright.formula.lexer import quote
from tabwright.metadata.choices import codes_in
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef, Model, PicklistDef
from tabwright.platform.clock import Clock, Ids
from tabwright.platform.database import Reader
from tabwright.platform.errors import Fault, Invalid
from tabwright.platform.jobs import JobRun, Jobs
from tabwright.platform.language import Language
from tabwright.runtime.access import principals
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.desk import Call, Tenancy
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.service import Records

REPLACE = "studio.replace"
UNDO = "studio.replace_undo"
CHUNK = 200  # records of one transaction, at most what a page may hold
LISTED = 50  # refusals that the result keeps


@dataclass(frozen=True, slots=True)
class Replacement:
    """Which value becomes which in one field; ``new`` None empties it."""

    field: FieldDef
    old: str
    new: str | None

    @property
    def where(self) -> str:
        """The formula that finds the records."""
        function = "INCLUDES" if _is_multiple(self.field) else "ISPICKVAL"
        return f"{function}({self.field.name}, {quote(self.old)})"

    def value(self, present: Any) -> Any:
        """What a record's value becomes."""
        if not _is_multiple(self.field):
            return self.new
        there = codes_in(present) if isinstance(present, str) else present or ()
        codes = [self.new if each == self.old else each for each in there]
        return list(dict.fromkeys(each for each in codes if each is not None)) or None


def _is_multiple(field: FieldDef) -> bool:
    return TYPES[field.type].many


def fields_of(model: Model, kind: str, uid: str) -> tuple[FieldDef, ...]:
    """The fields in force that a field's or global picklist's values stand in."""
    found = []
    for object in model.objects.values():
        for field in object.own_fields:
            mine = field.uid == uid if kind == "field" else field.picklist and field.picklist.uid == uid
            if mine and field.picklist is not None:
                found.append(field)
    return tuple(found)


def picklist_of(model: Model, kind: str, uid: str) -> PicklistDef | None:
    """The values in force; None where nothing of that uid with values is in force."""
    if kind == "picklist":
        return next((each for each in model.picklists.values() if each.uid == uid), None)
    return next((each.picklist for each in fields_of(model, kind, uid)), None)


def count(call: Call, wanted: Replacement) -> tuple[int, bool]:
    """How many records have the old value, and whether there are more than counted."""
    page = Reads(call).list(Query(wanted.field.object, ("id",), where=wanted.where, limit=1, count=True))
    return page.count or 0, page.count_is_capped


def require(call: Call, kind: str, uid: str, old: str, new: str | None) -> tuple[Replacement, ...]:
    """The replacements of one value, field by field.

    Raises Denied where this person may not change all records, Invalid for values that are not in force.
    """
    call.gate.require_right("customise")
    fields = fields_of(call.model, kind, uid)
    values = picklist_of(call.model, kind, uid)
    if values is None or not fields:
        raise Invalid.of("studio.replace_not_in_force")
    if new is not None and (new == old or values.value(new) is None):
        raise Invalid.of("studio.replace_same" if new == old else "studio.replace_not_in_force")
    for field in fields:
        object = call.model.objects[field.object]
        for right in ("edit", "modify_all"):
            call.gate.require(object, right)
    return tuple(Replacement(field, old, new) for field in fields)


def start(call: Call, kind: str, uid: str, old: str, new: str | None) -> UUID:
    """Begin the job; its id. Raises as ``require`` does."""
    require(call, kind, uid, old, new)
    payload = {"kind": kind, "uid": uid, "old": old, "new": new, **_who(call)}
    with call.tenant.store.write() as writer:
        return call.tenant.jobs.add(writer, REPLACE, payload, created_by=call.principal.user_id)


def start_undo(call: Call, job: UUID) -> UUID:
    """Begin the job that takes a replacement back; its id. Raises NotFound."""
    with call.tenant.store.write() as writer:
        done = call.tenant.jobs.get(writer, job)
        operations = (done.result or {}).get("operations", []) if done.kind == REPLACE else []
        payload = {"operations": operations, **_who(call)}
        return call.tenant.jobs.add(
            writer, UNDO, payload, key=f"{UNDO}:{job.hex}", created_by=call.principal.user_id
        )


def _who(call: Call) -> dict[str, Any]:
    return {"user": call.principal.user_id.hex, "language": call.language, "zone": call.zone}


# ---- the jobs --------------------------------------------------------------------------------------


def register_jobs(jobs: Jobs, tenancy: Tenancy, clock: Clock, ids: Ids) -> None:
    """Make the jobs known to the workers."""

    def acting(job: JobRun, reader: Reader, cause: str) -> Call:
        """The call of the person who asked, with the rights of this moment."""
        tenant = tenancy.open(job.location)
        model = tenant.at_release(reader)
        person = principals.load(tenant, reader, model, UUID(job.payload["user"]), clock.now())
        language: Language = "en" if job.payload["language"] == "en" else "zh"
        return Call(
            tenant, person, model, Gate(model, person), clock, ids, language, job.payload["zone"],
            f"job-{job.id.hex}", cause,
        )  # fmt: skip

    def replace(job: JobRun) -> Any:
        return _replace(job, acting)

    def undo(job: JobRun) -> Any:
        return _undo(job, acting)

    jobs.register(REPLACE, replace, runs_as="asker")
    jobs.register(UNDO, undo, runs_as="asker")


def _replace(job: JobRun, acting: Any) -> dict[str, Any]:
    """Chunk by chunk, each one transaction with its part of the result; a later try goes on."""
    asked: Mapping[str, Any] = job.payload
    state = dict(job.memory or {"changed": 0, "failed": [], "refused": 0, "operations": [], "after": {}})
    with job.store.read() as reader:
        call: Call = acting(job, reader, "bulk")
    wanted = require(call, asked["kind"], asked["uid"], asked["old"], asked["new"])
    total = sum(count(call, each)[0] for each in wanted)
    size = min(CHUNK, call.tenant.limits.page_rows)
    for each in wanted:
        while True:
            after = state["after"].get(each.field.uid)
            query = Query(
                each.field.object, ("id", each.field.name), where=each.where, limit=size, cursor=after
            )
            page = Reads(call).list(query)
            if page.rows:
                _chunk(job, call, each, page, state, total)
            if page.next_cursor is None:
                break
    return {key: state[key] for key in ("changed", "refused", "failed", "operations")}


def _chunk(
    job: JobRun, call: Call, wanted: Replacement, page: Any, state: dict[str, Any], total: int
) -> None:
    name = wanted.field.name
    intents = [Intent("update", row["id"], {name: wanted.value(row[name])}) for row in page.rows]
    with job.step() as writer:
        outcome = Records(call).apply_in(
            writer, call.model.objects[wanted.field.object], intents, {"job": job.id.hex}, per_row=True
        )
        for row in outcome.failed:
            state["refused"] += 1
            if len(state["failed"]) < LISTED:
                state["failed"].append([wanted.field.object, str(row.id), *_said(row.faults[0])])
        state["changed"] += outcome.count("updated")
        if outcome.operation is not None:
            state["operations"].append(outcome.operation.hex)
        state["after"][wanted.field.uid] = page.next_cursor
        job.remember(state)
        job.progress(state["changed"] + state["refused"], total)


def _said(fault: Fault) -> tuple[str, dict[str, str]]:
    """A refusal as a job keeps it: its code, and what its text is filled with."""
    known = {**fault.place.known(), **fault.params}
    return fault.code, {name: str(value) for name, value in known.items() if value is not None}


def _undo(job: JobRun, acting: Any) -> dict[str, Any]:
    operations = list(reversed(job.payload["operations"]))
    state = dict(job.memory or {"done": 0, "restored": 0, "left": 0})
    while state["done"] < len(operations):
        with job.step() as writer:
            call: Call = acting(job, writer, "undo")
            undone = Records(call).undo_in(writer, UUID(operations[state["done"]]), {"job": job.id.hex})
            state["restored"] += sum(each.count("updated") for each in undone.outcomes)
            state["left"] += len(undone.left)
            state["done"] += 1
            job.remember(state)
            job.progress(state["done"], len(operations))
    return {"restored": state["restored"], "left": state["left"]}
