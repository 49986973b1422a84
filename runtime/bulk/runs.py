"""One bulk change as it stands in the store: its states, what may be done in each, its parts and problems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
import sqlalchemy as sa

from tabwright.platform.database import Reader, Writer
from tabwright.platform.errors import Fault, NotFound
from tabwright.platform.jobs import JOB, Job
from tabwright.runtime.bulk.tables import PART, PROBLEM, RUN
from tabwright.runtime.exchange.runs import fault_json, fault_of, storable

Action = Literal["edit", "transfer", "delete"]
Phase = Literal["check", "run", "undo"]
ACTIONS: tuple[Action, ...] = ("edit", "transfer", "delete")
CHUNK = 1_000  # records of one part: one transaction
PHASES: Mapping[Phase, str] = {"check": "checked", "run": "done", "undo": "undone"}
"""Each phase with the column of a part that holds what it counted."""

VERBS: Mapping[str, tuple[str, ...]] = {
    "choosing": ("choose",),
    "checking": ("cancel",),
    "checked": ("choose", "run"),
    "running": ("cancel",),
    "stopped": ("run", "undo"),  # to run it again is to go on
    "failed": ("run", "undo"),
    "done": ("undo",),
    "undoing": (),
    "undo_stopped": ("undo",),
    "undone": (),
}
"""Every state with what may be done in it."""
MOVING = ("checking", "running", "undoing")

# What a state has become when its job ended without saying so itself.
_AFTER: Mapping[tuple[str, str], str] = {
    ("checking", "cancelled"): "choosing",
    ("checking", "failed"): "choosing",
    ("running", "cancelled"): "stopped",
    ("running", "failed"): "failed",
    ("undoing", "cancelled"): "undo_stopped",
    ("undoing", "failed"): "undo_stopped",
}


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the records, with what each phase counted of them; None: not yet."""

    number: int
    checked: Mapping[str, Any] | None
    done: Mapping[str, Any] | None
    operation: UUID | None
    undone: Mapping[str, Any] | None

    def counts(self, phase: Phase) -> Mapping[str, Any] | None:
        return {"check": self.checked, "run": self.done, "undo": self.undone}[phase]


@dataclass(frozen=True, slots=True)
class Run:
    """One bulk change."""

    id: UUID
    object_uid: str
    action: Action
    values: Mapping[str, Any]
    row_count: int
    state: str
    back: str
    language: str
    zone: str
    job: Job | None
    error: tuple[Fault, ...]
    created_by: UUID
    created_at: datetime
    parts: tuple[Part, ...]

    @property
    def verbs(self) -> tuple[str, ...]:
        """What may be done now. A deletion has nothing to choose."""
        found = VERBS[self.state]
        return tuple(each for each in found if each != "undo" or any(part.operation for part in self.parts))

    def counted(self, phase: Phase) -> dict[str, Any]:
        """The sums over the parts: ``changed``, ``unchanged``, ``failed``, and ``rows``, the sum of these.

        ``followed`` is object number and action -> records that changed with them; ``reasons`` is field and
        code -> how many were refused for it.
        """
        sums: Counter[str] = Counter()
        for part in self.parts:
            for name, value in (part.counts(phase) or {}).items():
                for key, count in value.items() if isinstance(value, dict) else (("", value),):
                    sums[f"{name}|{key}"] += int(count)
        made: dict[str, Any] = {"changed": 0, "unchanged": 0, "failed": 0, "warned": 0}
        made |= {"followed": {}, "reasons": {}}
        for name, count in sums.items():
            first, _, key = name.partition("|")
            if key:
                made[first][key] = count
            else:
                made[first] = count
        made["rows"] = made["changed"] + made["unchanged"] + made["failed"]
        return made


@dataclass(frozen=True, slots=True)
class Problem:
    """A record that was not changed, or not taken back."""

    row: int
    record: UUID | None
    name: str
    faults: tuple[Fault, ...]


_PLAIN = [RUN.c[name] for name in (
    "id", "object_uid", "action", "values", "row_count", "state", "back", "language", "zone", "created_by",
    "created_at",
)]  # fmt: skip
_JOB = [JOB.c[name].label(f"its_{name}") for name in Job.__dataclass_fields__]


