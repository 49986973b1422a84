"""Formulas while they are typed: right or not, where the bad part is, what the result is, and a trial."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from tabwright.admin_ui.components import form_of, known_kind
from tabwright.admin_ui.editor.forms import Entry
from tabwright.admin_ui.editor.reading import document_of
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.formula.compiler import Formula, compile_formula
from tabwright.formula.datatypes import BOOLEAN, Type
from tabwright.formula.environment import Env
from tabwright.formula.faults import EvaluationError, Fault, FormulaError
from tabwright.formula.lexer import quote
from tabwright.formula.scope import Place
from tabwright.metadata.language_faults import faults_of
from tabwright.metadata.model import label_in
from tabwright.metadata.world import FieldSource, Lens, RecordScope
from tabwright.platform.errors import Invalid
from tabwright.platform.errors import Place as Somewhere
from tabwright.platform.language import say, say_fault
from tabwright.platform.web import policy
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.formulas import person_of

TRIED = 10  # records that a rule is tried on
# Where the formulas of a kind stand; what is not here stands where a field's formula does.
_PLACES = {
    ("validation_rule", "condition"): Place.VALIDATION,
    ("field", "default"): Place.DEFAULT,
    ("field", "filter"): Place.WHERE,
    ("list_view", "where"): Place.WHERE,
    ("list_view", "when"): Place.WHERE,
    ("layout", "visible"): Place.VISIBILITY,
}


@dataclass(frozen=True, slots=True)
class Told:
    """What is wrong, and the text of the formula around it."""

    text: str
    before: str = ""
    bad: str = ""
    after: str = ""
    meant: str = ""  # the name of the field whose label was typed in place of it


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the check says: a result, or what is wrong."""

    result: str = ""
    told: tuple[Told, ...] = ()


def check(studio: Studio, kind: str, object: str, entry: Entry, document: dict[str, object]) -> Outcome:
    """Check one formula of a document against the draft's objects."""
    text = str(entry.value)
    options = document.get("options")
    target = options.get("target") if isinstance(options, dict) else None
    about = str(target) if entry.scope == "target" and target else object
    scope = RecordScope(Lens(studio.drafting.world, None), about)
    place = _PLACES.get((kind, entry.key), Place.DEFAULT if entry.result == "key" else Place.FORMULA_FIELD)
    expected = BOOLEAN if entry.result == "boolean" else _field_type(studio, object, entry, document)
    try:
        made = compile_formula(text, scope, place=place, expected=expected)
    except FormulaError as error:
        return Outcome(told=tuple(_told(studio, text, each, about) for each in error.faults))
    return Outcome(result=say(f"type.{made.type.kind}", {}, studio.call.language))


def _field_type(studio: Studio, object: str, entry: Entry, document: dict[str, object]) -> Type | None:
    """The type that the formula must give: its own field's, or of the field that a map's key names."""
    world = studio.drafting.world
    try:
        if entry.result == "key":
            found = world.field(object, entry.pointer.rpartition("/")[2])
            return world.type_of(found) if found is not None else None
        if entry.result == "field" and document.get("type"):
            options = document.get("options")
            given = options if isinstance(options, dict) else {}
            return world.type_of(FieldSource(object, "x", str(document["type"]), given, None))
    except (KeyError, TypeError):  # options that are not complete yet
        return None
    return None


def _told(studio: Studio, text: str, fault: Fault, object: str) -> Told:
    (ours,) = faults_of([fault], Somewhere())
    start, end = fault.start, max(fault.end, fault.start)
    bad = text[start:end]
    meant = _called(studio, object, bad) if fault.code == "FORMULA_UNKNOWN_FIELD" else ""
    said = studio.s("check.meant", label=bad, name=meant) if meant else say_fault(ours, studio.call.language)
    return Told(said, text[:start], bad, text[end:], meant)


