"""Formulas while they are typed: right or not, where the bad part is, what the result is; the editor's
addresses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from tabwright.admin_ui.choosing import records
from tabwright.admin_ui.completing import children_of, functions, further, names, scope_of
from tabwright.admin_ui.components import form_of, known_kind
from tabwright.admin_ui.editor.forms import Entry
from tabwright.admin_ui.editor.reading import Form, document_of
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.formula.checker import Blanks
from tabwright.formula.compiler import Formula, compile_formula
from tabwright.formula.datatypes import BOOLEAN, Type
from tabwright.formula.environment import Env
from tabwright.formula.faults import EvaluationError, Fault, FormulaError
from tabwright.formula.formatting import tidy
from tabwright.formula.lexer import quote
from tabwright.formula.linting import warnings
from tabwright.formula.scope import ONLY_SQL, Place
from tabwright.formula.standing import RECORD
from tabwright.metadata import fieldtypes
from tabwright.metadata.language_faults import faults_of
from tabwright.metadata.model import label_in
from tabwright.metadata.world import FieldSource
from tabwright.platform.errors import Invalid, NotFound, TabwrightError
from tabwright.platform.errors import Place as Somewhere
from tabwright.platform.language import say, say_fault
from tabwright.platform.web import policy
from tabwright.runtime.access.principal import person_of
from tabwright.runtime.explaining import explained
from tabwright.runtime.forms.inputs import Option
from tabwright.runtime.pages.explaining import Shown, shown
from tabwright.runtime.query.answers import may_tell, where_in_force
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads

TRIED = 10  # records that a rule is tried on
OFFERED = 5  # records that a formula may be tried on, until one is searched for
# Where the formulas of a kind stand; what is not here stands where a field's formula does.
_PLACES = {
    ("validation_rule", "condition"): Place.VALIDATION,
    ("field", "default"): Place.DEFAULT,
    ("field", "filter"): Place.WHERE,
    ("list_view", "where"): Place.WHERE,
    ("list_view", "when"): Place.WHERE,
    **{
        (kind, key): Place.VISIBILITY
        for kind in ("field", "layout")
        for key in ("visible", "required_when", "read_only_when", "offered_when")
    },
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A formula in an editor: its text, whose fields it names, where it stands, what it must give."""

    text: str
    about: str
    place: Place
    expected: Type | None
    blanks: Blanks = "blank"

    def compiled(self, studio: Studio) -> Formula:
        """The formula over the draft's objects. Raises FormulaError."""
        scope = scope_of(studio, self.about, inside=self.place not in ONLY_SQL)
        return compile_formula(self.text, scope, place=self.place, expected=self.expected, blanks=self.blanks)


@dataclass(frozen=True, slots=True)
class Told:
    """What is wrong, and the text of the formula around it. ``put`` is what probably was meant, to stand in
    place of ``bad``. ``start`` and ``over`` are the place of ``bad`` as browsers count.
    """

    text: str
    before: str = ""
    bad: str = ""
    after: str = ""
    put: str = ""
    where: str = ""  # line and column, where there is more than one line

    @property
    def start(self) -> int:
        return units(self.before)

    @property
    def over(self) -> int:
        return units(self.bad)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the check says: what is wrong, or a result with what is probably not meant."""

    result: str = ""
    told: tuple[Told, ...] = ()


def units(text: str) -> int:
    """How long a browser takes a text to be."""
    return len(text.encode("utf-16-le")) // 2


def asked(studio: Studio, form: Form) -> Asked | None:
    """The formula that a posted form is about: the input that ``check`` names; or, outside a component's
    form, the condition in ``text``. None where the form has no such input.
    """
    kind = known_kind(form.get("kind", ""))
    object, name = form.get("object", ""), form.get("check", "")
    if "text" in form:
        place = _PLACES.get((kind, name), Place.WHERE)
        return Asked(form["text"].replace("\r\n", "\n").strip(), object, place, BOOLEAN)
    document = document_of(kind, f"{object}." if object else "x", form)
    entries = [each for top in form_of(studio, document).entries for each in top.all()]
    entry = next((each for each in entries if each.name == name and each.widget == "formula"), None)
    return _of_entry(studio, kind, object, entry, document) if entry is not None else None


def _of_entry(studio: Studio, kind: str, object: str, entry: Entry, document: dict[str, object]) -> Asked:
    given = document.get("options")
    options = given if isinstance(given, dict) else {}
    about = object
    if entry.scope == "target" and options.get("target"):
        about = str(options["target"])
    elif entry.scope == "relation":
        about = children_of(studio, object, str(options.get("relation", "")))
    key = "offered_when" if "/offered_when/" in entry.pointer else entry.key
    place = _PLACES.get((kind, key), Place.DEFAULT if entry.result == "key" else Place.FORMULA_FIELD)
    if entry.scope == "relation":  # part of the field's own formula
        place = Place.FORMULA_FIELD
    expected = BOOLEAN if entry.result == "boolean" else _field_type(studio, object, entry, document)
    zero = document.get("type") == "formula" and "blank" != options.get("blanks")
    blanks: Blanks = "zero" if zero and entry.result == "field" else "blank"
    return Asked(str(entry.value), about, place, expected, blanks)


def check(studio: Studio, formula: Asked) -> Outcome:
    """Check a formula against the draft's objects."""
    try:
        made = formula.compiled(studio)
    except FormulaError as error:
        return Outcome(told=tuple(told(studio, formula.text, each, formula.about) for each in error.faults))
    meant = tuple(told(studio, formula.text, each, formula.about) for each in warnings(formula.text))
    return Outcome(say(f"type.{made.type.kind}", {}, studio.call.language), meant)


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
            type = str(document["type"])
            if type in fieldtypes.COMPUTED:
                return world.type_of(FieldSource(object, "x", *fieldtypes.returned(type, given), None))
            return world.type_of(FieldSource(object, "x", type, given, None))
    except (KeyError, TypeError):  # options that are not complete yet
        return None
    return None


