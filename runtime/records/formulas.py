"""Formulas on the rows of a chunk: values are fetched by need, related records once per lookup path and
chunk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.formula.aggregates import Aggregate, of_none
from tabwright.formula.compiler import Formula
from tabwright.formula.environment import Env
from tabwright.formula.faults import EvaluationError
from tabwright.formula.typed import Read
from tabwright.metadata.addresses import Address
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.database import Prepared, prepare
from tabwright.platform.tables import ids_value, in_ids, uuid_of
from tabwright.runtime.access.principal import person_of
from tabwright.runtime.access.rights import named_by_all
from tabwright.runtime.desk import env_of
from tabwright.runtime.query.answers import answers, given_to
from tabwright.runtime.records.batch import Row, Work
from tabwright.runtime.records.coercion import fault_of
from tabwright.runtime.records.values import Refused, converter

Path = tuple[str, ...]


class Evaluation:
    """Some formulas of one object, ready to be evaluated on some of its rows.

    They run in system mode: what they read is not narrowed to what the caller may read.
    """

    def __init__(
        self, object: ObjectDef, work: Work, formulas: Sequence[Formula], rows: Sequence[Row]
    ) -> None:
        self._object = object
        self._work = work
        self._new = work.call.env(work.now, is_new=True)
        self._old = work.call.env(work.now)
        # What is stored is the same for everybody, whose day it may be.
        zone = work.call.tenant.zone
        self._kept = env_of(work.model, work.now, zone, is_new=True)
        self._person: Mapping[str, Any] = {**person_of(work.principal), **self._of_person(formulas)}
        self._related: dict[Path, dict[UUID, dict[str, Any]]] = {}
        self._converters: dict[str, Any] = {}
        self._merged: dict[Path, Path] = {}
        needed: dict[Path, set[str]] = {}
        for formula in formulas:
            for read in formula.reads:
                path = self._steps(read.path)
                if len(path) > 1 and not path[0].startswith("$"):
                    for at in range(1, len(path)):
                        needed.setdefault(path[:at], set()).add(path[at])
        for prefix in sorted(needed, key=len):
            self._load(prefix, sorted(needed[prefix]), rows)
        self._answers: dict[Aggregate, Mapping[int, Any]] = {}  # by the row's number
        self._ask(formulas, rows)

    def _of_person(self, formulas: Sequence[Formula]) -> Mapping[str, Any]:
        """What formulas name of the person who acts besides what the request knows."""
        me, user = self._work.principal, self._work.model.objects["user"]
        asked = {
            read.path[1]
            for each in formulas
            for read in each.reads
            if read.path[0] == "$user" and read.path[1:]
        }
        names = sorted(asked - person_of(me).keys())
        if not names or me.kind == "system":
            return {}
        table = self._work.call.tables.of(user)
        statement: Prepared = self._work.call.tenant.piece(
            "related", user, table, lambda: self._statement(user, names), tuple(names)
        )
        given = {"ids": ids_value(self._work.writer.store.dialect, [me.user_id])}
        for _, *stored in self._work.writer.rows(statement, given):
            codecs = (table.codec(name) for name in names)
            return {
                name: each.from_storage(value)
                for name, each, value in zip(names, codecs, stored, strict=True)
            }
        return {}

    def _ask(self, formulas: Sequence[Formula], rows: Sequence[Row]) -> None:
        """What the formulas ask of children, in one statement for each kind of parent."""
        asked: dict[Path, list[Formula]] = {}
        for formula in formulas:
            for each in formula.aggregates:
                asked.setdefault(each.reads[0].path, []).append(each)
        for path, questions in asked.items():
            needed = given_to(questions)[1:]
            parents = {row.number: id for row in rows if (id := self._parent(path, row)) is not None}
            given = {
                row.number: (parents[row.number], *(self._read(read, row) for read in needed))
                for row in rows
                if row.number in parents
            }
            # Rows of one parent that give the same ask the same.
            asks = {number: number if needed else parents[number].int for number in given}
            once = {asks[number]: values for number, values in given.items()}
            object = self._work.model.objects[questions[0].root.data.relation.parent]
            made = answers(self._work.call, self._work.writer, object, questions, list(once.values()))
            found = dict(zip(once, made, strict=True))
            for n, each in enumerate(questions):
                self._answers[each.root.data] = {number: found[ask][n] for number, ask in asks.items()}

    def _parent(self, path: Path, row: Row) -> UUID | None:
        """The record whose children are asked about; None where it cannot have any."""
        if path == ("id",):
            return None if row.old is None else row.id
        id = self._read(Read(self._steps(path)), row)
        return id if isinstance(id, UUID) else None

    def _load(self, prefix: Path, names: list[str], rows: Sequence[Row]) -> None:
        work = self._work
        object = self._object_at(prefix)
        hop = prefix[-1]
        if len(prefix) == 1:
            # A lookup that is changed leads to two records: formulas may ask for what was before.
            found = [self._held(self._object, values, hop) for row in rows for values in (row.new, row.old)]
        else:
            above = self._object_at(prefix[:-1])
            found = [self._held(above, values, hop) for values in self._related[prefix[:-1]].values()]
        ids = {id for id in found if id is not None}
        if object is None or not ids:
            self._related[prefix] = {}
            return
        names = sorted({name.partition(".")[0] for name in names})
        table = work.call.tables.of(object)
        statement: Prepared = work.call.tenant.piece(
            "related", object, table, lambda: self._statement(object, names), tuple(names)
        )
        given = {"ids": ids_value(work.writer.store.dialect, sorted(ids))}
        codecs = [table.codec(name) for name in names]
        self._related[prefix] = {
            uuid_of(id): {
                name: each.from_storage(value)
                for name, each, value in zip(names, codecs, stored, strict=True)
            }
            for id, *stored in work.writer.rows(statement, given)
        }

    def _object_at(self, prefix: Path) -> ObjectDef | None:
        object: ObjectDef | None = self._object
        for step in prefix:
            name, _, kind = step.partition(".")
            field = object.find(name) if object is not None else None
            object = self._work.model.objects.get(kind or field.target or "") if field is not None else None
        return object

    def _steps(self, path: Path) -> Path:
        """The path with a polymorphic field and the kind behind it as one step, ``related.account``."""
        if len(path) == 1 or path[0].startswith("$"):
            return path
        known = self._merged.get(path)
        if known is None:
            steps: list[str] = []
            at = 0
            while at < len(path):
                object = self._object_at(tuple(steps))
                field = object.find(path[at]) if object is not None else None
                dotted = field is not None and (field.kinds or TYPES[field.type].parts)
                wide = 2 if dotted and at + 1 < len(path) else 1
                steps.append(".".join(path[at : at + wide]))
                at += wide
            known = self._merged[path] = tuple(steps)
        return known

    @staticmethod
    def _held(object: ObjectDef | None, values: Mapping[str, Any] | None, step: str) -> Any:
        """The value of a step; of a polymorphic field narrowed to a kind only where it is of that kind;
        of an address its part; of a record type, which is kept by its uid, the name.
        """
        name, _, kind = step.partition(".")
        value = None if values is None else values.get(name)
        if name == "record_type" and object is not None:
            return next((each.name for each in object.record_types.values() if each.uid == value), None)
        if not kind or value is None or object is None:
            return value
        if isinstance(value, Address):
            return getattr(value, kind) or None
        return value if object.fields[name].target_of(value) == kind else None

    def _statement(self, object: ObjectDef, names: Sequence[str]) -> Prepared:
        store = self._work.writer.store
        table = self._work.call.tables.of(object)
        chosen = sa.select(table.id, *(table.column(name) for name in names)).select_from(table.joined)
        chosen = chosen.where(in_ids(store.dialect, table.id))
        if not named_by_all(object):  # who has left is still told, as in lists
            chosen = chosen.where(table.deleted_at.is_(None))
        return prepare(store, chosen)

    def _values(self, formula: Formula, row: Row) -> list[Any]:
        values = [self._read(read, row) for read in formula.reads]
        for each in formula.aggregates:
            known = self._answers[each.root.data]
            values.append(known.get(row.number, of_none(each.root.data)))
        return values

    def _read(self, read: Read, row: Row) -> Any:
        path = self._steps(read.path)
        if path == ("$user",):
            return self._person.get("id")
        if len(path) == 1:
            source = row.old if read.prior and row.old is not None else row.new
            return self._held(self._object, source, path[0])
        if path[0] == "$user":
            return self._person.get(path[1])
        return self._follow(path, row.old if read.prior and row.old is not None else row.new)

    def _follow(self, path: Path, start: Mapping[str, Any] | None) -> Any:
        here = start
        object: ObjectDef | None = self._object
        for at in range(1, len(path)):
            id = self._held(object, here, path[at - 1])
            here = self._related[path[:at]].get(id) if id is not None else None
            object = self._object_at(path[:at])
        return self._held(object, here, path[-1])

    def holds(self, formula: Formula, row: Row) -> bool:
        """Whether a condition is true. One that cannot be computed refuses the row."""
        try:
            return formula.evaluator()(self._values(formula, row), self._moment(row)) is True
        except EvaluationError:
            row.refuse("record.formula_failed")
            return False

    def _moment(self, row: Row) -> Env:
        if row.old is not None:
            return self._old
        return replace(self._new, is_clone=True) if row.intent.copied else self._new

    def shown(self, formula: Formula, row: Row) -> Any:
        """The value of a field's formula; blank where it cannot be computed."""
        env = self._kept if row.old is None else replace(self._kept, is_new=False)
        try:
            return formula.evaluator()(self._values(formula, row), env)
        except EvaluationError:
            return None

    def truth(self, formula: Formula, row: Row, failed: bool) -> bool:
        """Whether a condition is true; ``failed`` where it cannot be computed."""
        try:
            return formula.evaluator()(self._values(formula, row), self._moment(row)) is True
        except EvaluationError:
            return failed

    def read(self, formula: Formula, row: Row) -> Sequence[Any]:
        """What a formula reads of a row: values of its ``reads`` in order, then those of its aggregates."""
        return self._values(formula, row)

    def value(self, formula: Formula, row: Row, field: FieldDef) -> Any:
        """A formula's value, as the field takes it; a value that it does not take is a fault at the field."""
        convert = self._converters.get(field.name)
        if convert is None:
            convert = self._converters[field.name] = converter(field, self._work.call.zone)
        try:
            found = formula.evaluator()(self._values(formula, row), self._moment(row))
            return None if found is None else convert(found)
        except EvaluationError:
            row.refuse("record.default_failed", field.name, field=field.name)
        except Refused as refused:
            row.faults.append(fault_of(refused, row.place, self._work.language))
        return None
