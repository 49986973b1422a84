"""What a publish would do to what is there, counted on the real rows: values, records, clashes, work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import FieldDef, Model, ObjectDef, UniqueRuleDef
from tabwright.platform.database import prepare
from tabwright.platform.errors import Fault, Param, Place
from tabwright.platform.tables import uuid_of
from tabwright.runtime.sort_keys import folded
from tabwright.runtime.storage.changes import BuildIndex, Convert, FillFormula, FillKey, Fit, Step
from tabwright.runtime.storage.data import converter, count_losses
from tabwright.runtime.storage.indexes import unique_key
from tabwright.runtime.storage.tables import Entry, Physical, RecordTable, Tables, record_table

if TYPE_CHECKING:
    from tabwright.platform.database import Reader

Weight = Literal["info", "warning", "loss"]
EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class Example:
    """One value that an admin should see before going on."""

    record: UUID
    value: str


@dataclass(frozen=True, slots=True)
class Consequence:
    """One thing that a publish does. ``says`` has its text, numbers and place; "loss" is data lost.

    ``accepts``: a field and an input that its document must name in ``declassifies`` first.
    """

    weight: Weight
    says: Fault
    examples: tuple[Example, ...] = ()
    accepts: tuple[str, str] | None = None

    @property
    def count(self) -> int:
        """How many rows, values or clashes it is about."""
        found = self.says.params.get("count", 0)
        return found if isinstance(found, int) else 0


@dataclass(frozen=True, slots=True)
class LongStep:
    """A step that a job does: before the release is in force (``prepare``) or after it."""

    kind: Literal["convert", "key", "index", "formula", "search"]
    object: str
    name: str  # the field; the rule's, view's or field's key of an index
    when: Literal["prepare", "after"]
    rows: int
    seconds: int  # a guess from measured rates


# Rows a second on the smallest machine that was measured.
RATES: Mapping[str, int] = {"convert": 20_000, "key": 30_000, "index": 300_000, "formula": 10_000,
                              "search": 8_000}  # fmt: skip
_KINDS: Mapping[type, Literal["convert", "key", "index", "formula"]] = {
    Convert: "convert",
    FillKey: "key",
    BuildIndex: "index",
    FillFormula: "formula",
}


def name_of_step(step: Step) -> str:
    """A long step in few words: "convert opportunity.amount"."""
    name = step.entry.uid if isinstance(step, BuildIndex) else getattr(step, "field", "")
    return f"{_KINDS[type(step)]} {step.object}.{name}"


def count_rows(reader: Reader, n: int, *where: sa.ColumnElement[bool]) -> int:
    """The records of ``o<n>``, those in the recycle bin too."""
    table = sa.table(f"o{n}", schema=reader.store.schema)
    return int(reader.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one())


def long_steps(reader: Reader, fit: Fit) -> tuple[LongStep, ...]:
    """The steps of a fit that jobs do, with a guess of their time."""
    counted: dict[int, int] = {}
    found = []
    for when, steps in (("prepare", fit.prepare), ("after", fit.after)):
        for step in steps:
            kind = _KINDS[type(step)]
            n = step.entry.object_n if isinstance(step, BuildIndex) else step.n  # type: ignore[union-attr]
            name = step.entry.uid if isinstance(step, BuildIndex) else step.field  # type: ignore[union-attr]
            if n not in counted:
                counted[n] = count_rows(reader, n)
            seconds = -(-counted[n] // RATES[kind])
            found.append(LongStep(kind, step.object, name, when, counted[n], seconds))  # type: ignore[arg-type]
    return tuple(found)


class Counting:
    """Counts the consequences of going from one model to another on one store."""

    def __init__(self, reader: Reader, old: Model, new: Model, physical: Physical, fit: Fit) -> None:
        self._reader = reader
        self._old = old
        self._new = new
        self._physical = physical
        self._fit = fit
        self._tables = Tables(physical, reader.store.dialect)
        self._old_by_uid = {each.uid: each for each in old.objects.values()}

    def all(self) -> tuple[Consequence, ...]:
        """Everything, losses first."""
        found = [*self._dropped_and_restored(), *self._conversions(), *self._clashes(), *self._waits()]
        for object in self._new.objects.values():
            before = self._old_by_uid.get(object.uid)
            if before is not None and before is not object and before.digest != object.digest:
                found += self._tightened(before, object)
        order = ("loss", "warning", "info")
        return tuple(sorted(found, key=lambda each: order.index(each.weight)))

    # ---- dropped and restored ------------------------------------------------------------------------------

    def _dropped_and_restored(self) -> Iterator[Consequence]:
        names = {
            each.uid: (object.name, each.name)
            for model in (self._new, self._old)
            for object in model.objects.values()
            for each in object.stored_fields
        }
        objects = {each.uid: each.name for model in (self._new, self._old) for each in model.objects.values()}
        for entry in self._fit.entries.values():
            before = self._known(entry.n)
            if before is None or before.state == entry.state or entry.kind == "index":
                continue
            verb = {("live", "dropped"): "dropped", ("dropped", "live"): "restored"}.get(
                (before.state, entry.state)
            )
            if verb is None:
                continue
            weight: Weight = "warning" if verb == "dropped" else "info"
            if entry.kind == "object":
                name = objects.get(entry.uid, "?")
                count = count_rows(self._reader, entry.n)
                says = Fault(f"publish.object_{verb}", {"object": name, "count": count}, Place(object=name))
            else:
                object, field = names.get(entry.uid, ("?", "?"))
                count = self._filled(before)
                params: dict[str, Param] = {"object": object, "field": field, "count": count}
                says = Fault(f"publish.field_{verb}", params, Place(object=object, field=field))
            yield Consequence(weight, says)

    def _known(self, n: int) -> Entry | None:
        return self._physical.number(n) if n < self._physical.next_number else None

    def _filled(self, entry: Entry) -> int:
        table = f"o{entry.object_n}x" if entry.side == "side" else f"o{entry.object_n}"
        column: sa.ColumnElement[Any] = sa.column(entry.column)
        source = sa.table(table, schema=self._reader.store.schema)
        return int(self._reader.execute(sa.select(sa.func.count(column)).select_from(source)).scalar_one())

    # ---- type changes --------------------------------------------------------------------------------------

    def _conversions(self) -> Iterator[Consequence]:
        for step in self._fit.steps:
            if not isinstance(step, Convert):
                continue
            loss = count_losses(self._reader, step, self._reader.store.dialect, EXAMPLES)
            place = Place(object=step.object, field=step.field)
            base: dict[str, Param] = {"object": step.object, "field": step.field, "of": loss.filled}
            yield Consequence(
                "info", Fault("publish.values_convert", base | {"count": loss.filled - loss.lost}, place)
            )
            if loss.rounded:
                says = Fault("publish.values_change", base | {"count": loss.rounded}, place)
                yield Consequence("warning", says)
            if loss.lost:
                says = Fault("publish.values_lost", base | {"count": loss.lost}, place)
                examples = tuple(Example(uuid_of(id), text) for id, text in loss.examples)
                yield Consequence("loss", says, examples)

    # ---- unique rules --------------------------------------------------------------------------------------

    def _clashes(self) -> Iterator[Consequence]:
        indexes = {
            step.entry.uid for step in self._fit.steps if isinstance(step, BuildIndex) and step.spec.unique
        }
        for object in self._new.objects.values():
            for rule in object.unique_rules:
                if f"{rule.uid}:unique" not in indexes:
                    continue
                count = self._clashing(object, rule)
                if count:
                    listed = ", ".join(rule.fields)
                    params: dict[str, Param] = {"object": object.name, "fields": listed, "count": count}
                    place = Place(component=f"object {object.name}", object=object.name, rule=rule.name)
                    yield Consequence("loss", Fault("publish.unique_clashes", params, place))

    def _clashing(self, object: ObjectDef, rule: UniqueRuleDef) -> int:
        """How many groups of records would be one under the rule."""
        before = self._old_by_uid.get(object.uid)
        if before is None or self._physical.find("object", object.uid, "live", "dropped") is None:
            return 0
        table = self._as_it_stands(object, before)
        conversions = {
            step.field: step
            for step in self._fit.steps
            if isinstance(step, Convert) and step.object == object.name
        }
        known = [name for name in rule.fields if name in table.entries or name in table.codecs]
        keyed = any(
            rule.ignore_case and name in table.entries and table.entries[name].fold is None for name in known
        )
        if len(known) == len(rule.fields) and not keyed and not conversions.keys() & set(rule.fields):
            return self._clashing_in_sql(table, rule)
        return self._clashing_in_python(table, rule, conversions)

    def _as_it_stands(self, object: ObjectDef, before: ObjectDef) -> RecordTable:
        """The new object's fields, by their new names, in the columns that are there now."""
        old = {each.uid: each for each in before.stored_fields}
        fields = {
            name: replace(old.get(each.uid, each), name=name)
            for name, each in object.fields.items()
            if each.system or each.uid in old
        }
        return record_table(replace(object, fields=fields), self._physical, self._reader.store.dialect)

    def _clashing_in_sql(self, table: RecordTable, rule: UniqueRuleDef) -> int:
        key = unique_key(table, rule)
        groups: sa.Select[Any] = (
            sa.select(sa.literal_column("1").label("one"))
            .where(key.where)
            .group_by(*key.terms)
            .having(sa.func.count() > 1)
        )
        counted = sa.select(sa.func.count()).select_from(groups.subquery())
        return int(self._reader.execute(counted).scalar_one())

    def _clashing_in_python(
        self, table: RecordTable, rule: UniqueRuleDef, conversions: Mapping[str, Convert]
    ) -> int:
        dialect = self._reader.store.dialect
        there = [name for name in rule.fields if name in table.codecs]
        if not there:
            return 0
        makers: list[Callable[[Any], Any]] = []
        for name in there:
            step = conversions.get(name)
            convert = converter(step, dialect) if step else None

            def make(stored: Any, convert: Any = convert, fold: bool = rule.ignore_case) -> Any:
                value = convert(stored, ()) if convert else stored
                return folded(value) if fold and isinstance(value, str) else value

            makers.append(make)
        query = (
            sa.select(*(table.column(name) for name in there))
            .select_from(table.joined)
            .where(table.deleted_at.is_(None))
        )
        seen: Counter[tuple[Any, ...]] = Counter()
        for chunk in self._reader.chunks(prepare(self._reader.store, query)):
            for row in chunk:
                key = tuple(make(value) for make, value in zip(makers, row, strict=True))
                if any(part is not None for part in key):
                    seen[key] += 1
        return sum(count > 1 for count in seen.values())

    # ---- writers who have to wait --------------------------------------------------------------------------

    def _waits(self) -> Iterator[Consequence]:
        """SQLite builds an index under the one write lock of the tenant's file, in one go."""
        if self._reader.store.dialect != "sqlite":
            return
        builds = [step for step in (*self._fit.prepare, *self._fit.after) if isinstance(step, BuildIndex)]
        for name, count in Counter(step.object for step in builds).items():
            n = next(step.entry.object_n for step in builds if step.object == name)
            rows = count_rows(self._reader, n)
            params: dict[str, Param] = {"object": name, "count": rows, "indexes": count,
                                        "seconds": -(-rows // RATES["index"])}  # fmt: skip
            yield Consequence("warning", Fault("publish.writers_wait", params, Place(object=name)))

    # ---- rules that records do not keep yet ----------------------------------------------------------------

    def _tightened(self, before: ObjectDef, object: ObjectDef) -> Iterator[Consequence]:
        table = self._as_it_stands(object, before)
        old = {each.uid: each for each in before.stored_fields}
        for field in object.stored_fields:
            earlier = old.get(field.uid)
            if earlier is None:
                if field.required:
                    alive = (
                        sa.select(sa.func.count()).select_from(table.main).where(table.deleted_at.is_(None))
                    )
                    count = int(self._reader.execute(alive).scalar_one())
                    yield from self._broken("publish.required_blank", object, field, count)
                continue
            if field.type != earlier.type:
                continue
            column = table.column(field.name)
            for code, condition in _stricter(earlier, field, column):
                query = (
                    sa.select(sa.func.count())
                    .select_from(table.joined)
                    .where(table.deleted_at.is_(None), condition)
                )
                count = int(self._reader.execute(query).scalar_one())
                yield from self._broken(code, object, field, count)

    def _broken(self, code: str, object: ObjectDef, field: FieldDef, count: int) -> Iterable[Consequence]:
        if count:
            place = Place(component=f"field {field.path}", object=object.name, field=field.name)
            params: dict[str, Param] = {"object": object.name, "field": field.name, "count": count}
            yield Consequence("warning", Fault(code, params, place))


def _stricter(
    old: FieldDef, new: FieldDef, column: sa.ColumnElement[Any]
) -> Iterator[tuple[str, sa.ColumnElement[bool]]]:
    """What the new definition of a field refuses that the old one let in: a code, and which rows it is."""
    if new.required and not old.required:
        yield "publish.required_blank", column.is_(None)
    if new.max_length is not None and (old.max_length is None or new.max_length < old.max_length):
        yield "publish.too_long", sa.func.length(column) > new.max_length
    if new.picklist is not None and old.picklist is not None:
        allowed = {value.code for value in new.picklist.values}
        gone = sorted({value.code for value in old.picklist.values} - allowed)
        if gone:
            yield "publish.values_not_listed", column.in_(gone)
