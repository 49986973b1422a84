"""The lines of one form while it is filled: what stands in the store, what was typed, what a button did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from tabwright.metadata.model import FieldDef
from tabwright.platform.errors import Invalid
from tabwright.runtime.access.asking import open_among
from tabwright.runtime.desk import Call
from tabwright.runtime.forms import texts
from tabwright.runtime.forms.dependent import fitting
from tabwright.runtime.forms.inputs import Option
from tabwright.runtime.pages import visiting
from tabwright.runtime.pages.lines.plan import LinesPlan, fresh_texts
from tabwright.runtime.pages.preview import PreviewReads, Reading
from tabwright.runtime.query.aggregate import aggregate
from tabwright.runtime.query.asked import Aggregation, Measure, Query

MOST = 200  # lines that a form holds


@dataclass(frozen=True, slots=True)
class Line:
    """One row. ``was`` are the texts that it was opened with; of a new one, those of an untouched row."""

    key: str
    texts: Mapping[str, str]
    names: Mapping[str, str] = field(default_factory=dict)
    was: Mapping[str, str] = field(default_factory=dict)
    was_names: Mapping[str, str] = field(default_factory=dict)
    id: UUID | None = None
    revision: int | None = None
    at: str = ""  # the text of its position when it was opened
    row: Mapping[str, Any] = field(default_factory=dict)  # as stored, for what is only read
    errors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    choices: Mapping[str, Sequence[Option]] = field(default_factory=dict)
    faults: tuple[str, ...] = ()  # about the row as a whole
    may_edit: bool = True
    may_delete: bool = True

    @property
    def changed(self) -> tuple[str, ...]:
        """The fields whose text is not the one that the row was opened with."""
        return tuple(name for name, text in self.texts.items() if text != self.was.get(name, ""))

    @property
    def is_blank(self) -> bool:
        """A new row in which nothing was typed: it is not written."""
        return self.id is None and not self.changed and not self.errors

    def typed_names(self) -> dict[str, str]:
        return dict(self.names)


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one table. ``had``: the records that the form was opened with, and their revisions."""

    plan: LinesPlan
    lines: tuple[Line, ...]
    had: Mapping[UUID, int] = field(default_factory=dict)
    beyond: int = 0  # further lines of the head that the form does not hold
    rest: Mapping[str, Decimal] = field(default_factory=dict)  # what those add to the totals
    faults: tuple[str, ...] = ()

    @property
    def written(self) -> tuple[Line, ...]:
        """The rows that count: those that are not blank."""
        return tuple(line for line in self.lines if not line.is_blank)

    @property
    def removed(self) -> tuple[UUID, ...]:
        here = {line.id for line in self.lines}
        return tuple(id for id in self.had if id not in here)

    @property
    def has_errors(self) -> bool:
        return bool(self.faults) or any(line.errors or line.faults for line in self.lines)

    @property
    def is_moved(self) -> bool:
        """Whether rows stand in another order than they were opened in."""
        ids = [line.id for line in self.lines if line.id is not None]
        return ids != [id for id in self.had if id in set(ids)]

    @property
    def is_changed(self) -> bool:
        """Whether anything of it would be written."""
        return bool(self.removed) or self.is_moved or any(line.changed for line in self.lines)

    def free_key(self) -> str:
        """A key that no row has."""
        used = {line.key for line in self.lines}
        return next(key for n in range(1, len(used) + 2) if (key := f"n{n}") not in used)

    def total(self, name: str) -> Decimal | None:
        """The sum of a column as it stands in the form; None where nothing in it is a number."""
        column = self.plan.column(name)
        assert column is not None
        asked = {field.name for field in self.plan.asked(creating=True)}
        sum, any_number = self.rest.get(name, Decimal(0)), name in self.rest
        for line in self.lines:
            if name in asked and name in line.texts:
                value = number_in(column.field, line.texts[name])
            else:
                stored = line.row.get(name)
                value = None if stored is None else Decimal(str(stored))
            if value is not None:
                sum, any_number = sum + value, True
        return sum if any_number else None


def number_in(field: FieldDef, text: str) -> Decimal | None:
    """The number that a typed text is; None for a blank and for what is none."""
    value = texts.to_value(field, text, ZoneInfo("UTC"))
    if not isinstance(value, str):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


# ---- from the store --------------------------------------------------------


def stored(call: Call, reads: Reading, plan: LinesPlan, head: UUID) -> Table:
    """The lines of a record as they are now."""
    order = [(plan.lines.position, "asc")] if plan.lines.position in plan.paths else []
    if call.gate.find(plan.object, "created_at") is not None:
        order.append(("created_at", "asc"))
    limit = min(MOST, call.tenant.limits.page_rows)
    query = Query(
        plan.object.name,
        plan.paths,
        order=tuple(order),  # type: ignore[arg-type]
        limit=limit,
        count=True,
        parent=(plan.link.name, head),
    )
    page = reads.list(query)
    may_edit = open_among(call, plan.object, "edit", page.rows) if plan.may_edit else frozenset()
    may_delete = open_among(call, plan.object, "delete", page.rows) if plan.may_delete else frozenset()
    lines = tuple(_line(call, plan, row, row["id"] in may_edit, row["id"] in may_delete) for row in page.rows)
    beyond = max((page.count or 0) - len(lines), 0)
    table = Table(plan, lines, {line.id: line.revision or 0 for line in lines if line.id}, beyond)
    if not beyond or isinstance(reads, PreviewReads):  # a draft's columns cannot be added up yet
        return table
    return replace(table, rest=_rest(call, table, head))


