"""What travels through the write pipeline: intents in, rows on the way, an outcome out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from tabwright.metadata.model import Model, ObjectDef
from tabwright.platform.errors import Fault, Invalid, Param, Place, TabwrightError

if TYPE_CHECKING:
    from tabwright.platform.clock import Clock, Ids
    from tabwright.platform.database import Writer
    from tabwright.platform.language import Language
    from tabwright.runtime.access.gate import Gate
    from tabwright.runtime.access.principal import Principal
    from tabwright.runtime.desk import Call
    from tabwright.runtime.records.plan import ObjectPlan

Action = Literal["create", "update", "upsert", "delete", "restore", "purge"]

_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Intent:
    """What a caller wants done to one record.

    ``values`` are JSON-like or typed, by field name or alias; a field that is not sent is not touched.
    ``key`` (field name, value) names the record of an upsert by a unique or external key field.
    ``revision``: refuse when the record has any other (If-Match). ``seen``: refuse only where a field that
    is sent
    was changed by somebody else since that revision, and merge the rest. ``copied``: the record is made as a
    copy of another one.
    """

    action: Action
    id: UUID | str | None = None
    values: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    key: tuple[str, Any] | None = None
    revision: int | None = None
    seen: int | None = None
    copied: bool = False


class Row:
    """One intent on its way. ``old`` and ``new`` are typed values of every field by name (None: no such
    record).
    """

    __slots__ = (
        "number", "action", "intent", "id", "sent", "old", "new", "changed", "revision", "refused_as",
        "faults",
        "changes", "warned",
    )  # fmt: skip

    def __init__(self, number: int, intent: Intent) -> None:
        self.number = number  # from 1, over the whole batch
        self.action: Action = intent.action
        self.intent = intent
        self.id: UUID | None = None
        self.sent: dict[str, Any] = {}
        self.old: dict[str, Any] | None = None
        self.new: dict[str, Any] | None = None
        self.changed: list[str] = []
        self.revision = 0
        self.changes = False  # whether anything is written
        self.refused_as: type[TabwrightError] = Invalid
        self.faults: list[Fault] = []
        self.warned: list[Fault] = []  # warnings that were let pass

    @property
    def known_id(self) -> UUID | None:
        """The id that others know of: a record that is only being made has none to be quoted by."""
        return None if self.action == "create" else self.id

    @property
    def place(self) -> Place:
        return Place(record=str(self.known_id) if self.known_id is not None else None, row=self.number)

    def has_fault_at(self, field: str) -> bool:
        """Whether something is wrong at the field already: one word about it is enough."""
        return any(fault.place.field == field for fault in self.faults)

    def refuse(
        self, code: str, field: str | None = None, /, kind: type[TabwrightError] = Invalid, **params: Param
    ) -> None:
        """Add a fault. The first one decides which error is raised for the row."""
        if not self.faults:
            self.refused_as = kind
        self.faults.append(Fault(code, params, replace(self.place, field=field)))

    def take_over(self, error: TabwrightError) -> None:
        """Be refused for what followed from this row: its faults keep the record that they are about."""
        self.refused_as = type(error)
        self.faults += [
            Fault(each.code, each.params, replace(each.place, row=self.number)) for each in error.faults
        ]


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one intent. ``outcome`` "unchanged" wrote nothing; "failed" has ``faults``.

    ``warnings`` are those that held and were let pass.
    """

    row: int
    outcome: Literal["created", "updated", "unchanged", "deleted", "restored", "purged", "failed"]
    id: UUID | None
    revision: int
    faults: tuple[Fault, ...] = ()
    error: type[TabwrightError] | None = None
    warnings: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Saved:
    """One record after its write."""

    id: UUID
    revision: int
    changed: bool
    operation: UUID | None
    trace: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch, row by row in the caller's order; ``operation`` is None when nothing was
    written.

    ``trace`` names each stage that ran and the microseconds it took, in order.
    """

    rows: tuple[RowResult, ...]
    operation: UUID | None
    trace: tuple[tuple[str, int], ...] = ()

    def count(self, outcome: str) -> int:
        return sum(1 for row in self.rows if row.outcome == outcome)

    @property
    def failed(self) -> tuple[RowResult, ...]:
        return tuple(row for row in self.rows if row.outcome == "failed")


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo did. ``left`` tells of records that stay as they are: edited since, or refused."""

    outcomes: tuple[Outcome, ...]
    left: tuple[Fault, ...]
    operation: UUID | None


@dataclass(slots=True)
class Operation:
    """One journal operation: written with its first change."""

    id: UUID
    cause: str
    reference: Mapping[str, Any] | None = None
    written: bool = False


class Work:
    """What a stage needs, instead of globals: who, which model, when, the open transaction, why."""

    def __init__(
        self,
        call: Call,
        writer: Writer,
        operation: Operation,
        now: datetime,
        nested: Callable[[Work, str, str, Sequence[Intent]], Outcome],
        depth: int = 0,
        rehearsal: bool = False,
    ) -> None:
        self.call = call
        self.writer = writer
        self.operation = operation
        self.now = now
        self.depth = depth
        self.rehearsal = rehearsal
        self.trace: list[tuple[str, int]] = []
        self.heads_made: frozenset[UUID] = frozenset()  # with this operation, before their lines
        self._nested = nested

    @property
    def principal(self) -> Principal:
        return self.call.principal

    @property
    def model(self) -> Model:
        return self.call.model

    @property
    def gate(self) -> Gate:
        return self.call.gate

    @property
    def clock(self) -> Clock:
        return self.call.clock

    @property
    def ids(self) -> Ids:
        return self.call.ids

    @property
    def language(self) -> Language:
        return self.call.language

    def nested(self, cause: str, object: str, intents: Sequence[Intent]) -> Outcome:
        """Send writes of the platform's own through the same pipeline, in this transaction, all or nothing.

        They are an operation of their own that names this one. Used by delete rules, roll-ups, rules.
        """
        return self._nested(self, cause, object, intents)


class Batch:
    """Up to 10,000 intents of one object; ``rows`` is the chunk of up to 1,000 that is passing now."""

    def __init__(self, object: ObjectDef, plan: ObjectPlan, per_row: bool, rehearsal: bool = False) -> None:
        self.object = object
        self.plan = plan
        self.per_row = per_row
        self.rehearsal = rehearsal
        self.rows: list[Row] = []
        self.stopped = False  # all or nothing, and something is wrong: look at the rest but write no more
        self.ids_seen: dict[UUID, int] = {}
        self.keys_seen: dict[Any, dict[Any, Any]] = {}
        self.deleting: frozenset[UUID] = frozenset()  # what the whole batch deletes

    @property
    def good(self) -> list[Row]:
        """The rows of the chunk without a fault."""
        return [row for row in self.rows if not row.faults]

    def creates(self) -> list[Row]:
        return [row for row in self.rows if row.old is None and not row.faults]

    def updates(self) -> list[Row]:
        return [row for row in self.rows if row.old is not None and row.action == "update" and not row.faults]


def error_of(rows: Iterable[Row]) -> TabwrightError | None:
    """One error with every fault of the rows, or None. Of one kind when all rows agree, else Invalid."""
    faults: list[Fault] = []
    kinds: set[type[TabwrightError]] = set()
    for row in rows:
        if row.faults:
            faults.extend(row.faults)
            kinds.add(row.refused_as)
    if not faults:
        return None
    kind = kinds.pop() if len(kinds) == 1 else Invalid
    return kind(faults)


def text_of(value: Any) -> str:
    """A typed value as people read it in a message."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
