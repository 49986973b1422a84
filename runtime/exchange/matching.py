"""Which records the texts of a file name: one statement per object and field for a whole chunk, under the
gate.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.database import Prepared, Reader, prepare
from tabwright.platform.tables import uuid_of
from tabwright.runtime.desk import Call
from tabwright.runtime.exchange.mapping import fold
from tabwright.runtime.records.arrays import Values
from tabwright.runtime.records.pipeline import plan_of
from tabwright.runtime.records.values import Refused, converter
from tabwright.runtime.storage.columns import Shape

_MOST_NAMES = 5000  # of a target that is looked through for suggestions
_MOST_SUGGESTED = 200


@dataclass(frozen=True, slots=True)
class _Find:
    statement: Prepared
    values: Values
    form: Callable[[Any], Any]


def matches(
    call: Call, reader: Reader, target: ObjectDef, field: FieldDef, texts: Collection[str]
) -> dict[str, list[UUID]]:
    """The ids of the living records that this person may read and that each text names; unknown ones are
    left out.

    ``field`` is one of ``settings.matchable``. Compared is the typed value, so that a phone number or a day
    may be written in another way.
    """
    rule = call.gate.rule(target, "read")
    if not texts or rule.nothing:
        return {}
    plan = plan_of(call, target)

    def make() -> _Find:
        column, form, shape = plan.key_of(field, field.unique == "ignore_case")
        if field.type == "id":
            shape = Shape("reference")
        values = Values(plan.store.dialect, [("k", shape)], "k")
        source = plan.table.joined if plan.table.is_side(field.name) else plan.table.main
        chosen = sa.select(plan.table.id, column).select_from(source)
        chosen = chosen.join(values.source, column == values.c["k"]).where(plan.table.deleted_at.is_(None))
        condition = call.gate.predicate(target, "read", plan.table.column)
        if condition is not None:
            chosen = chosen.where(condition)
        return _Find(prepare(plan.store, chosen.distinct()), values, form)

    find = call.tenant.piece("import match", target, plan.table, make, field.uid, rule.shape)
    convert = converter(field, call.zone)
    keyed: dict[Any, list[str]] = {}
    for text in texts:
        try:
            value = convert(text)
        except Refused:
            continue
        if value is not None:
            keyed.setdefault(find.form(value), []).append(text)
    if not keyed:
        return {}
    given = {**find.values.parameters([(key,) for key in keyed]), **rule.parameters()}
    found: dict[str, list[UUID]] = {}
    for id, key in reader.rows(find.statement, given):
        for text in keyed.get(key, ()):
            found.setdefault(text, []).append(uuid_of(id))
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
        condition = call.gate.predicate(target, "read", table.column)
        if condition is not None:
            chosen = chosen.where(condition)
        return prepare(call.tenant.store, chosen.limit(_MOST_NAMES + 1))

    statement = call.tenant.piece("import names", target, table, make, field.uid, rule.shape)
    rows = reader.rows(statement, rule.parameters())
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
