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
from tabwright.formula.standing import USER
from tabwright.formula.typed import Read, nodes_of
from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Prepared, Reader, prepare
from tabwright.platform.errors import Invalid
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.principal import person_of
from tabwright.runtime.desk import Call
from tabwright.runtime.query.children import Related, lookup_of
from tabwright.runtime.query.plans import TablesUsed, kept
from tabwright.runtime.query.source import (
    Column,
    Input,
    Source,
    decoder,
    shape_of_value,
    values_of,
)
from tabwright.runtime.query.unseen import UnseenColumns, parameters
from tabwright.runtime.records.arrays import Values
from tabwright.runtime.storage.columns import Shape, codec

Answered = Mapping[Aggregate, Any]


@dataclass(frozen=True, slots=True)
class _Plan:
    statement: Prepared
    values: Values
    encoders: tuple[Callable[[Any], Any], ...]
    decoders: tuple[Callable[[Any], Any], ...]
    tables: TablesUsed


@dataclass(frozen=True, slots=True)
class _About:
    statement: Prepared
    inputs: Sequence[Input]
    tables: TablesUsed


def given_to(questions: Sequence[Formula]) -> tuple[Read, ...]:
    """What some questions about the children of one record need: which record it is, then what they take of
    the record that asks.
    """
    key = questions[0].reads[0]
    return tuple(dict.fromkeys((key, *(read for each in questions for read in each.reads))))


def answers(
    call: Call,
    reader: Reader,
    object: ObjectDef,
    questions: Sequence[Formula],
    given: Sequence[Sequence[Any]],
) -> Sequence[Sequence[Any]]:
    """The answers to ``questions`` (``Formula.aggregates`` about the children of one record) for each row of
    ``given``, which has the values of ``given_to``; Failed for one that has none. The platform asks: every
    living child counts.
    """
    if not given:
        return []

    def make() -> _Plan:
        return _planned(call, object, questions)

    plan = kept(call, "answers", object, make, *(each.root.data for each in questions))
    rows = [
        (str(n), *(put(value) for put, value in zip(plan.encoders, row, strict=True)))
        for n, row in enumerate(given)
    ]
    found: dict[str, Sequence[Any]] = {}
    for n, *raw in reader.rows(plan.statement, {**parameters(call), **plan.values.parameters(rows)}):
        pairs = zip(plan.decoders, raw[::2], raw[1::2], strict=True)
        found[n] = [Failed() if failed else decode(value) for decode, value, failed in pairs]
    return [found[str(n)] for n in range(len(given))]


def about(
    call: Call,
    object: ObjectDef,
    formulas: Iterable[Formula],
    id: UUID | None,
    row: Mapping[str, Any] | None = None,
) -> Answered:
    """The answers to all that some formulas about a record ask: of its children, and of those of the records
    that it names. Of None, which has none, as if there were no children. ``row`` has the record's values by
    path where they are others than in the store: as a form holds them.
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
            there = reader.row(plan.statement, {**parameters(call), "id": id})
        if there is not None:
            found = values_of(plan.inputs, tuple(there), {})
    told: dict[Aggregate, Any] = {
        each.root.data: answer for each, answer in zip(questions, found, strict=True)
    }
    if row is not None and id is not None:
        told.update(_of_typed(call, object, questions, id, row))
    return told


def _of_typed(
    call: Call, object: ObjectDef, questions: Sequence[Formula], id: UUID, row: Mapping[str, Any]
) -> Answered:
    """The answers to those questions about a record's own children that take values of the record."""
    found: dict[Aggregate, Any] = {}
    person = person_of(call.principal)
    for each in questions:
        key, *reads = given_to([each])
        if key.path == ("id",) and reads:
            values = [
                person.get(read.path[-1]) if read.path[0] == USER else row.get(".".join(read.path))
                for read in reads
            ]
            with call.tenant.store.read() as reader:
                found[each.root.data] = answers(call, reader, object, [each], [(id, *values)])[0][0]
    return found


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
    reads = given_to(questions)
    kinds = {node.data: node.type for each in questions for node in nodes_of(each.root) if node.op == "read"}
    shapes = [shape_of_value(kinds[read]) for read in reads]
    values = Values(
        dialect, [("n", Shape("text")), *((f"v{at}", shape) for at, shape in enumerate(shapes))], "k"
    )
    columns = _Given(source, {read.path: values.c[f"v{at}"] for at, read in enumerate(reads)})
    written = [each.sql(columns, dialect) for each in questions]
    chosen = sa.select(
        values.c["n"], *(column for each in written for column in (each.column(), each.error()))
    ).select_from(values.source)
    encoders = tuple(codec(shape, dialect).to_storage for shape in shapes)
    decoders = tuple(decoder(each, dialect) for each in written)
    return _Plan(prepare(call.tenant.store, chosen), values, encoders, decoders, tuple(source.tables_used()))


def _about(call: Call, object: ObjectDef, questions: Sequence[Formula]) -> _About:
    source = Source(Gate.system(call.model), call.tables, object, "of_")
    columns, inputs = source.answers_of(questions)
    chosen = source.select(*columns).where(source.id == sa.bindparam("id", type_=source.id.type))
    return _About(prepare(call.tenant.store, chosen), inputs, tuple(source.tables_used()))


class _Given:
    """The columns of questions: which record is asked about, and what is taken of the one that asks."""

    def __init__(self, source: Source, columns: Mapping[Path, Column]) -> None:
        self._source = source
        self._columns = columns

    def column_of(self, path: Path) -> Column:
        return self._source.of_person(path)[0] if path[0] == USER else self._columns[path]

    def children(self, relation: Relation) -> Related:
        return Related(self._source, relation, UnseenColumns)
