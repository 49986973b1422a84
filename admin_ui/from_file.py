"""An object out of a file: its columns become fields, and the file goes on as the object's first import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, cast
from uuid import UUID

from flask import Blueprint, Response, request

from tabwright.admin_ui.components import REFUSALS, FaultLine
from tabwright.admin_ui.field_types import cards
from tabwright.admin_ui.guessing import (
    SELF,
    Guess,
    Profile,
    date_order,
    guesses,
    labels_of,
    name_column,
    options_for,
    profiles,
    without,
)
from tabwright.admin_ui.names import suggested
from tabwright.admin_ui.navigation import path
from tabwright.admin_ui.objects import NewObject, open_sets, own_apps, usual_app
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.metadata.documents import Component
from tabwright.metadata.drafts import Change, Put
from tabwright.metadata.fieldtypes import sorts_in_lists
from tabwright.metadata.model import label_in
from tabwright.metadata.world import RESERVED_FIELDS
from tabwright.platform.errors import Fault, Invalid, Param, Place, TooLarge
from tabwright.platform.language import say_fault
from tabwright.platform.web import policy
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.exchange.keeping import Waiting
from tabwright.runtime.exchange.mapping import fold
from tabwright.runtime.exchange.matching import matches
from tabwright.runtime.exchange.runs import Run
from tabwright.runtime.exchange.settings import Column, Settings
from tabwright.runtime.exchange.sources import unnamed
from tabwright.runtime.pages.signing import redirect

MOST_COLUMNS = 150  # a form of five inputs each
MOST_VALUES = 500  # of a picklist that a column is turned into
TYPES = (
    "text", "long_text", "integer", "decimal", "currency", "percent", "boolean", "date", "datetime",
    "picklist", "email", "phone", "url",
)  # fmt: skip
_LOOKUP = "lookup:"
_ASKED = 200  # texts of a column that are looked for among the records of an object
_NAMES = ("text", "email", "phone", "url")  # types that can name a record
_KEYS = ("text", "integer", "email")  # types that can tell records apart
_TAIL = ("name", "id", "code", "名称", "名字", "姓名", "编号")


@dataclass(frozen=True, slots=True)
class Row:
    """A column of the file with what becomes of it. ``type`` is a field type, or ``lookup:<object>``."""

    index: int
    profile: Profile
    sample: str
    used: bool
    nameless: bool  # nothing stands above its cells
    label: Mapping[str, str]
    type: str
    can_be_key: bool
    is_key: bool
    odd: tuple[str, ...]  # texts that are not of the guessed type

    @property
    def lookup(self) -> str:
        """The object that a lookup names; "" for other types."""
        return self.type.removeprefix(_LOOKUP) if self.type.startswith(_LOOKUP) else ""


class FromFile:
    """One file that waits for its object, and what was chosen for it."""

    def __init__(self, studio: Studio, waiting: Waiting, run: Run) -> None:
        self.studio = studio
        self.waiting = waiting
        self.run = run
        if len(run.header) > MOST_COLUMNS:
            raise Invalid.of(
                "studio.file_too_wide", Place(field="file"), count=len(run.header), most=MOST_COLUMNS
            )
        columns = profiles(run.header, (cells for _, cells in waiting.rows(run)))
        found = guesses(columns, self._known)
        self.name = name_column(columns, found)
        self.rows = [self._row(at, *each) for at, each in enumerate(zip(columns, found, strict=True))]

    def _row(self, at: int, column: Profile, guess: Guess) -> Row:
        type = _LOOKUP + guess.target if guess.target else guess.type
        label = labels_of(column.header)
        if label.get("zh") is None and not fold(column.header):
            label = {"en": column.header[:80]}
        sample = " · ".join(each[:40] for each in column.values[:3])
        key = guess.can_be_key, guess.is_key
        nameless = self.run.format.header and column.header in unnamed(self.run.header)
        used = bool(column.values) and not (nameless and column.filled < column.rows)
        return Row(at, column, sample, used, nameless, label, type, *key, guess.odd)

    def _known(self, header: str, values: Sequence[str]) -> str | None:
        """The object in force that a header names, where at least half of the texts name its records."""
        call, wanted = self.studio.call, {fold(header)}
        for tail in _TAIL:
            wanted |= {each.removesuffix(tail) for each in wanted}
        for object in call.model.objects.values():
            called = {fold(each) for each in (object.name, *object.labels.values())}
            if not (called & wanted) - {""} or not call.gate.may(object, "read"):
                continue
            name = call.gate.find(object, object.name_field)
            if name is None or self.studio.drafting.find("object", object.name) is None:
                continue
            asked = values[:_ASKED]
            with call.tenant.store.read() as reader:
                found = matches(call, reader, object, name, asked)
            if asked and 2 * len(found) >= len(asked):
                return object.name
        return None

    # ---- what was chosen -------------------------------------------------------------------------

    def read(self) -> None:
        """Take over what the form says."""
        form = request.form
        said = []
        for row in self.rows:
            at = row.index
            label = {each: form.get(f"{each}.{at}", "").strip() for each in ("zh", "en")}
            type = form.get(f"type.{at}", row.type)
            key = f"key.{at}" in form and row.profile.is_nearly_unique and type in _KEYS
            said.append(
                replace(
                    row,
                    used=f"use.{at}" in form,
                    label={each: text for each, text in label.items() if text} or row.label,
                    type=type if type in self.types() else row.type,
                    is_key=key,
                )
            )
        self.rows = said
        chosen = form.get("naming", "")
        self.name = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 5 else None

    def types(self) -> tuple[str, ...]:
        """Every type that a column may get."""
        return (*TYPES, *(_LOOKUP + name for name, _ in self.targets()))

    def targets(self) -> list[tuple[str, str]]:
        """The objects that a lookup may name: (name, label), the new one itself first."""
        studio = self.studio
        found = [
            (each.name, studio.label(each))
            for each in studio.drafting.all("object")
            if each.body.get("package") != BASE
        ]
        return [(SELF, studio.s("file.itself")), *found]

    def _named(self) -> Row | None:
        return next((each for each in self.rows if each.index == self.name and each.used), None)

    def require_whole(self, wanted: NewObject) -> None:
        """Raises Invalid for what cannot become an object, each fault with its column."""
        faults = []
        used = [each for each in self.rows if each.used]
        named = self._named()
        if not used:
            faults.append(Fault("studio.file_nothing_used", {}, Place(field="use-0")))
        if self.name is None and not wanted.numbered:
            faults.append(Fault("studio.file_no_name", {}, Place(field="naming-number")))
        if self.name is not None and (named is None or named.type not in _NAMES):
            at = min(self.name, len(self.rows) - 1)
            column = self.rows[at].profile.header
            faults.append(Fault("studio.file_name_not_text", {"column": column}, Place(field=f"type-{at}")))
        for each in used:
            if each.type == "picklist" and len(each.profile.values) > MOST_VALUES:
                place = Place(field=f"type-{each.index}")
                params: Mapping[str, Param] = {"column": each.profile.header, "most": MOST_VALUES}
                faults.append(Fault("studio.file_too_many_values", params, place))
        if faults:
            raise Invalid(faults)

    def changes(self, wanted: NewObject) -> tuple[list[Change], Settings]:
        """What goes into the draft, and how the file is imported into it."""
        named = self._named()
        taken = {*RESERVED_FIELDS, *(("name",) if named is None else ())}
        documents: list[Mapping[str, Any]] = []
        names: dict[int, str] = {}
        for row in (each for each in self.rows if each.used):
            label = row.label
            local = suggested([label.get("en", ""), label.get("zh", "")], taken.__contains__, "field")
            taken.add(local)
            names[row.index] = local
            documents.append(self._field(wanted, row, local, row is named))
        name_field = names[named.index] if named is not None else "name"
        if named is None:
            documents.insert(0, wanted.name_document())
        columns = dict(self._columns(names, name_field))
        puts: list[Change] = [Put(wanted.head(name_field)), *map(Put, documents)]
        return [*puts, *wanted.around(self.studio)], Settings("create", (), columns)

    def _field(self, wanted: NewObject, row: Row, local: str, is_name: bool) -> Mapping[str, Any]:
        body: dict[str, Any] = {"kind": "field", "name": f"{wanted.name}.{local}", "label": dict(row.label)}
        if row.lookup:
            target = wanted.name if row.lookup == SELF else row.lookup
            return {**body, "type": "lookup", "options": {"target": target}}
        body["type"] = row.type
        if options := options_for(row.type, without(row.profile, row.odd)):
            body["options"] = dict(options)
        if row.is_key:
            body |= {"unique": True, "external_key": True}
        if is_name:
            body |= {"required": True, "searchable": True}
            if sorts_in_lists(row.type):
                body["sortable"] = True
        return body

    def _columns(self, names: Mapping[int, str], name_field: str) -> Iterator[tuple[str, Column]]:
        for row in self.rows:
            if row.index not in names:
                continue
            dates = date_order(row.profile) if row.type in ("date", "datetime") else "ymd"
            match = self._match(row.lookup, name_field) if row.lookup else None
            yield row.profile.header, Column(names[row.index], match, dates=dates, why="same")

    def _match(self, target: str, name_field: str) -> str:
        if target == SELF:
            return name_field
        return str(self.studio.drafting.get("object", target).body["name_field"])

    # ---- the page --------------------------------------------------------------------------------

    def page(self, faults: Sequence[Fault] = ()) -> Response:
        studio = self.studio
        language = studio.call.language
        known = cards(language)
        stem = self.run.filename.rpartition(".")[0] or self.run.filename
        posted = request.method == "POST"
        label = {each: request.form.get(f"/label/{each}", "") for each in ("zh", "en")}
        lines = [FaultLine(say_fault(each, language), each.place.field) for each in faults]
        return studio.page(
            "from_file.html",
            "object",
            422 if faults else 200,
            faults=tuple(dict.fromkeys(lines)),
            run=self.run,
            rows=self.rows,
            name=self.name,
            types=[(each, known[each].label) for each in TYPES],
            targets=[(_LOOKUP + name, label) for name, label in self.targets()],
            names=_NAMES,
            label=label if posted else labels_of(stem),
            form=request.form,
            apps=own_apps(studio),
            app=request.form.get("app", usual_app(studio)),
            sets=open_sets(studio),
        )


def _start(studio: Studio, faults: Sequence[Fault] = ()) -> Response:
    lines = tuple(FaultLine(say_fault(each, studio.call.language), "file") for each in faults)
    return studio.page("from_file_start.html", "object", 422 if faults else 200, faults=lines)


def _wanted(studio: Studio, run: Run) -> NewObject:
    """The object that the form asks for; without a label it is called as its file."""
    wanted = NewObject.read(studio)
    if wanted.label:
        return wanted
    raise Invalid.of("studio.file_no_label", Place(field="label-zh"))


def _faults_of(found: Sequence[Fault], wanted: NewObject) -> list[Fault]:
    mine = (f"object/{wanted.name}", f"field/{wanted.name}.")
    return [
        each for each in found
        if each.place.component == mine[0] or (each.place.component or "").startswith(mine[1])
    ]  # fmt: skip


def _made(studio: Studio, wanted: NewObject) -> Component:
    return studio.drafting.get("object", wanted.name)


def register(blueprint: Blueprint, site: Site) -> None:
    """The addresses of an object out of a file."""

    @blueprint.get("/objects/new/file")
    @policy("session")
    def object_file() -> Response:
        return _start(open_studio(site, change=True))

    @blueprint.post("/objects/new/file")
    @policy("session", upload=True)
    def take_object_file() -> Response:
        studio = open_studio(site, change=True)
        file = request.files.get("file")
        try:
            if file is None or not file.filename:
                raise Invalid.of("import.no_file")
            waiting = Waiting(studio.call, site.settings.limits)
            run = waiting.start(file.filename, cast(BinaryIO, file.stream))
            FromFile(studio, waiting, run)  # a file that breaks off, or is too wide, is refused here
        except (Invalid, TooLarge) as error:
            return _start(studio, error.faults)
        return redirect(path("objects", "new", "file", str(run.id)))

    @blueprint.get("/objects/new/file/<uuid:id>")
    @policy("session")
    def object_of_file(id: UUID) -> Response:
        studio = open_studio(site, change=True)
        waiting = Waiting(studio.call, site.settings.limits)
        return FromFile(studio, waiting, waiting.get(id)).page()

    @blueprint.post("/objects/new/file/<uuid:id>")
    @policy("session")
    def make_object_of_file(id: UUID) -> Response:
        studio = open_studio(site, change=True)
        waiting = Waiting(studio.call, site.settings.limits)
        run = waiting.get(id)
        turn = FromFile(studio, waiting, run)
        turn.read()
        try:
            wanted = _wanted(studio, run)
            turn.require_whole(wanted)
            changes, settings = turn.changes(wanted)
            faults = _faults_of(studio.drafting.rehearse(*changes).faults, wanted)
            if faults:
                return turn.page(faults)
            studio.drafting.change(*changes, seen={("object", wanted.name): ""})
        except REFUSALS as error:
            return turn.page(error.faults)
        waiting.give(run, _made(studio, wanted).uid, settings)
        studio.flash("file.made", name=label_in(wanted.label, studio.call.language))
        return redirect(path("plan") + f"?back=/imports/{run.id}")