def told(studio: Studio, text: str, fault: Fault, object: str) -> Told:
    """A fault of a formula about an object, in words; a label in place of a name is known."""
    (ours,) = faults_of([fault], Somewhere())
    start, end = fault.start, max(fault.end, fault.start)
    bad = text[start:end]
    meant, said = "", say_fault(ours, studio.call.language)
    if fault.code == "FORMULA_UNKNOWN_FIELD" and (meant := _called(studio, object, bad)):
        said = studio.s("check.meant", label=bad, name=meant)
    elif fault.code == "FORMULA_UNKNOWN_VALUE" and (
        code := _coded(studio, object, str(fault.params["value"]))
    ):
        meant = quote(code)
        said = studio.s("check.meant_value", label=fault.params["value"], name=meant)
    where = studio.s("check.at", line=fault.line, column=fault.column) if "\n" in text else ""
    return Told(said, text[:start], bad, text[end:], meant or fault.hint or "", where)


def _called(studio: Studio, object: str, label: str) -> str:
    """The field that people see under this label; "" where there is none, or more than one."""
    wanted = label.strip().casefold()
    fields = [
        each.local
        for each in studio.drafting.all("field", object)
        if wanted in (text.casefold() for text in each.body.get("label", {}).values())
    ]
    return fields[0] if len(fields) == 1 else ""


