"""The record page of a moment that is gone: its values as they were, and what is different now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from tabwright.metadata.model import Model, ObjectDef
from tabwright.platform.errors import TabwrightError
from tabwright.runtime.desk import Call
from tabwright.runtime.journal.asof import Past, as_of, moment_of
from tabwright.runtime.pages.behind import read_behind
from tabwright.runtime.pages.history import names_of, shown_change
from tabwright.runtime.pages.preview import Listed, Reading, Rows
from tabwright.runtime.pages.record_page import PastBanner, RecordPage, record_page
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.visibility import everything
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads

_STAMPS = frozenset({"revision", "updated_at", "updated_by"})  # of every change: no news


def past_page(call: Call, reads: Reading, object: ObjectDef, id: UUID, moment: str) -> RecordPage:
    """The page of a record as it stood, to look at only. Raises Malformed for what is no moment, NotFound."""
    zone = ZoneInfo(call.zone)
    past = as_of(call, object.name, id, moment_of(moment, zone))
    system = everything(call)
    then = as_of(system, object.name, id, past.at)
    page = record_page(
        call, _PastReads(reads, past, object, call.model), object, id, None,
        all=_PastReads(Reads(system), then, object, call.model),
    )  # fmt: skip
    changed = [name for name in past.changed if name not in _STAMPS]
    names = _names(call, reads, object, past, changed)
    said = f"{past.at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    banner = PastBanner(
        text(call.language)("past.banner", at=said, revision=past.revision),
        f"/o/{object.name}/{id}" if _is_there(reads, object, id) else None,
        tuple(
            shown_change(call, object, name, past.values[name], past.now[name], zone, names)
            for name in changed
        ),
    )
    return replace(
        page, related=(), edit_href=None, clone_href=None, delete_href=None, print_href=None, past=banner
    )


def _is_there(reads: Reading, object: ObjectDef, id: UUID) -> bool:
    try:
        reads.get(object.name, id, (object.name_field,))
    except TabwrightError:
        return False
    return True


def _names(
    call: Call, reads: Reading, object: ObjectDef, past: Past, changed: Sequence[str]
) -> dict[UUID | None, str]:
    wanted = [
        (object.fields[name].target_of(value), value)
        for name in changed
        if object.fields[name].is_reference
        for value in (past.values[name], past.now[name])
        if isinstance(value, UUID)
    ]
    return names_of(call, reads, wanted)


class _PastReads:
    """Reads in which one record is as it stood; what its lookups led to then is read as it is now."""

    def __init__(self, reads: Reading, past: Past, object: ObjectDef, model: Model) -> None:
        self._reads = reads
        self._past = past
        self._model = model
        self._references = {name: each for name, each in object.fields.items() if each.is_reference}

    def get(self, object: str, id: UUID, fields: Sequence[str] = ()) -> Mapping[str, Any]:
        past = self._past
        if (object, id) != (past.object, past.id):
            return self._reads.get(object, id, fields)
        row: dict[str, Any] = {"id": id, "revision": past.revision}
        over: dict[str, list[str]] = {}
        for path in fields or past.values:
            first, _, rest = path.partition(".")
            if rest:
                over.setdefault(first, []).append(rest)
            else:
                row[path] = past.values.get(path)
        for first, rests in over.items():
            row |= {f"{first}.{rest}": value for rest, value in self._reached(first, rests).items()}
        return row

    def _reached(self, field: str, rests: Sequence[str]) -> Mapping[str, Any]:
        reference = self._references.get(field)
        if reference is None:
            return dict.fromkeys(rests)
        return read_behind(self._reads, self._model, reference, self._past.values.get(field), rests)

    def list(self, query: Query) -> Listed:
        return Rows(())

    def count(self, query: Query) -> tuple[int, bool]:
        return 0, False
