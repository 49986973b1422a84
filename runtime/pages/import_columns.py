"""What an import's page offers for the columns of its file: fields, keys, the records that rows fill beside
their own, and what a value may become.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef, ObjectDef, label_in
from tabwright.runtime.access.rights import AUDIT_FIELDS
from tabwright.runtime.desk import Call
from tabwright.runtime.exchange.dates import ORDERS
from tabwright.runtime.exchange.matching import names_of
from tabwright.runtime.exchange.resolving import keys_of, matchable, parent_keys, parent_of, targets_of
from tabwright.runtime.exchange.runs import Run
from tabwright.runtime.exchange.settings import BLANKS, EXISTING, MISSING, Column, Parent
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.shell import singular

_GIVEN = ("owner", "record_type", *AUDIT_FIELDS)  # of the system fields


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a select."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Options of a select under one heading; "" heads those of the object itself."""

    label: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class MapRow:
    """A column of the file: a sample of it, the fields that it may go into, and what else can be said of
    it.
    """

    index: int
    column: str
    sample: str
    fields: tuple[Group, ...]
    why: str
    match: tuple[Choice, ...]
    missing: tuple[Choice, ...]
    dates: tuple[Choice, ...]
    blank: tuple[Choice, ...]
    mapped: bool
    more: str  # heads what else can be said of the column
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ParentRow:
    """A lookup whose records columns fill: how they are found, and what becomes of those that are there."""

    name: str
    label: str
    keys: tuple[Choice, ...]
    existing: tuple[Choice, ...]


