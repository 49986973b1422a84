"""Bulk calls: what their bodies ask of each record, and what they are told of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tabwright.metadata.model import ObjectDef
from tabwright.platform.errors import Fault, Malformed, Place
from tabwright.platform.web import told
from tabwright.runtime.api import lines
from tabwright.runtime.api.answers import Answer
from tabwright.runtime.desk import Call
from tabwright.runtime.records.batch import Intent, Outcome, RowResult
from tabwright.runtime.records.together import Family, Together


def intents_of(action: str, records: Sequence[Any], key: str | None) -> list[Intent]:
    """An intent for each record. Raises Malformed with every fault of the shape."""
    faults: list[Fault] = []
    intents = []
    if (action == "upsert") != (key is not None):
        raise Malformed.of("api.bulk_key", Place(pointer="/key"))
    for number, values in enumerate(records, start=1):
        pointer = f"/records/{number - 1}"
        if not isinstance(values, dict):
            faults.append(Fault("api.not_an_object", {}, Place(row=number, pointer=pointer)))
            continue
        if action == "create":
            intents.append(Intent("create", values=values))
            continue
        rest = dict(values)
        revision = rest.pop("revision", None)
        if revision is not None and (not isinstance(revision, int) or isinstance(revision, bool)):
            faults.append(Fault("api.bulk_revision", {}, Place(row=number, pointer=f"{pointer}/revision")))
        if action == "upsert":
            assert key is not None
            if rest.get(key) is None:
                faults.append(Fault("api.bulk_no_key", {"key": key}, Place(row=number, pointer=pointer)))
            intents.append(Intent("upsert", values=rest, key=(key, rest.get(key)), revision=revision))
            continue
        id = rest.pop("id", None)
        if not isinstance(id, str):
            faults.append(Fault("api.bulk_no_id", {}, Place(row=number, pointer=pointer)))
        elif action == "delete" and rest:
            faults.append(Fault("api.bulk_delete_values", {}, Place(row=number, pointer=pointer)))
        else:
            intents.append(Intent("delete" if action == "delete" else "update", id, rest, revision=revision))
    if faults:
        raise Malformed(faults[:1000])
    return intents


def answer_of(call: Call, outcome: Outcome) -> Answer:
    results = [_told(call, each) for each in outcome.rows]
    return Answer.of({"operation": outcome.operation, "failed": len(outcome.failed), "results": results})


def answer_with_lines(call: Call, object: ObjectDef, families: Sequence[Family], saved: Together) -> Answer:
    results = []
    for family, head, rows in zip(families, saved.heads, saved.lines, strict=True):
        row = _told(call, head)
        if rows and family.lines:
            row[lines.KEY] = lines.told(call.gate, object, family.lines, rows)
        results.append(row)
    failed = sum(1 for each in saved.heads if each.outcome == "failed")
    return Answer.of({"operation": saved.operation, "failed": failed, "results": results})


def _told(call: Call, each: RowResult) -> dict[str, Any]:
    row: dict[str, Any] = {"row": each.row, "outcome": each.outcome}
    if each.id is not None and each.outcome != "failed":
        row["id"] = each.id
        row["revision"] = each.revision
    if each.faults:
        row["faults"] = [told(fault, call.language) for fault in each.faults]
    if each.warnings:
        row["warnings"] = [told(fault, call.language) for fault in each.warnings]
    return row
