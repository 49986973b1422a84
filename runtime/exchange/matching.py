"""Which records the texts of a file name: one statement per object and field for a whole chunk, under the
gate.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.database import Prepared, Reader, prepare
from tabwright.platform.tables import uuid_of
from tabwright.runtime.desk import Call
from tabwright.runtime.exchange.mapping import fold
from tabwright.runtime.records.arrays import Values
from tabwright.runtime.records.pipeline import plan_of
from tabwright.runtime.records.plan import same_term
from tabwright.runtime.records.values import Refused, converter
from tabwright.runtime.storage.columns import Shape
from tabwright.runtime.storage.indexes import unique_key

_MOST_NAMES = 5000  # of a target that is looked through for suggestions
_MOST_SUGGESTED = 200


Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True, slots=True)
class _Find:
    statement: Prepared
    values: Values
    forms: tuple[Callable[[Any], Any], ...]


def matches(
    call: Call, reader: Reader, target: ObjectDef, field: FieldDef, texts: Collection[str]
) -> dict[str, list[UUID]]:
    """The ids of the living records that this person may read and that each text names; unknown ones are
    left out.

    ``field`` is one of ``settings.matchable``. Compared is the typed value, so that a phone number or a day
    may be written in another way.
    """
    convert = converter(field, call.zone)
    typed: dict[str, tuple[Any, ...]] = {}
    for text in texts:
        try:
            value = convert(text)
        except Refused:
            continue
        if value is not None:
            typed[text] = (value,)
    return find_by(call, reader, target, (field,), field.unique == "ignore_case", typed)


def find_by(
    call: Call,
    reader: Reader,
    target: ObjectDef,
    fields: tuple[FieldDef, ...],
    ignore_case: bool,
    keys: Mapping[Name, tuple[Any, ...]],
) -> dict[Name, list[UUID]]:
    """The ids of the living records that this person may read and that each key names, in one statement.

    ``keys``: typed values of ``fields``, none of them blank, by whatever the caller knows them by.
    """
    rule = call.gate.rule(target, "read")
    if not keys or rule.nothing:
        return {}
    plan = plan_of(call, target)
    names = tuple(field.name for field in fields)
    several = next((each for each in target.unique_rules if len(names) > 1 and each.fields == names), None)

    def make() -> _Find:
        found = [plan.key_of(field, ignore_case) for field in fields]
        shapes = [
            Shape("reference") if field.type == "id" else shape
            for field, (_, _, shape) in zip(fields, found, strict=True)
        ]
        columns = [column for column, _, _ in found]
        values = Values(plan.store.dialect, [(f"k{at}", shape) for at, shape in enumerate(shapes)], "k")
        terms: Sequence[sa.ColumnElement[Any]] = columns
        living: sa.ColumnElement[bool] = plan.table.deleted_at.is_(None)
        if several is not None:  # as its index says it, so that the index is used
            key = unique_key(plan.table, several)
            terms, living = key.terms, sa.and_(living, key.where)
        same = sa.and_(*(same_term(term, values.c[f"k{at}"]) for at, term in enumerate(terms)))
        side = any(plan.table.is_side(field.name) for field in fields)
        chosen = sa.select(plan.table.id, *columns).select_from(
            plan.table.joined if side else plan.table.main
        )
        chosen = chosen.join(values.source, same).where(living)
        condition = call.gate.predicate(target, "read", call.tables)
        if condition is not None:
            chosen = chosen.where(condition)
        forms = tuple(form for _, form, _ in found)
        return _Find(prepare(plan.store, chosen.distinct()), values, forms)

    uids = tuple(field.uid for field in fields)
    find = call.tenant.piece("import match", target, plan.table, make, uids, ignore_case, rule.shape)
    keyed: dict[tuple[Any, ...], list[Name]] = {}
    for name, key in keys.items():
        form = tuple(form(value) for form, value in zip(find.forms, key, strict=True))
        keyed.setdefault(form, []).append(name)
    found: dict[Name, list[UUID]] = {}
    given = {**find.values.parameters(list(keyed)), **call.gate.viewer()}
    for id, *parts in reader.rows(find.statement, given):
        for name in keyed.get(tuple(parts), ()):
            found.setdefault(name, []).append(uuid_of(id))
    return found


def names_of(call: Call, reader: Reader, target: ObjectDef, field: FieldDef) -> list[str]:
    """The values of a match field that this person may read; none where there are too many to look
    through.
    """
    rule = call.gate.rule(target, "read")
    if rule.nothing or field.type == "id":
        return []
    table = call.tables.of(target)

    def make() -> Prepared:
        column = table.column(field.name)
        source = table.joined if table.is_side(field.name) else table.main
        chosen = sa.select(column).select_from(source).where(table.deleted_at.is_(None), column.is_not(None))
        condition = call.gate.predicate(target, "read", call.tables)
        if condition is not None:
            chosen = chosen.where(condition)
        return prepare(call.tenant.store, chosen.limit(_MOST_NAMES + 1))

    statement = call.tenant.piece("import names", target, table, make, field.uid, rule.shape)
    rows = reader.rows(statement, call.gate.viewer())
    if len(rows) > _MOST_NAMES:
        return []
    codec = table.codec(field.name)
    return [str(codec.from_storage(value)) for (value,) in rows]


def choices_of(field: FieldDef) -> dict[str, str]:
    """What a cell of a picklist may say, folded, and its code: the code itself, then labels in every
    language.
    """
    assert field.picklist is not None
    found: dict[str, str] = {}
    for value in field.picklist.values:
        found.setdefault(fold(value.code), value.code)
    for value in field.picklist.values:
        for label in value.labels.values():
            found.setdefault(fold(label), value.code)
    return found


def suggestions(known: Iterable[str], texts: Sequence[str]) -> Mapping[str, str]:
    """The existing value that each text most likely means: the same but for case, blanks and punctuation,
    else the one most like it.
    """
    folded: dict[str, str] = {}
    for name in known:
        folded.setdefault(fold(name), name)
    done: dict[str, str] = {}
    for text in texts[:_MOST_SUGGESTED]:
        key = fold(text)
        if key in folded:
            done[text] = folded[key]
        elif near := get_close_matches(key, folded, n=1, cutoff=0.75):
            done[text] = folded[near[0]]
    return done