def _called(studio: Studio, object: str, label: str) -> str:
    """The field that people see under this label; "" where there is none, or more than one."""
    wanted = label.strip().casefold()
    fields = [
        each.local
        for each in studio.drafting.all("field", object)
        if wanted in (text.casefold() for text in each.body.get("label", {}).values())
    ]
    return fields[0] if len(fields) == 1 else ""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a validation rule says to one record."""

    name: str
    href: str
    refused: bool | None  # None: it gives no result for this record
    error: str = ""


def try_on_records(studio: Studio, object: str, text: str, find: str) -> tuple[Tried, ...]:
    """What a condition says to the newest records whose name has ``find`` in it.

    Fields that are not in force yet count as blank. Raises FormulaError, and as the read path does.
    """
    call = studio.call
    scope = RecordScope(Lens(studio.drafting.world, None), object)
    formula = compile_formula(text, scope, place=Place.VALIDATION, expected=BOOLEAN)
    there = call.gate.object(object)
    paths = {}
    for read in formula.reads:
        if not read.path[0].startswith("$"):
            with suppress(Invalid):
                paths[read.path] = call.gate.resolve(there, ".".join(read.path)).text
    name = there.name_field
    where = f"CONTAINS(LOWER({name}), {quote(find.lower())})" if find.strip() else None
    wanted = tuple(dict.fromkeys(("id", name, *paths.values())))
    page = Reads(call).list(Query(object, wanted, where=where, order=(("created_at", "desc"),), limit=TRIED))
    env = call.env(call.clock.now())
    return tuple(_tried(studio, there.name, name, formula, paths, row, env) for row in page.rows)


def _tried(
    studio: Studio,
    object: str,
    name: str,
    formula: Formula,
    paths: Mapping[tuple[str, ...], str],
    row: Mapping[str, Any],
    env: Env,
) -> Tried:
    person = person_of(studio.call.principal)
    values = [
        person.get(read.path[-1] if len(read.path) > 1 else "id")
        if read.path[0] == "$user"
        else row.get(paths.get(read.path, ""))
        for read in formula.reads
    ]
    label, href = str(row.get(name) or row["id"]), f"/o/{object}/{row['id']}"
    try:
        return Tried(label, href, formula.evaluator()(values, env) is True)
    except EvaluationError as error:
        (fault,) = faults_of([error.fault(formula.text)], Somewhere())
        return Tried(label, href, None, say_fault(fault, studio.call.language))


def register(blueprint: Blueprint, site: Site) -> None:
    """The address of the check."""

    @blueprint.post("/try")
    @policy("session")
    def try_formula() -> Response:
        """A validation rule's condition on records that are there."""
        studio = open_studio(site)
        object = request.form.get("object", "")
        document = document_of("validation_rule", f"{object}.x", request.form)
        message = document.get("message") or {}
        told: tuple[Told, ...] = ()
        tried: tuple[Tried, ...] = ()
        if object in studio.call.model.objects:
            text = str(document.get("condition", ""))
            try:
                tried = try_on_records(studio, object, text, request.form.get("find", "")[:200])
            except FormulaError as error:
                told = tuple(_told(studio, text, each, object) for each in error.faults)
        return studio.piece(
            "tried.html",
            in_force=object in studio.call.model.objects,
            tried=tried,
            outcome=Outcome(told=told),
            message=label_in(message, studio.call.language) if message else "",
        )

    @blueprint.post("/check")
    @policy("session")
    def check_formula() -> Response:
        studio = open_studio(site)
        kind = known_kind(request.form.get("kind", ""))
        object, name = request.form.get("object", ""), request.form.get("check", "")
        document = document_of(kind, f"{object}." if object else "x", request.form)
        entries = [each for top in form_of(studio, document).entries for each in top.all()]
        entry = next((each for each in entries if each.name == name and each.widget == "formula"), None)
        outcome = check(studio, kind, object, entry, document) if entry is not None else Outcome()
        return studio.piece("check.html", outcome=outcome)
