"""The tables of lines of one form, from what it was opened with to what the write path is given, and back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from tabwright.metadata.model import label_in
from tabwright.platform.errors import Fault, TabwrightError
from tabwright.platform.language import say_fault
from tabwright.runtime.desk import Call
from tabwright.runtime.forms import texts
from tabwright.runtime.forms.dependent import is_offered_by_others
from tabwright.runtime.pages import visiting
from tabwright.runtime.pages.edit_page import FaultLine
from tabwright.runtime.pages.lines import drawing, keeping, posting, tables
from tabwright.runtime.pages.lines.plan import PREFIX, LinesPlan, plans
from tabwright.runtime.pages.lines.tables import Line, Table
from tabwright.runtime.pages.lookups import Lookups
from tabwright.runtime.pages.preview import Reading
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.personal.drafts import FormDraft
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.together import Lines

NOTHING: Mapping[tuple[str, str], Collection[str]] = {}


@dataclass(frozen=True, slots=True)
class LinesForm:
    """All tables of one form. ``hidden`` tables are neither shown nor written."""

    call: Call
    tables: tuple[Table, ...]
    hidden: Collection[str] = ()
    lost: tuple[FaultLine, ...] = ()

    # ---- opening ----------------------------------------------------------------------------------

    @staticmethod
    def new(call: Call, reads: Reading, parts: visiting.Parts, copied: UUID | None) -> LinesForm:
        """Of a record that is made: untouched rows, or the lines of the record that is copied."""
        return LinesForm(
            call,
            tuple(
                tables.copied(call, reads, plan, copied) if copied else tables.started(call, plan)
                for plan in plans(call, parts)
            ),
        )

    @staticmethod
    def edit(call: Call, reads: Reading, parts: visiting.Parts, id: UUID) -> LinesForm:
        """Of a record as it is now."""
        return LinesForm(call, tuple(tables.stored(call, reads, plan, id) for plan in plans(call, parts)))

    @staticmethod
    def posted(
        call: Call, reads: Reading, parts: visiting.Parts, form: posting.Form, id: UUID | None
    ) -> LinesForm:
        """As a form was posted."""
        known = plans(call, parts)
        finder = Lookups(call, reads)
        made = tuple(posting.posted(call, reads, plan, form, id, finder) for plan in known)
        return LinesForm(call, made, lost=_lost(call, known, form))

    def restored(self, draft: FormDraft | None) -> LinesForm:
        """With what a draft kept of them."""
        if draft is None or not draft.lines:
            return self
        return replace(
            self,
            tables=tuple(
                keeping.restored(self.call, table, draft.lines[table.plan.link.uid])
                if table.plan.link.uid in draft.lines
                else table
                for table in self.tables
            ),
        )

    def under(self, hidden: Collection[str]) -> LinesForm:
        """With the tables hidden that a visibility formula takes away."""
        return replace(self, hidden=hidden)

    @property
    def shown(self) -> tuple[Table, ...]:
        return tuple(table for table in self.tables if table.plan.relation not in self.hidden)

    @property
    def is_dynamic(self) -> bool:
        """Whether what a cell offers depends on another cell."""
        return any(
            is_offered_by_others(column.field) for table in self.tables for column in table.plan.columns
        )

    def html(self) -> dict[str, str]:
        """Each table by its relation, as the form's piece takes it."""
        return {table.plan.relation: drawing.drawn(self.call, table) for table in self.shown}

    # ---- checking ----------------------------------------------------------------------------------

    def checked(self) -> LinesForm:
        """With what the form itself finds wrong: cells that the layout requires, too few or too many rows."""
        return replace(self, tables=tuple(self._checked(table) for table in self.tables))

    def _checked(self, table: Table) -> Table:
        plan, t = table.plan, text(self.call.language)
        if plan.relation in self.hidden:
            return table
        now = len(table.written) + table.beyond
        faults = list(table.faults)
        if now < plan.lines.minimum and plan.may_add:
            faults.append(t("lines.least", heading=plan.heading, count=plan.lines.minimum, now=now))
        if now > plan.lines.maximum and (table.is_changed or not table.had):
            faults.append(t("lines.too_many", heading=plan.heading, count=plan.lines.maximum, now=now))
        wanted = [each for each in plan.columns if each.entry.required and each.control is not None]
        lines = []
        for line in table.lines:
            errors = dict(line.errors)
            for column in wanted if line.may_edit and not line.is_blank else ():
                name = column.name
                if line.texts.get(name, "?").strip() == "" and name not in errors:
                    errors[name] = (t("form.required", field=column.label),)
            lines.append(replace(line, errors=errors))
        return replace(table, lines=tuple(lines), faults=tuple(faults))

    @property
    def has_changes(self) -> bool:
        """Whether a save would write any line."""
        return bool(self.wanted())

    @property
    def has_errors(self) -> bool:
        return bool(self.lost) or any(table.has_errors for table in self.shown)

    def summary(self) -> tuple[FaultLine, ...]:
        """The lines of the form's summary about lines, each leading to its cell."""
        language = self.call.language
        t = text(language)
        colon = "：" if language == "zh" else ": "
        made = list(self.lost)
        for table in self.shown:
            made += [FaultLine(each, None) for each in table.faults]
            for number, line in enumerate(table.lines, start=1):
                place = t("lines.place", heading=table.plan.heading, number=number)
                for said in line.faults:
                    made.append(FaultLine(f"{place}{colon}{said}", drawing.anchor(table.plan, line)))
                for name, found in line.errors.items():
                    column = table.plan.column(name)
                    label = column.label if column is not None else name
                    at = drawing.anchor(table.plan, line, name)
                    dot = " · "
                    for said in found:
                        told = said if label in said else f"{label}{colon}{said}"
                        made.append(FaultLine(f"{place}{dot}{told}", at))
        return tuple(made)

    # ---- writing ----------------------------------------------------------------------------------

    def wanted(self, *, agreed: bool = False) -> tuple[Lines, ...]:
        """What the write path is asked for. ``agreed``: where only the order of rows clashed, mine holds."""
        return tuple(made for table in self.shown if (made := _wanted(self.call, table, agreed)).intents)

    def with_faults(
        self, error: TabwrightError, known: Mapping[tuple[str, str], Collection[str]] = NOTHING
    ) -> tuple[LinesForm, tuple[Fault, ...]]:
        """The faults of a refused save at their cells and rows, and those that are about the head. Of a cell
        (relation, row -> fields) of which something is ``known`` nothing more is said.
        """
        rest: list[Fault] = []
        told: dict[tuple[str, int], list[Fault]] = {}
        for fault in error.faults:
            steps = (fault.place.pointer or "").split("/")  # "", relation, number, field
            if (
                len(steps) > 2
                and steps[2].isdigit()
                and steps[1] in {each.plan.relation for each in self.shown}
            ):
                told.setdefault((steps[1], int(steps[2])), []).append(fault)
            else:
                rest.append(fault)
        made = []
        for table in self.tables:
            lines = list(table.lines)
            for at, key in enumerate(_asked(table)):
                here = told.pop((table.plan.relation, at), ())
                place = next((n for n, line in enumerate(lines) if line.key == key), None)
                if here and place is not None:
                    silent = known.get((table.plan.relation, key), ())
                    here = [fault for fault in here if fault.place.field not in silent]
                    lines[place] = _told(self.call, table.plan, lines[place], here)
            about = [  # rows that are removed stand nowhere
                say_fault(fault, self.call.language)
                for (relation, _), found in told.items()
                if relation == table.plan.relation
                for fault in found
            ]
            faults = tuple(dict.fromkeys((*table.faults, *about)))
            made.append(replace(table, lines=tuple(lines), faults=faults))
        return replace(self, tables=tuple(made)), tuple(rest)