class Columns:
    """The columns of one import as its page shows them to one person."""

    def __init__(self, call: Call, run: Run, object: ObjectDef) -> None:
        self._call = call
        self._gate = call.gate
        self._language = call.language
        self._run = run
        self._object = object
        self._t = text(call.language)

    def keys(self) -> tuple[Choice, ...]:
        """What may name the record of a row; several fields are joined by commas."""
        return self._key_choices(self._object, keys_of(self._object), self._run.settings.key)

    def rows(self) -> Iterator[MapRow]:
        """Every column of the file."""
        for index, name in enumerate(self._run.header):
            column = self._run.settings.columns.get(name)
            field = self.field(column.field) if column is not None else None
            samples = (row[index] for row in self._run.sample if index < len(row) and row[index])
            known = field is not None and column is not None
            match = self._match(field, column) if field is not None and column is not None else ()
            by = next((each.label for each in match if each.chosen), None)
            yield MapRow(
                index=index,
                column=name,
                sample=next(samples, ""),
                fields=self._fields(column),
                why=self._t("import.why." + (column.why or "chosen")) if column is not None else "",
                match=match,
                missing=self._missing(field, column) if field is not None and column is not None else (),
                dates=self._dates(field, column) if field is not None and column is not None else (),
                blank=self._options("blank", BLANKS, column.blank) if column is not None and known else (),
                mapped=column is not None,
                more=self._t("import.more") if by is None else self._t("import.found_by", field=by),
                values=tuple(self._values(column)) if column is not None else (),
            )

    def parents(self) -> Iterator[ParentRow]:
        """The lookups whose records columns fill now."""
        columns = self._run.settings.columns.values()
        lookups = dict.fromkeys(each.field.partition(".")[0] for each in columns if "." in each.field)
        for name in lookups:
            lookup = self._gate.find(self._object, name)
            target = parent_of(self._gate, self._object, lookup) if lookup is not None else None
            if lookup is None or target is None:
                continue
            given = self._run.settings.parents.get(name, Parent())
            mapped = {each.field.partition(".")[2] for each in columns if each.field.startswith(name + ".")}
            keys = tuple(each for each in parent_keys(target) if mapped >= set(each))
            yield ParentRow(
                name,
                label_in(lookup.labels, self._language),
                self._key_choices(target, keys, given.key),
                self._options("existing", EXISTING, given.existing),
            )

    def field(self, path: str) -> FieldDef | None:
        """The field that a column goes into, ``lookup.field`` too."""
        name, dot, of = path.partition(".")
        field = self._object.find(name)
        if field is None or not dot:
            return field
        if of in TYPES[field.type].parts:
            return field.part(of)
        target = parent_of(self._gate, self._object, field)
        return target.find(of) if target is not None else None

    def label(self, path: str) -> str | None:
        """The label of a field, of ``lookup.field`` both."""
        name, dot, _ = path.partition(".")
        field, last = self._object.find(name), self.field(path)
        if field is None or last is None:
            return None
        whole = (field, last) if dot and last.object != field.object else (last,)
        labels = [label_in(each.labels, self._language) for each in whole]
        return " › ".join(labels)

    def known_values(self, column: Column) -> list[tuple[str, str]]:
        """(value, label) of what the cells of a column may say."""
        field = self.field(column.field)
        if field is None:
            return []
        if field.picklist is not None:
            active = (each for each in field.picklist.values if each.active)
            return [(each.code, label_in(each.labels, self._language)) for each in active]
        if not field.is_reference:
            return []
        known: list[tuple[str, str]] = []
        with self._call.tenant.store.read() as reader:
            for target in targets_of(self._gate, field):
                match = target.find(column.match or target.name_field)
                if match is not None and self._gate.can_read(match):
                    known += [(each, each) for each in names_of(self._call, reader, target, match)]
        return sorted(set(known))

    def makes(self, name: str) -> bool:
        """Whether records that a column names may be made by their name."""
        column = self._run.settings.columns.get(name)
        field = self.field(column.field) if column is not None else None
        if column is None or field is None or not field.is_reference or field.kinds or "." in column.field:
            return False
        target = next(iter(targets_of(self._gate, field)), None)
        if target is None or not self._gate.may(target, "create"):
            return False
        match = target.find(column.match or target.name_field)
        return match is not None and self._gate.can_edit(match)

    # ---- inside -----------------------------------------------------------------------------------

    def _key_choices(
        self, object: ObjectDef, keys: tuple[tuple[str, ...], ...], chosen: tuple[str, ...]
    ) -> tuple[Choice, ...]:
        fields = {each.name: each for each in self._gate.readable(object)}
        return tuple(
            Choice(
                ",".join(names),
                " + ".join(label_in(fields[name].labels, self._language) for name in names),
                set(names) == set(chosen),
            )
            for names in keys
            if fields.keys() >= set(names)
        )

    def _fields(self, column: Column | None) -> tuple[Group, ...]:
        chosen = column.field if column is not None else ""
        keys = {name for key in self.keys() for name in key.value.split(",")}
        own = [
            Choice("", self._t("import.skip"), column is None),
            *self._settable(self._object, "", chosen, keys),
        ]
        groups = [Group("", tuple(own))]
        for field in self._gate.editable(self._object):
            if TYPES[field.type].parts:
                parts = [field.part(name) for name in TYPES[field.type].parts if name != "region_code"]
                choices = [
                    Choice(each.name, label_in(each.labels, self._language), self._same(each.name, chosen))
                    for each in parts
                ]
                groups.append(Group(label_in(field.labels, self._language), tuple(choices)))
        for lookup in self._gate.editable(self._object):
            target = parent_of(self._gate, self._object, lookup)
            if target is None or not all(self._gate.may(target, right) for right in ("import", "create")):
                continue
            label = label_in(lookup.labels, self._language)
            groups.append(Group(label, tuple(self._settable(target, lookup.name + ".", chosen, set()))))
        return tuple(groups)

    def _settable(self, object: ObjectDef, prefix: str, chosen: str, keys: set[str]) -> Iterator[Choice]:
        fillable = {each.name for each in self._gate.settable(object)}
        for each in object.fields.values():
            if each.holds_files:
                continue
            if each.name in keys or (each.name in fillable and (not each.system or each.name in _GIVEN)):
                label = label_in(each.labels, self._language) + (" *" if each.required else "")
                if prefix:
                    lookup = self._object.fields[prefix[:-1]]
                    label = f"{label_in(lookup.labels, self._language)} › {label}"
                yield Choice(prefix + each.name, label, self._same(prefix + each.name, chosen))

    def _same(self, path: str, chosen: str) -> bool:
        return path == chosen or (bool(chosen) and self._canonical(chosen) == path)

    def _canonical(self, path: str) -> str:
        name, dot, _ = path.partition(".")
        field, last = self._object.find(name), self.field(path)
        if field is None or last is None:
            return path
        return f"{field.name}.{last.name}" if dot and "." not in last.name else last.name

    def _options(self, what: str, values: tuple[str, ...], chosen: str) -> tuple[Choice, ...]:
        return tuple(Choice(each, self._t(f"import.{what}.{each}"), each == chosen) for each in values)

    def _match(self, field: FieldDef, column: Column) -> tuple[Choice, ...]:
        found: dict[str, Choice] = {}
        for target in targets_of(self._gate, field) if field.is_reference else ():
            for each in matchable(self._gate, target):
                chosen = each.name == (column.match or target.name_field)
                found.setdefault(each.name, Choice(each.name, label_in(each.labels, self._language), chosen))
        return tuple(found.values())

    def _values(self, column: Column) -> Iterator[tuple[str, str]]:
        """(text of the file, what becomes of it) of every value that was decided on."""
        for given, becomes in column.values.items():
            yield given, becomes or self._t("import.nothing")
        for given in column.skip:
            yield given, self._t("import.skip_rows")
        for given in column.make:
            yield given, self._t("import.make_record", value=given)

    def _missing(self, field: FieldDef, column: Column) -> tuple[Choice, ...]:
        target = next(iter(targets_of(self._gate, field)), None) if field.is_reference else None
        if target is None:
            return ()
        if field.kinds:  # which kind would be made is nowhere said
            name = text(self._language)("preview.join").join(
                singular(each, self._language) for each in targets_of(self._gate, field)
            )
            return tuple(
                Choice(each, self._t("import.missing." + each, object=name), each == column.missing)
                for each in MISSING
                if each != "create"
            )
        made = [each for each in MISSING if each != "create" or self._gate.may(target, "create")]
        name = singular(target, self._language)
        return tuple(
            Choice(each, self._t("import.missing." + each, object=name), each == column.missing)
            for each in made
        )

    def _dates(self, field: FieldDef, column: Column) -> tuple[Choice, ...]:
        if field.type not in ("date", "datetime"):
            return ()
        return self._options("dates", ORDERS, column.dates)


def parents_of(form: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """What a posted form says of parents: ``parent.<lookup>.key`` and ``.existing``."""
    found: dict[str, dict[str, object]] = {}
    for name, value in form.items():
        head, _, rest = name.partition(".")
        lookup, _, what = rest.rpartition(".")
        if head == "parent" and lookup and what in ("key", "existing"):
            found.setdefault(lookup, {})[what] = value.split(",") if what == "key" else value
    return found
