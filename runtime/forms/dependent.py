"""Which choices a form offers where another field decides: worked out from what the form holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tabwright.metadata.choices import CHOICE_SEPARATOR
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef, LayoutDef, ObjectDef
from tabwright.runtime.records.picklists import allowed_with, codes_of

NONE: Mapping[str, frozenset[str]] = {}


def is_controlled(object: ObjectDef, layout: LayoutDef) -> bool:
    """Whether a form of this layout has a field whose choices follow another's."""
    return any(
        object.fields[entry.field].controlled_by is not None
        for section in layout.sections
        for entry in section.fields
        if entry.field in object.fields
    )


def is_offered_by_others(field: FieldDef) -> bool:
    """Whether what can be chosen in the field follows another one."""
    return field.controlled_by is not None


def offered(
    object: ObjectDef,
    texts: Mapping[str, str],
    row: Mapping[str, Any],
    withheld: Mapping[str, frozenset[str]] = NONE,
) -> dict[str, frozenset[str]]:
    """The codes that each controlled field may have: by the form's texts, else by the record; of those with
    conditions without the ``withheld`` ones.
    """
    found = {}
    for field in object.own_fields:
        if field.controlled_by is None:
            continue
        control = object.fields[field.controlled_by]
        if control.name in texts:
            codes = _codes_in(control, texts[control.name])
        else:
            codes = list(codes_of(control, row.get(control.name)))
        found[field.name] = allowed_with(field, codes)
    for name, codes_away in withheld.items():
        picks = object.fields[name].picklist
        every = frozenset(each.code for each in picks.values) if picks is not None else frozenset()
        found[name] = found.get(name, every) - codes_away
    return found


def fitting(
    object: ObjectDef,
    fields: Iterable[FieldDef],
    texts: Mapping[str, str],
    row: Mapping[str, Any],
    withheld: Mapping[str, frozenset[str]] = NONE,
) -> dict[str, str]:
    """The texts without choices that no longer go with what controls them, down the whole chain, and without
    ``withheld`` ones that the record does not have yet.
    """
    kept = dict(texts)
    fields = tuple(fields)
    for field in fields:
        if field.name in withheld and field.name in kept:
            away = withheld[field.name].difference(codes_of(field, row.get(field.name)))
            codes = [code for code in _codes_in(field, kept[field.name]) if code not in away]
            kept[field.name] = CHOICE_SEPARATOR.join(codes)
    chained = [field for field in fields if field.controlled_by is not None and field.name in kept]
    for _ in chained:
        may = offered(object, kept, row)
        for field in chained:
            codes = [code for code in _codes_in(field, kept[field.name]) if code in may[field.name]]
            kept[field.name] = CHOICE_SEPARATOR.join(codes)
    return kept


def _codes_in(field: FieldDef, text: str) -> list[str]:
    parts = text.split(CHOICE_SEPARATOR) if TYPES[field.type].many else [text]
    return [code for each in parts if (code := each.strip())]
