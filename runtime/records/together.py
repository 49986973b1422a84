"""Records and lines of them written as one: one transaction, one journal operation, all faults at once.

Lines are records of other objects whose lookup names the record, their head. They pass the same pipeline with
the rights of the same caller; what a line needs of its head (its owner, its id) it finds in the open
transaction. The lines of all heads pass together, so that many heads cost the statements of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.database import Prepared, prepare
from tabwright.platform.errors import Fault, Invalid, NotFound, Place, TabwrightError
from tabwright.platform.tables import ids_value, in_ids, uuid_of
from tabwright.runtime.records import pipeline
from tabwright.runtime.records.batch import Intent, RowResult, Saved, Work
from tabwright.runtime.records.loading import id_of
from tabwright.runtime.records.moving import close

if TYPE_CHECKING:
    from tabwright.runtime.records.hooks import Hooks


@dataclass(frozen=True, slots=True)
class Lines:
    """What is wanted of the records of ``object`` whose lookup ``field`` names the head.

    Creates need not say the lookup. Updates and deletes name lines of this head only. ``no_others``: these
    are all lines that the head is to have; those that the caller may read and that are not named are deleted.
    ``pointer`` is where the intents stand in what the caller sent, for faults.
    """

    object: str
    field: str
    intents: tuple[Intent, ...]
    no_others: bool = False
    pointer: str = ""

    @property
    def relation(self) -> str:
        return f"{self.object}.{self.field}"

    def place(self, number: int, fault: Fault) -> Place:
        """Where a fault of the intent of that number (from 0) stands."""
        steps = [self.pointer or f"/{self.relation}"]
        if number < len(self.intents):
            steps.append(str(number))
            if fault.place.field is not None:
                steps.append(fault.place.field)
        return replace(fault.place, object=self.object, row=number + 1, pointer="/".join(steps))


@dataclass(frozen=True, slots=True)
class Family:
    """A head, which is made or changed, and what is wanted of its lines."""

    head: Intent
    lines: tuple[Lines, ...] = ()


@dataclass(frozen=True, slots=True)
class Together:
    """What became of the heads and of their lines, in the caller's order: of each family, of each of its
    ``Lines``, a result for each intent, then for each line that was deleted because it was not named.

    The head of a family that failed has the faults of its lines too, and its lines no results.
    """

    heads: tuple[RowResult, ...]
    lines: tuple[tuple[tuple[RowResult, ...], ...], ...]
    operation: UUID | None
    trace: tuple[tuple[str, int], ...] = ()

    @property
    def head(self) -> Saved:
        """The one head of a write that succeeded."""
        (row,) = self.heads
        assert row.id is not None
        return Saved(row.id, row.revision, row.outcome != "unchanged", self.operation, self.trace)


def write(work: Work, hooks: Hooks, object: ObjectDef, families: Sequence[Family]) -> Together:
    """Write all or raise one error with every fault; a fault of a line has its ``object``, its ``row`` in
    its list and a ``pointer`` ``/<relation>/<index>/<field>``. The caller's transaction is to be rolled back
    then.
    """
    done = _Pass(work, hooks, object, families)
    done.run()
    if done.errors:
        faults = [fault for error in done.errors.values() for fault in error.faults]
        kinds = {type(error) for error in done.errors.values()}
        raise (kinds.pop() if len(kinds) == 1 else Invalid)(faults)
    return _closed(work, object, families, done.heads, done.lines)


def write_each(work: Work, hooks: Hooks, object: ObjectDef, families: Sequence[Family]) -> Together:
    """Write the families that nothing is wrong with; the heads of the others come back failed."""
    heads: dict[int, RowResult] = {}
    lines: dict[int, tuple[tuple[RowResult, ...], ...]] = {}
    waiting = list(range(len(families)))
    while waiting:
        some = [families[number] for number in waiting]
        written, done = work.operation.written, _Pass(work, hooks, object, some)
        try:
            with work.writer.savepoint():
                done.run()
                if done.errors:
                    raise _Refused
        except _Refused:
            # What is refused is taken out, and the rest is written as if it had not been there.
            work.operation.written = written
            for at, error in done.errors.items():
                row = done.heads[at]
                known = row.id if families[waiting[at]].head.action == "update" else None
                heads[waiting[at]] = RowResult(
                    waiting[at] + 1, "failed", known, row.revision, tuple(error.faults), type(error)
                )
            waiting = [number for at, number in enumerate(waiting) if at not in done.errors]
            continue
        for at, number in enumerate(waiting):
            heads[number], lines[number] = replace(done.heads[at], row=number + 1), done.lines[at]
        break
    count = range(len(families))
    return _closed(work, object, families, [heads[n] for n in count], [lines.get(n, ()) for n in count])


class _Refused(Exception):
    """Leaves the savepoint in which a family was refused."""


def _closed(
    work: Work,
    object: ObjectDef,
    families: Sequence[Family],
    heads: Sequence[RowResult],
    lines: Sequence[tuple[tuple[RowResult, ...], ...]],
) -> Together:
    parts = dict.fromkeys(each.object for family in families for each in family.lines)
    close(work, (object, *(work.model.objects[name] for name in parts)))
    operation = work.operation.id if work.operation.written else None
    return Together(tuple(heads), tuple(lines), operation, tuple(work.trace))


@dataclass(slots=True)
class _Entry:
    """One intent about a line: of which family, of which of its ``Lines``, at which place of it."""

    family: int
    list: int
    number: int
    intent: Intent


class _Pass:
    """The families passing the pipeline once: first the heads, then relation by relation the lines.

    ``errors``: what is wrong with a family, by its number. With any, the transaction holds halves.
    """

    def __init__(self, work: Work, hooks: Hooks, object: ObjectDef, families: Sequence[Family]) -> None:
        self._work, self._hooks, self._object, self._families = work, hooks, object, families
        self.heads: tuple[RowResult, ...] = ()
        self.errors: dict[int, TabwrightError] = {}
        self._rows: dict[tuple[int, int], dict[int, RowResult]] = {}

    @property
    def lines(self) -> list[tuple[tuple[RowResult, ...], ...]]:
        """The results of the lines, by family and list, in the order of their intents."""
        return [
            tuple(
                tuple(row for _, row in sorted(self._rows.get((family, at), {}).items()))
                for at in range(len(each.lines))
            )
            for family, each in enumerate(self._families)
        ]

    def run(self) -> None:
        families = self._families
        intents = [each.head for each in families]
        self.heads = pipeline.run(self._hooks, self._work, self._object, intents, per_row=True).rows
        for at, row in enumerate(self.heads):
            if row.outcome == "failed":
                self._refuse(at, row, row.faults)
        known = [
            id_of(intent.id) if row.outcome == "failed" else row.id
            for intent, row in zip(intents, self.heads, strict=True)
        ]
        self._work.heads_made = frozenset(
            row.id for row in self.heads if row.outcome == "created" and row.id is not None
        )
        relations: dict[str, list[tuple[int, int]]] = {}
        for family, each in enumerate(families):
            for at, lines in enumerate(each.lines):
                relations.setdefault(lines.relation, []).append((family, at))
        for lists in relations.values():
            self._write_lines(lists, known)

    def _refuse(self, family: int, row: RowResult, faults: Iterable[Fault]) -> None:
        before = self.errors.get(family)
        kind = row.error or Invalid
        if before is not None and type(before) is not kind:
            kind = Invalid
        self.errors[family] = kind((*(before.faults if before is not None else ()), *faults))

    def _write_lines(self, lists: Sequence[tuple[int, int]], known: Sequence[UUID | None]) -> None:
        """Deletes first, so that what they free (a unique key) may be taken by a new line."""
        first = self._lines(lists[0])
        part = self._work.model.objects[first.object]
        link = part.fields[first.field]
        entries = [
            _Entry(family, at, number, intent)
            for family, at in lists
            for number, intent in enumerate(self._lines((family, at)).intents)
        ]
        entries = self._without_strangers(part, link, entries, known)
        entries += self._not_named(part, link, lists, known)
        for deleting in (True, False):
            some = [each for each in entries if (each.intent.action == "delete") is deleting]
            if not some:
                continue
            intents = [
                replace(each.intent, values={**each.intent.values, link.name: known[each.family]})
                if each.intent.action == "create" and known[each.family] is not None
                else each.intent
                for each in some
            ]
            rows = pipeline.run(self._hooks, self._work, part, intents, per_row=True).rows
            for entry, row in zip(some, rows, strict=True):
                orphan = known[entry.family] is None
                # Of a head that is not there yet a line does not complain.
                faults = [each for each in row.faults if not (orphan and each.place.field == link.name)]
                self._keep(entry, row, faults)

    def _lines(self, key: tuple[int, int]) -> Lines:
        family, at = key
        return self._families[family].lines[at]

    def _keep(self, entry: _Entry, row: RowResult, faults: Sequence[Fault]) -> None:
        lines = self._lines((entry.family, entry.list))
        told = tuple(Fault(fault.code, fault.params, lines.place(entry.number, fault)) for fault in faults)
        row = replace(row, row=entry.number + 1, faults=told)
        self._rows.setdefault((entry.family, entry.list), {})[entry.number] = row
        if told:
            self._refuse(entry.family, row, told)

    def _without_strangers(
        self, part: ObjectDef, link: FieldDef, entries: list[_Entry], known: Sequence[UUID | None]
    ) -> list[_Entry]:
        """The entries but those about records that are no lines of their head: they are not found."""
        named = {id for each in entries if (id := id_of(each.intent.id)) is not None}
        heads = self._heads_of(part, link, named) if named else {}
        kept = []
        for entry in entries:
            head, id = known[entry.family], id_of(entry.intent.id)
            if entry.intent.action == "create" or (
                id is not None and head is not None and heads.get(id) == head
            ):
                kept.append(entry)
                continue
            fault = Fault("record.not_found", {"object": part.name}, Place(object=part.name))
            self._keep(entry, RowResult(0, "failed", None, 0, error=NotFound), [fault])
        return kept

    def _heads_of(self, part: ObjectDef, link: FieldDef, ids: set[UUID]) -> dict[UUID, UUID]:
        """Which record the lookup of each of the part's records names."""
        work, table = self._work, self._work.call.tables.of(part)

        def make() -> Prepared:
            chosen = sa.select(table.id, table.column(link.name)).select_from(table.joined)
            return prepare(work.writer.store, chosen.where(in_ids(table.dialect, table.id)))

        statement = work.call.tenant.piece("heads_of_lines", part, table, make, link.name)
        rows = work.writer.rows(statement, {"ids": ids_value(table.dialect, sorted(ids))})
        return {uuid_of(id): uuid_of(head) for id, head in rows if head is not None}

    def _not_named(
        self, part: ObjectDef, link: FieldDef, lists: Sequence[tuple[int, int]], known: Sequence[UUID | None]
    ) -> list[_Entry]:
        """A delete for each line that may be read and that is to go because its head's list lacks it."""
        heads: dict[UUID, tuple[int, int]] = {}
        for family, at in lists:
            head = known[family]
            if head is not None and self._lines((family, at)).no_others and not self._made(family):
                heads[head] = family, at
        if not heads:
            return []
        work = self._work
        given = {"ids": ids_value(work.writer.store.dialect, sorted(heads)), **work.gate.viewer()}
        named = {id_of(each.id) for key in lists for each in self._lines(key).intents}
        found: list[_Entry] = []
        after: dict[tuple[int, int], int] = {}
        for id, head in work.writer.rows(self._lines_of_heads(part, link), given):
            if uuid_of(id) in named:
                continue
            key = heads[uuid_of(head)]
            number = after.get(key, len(self._lines(key).intents))
            after[key] = number + 1
            found.append(_Entry(*key, number, Intent("delete", uuid_of(id))))
        if found:
            work.gate.require(part, "delete")
        return found

    def _made(self, family: int) -> bool:
        return self.heads[family].outcome == "created" or self._families[family].head.action == "create"

    def _lines_of_heads(self, part: ObjectDef, link: FieldDef) -> Prepared:
        """The living lines of some heads that this caller may read."""
        work, table = self._work, self._work.call.tables.of(part)

        def make() -> Prepared:
            column = table.column(link.name)
            chosen = sa.select(table.id, column).select_from(table.joined)
            chosen = chosen.where(in_ids(table.dialect, column), table.deleted_at.is_(None))
            readable = work.gate.predicate(part, "read", work.call.tables)
            if readable is not None:
                chosen = chosen.where(readable)
            return prepare(work.writer.store, chosen.order_by(table.id))

        footprint = work.gate.footprint(part)
        return work.call.tenant.piece("lines_of_heads", part, table, make, link.name, footprint)
