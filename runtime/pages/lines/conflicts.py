"""Lines that two people changed: what differs, and the form rebased on what stands now for the choice."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from tabwright.runtime.desk import Call
from tabwright.runtime.pages.edit_page import Differing, pack, plain
from tabwright.runtime.pages.lines.form import LinesForm
from tabwright.runtime.pages.lines.plan import LinesPlan
from tabwright.runtime.pages.lines.posting import AT, HAD, ID, REVISION, WAS
from tabwright.runtime.pages.lines.tables import Line, Table, fresh_line
from tabwright.runtime.pages.rendering import text

Inputs = Iterator[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Clashes:
    """What a conflict page shows of lines, and the inputs that it carries of them."""

    differing: tuple[Differing, ...]
    carried: tuple[tuple[str, str], ...]


def clashes(call: Call, mine: LinesForm, now: LinesForm, who: str) -> Clashes:
    """Mine as posted against the lines of now. What only one side changed is not asked about."""
    present = {table.plan.relation: table for table in now.tables}
    differing: list[Differing] = []
    carried: list[tuple[str, str]] = []
    for table in mine.shown:
        clash = _Clash(call, table, present[table.plan.relation], who)
        differing += clash.differing()
        carried += clash.carried()
    return Clashes(tuple(differing), tuple(carried))


class _Clash:
    def __init__(self, call: Call, mine: Table, now: Table, who: str) -> None:
        self._call = call
        self._mine = mine
        self._plan: LinesPlan = mine.plan
        self._now: Mapping[UUID | None, Line] = {line.id: line for line in now.lines}
        self._who = who
        self._t = text(call.language)

    def differing(self) -> Iterator[Differing]:
        for number, line in enumerate(self._mine.lines, start=1):
            if line.id is None:
                continue
            place = self._t("lines.place", heading=self._plan.heading, number=number)
            theirs = self._now.get(line.id)
            if theirs is None:
                if line.changed:
                    gone = self._t("lines.deleted_by", who=self._who)
                    was = self._summary(line.was, line.was_names)
                    mine = self._summary(line.texts, line.names)
                    yield Differing(f"{self._plan.prefix}{line.key}", place, was, mine, gone)
                continue
            for name in line.changed:
                new, was = theirs.texts.get(name, ""), line.was.get(name, "")
                if new not in (was, line.texts[name]):
                    column = self._plan.column(name)
                    assert column is not None
                    yield Differing(
                        f"{self._plan.prefix}{line.key}.{name}",
                        f"{place} · {column.label}",
                        plain(column.field, was, line.was_names, self._call),
                        plain(column.field, line.texts[name], line.names, self._call),
                        plain(column.field, new, theirs.names, self._call),
                    )
        for id in self._removed_and_changed():
            line = self._now[id]
            said = self._summary(line.texts, line.names)
            mine = self._t("lines.deleted_mine")
            yield Differing(f"{self._plan.prefix}{id.hex}", self._plan.heading, "", mine, said)

    def _removed_and_changed(self) -> list[UUID]:
        had = self._mine.had
        return [id for id in self._mine.removed if id in self._now and self._now[id].revision != had[id]]

    def _summary(self, given: Mapping[str, str], names: Mapping[str, str]) -> str:
        shown = [
            plain(column.field, given[column.name], names, self._call)
            for column in self._plan.columns
            if given.get(column.name)
        ]
        return " · ".join(each for each in shown[:4] if each)

    def carried(self) -> Inputs:
        """The inputs of the table, opened anew on what stands now: what I did not change is theirs."""
        had = {id: self._now[id].revision or 0 for id in self._mine.had if id in self._now}
        packed = json.dumps({id.hex: revision for id, revision in had.items()}, separators=(",", ":"))
        yield self._plan.prefix + HAD, packed
        fresh = fresh_line(self._call, self._plan, "n1")
        for line in self._mine.lines:
            theirs = self._now.get(line.id)
            if line.is_blank or (line.id is not None and theirs is None and not line.changed):
                continue
            if line.id is None or theirs is None:
                yield from self._inputs(line, None, line.texts, line.names, fresh)
                continue
            texts = {**theirs.texts, **{name: line.texts[name] for name in line.changed}}
            names = {**theirs.names, **{n: line.names[n] for n in line.changed if n in line.names}}
            yield from self._inputs(line, line.id, texts, names, theirs)

    def _inputs(
        self, line: Line, id: UUID | None, texts: Mapping[str, str], names: Mapping[str, str], base: Line
    ) -> Inputs:
        start = f"{self._plan.prefix}{line.key}."
        yield start + ID, id.hex if id is not None else ""
        yield start + REVISION, str(base.revision or "")
        yield start + WAS, pack(base.texts, base.names)
        yield start + AT, base.at
        for field in self._plan.asked(creating=id is None):
            yield start + field.name, texts.get(field.name, "")
            if field.is_reference:
                yield f"{start}{field.name}.text", names.get(field.name, "")