def _line(call: Call, plan: LinesPlan, row: Mapping[str, Any], may_edit: bool, may_delete: bool) -> Line:
    zone = ZoneInfo(call.zone)
    fields = plan.asked(creating=False) if may_edit else ()
    filled = texts.to_texts(fields, row, zone)
    names = visiting.names_in(row, fields, call)
    at = "" if plan.lines.position is None else str(row.get(plan.lines.position) or "")
    return Line(
        key=row["id"].hex,
        texts=filled,
        names=names,
        was=filled,
        was_names=names,
        id=row["id"],
        revision=int(row.get("revision") or 0) or None,
        at=at,
        row=row,
        may_edit=may_edit,
        may_delete=may_delete,
    )


def _rest(call: Call, table: Table, head: UUID) -> dict[str, Decimal]:
    """What the lines that are not in the form add to each total."""
    names = [column.name for column in table.plan.totalled]
    if not names:
        return {}
    where = f'{table.plan.link.name} = "{head}"'
    measures = tuple(Measure("sum", name, name) for name in names)
    try:
        [sums] = aggregate(call, Aggregation(table.plan.object.name, measures=measures, where=where)).rows
    except Invalid:  # a sum that leaves what the store can add up
        return {}
    here = {name: table.total(name) or Decimal(0) for name in names}
    return {name: Decimal(str(sums[name] or 0)) - here[name] for name in names}


# ---- new ones --------------------------------------------------------


def fresh_line(call: Call, plan: LinesPlan, key: str) -> Line:
    """An untouched row; its defaults are typed by nobody, so that it stays blank until something is."""
    filled = fresh_texts(call, plan)
    return Line(key, filled, was=filled)


def started(call: Call, plan: LinesPlan) -> Table:
    """The table of a record that is made: as many rows as it needs, and one at least."""
    if not plan.may_add:
        return Table(plan, ())
    many = max(plan.lines.minimum, 1)
    return Table(plan, tuple(fresh_line(call, plan, f"n{n}") for n in range(1, many + 1)))


def copied(call: Call, reads: Reading, plan: LinesPlan, head: UUID) -> Table:
    """The lines of another record as new ones; what must be unique or is masked stays behind."""
    if not plan.may_add:
        return Table(plan, ())
    fresh = fresh_line(call, plan, "n1")
    fields = plan.asked(creating=True)
    taken = [each for each in fields if not (each.unique or each.mask)]
    zone = ZoneInfo(call.zone)
    lines = []
    for number, line in enumerate(stored(call, reads, plan, head).lines, start=1):
        filled = {name: text for name, text in texts.to_texts(taken, line.row, zone).items() if text}
        names = visiting.names_in(line.row, taken, call)
        made = replace(fresh, key=f"n{number}", texts={**fresh.texts, **filled}, names=names)
        lines.append(made)
    return Table(plan, tuple(lines)) if lines else started(call, plan)


# ---- buttons --------------------------------------------------------


def added(call: Call, table: Table) -> Table:
    """One more row at the end."""
    return replace(table, lines=(*table.lines, fresh_line(call, table.plan, table.free_key())))


def duplicated(call: Call, table: Table, key: str) -> Table:
    """A copy of a row, right below it."""
    fresh = fresh_line(call, table.plan, table.free_key())
    kept = {each.name for each in table.plan.asked(creating=True) if not (each.unique or each.mask)}
    lines: list[Line] = []
    for line in table.lines:
        lines.append(line)
        if line.key == key:
            filled = {name: text for name, text in line.texts.items() if name in kept}
            names = {name: text for name, text in line.names.items() if name in kept}
            lines.append(replace(fresh, texts={**fresh.texts, **filled}, names=names))
    return replace(table, lines=tuple(lines))


def without(table: Table, key: str) -> Table:
    """Without a row."""
    return replace(table, lines=tuple(line for line in table.lines if line.key != key))


def moved(table: Table, key: str, by: int) -> Table:
    """A row one place up (-1) or down (1)."""
    lines = list(table.lines)
    at = next((n for n, line in enumerate(lines) if line.key == key), None)
    if at is None or not 0 <= at + by < len(lines):
        return table
    lines[at], lines[at + by] = lines[at + by], lines[at]
    return replace(table, lines=tuple(lines))


def fitted(table: Table) -> Table:
    """Without choices that no longer go with what controls them."""
    fields = [each for each in table.plan.asked(creating=True) if each.controlled_by is not None]
    if not fields:
        return table
    every = table.plan.asked(creating=True)
    lines = tuple(
        replace(line, texts=fitting(table.plan.object, every, line.texts, line.row)) for line in table.lines
    )
    return replace(table, lines=lines)


def numbered(tables: Iterable[Table]) -> Iterator[tuple[Table, int, Line]]:
    """Every row that counts with its table and its number as people see it."""
    for table in tables:
        for number, line in enumerate(table.lines, start=1):
            if not line.is_blank:
                yield table, number, line