def _lost(call: Call, known: Sequence[LinesPlan], form: posting.Form) -> tuple[FaultLine, ...]:
    """What is said of tables that the posted form has and this person's layout has no more."""
    here = set()
    for plan in known:
        found = posting.prefix_in(plan, form)
        if found is not None:
            here.add(found)
    t = text(call.language)
    lost: dict[str, None] = {}
    for name in form:
        if name.startswith(PREFIX) and name.endswith(f".{posting.HAD}"):
            prefix = name[: -len(posting.HAD)]
            if prefix not in here:
                lost[_heading(call, prefix)] = None
    return tuple(FaultLine(t("lines.gone", heading=heading)) for heading in lost)


def _heading(call: Call, prefix: str) -> str:
    name = prefix.removeprefix(PREFIX).partition(".")[0][:80]
    object = call.model.find(name)
    if object is None or not call.gate.may(object, "read"):
        return name
    return label_in(object.plural, call.language)


# ---- intents --------------------------------------------------------


def _asked(table: Table) -> list[str]:
    """The keys of the rows behind the intents, in their order; deletes have none."""
    return [line.key for line, _ in _lines_with_values(table, ZoneInfo("UTC"))]


def _wanted(call: Call, table: Table, agreed: bool) -> Lines:
    intents = []
    position = table.plan.position.name if table.plan.position is not None else None
    for line, values in _lines_with_values(table, ZoneInfo(call.zone)):
        if line.id is None:
            intents.append(Intent("create", values=values))
            continue
        only_order = set(values) <= {position}
        intents.append(
            Intent("update", line.id, values, seen=None if only_order or agreed else line.revision)
        )
    if table.plan.may_delete:
        intents += [Intent("delete", id, revision=table.had[id]) for id in table.removed]
    return Lines(table.plan.object.name, table.plan.link.name, tuple(intents))


def _lines_with_values(table: Table, zone: ZoneInfo) -> list[tuple[Line, dict[str, Any]]]:
    """The rows that are written and what is given for each: of a new row what is not blank, of another
    what was changed; and its place where that is kept and is another one.
    """
    plan, made = table.plan, []
    fields = {creating: plan.asked(creating=creating) for creating in (True, False)}
    for number, line in enumerate(table.written, start=1):
        creating = line.id is None
        if creating and not plan.may_add:
            continue
        values = {
            field.name: texts.to_value(field, line.texts[field.name], zone)
            for field in fields[creating]
            if field.name in line.texts and (creating or field.name in line.changed)
        }
        if creating:
            values = {name: value for name, value in values.items() if value is not None}
        if plan.position is not None and line.may_edit and line.at != str(number):
            values[plan.position.name] = number
        if creating or (values and line.may_edit):
            made.append((line, values))
    return made


def _told(call: Call, plan: LinesPlan, line: Line, faults: Sequence[Fault]) -> Line:
    errors: dict[str, tuple[str, ...]] = dict(line.errors)
    about = list(line.faults)
    asked = {field.name for field in plan.asked(creating=line.id is None)}
    for fault in faults:
        said, name = say_fault(fault, call.language), fault.place.field
        if name in asked and name is not None:
            errors[name] = tuple(dict.fromkeys((*errors.get(name, ()), said)))
        else:
            about.append(said)
    return replace(line, errors=errors, faults=tuple(dict.fromkeys(about)))