def _coded(studio: Studio, object: str, label: str) -> str:
    """The code of the value that people see under this label in the object's picklists; "" where there is
    none, or more than one.
    """
    wanted = label.strip().casefold()
    codes = set()
    for field in studio.drafting.all("field", object):
        options = field.body.get("options", {})
        shared = studio.drafting.find("picklist", str(options.get("global", "")))
        values = options.get("values") or (shared.body.get("values") if shared is not None else None) or ()
        codes |= {
            str(each["code"])
            for each in values
            if wanted in (text.casefold() for text in each.get("label", {}).values())
        }
    return codes.pop() if len(codes) == 1 else ""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a validation rule says to one record."""

    name: str
    href: str
    refused: bool | None  # None: it gives no result for this record
    error: str = ""


def try_on_records(studio: Studio, object: str, text: str, find: str) -> tuple[Tried, ...]:
    """What a condition says to the newest records whose name has ``find`` in it; nothing where it asks of
    children what this person may not be told.

    Fields that are not in force yet count as blank. Raises FormulaError, and as the read path does.
    """
    call = studio.call
    formula = compile_formula(text, scope_of(studio, object), place=Place.VALIDATION, expected=BOOLEAN)
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
    if not all(may_tell(call.gate, each.root.data) for each in formula.aggregates):
        return tuple(_untold(studio, there.name, name, row) for row in page.rows)
    env = call.env(call.clock.now())
    return tuple(_tried(studio, there.name, name, formula, paths, row, env) for row in page.rows)


def _untold(studio: Studio, object: str, name: str, row: Mapping[str, Any]) -> Tried:
    id = row["id"]
    return Tried(str(row.get(name) or id), f"/o/{object}/{id}", None, studio.s("try.untold"))


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
    answered = where_in_force(studio.call, studio.call.gate.object(object), formula, row["id"])
    values += [answered[each.root.data] for each in formula.aggregates]
    label, href = str(row.get(name) or row["id"]), f"/o/{object}/{row['id']}"
    try:
        return Tried(label, href, formula.evaluator()(values, env) is True)
    except EvaluationError as error:
        (fault,) = faults_of([error.fault(formula.text)], Somewhere())
        return Tried(label, href, None, say_fault(fault, studio.call.language))


@dataclass(frozen=True, slots=True)
class Trial:
    """A formula on one record. ``problem`` says why there is none to be shown."""

    problem: str = ""
    told: tuple[Told, ...] = ()
    records: tuple[Option, ...] = ()
    chosen: str = ""  # the hexadecimal id
    shown: Shown | None = None


def trial(studio: Studio, formula: Asked, find: str, record: str) -> Trial:
    """``formula`` on the record of that id, else on the first whose name has ``find`` in it. What the person
    may not see takes part, and is not told.
    """
    call = studio.call
    object = call.model.objects.get(formula.about)
    if object is None or not call.gate.may(object, "read"):
        return Trial(studio.s("try.not_in_force"))
    try:
        made = formula.compiled(studio)
    except FormulaError as error:
        return Trial(told=tuple(told(studio, formula.text, each, formula.about) for each in error.faults))
    if made.trees:
        return Trial(studio.s("try.only_sql"))
    options = tuple(records(studio, [object], find))[:OFFERED]
    chosen = record or (options[0].id.hex if options else "")
    if not chosen:
        return Trial(studio.s("try.none"))
    try:
        found = shown(call, explained(call, object, made, UUID(chosen)), made.text)
    except (ValueError, TabwrightError):  # no such record any more
        return Trial(studio.s("try.none"), records=options)
    return Trial(records=options, chosen=chosen, shown=found)


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
        wrong: tuple[Told, ...] = ()
        tried: tuple[Tried, ...] = ()
        if object in studio.call.model.objects:
            text = str(document.get("condition", ""))
            try:
                tried = try_on_records(studio, object, text, request.form.get("find", "")[:200])
            except FormulaError as error:
                wrong = tuple(told(studio, text, each, object) for each in error.faults)
        return studio.piece(
            "tried.html",
            in_force=object in studio.call.model.objects,
            tried=tried,
            outcome=Outcome(told=wrong),
            message=label_in(message, studio.call.language) if message else "",
            says="try.warns" if document.get("severity") == "warning" else "try.refused",
        )

    @blueprint.post("/check")
    @policy("session")
    def check_formula() -> Response:
        """What is wrong with a formula, or what it gives."""
        studio = open_studio(site)
        formula = asked(studio, request.form)
        outcome = check(studio, formula) if formula is not None and formula.text else Outcome()
        return studio.piece("check.html", outcome=outcome)

    @blueprint.post("/complete")
    @policy("session")
    def complete_formula() -> Response:
        """What may stand behind ``path`` in a formula, as JSON; at its beginning the functions too.
        ``within``: the relation whose children are spoken of.
        """
        studio = open_studio(site)
        formula = asked(studio, request.form)
        path = tuple(step for step in request.form.get("path", "").lower().split(".") if step)
        found: dict[str, object] = {"names": []}
        if formula is not None:
            about = children_of(studio, formula.about, request.form.get("within", "")[:200])
            found = {"names": names(studio, formula.about if path[:1] == (RECORD,) else about, path)}
            if not path:
                found["names"] = [*names(studio, about, path), *further(studio, about)]
                found["functions"] = functions(studio.call.language, formula.place)
        return _json(found)

    @blueprint.post("/tidy")
    @policy("session")
    def tidy_formula() -> Response:
        """``text`` laid out for reading, as JSON; as it was where it is no formula yet."""
        open_studio(site)
        text = request.form.get("text", "").replace("\r\n", "\n")
        with suppress(FormulaError):
            text = tidy(text)
        return _json({"text": text})

    @blueprint.post("/trial")
    @policy("session")
    def trial_formula() -> Response:
        """A formula on a record: what every part of it gives."""
        studio = open_studio(site)
        formula = asked(studio, request.form)
        if formula is None:
            raise NotFound.of("web.not_found")
        found = trial(studio, formula, request.form.get("find", "")[:200], request.form.get("record", ""))
        return studio.piece("trial.html", trial=found)


def _json(body: dict[str, object]) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(json.dumps(body, ensure_ascii=False), 200, headers, content_type="application/json")
