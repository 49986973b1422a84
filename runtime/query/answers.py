"""What formulas that run in the process ask of children: one statement for all questions and all records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.formula.aggregates import Aggregate, Failed, Relation, of_none
from tabwright.formula.compiler import Formula
from tabwright.formula.scope import Path
from tabwright.formula.typed import Read
from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Prepared, Reader, prepare
from tabwright.platform.errors import Invalid
from tabwright.platform.tables import uuid_of
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.desk import Call
from tabwright.runtime.query.children import Related, lookup_of
from tabwright.runtime.query.plans import TablesUsed, kept
from tabwright.runtime.query.source import Column, Input, Source, decoder, values_of
from tabwright.runtime.query.unseen import UnseenColumns, parameters
from tabwright.runtime.records.arrays import Values
from tabwright.runtime.storage.columns import Shape, codec

Answered = Mapping[Aggregate, Any]


@dataclass(frozen=True, slots=True)
class _Plan:
    statement: Prepared
    values: Values
    decoders: tuple[Callable[[Any], Any], ...]
    tables: TablesUsed


@dataclass(frozen=True, slots=True)
class _About:
    statement: Prepared
    inputs: Sequence[Input]
    tables: TablesUsed


def answers(
    call: Call, reader: Reader, object: ObjectDef, questions: Sequence[Formula], ids: Sequence[UUID]
) -> Mapping[UUID, Sequence[Any]]:
    """For each of the records ``ids`` of an object the answers to ``questions`` (``Formula.aggregates``), in
    their order; Failed for one that has none. The platform asks: every living child counts.
    """
    if not ids:
        return {}

    def make() -> _Plan:
        return _planned(call, object, questions)

    plan = kept(call, "answers", object, make, *(each.root.data for each in questions))
    stored = codec(Shape("reference"), call.tables.dialect).to_storage
    given = {**parameters(call), **plan.values.parameters([(stored(id),) for id in ids])}
    found: dict[UUID, Sequence[Any]] = {}
    for id, *raw in reader.rows(plan.statement, given):
        pairs = zip(plan.decoders, raw[::2], raw[1::2], strict=True)
        found[uuid_of(id)] = [Failed() if failed else decode(value) for decode, value, failed in pairs]
    return found


def about(call: Call, object: ObjectDef, formulas: Iterable[Formula], id: UUID | None) -> Answered:
    """The answers to all that some formulas about a record ask: of its children, and of those of the records
    that it names. Of None, which has none, as if there were no children.
    """
    questions = [each for formula in formulas for each in formula.aggregates]
    if not questions:
        return {}
    found: Sequence[Any] = [of_none(each.root.data) for each in questions]
    if id is not None:

        def make() -> _About:
            return _about(call, object, questions)

        plan = kept(call, "about", object, make, *(each.root.data for each in questions))
        with call.tenant.store.read() as reader:
            row = reader.row(plan.statement, {**parameters(call), "id": id})
        if row is not None:
            found = values_of(plan.inputs, tuple(row), {})
    return {each.root.data: answer for each, answer in zip(questions, found, strict=True)}


def where_in_force(call: Call, object: ObjectDef, formula: Formula, id: UUID) -> Answered:
    """As ``about`` for a formula of a draft: of children that are not in force yet there are none."""
    try:
        return about(call, object, (formula,), id)
    except (Invalid, KeyError):
        return about(call, object, (formula,), None)


def may_tell(gate: Gate, asked: Aggregate) -> bool:
    """Whether somebody may be told an answer: they see every child, and all that is asked of it."""
    child = gate.model.objects.get(asked.relation.object)
    if child is None or not gate.rule(child, "read").everything:
        return False
    lookup = lookup_of(gate.model, asked.relation)
    return gate.can_read(lookup) and all(_is_open(gate, child, each) for each in asked.inputs)


def _is_open(gate: Gate, object: ObjectDef, each: Read | Aggregate) -> bool:
    if isinstance(each, Aggregate):
        return may_tell(gate, each)
    if each.path[0].startswith("$"):
        return True
    try:
        field = gate.resolve(object, ".".join(each.path)).field
    except Invalid:
        return False
    return field.mask is None


def _planned(call: Call, object: ObjectDef, questions: Sequence[Formula]) -> _Plan:
    source = Source(Gate.system(call.model), call.tables, object, "of_")
    dialect = call.tables.dialect
    values = Values(dialect, [("k", Shape("reference"))], "k")
    columns = _Key(source, values.c["k"])
    written = [each.sql(columns, dialect) for each in questions]
    chosen = sa.select(
        values.c["k"], *(column for each in written for column in (each.column(), each.error()))
    ).select_from(values.source)
    decoders = tuple(decoder(each, dialect) for each in written)
    return _Plan(prepare(call.tenant.store, chosen), values, decoders, tuple(source.tables_used()))


def _about(call: Call, object: ObjectDef, questions: Sequence[Formula]) -> _About:
    source = Source(Gate.system(call.model), call.tables, object, "of_")
    columns, inputs = source.answers_of(questions)
    chosen = source.select(*columns).where(source.id == sa.bindparam("id", type_=source.id.type))
    return _About(prepare(call.tenant.store, chosen), inputs, tuple(source.tables_used()))


class _Key:
    """The one column that a question needs: which record is asked about."""

    def __init__(self, source: Source, key: Column) -> None:
        self._source = source
        self._key = key

    def column_of(self, path: Path) -> Column:
        return self._key

    def children(self, relation: Relation) -> Related:
        return Related(self._source, relation, UnseenColumns)
