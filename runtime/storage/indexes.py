"""Which indexes an object should have: for lookups, unique rules, list views, sharing rules with a condition,
and the board and calendar that it opens with (decision 0005).

Every index is on the main table and leaves deleted records out; what stands in the second table has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tabwright.formula.compiler import Formula
from tabwright.metadata.model import ListViewDef, ObjectDef, SharingRuleDef, UniqueRuleDef
from tabwright.metadata.ways import board_field, board_sum, calendar_field
from tabwright.runtime.storage.ddl import IndexSpec, Term
from tabwright.runtime.storage.tables import SYSTEM_COLUMNS, Entry, RecordTable

_SYSTEM_WAYS = {
    "id": "reference",
    "owner_id": "reference",
    "created_by": "reference",
    "updated_by": "reference",
}
_SYSTEM_WAYS |= {"created_at": "datetime", "updated_at": "datetime", "rev": "integer", "record_type": "text"}

_EQUAL, _BEYOND = frozenset(("eq", "same")), frozenset(("lt", "le", "gt", "ge"))
_OWNER = Term("owner_id", "reference")
_ID = Term("id", "reference")
_DELETED = Term("deleted_at", "datetime")


def _term(name: str, entries: Mapping[str, Entry], form: str = "f", **how: bool) -> Term | None:
    """The term of a field, or None where it has no column in the main table."""
    if name in entries:
        entry = entries[name]
        if entry.side != "main":
            return None
        return Term(f"{form}{entry.n}", entry.shape.way if form == "f" else "text", **how)
    column = SYSTEM_COLUMNS.get(name)
    return None if column is None else Term(column, _SYSTEM_WAYS[column], **how)


def unique_spec(object: ObjectDef, rule: UniqueRuleDef, entries: Mapping[str, Entry]) -> IndexSpec | None:
    """The index of a unique rule; None where a field of it is not in the main table."""
    terms = []
    for name in rule.fields:
        fold = rule.ignore_case and name in entries and entries[name].fold is not None
        term = _term(name, entries, "u" if fold else "f", blank=len(rule.fields) > 1 and name != rule.needs)
        if term is None:
            return None
        terms.append(term)
    return IndexSpec(tuple(terms), unique=True)


def _list_spec(view: ListViewDef, entries: Mapping[str, Entry]) -> IndexSpec | None:
    """(fields that the filter sets equal, what the list is ordered by, id, owner)."""
    terms = [term for name in equal_fields(view) if (term := _term(name, entries)) is not None]
    directions = {direction for _, direction in view.order}
    for name, direction in view.order:
        entry = entries.get(name)
        if "." in name or (entry is not None and entry.sort == "building"):
            return None
        form = "s" if entry is not None and entry.sort else "f"
        term = _term(name, entries, form, descending=direction == "desc" and len(directions) > 1)
        if term is None:
            return None
        terms.append(term)
    used = {term.column for term in terms}
    terms += [term for term in (_ID, _OWNER) if term.column not in used]
    return IndexSpec(tuple(terms))


def _way_specs(object: ObjectDef, entries: Mapping[str, Entry]) -> dict[str, IndexSpec]:
    """Of the field that the object's board opens by, and of the date that its calendar opens by.

    The board's serves a column of cards by itself; with the sum of a column and ``deleted_at`` in it, SQLite
    counts and adds up all columns without looking at the records.
    """
    found = {}
    by = board_field(object, object.stored_fields)
    if by is not None and (term := _term(by.name, entries)) is not None:
        measure = board_sum(object.stored_fields)
        amount = _term(measure.name, entries) if measure is not None else None
        terms = (term, _ID, _OWNER, *((amount,) if amount is not None else ()), _DELETED)
        found[f"{object.uid}:board"] = IndexSpec(terms)
    start = calendar_field(object, object.stored_fields)
    if start is not None and (term := _term(start.name, entries)) is not None:
        found[f"{object.uid}:calendar"] = IndexSpec((term, _ID, _OWNER))
    return found


def equal_fields(view: ListViewDef) -> tuple[str, ...]:
    """The fields that a list view's filter sets equal to something, which come first in its index."""
    return () if view.where is None else _compared(view.where, _EQUAL)


def _compared(condition: Formula, operations: frozenset[str]) -> tuple[str, ...]:
    """The fields that all records of a condition have compared so with something known."""
    found: list[str] = []
    todo = [condition.root]
    while todo:
        node = todo.pop()
        if node.op == "and":
            todo.extend(reversed(node.args))
        elif node.op in operations and any(arg.literal for arg in node.args):
            read = next((arg.data for arg in node.args if arg.op == "read"), None)
            if read is not None and len(read.path) == 1 and read.path[0] not in found:
                found.append(read.path[0])
    return tuple(found)


def _rule_spec(rule: SharingRuleDef, entries: Mapping[str, Entry]) -> IndexSpec | None:
    """(fields that the rule's condition sets equal, one that it compares, id, owner): the ids of the records
    that it opens are read from the index alone. None where the condition leads to no record.
    """
    if rule.when is None:
        return None
    equal = _compared(rule.when, _EQUAL)
    others = [name for name in _compared(rule.when, _BEYOND) if name not in equal]
    named = [name for name in (*equal, *others[:1]) if name != "record_type"]  # stored under another name
    terms = [term for name in named if (term := _term(name, entries)) is not None]
    used = {term.column for term in terms}
    terms += [term for term in (_ID, _OWNER) if term.column not in used]
    return IndexSpec(tuple(terms)) if used else None


def wanted(object: ObjectDef, entries: Mapping[str, Entry]) -> dict[str, IndexSpec]:
    """Every index that an object should have, by a key that stays the same through renames."""
    found: dict[str, IndexSpec] = {f"{object.uid}:owner": IndexSpec((_OWNER, _ID))}
    for field in object.stored_fields:
        if field.is_reference and (term := _term(field.name, entries)) is not None:
            found[f"{field.uid}:lookup"] = IndexSpec((term, _ID))
    for rule in object.unique_rules:
        if (spec := unique_spec(object, rule, entries)) is not None:
            found[f"{rule.uid}:unique"] = spec
    found |= _way_specs(object, entries)
    seen = set(found.values())
    for view in object.list_views.values():
        listed = _list_spec(view, entries)
        if listed is not None and listed not in seen:
            seen.add(listed)
            found[f"{view.uid or object.uid + '.' + view.name}:list"] = listed
    for shared in object.sharing_rules:
        ruled = _rule_spec(shared, entries)
        if ruled is not None and ruled not in seen:
            seen.add(ruled)
            found[f"{shared.uid}:rule"] = ruled
    return found


@dataclass(frozen=True, slots=True)
class UniqueKey:
    """How a query finds the records that a unique rule compares: ``terms`` equal, under ``where``.

    Blank counts as a value in a rule of several fields; a record with all of them blank clashes with none.
    ``where`` must stand in the query as it is, or its index is not used.
    """

    rule: UniqueRuleDef
    terms: tuple[sa.ColumnElement[Any], ...]
    where: sa.ColumnElement[bool]


def unique_key(table: RecordTable, rule: UniqueRuleDef) -> UniqueKey:
    """The key of a unique rule on an object's main table."""
    spec = unique_spec(table.object, rule, table.entries)
    assert spec is not None, "a unique rule's fields stand in the main table"
    return UniqueKey(rule, tuple(term.expression(table.main) for term in spec.terms), spec.where(table.main))
