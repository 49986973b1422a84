"""One import as it stands in the store: its states, what may be done in each, and its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.database import Reader, Writer
from tabwright.platform.errors import Fault, NotFound, Place
from tabwright.platform.jobs import JOB, Job
from tabwright.runtime.exchange.settings import Settings
from tabwright.runtime.exchange.sources import Format
from tabwright.runtime.exchange.tables import PART, PROBLEM, RUN

VERBS: Mapping[str, tuple[str, ...]] = {
    "mapping": ("change", "check", "run"),
    "checking": ("cancel",),
    "checked": ("change", "check", "correct", "run"),
    "running": ("cancel",),
    "stopped": ("run", "undo"),  # to run it again is to go on
    "failed": ("run", "undo"),
    "done": ("undo",),
    "undoing": (),
    "undo_stopped": ("undo",),
    "undone": (),
}
"""Every state with what may be done in it."""
NEED_FILE = ("change", "check", "correct", "run")

# What a state has become when its job ended without saying so itself.
_AFTER: Mapping[tuple[str, str], str] = {
    ("checking", "cancelled"): "mapping",
    ("checking", "failed"): "mapping",
    ("running", "cancelled"): "stopped",
    ("running", "failed"): "failed",
    ("undoing", "cancelled"): "undo_stopped",
    ("undoing", "failed"): "undo_stopped",
}
NO_COUNTS: Mapping[str, int] = {
    "created": 0,
    "updated": 0,
    "unchanged": 0,
    "failed": 0,
    "made": 0,
    "noted": 0,
    "warned": 0,
    "skipped": 0,
}


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong with many rows: the value of a column and why it was refused."""

    column: str
    field: str
    value: str
    count: int
    row: int  # the first of them
    fault: Fault
    suggestion: str | None = None

    @property
    def mappable(self) -> bool:
        """Whether another value in its place could help."""
        return bool(self.value)


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that did not go in, or not whole."""

    row: int
    faults: tuple[Fault, ...]
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pace:
    """Where a job is (reading, rows, waiting), since when, and how many rows were done by then: what a worker
    that died had done tells nothing of how fast this one is.
    """

    phase: str
    since: datetime
    done: int


@dataclass(frozen=True, slots=True)
class Run:
    """One import. ``counts`` are of the last check or run, ``checked`` of the last check with its issues."""

    id: UUID
    object_uid: str
    filename: str
    size: int
    format: Format
    header: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]
    row_count: int | None
    settings: Settings
    state: str
    counts: Mapping[str, Any]
    checked: Mapping[str, Any] | None
    taken_row: int
    job: Job | None
    error: tuple[Fault, ...]
    language: str
    zone: str
    scope: Any
    created_by: UUID | None
    created_at: datetime
    has_file: bool  # it is removed some time after the end (Limits.import_file_days)
    others: bool = False  # somebody else's, for whoever looks at it
    pace: Pace | None = None  # of a check or a run that is at work

    @property
    def verbs(self) -> tuple[str, ...]:
        """What may be done now."""
        found = VERBS[self.state]
        if self.others:
            return tuple(each for each in found if each == "undo")
        if not self.has_file:
            return tuple(each for each in found if each not in NEED_FILE)
        return found if self.row_count is not None else tuple(each for each in found if each == "change")

    @property
    def issues(self) -> tuple[Issue, ...]:
        """What the last check found wrong, most rows first."""
        return tuple(
            Issue(
                each["column"],
                each["field"],
                each["value"],
                each["count"],
                each["row"],
                fault_of(each["fault"]),
                each["suggestion"],
            )
            for each in (self.checked or {}).get("issues", ())
        )


_PLAIN = [
    RUN.c[name]
    for name in (
        "id",
        "object_uid",
        "filename",
        "size",
        "format",
        "header",
        "sample",
        "row_count",
        "settings",
        "state",
        "counts",
        "checked",
        "taken_row",
        "job_id",
        "error",
        "language",
        "zone",
        "scope",
        "created_by",
        "created_at",
    )
]
_JOB = [JOB.c[name].label(f"its_{name}") for name in (*Job.__dataclass_fields__, "memory")]


def _select() -> sa.Select[Any]:
    kept = sa.exists().where(PART.c.import_id == RUN.c.id).label("has_file")
    return sa.select(*_PLAIN, *_JOB, kept).select_from(RUN.outerjoin(JOB, JOB.c.id == RUN.c.job_id))


def load(reader: Reader, id: UUID) -> Run:
    """An import. Raises NotFound."""
    row = reader.execute(_select().where(RUN.c.id == id)).one_or_none()
    if row is None:
        raise NotFound.of("import.not_found", Place(), id=id.hex)
    return _run(row)


def recent(reader: Reader, user: UUID | None, object_uid: str, limit: int) -> list[Run]:
    """The newest imports of a person into an object, or of everybody."""
    chosen = _select().where(RUN.c.object_uid == object_uid)
    if user is not None:
        chosen = chosen.where(RUN.c.created_by == user)
    return [_run(row) for row in reader.execute(chosen.order_by(RUN.c.created_at.desc()).limit(limit))]


def last_object(reader: Reader, user: UUID) -> str | None:
    """The object (uid) that a person imported into last; None for who never did."""
    chosen = sa.select(RUN.c.object_uid).where(RUN.c.created_by == user)
    found: str | None = reader.execute(chosen.order_by(RUN.c.created_at.desc()).limit(1)).scalar()
    return found


def change(writer: Writer, id: UUID, now: datetime, **values: Any) -> None:
    """Change the row of an import."""
    writer.execute(sa.update(RUN).where(RUN.c.id == id).values(updated_at=now, **values))


def _run(row: Any) -> Run:
    job = None
    if row.job_id is not None and row.its_kind is not None:
        job = Job(**{name: getattr(row, f"its_{name}") for name in Job.__dataclass_fields__})
    error = tuple(fault_of(each) for each in row.error or ())
    state = row.state
    if job is not None and job.finished:
        after = _AFTER.get((state, job.state))
        if after is not None:
            state = after
            if job.error:
                error = tuple(fault_of(each) for each in job.error["faults"])
    return Run(
        row.id,
        row.object_uid,
        row.filename,
        row.size,
        Format.from_json(row.format),
        tuple(row.header),
        tuple(map(tuple, row.sample)),
        row.row_count,
        Settings.from_json(row.settings),
        state,
        row.counts,
        row.checked,
        row.taken_row,
        job,
        error,
        row.language,
        row.zone,
        row.scope,
        row.created_by,
        row.created_at,
        bool(row.has_file),
        pace=_pace(row.its_memory),
    )


def _pace(memory: Any) -> Pace | None:
    if not isinstance(memory, dict) or "phase" not in memory:
        return None
    return Pace(memory["phase"], datetime.fromisoformat(memory["since"]), memory["from"])


def fault_json(fault: Fault) -> dict[str, Any]:
    """A fault as it is kept."""
    params = {
        name: value if isinstance(value, int) else storable(str(value))
        for name, value in fault.params.items()
    }
    return {"code": fault.code, "params": params, "place": fault.place.known()}


def storable(text: str) -> str:
    """A text as JSON of PostgreSQL takes it."""
    return text.replace("\x00", "\ufffd")


def fault_of(value: Mapping[str, Any]) -> Fault:
    """A kept fault."""
    return Fault(value["code"], value["params"], Place(**value["place"]))


def problems(reader: Reader, id: UUID, phase: str, after: int = 0, limit: int = 100) -> Sequence[Problem]:
    """The rows that a phase could not take, by row number."""
    import msgspec

    chosen = sa.select(PROBLEM.c.row, PROBLEM.c.faults, PROBLEM.c.cells).where(
        PROBLEM.c.import_id == id, PROBLEM.c.phase == phase, PROBLEM.c.row > after
    )
    decode = msgspec.json.decode
    return [
        Problem(row.row, tuple(fault_of(each) for each in decode(row.faults)), tuple(decode(row.cells)))
        for row in reader.execute(chosen.order_by(PROBLEM.c.row).limit(limit))
    ]


def problem_row(
    id: UUID, phase: str, row: int, faults: Sequence[Fault], cells: Sequence[str]
) -> dict[str, Any]:
    """A row of the problem table."""
    import msgspec

    encode = msgspec.json.encode
    return {
        "import_id": id,
        "phase": phase,
        "row": row,
        "faults": encode([fault_json(each) for each in faults]).decode(),
        "cells": encode(list(cells)).decode(),
    }
