"""The steps of an explained formula as lines that people read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from tabwright.formula.explaining import Step
from tabwright.metadata.choices import codes_in
from tabwright.metadata.language_faults import faults_of
from tabwright.metadata.model import FieldDef, label_in
from tabwright.platform.errors import Place
from tabwright.platform.language import register_messages, say, say_fault
from tabwright.runtime.access.gate import ResolvedPath
from tabwright.runtime.desk import Call
from tabwright.runtime.explaining import Explained
from tabwright.runtime.forms.marks import moment, number_text
from tabwright.runtime.pages.history import names_of
from tabwright.runtime.query.reads import Reads

register_messages(Path(__file__).with_name("why_messages.json"))

LONG = 200  # characters of a value that are shown


@dataclass(frozen=True, slots=True)
class Line:
    """One sub-expression. ``label`` says in words what a name stands for; ``value`` is ready to be read;
    ``start`` and ``over`` are its place in the formula's text, as browsers count.
    """

    text: str
    label: str
    state: str  # value error skipped hidden
    value: str
    failing: bool
    start: int
    over: int
    parts: tuple[Line, ...] = ()
    href: str = ""  # why that field has its value, of a field of the record that a formula computes


@dataclass(frozen=True, slots=True)
class Shown:
    """An explained formula: its steps, and where it fails the sentence that says so."""

    line: Line
    error: str = ""
    failing: str = ""  # the sub-expression that has no value


def shown(call: Call, explained: Explained, text: str, at: str = "") -> Shown:
    """``explained`` in this person's language and on their clock. ``text`` is the formula's, ``at`` the
    address of the record.
    """
    made = _Shower(call, explained, text, at)
    failing = explained.step.failing
    line = made.line(explained.step)
    if failing is None or failing.error is None:
        return Shown(line)
    return Shown(line, made.error(failing), failing.text)


class _Shower:
    def __init__(self, call: Call, explained: Explained, text: str, at: str) -> None:
        self._call = call
        self._at = at
        self._paths = explained.paths
        self._text = text
        self._failing = explained.step.failing
        self._zone = ZoneInfo(call.zone)
        ids = {each.value: each for each in explained.step.all() if isinstance(each.value, UUID)}
        wanted = [(each.type.target or "user", id) for id, each in ids.items()]
        self._names: dict[Any, str] = dict(names_of(call, Reads(call), wanted))

    def say(self, code: str, **params: str) -> str:
        return say(f"pages.why.{code}", params, self._call.language)

    def line(self, step: Step) -> Line:
        path = self._paths.get(step.read) if step.read is not None else None
        start = _units(self._text[: step.start])
        return Line(
            text=step.text,
            label=self._label(path) if path is not None else "",
            state=step.state,
            value=self._value(step, path.field if path is not None else None),
            failing=step is self._failing,
            start=start,
            over=_units(self._text[: step.end]) - start,
            href=self._href(path),
            # Of what was passed over nothing was computed: its parts say nothing.
            parts=() if step.state == "skipped" else tuple(self.line(each) for each in step.parts),
        )

    def error(self, step: Step) -> str:
        assert step.error is not None
        (fault,) = faults_of([step.error.fault(self._text)], Place())
        return say_fault(fault, self._call.language)

    def _href(self, path: ResolvedPath | None) -> str:
        if not self._at or path is None or path.hops or path.field.computed is None:
            return ""
        return f"{self._at}/why/{path.field.name}"

    def _label(self, path: ResolvedPath) -> str:
        return " › ".join(label_in(each.labels, self._call.language) for each in (*path.hops, path.field))

    def _value(self, step: Step, field: FieldDef | None) -> str:
        if step.state == "error":
            return self.say("error")
        if step.state != "value":
            return self.say(step.state)
        value = step.value
        if value is None or value == "":
            return self.say("blank")
        if isinstance(value, bool):
            return self.say("yes" if value else "no")
        if isinstance(value, Decimal):
            text = number_text(value)
            text = text.rstrip("0").rstrip(".") if "." in text else text
            return text + "%" if step.type.percent else text
        if isinstance(value, datetime):
            return f"{moment(value, self._zone):%Y-%m-%d %H:%M:%S}"
        if isinstance(value, date | time):
            return value.isoformat()
        if isinstance(value, UUID):
            return self._names.get(value) or self.say("some_record")
        if step.type.kind in ("picklist", "choices"):
            return self._codes(str(value), step.type.kind, field)
        text = str(value)
        return text if len(text) <= LONG else text[:LONG] + "…"

    def _codes(self, value: str, kind: str, field: FieldDef | None) -> str:
        codes = tuple(codes_in(value)) if kind == "choices" else (value,)
        known = field.picklist if field is not None else None
        found = [known.value(each) if known is not None else None for each in codes]
        words = [
            label_in(each.labels, self._call.language) if each is not None else code
            for each, code in zip(found, codes, strict=True)
        ]
        return self.say("and").join(words)


def _units(text: str) -> int:
    """How long a browser takes a text to be."""
    return len(text.encode("utf-16-le")) // 2