def load(reader: Reader, id: UUID, person: UUID) -> Run:
    """A bulk change of this person's. Raises NotFound, for those of others too."""
    chosen = sa.select(*_PLAIN, *_JOB).select_from(RUN.outerjoin(JOB, JOB.c.id == RUN.c.job_id))
    row = reader.execute(chosen.where(RUN.c.id == id, RUN.c.created_by == person)).one_or_none()
    if row is None:
        raise NotFound.of("bulk.not_found", id=id.hex)
    columns = (PART.c.number, PART.c.checked, PART.c.done, PART.c.operation_id, PART.c.undone)
    parts = reader.execute(sa.select(*columns).where(PART.c.run_id == id).order_by(PART.c.number))
    job, state = None, str(row.state)
    error: tuple[Fault, ...] = ()
    if row.its_kind is not None:
        job = Job(**{name: getattr(row, f"its_{name}") for name in Job.__dataclass_fields__})
        if job.finished and (state, job.state) in _AFTER:
            state = _AFTER[state, job.state]
            error = tuple(fault_of(each) for each in (job.error or {}).get("faults", ()))
    return Run(
        row.id, row.object_uid, row.action, row.values or {}, row.row_count, state, row.back, row.language,
        row.zone, job, error, row.created_by, row.created_at, tuple(Part(*tuple(each)) for each in parts),
    )  # fmt: skip


def change(writer: Writer, id: UUID, **values: Any) -> None:
    """Change the row of a bulk change."""
    writer.execute(sa.update(RUN).where(RUN.c.id == id).values(**values))


def ids_in(reader: Reader, id: UUID, number: int) -> bytes:
    """The ids of a part."""
    chosen = sa.select(PART.c.ids).where(PART.c.run_id == id, PART.c.number == number)
    return bytes(reader.execute(chosen).scalar_one())


def keep(writer: Writer, id: UUID, number: int, **values: Any) -> None:
    """Change a part."""
    writer.execute(sa.update(PART).where(PART.c.run_id == id, PART.c.number == number).values(**values))


def forget(writer: Writer, id: UUID, phase: Phase) -> None:
    """Take off what a phase counted and listed, so that it can be done anew."""
    writer.execute(sa.update(PART).where(PART.c.run_id == id).values({PHASES[phase]: None}))
    writer.execute(sa.delete(PROBLEM).where(PROBLEM.c.run_id == id, PROBLEM.c.phase == phase))


def drop_before(writer: Writer, moment: datetime) -> None:
    """Remove the bulk changes that were begun before a moment; the journal keeps what they did."""
    old = sa.select(RUN.c.id).where(RUN.c.created_at < moment)
    for table in (PART, PROBLEM):
        writer.execute(sa.delete(table).where(table.c.run_id.in_(old)))
    writer.execute(sa.delete(RUN).where(RUN.c.created_at < moment))


def list_problems(writer: Writer, id: UUID, phase: Phase, found: Iterable[Problem]) -> None:
    """Add to what a phase could not do."""
    encode = msgspec.json.encode
    rows = [
        {
            "run_id": id,
            "phase": phase,
            "row": each.row,
            "record_id": each.record,
            "name": storable(each.name),
            "faults": encode([fault_json(fault) for fault in each.faults]).decode(),
        }
        for each in found
    ]
    if rows:
        writer.connection.execute(sa.insert(PROBLEM), rows)


def problems(reader: Reader, id: UUID, phase: Phase, after: int = 0, limit: int = 100) -> Sequence[Problem]:
    """What a phase could not do, in the order of the list."""
    chosen = sa.select(PROBLEM.c.row, PROBLEM.c.record_id, PROBLEM.c.name, PROBLEM.c.faults).where(
        PROBLEM.c.run_id == id, PROBLEM.c.phase == phase, PROBLEM.c.row > after
    )
    decode = msgspec.json.decode
    return [
        Problem(row.row, row.record_id, row.name, tuple(fault_of(each) for each in decode(row.faults)))
        for row in reader.execute(chosen.order_by(PROBLEM.c.row).limit(limit))
    ]
