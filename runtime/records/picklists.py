"""What the picklist values of a row must keep to besides their list: in use, of the record type, and going
with the value of the field that controls them.

A value that stands already may stay; what is newly chosen is looked at, and a choice that no longer goes with
what controls it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tabwright.metadata.choices import codes_in
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef, ObjectDef, label_in
from tabwright.platform.language import Language
from tabwright.runtime.records.batch import Row


def codes_of(field: FieldDef, value: Any) -> tuple[str, ...]:
    """The codes that a typed value of a picklist field holds."""
    if value is None:
        return ()
    return codes_in(value) if TYPES[field.type].many else (value,)


def allowed_with(field: FieldDef, control: Sequence[str]) -> frozenset[str]:
    """The codes that go with these of the field that controls it: with any of them."""
    return frozenset().union(*(field.matrix.get(code, frozenset()) for code in control))


def check_picklists(
    object: ObjectDef, inactive: Mapping[str, frozenset[str]], rows: Sequence[Row], language: Language
) -> None:
    """Refuse what the rows newly choose and may not. ``inactive``: codes by field name."""
    for field in object.own_fields:
        if field.controlled_by is not None:
            _check_control(field, object.fields[field.controlled_by], rows, language)
    subsets = {
        each.uid: {name: frozenset(codes) for name, codes in each.picklists.items()}
        for each in object.record_types.values()
        if each.picklists
    }
    if not inactive and not subsets:
        return
    for row in rows:
        new, old = row.new, row.old
        assert new is not None
        of_type = subsets.get(new["record_type"], {})
        for name in {**inactive, **of_type}:
            field = object.fields[name]
            before = codes_of(field, old[name]) if old is not None else ()
            for code in codes_of(field, new[name]):
                if code in before:
                    continue
                if code in inactive.get(name, ()):
                    row.refuse("value.inactive", name, field=name, value=code)
                elif name in of_type and code not in of_type[name]:
                    row.refuse("value.not_for_type", name, field=name, value=code)


def _check_control(field: FieldDef, control: FieldDef, rows: Sequence[Row], language: Language) -> None:
    """Refuse rows in which either of the two was written and they do not go together."""
    for row in rows:
        new, old = row.new, row.old
        assert new is not None
        if old is not None and (old[field.name], old[control.name]) == (new[field.name], new[control.name]):
            continue
        chosen = codes_of(field, new[field.name])
        if not chosen or row.has_fault_at(field.name):
            continue
        by = codes_of(control, new[control.name])
        may = allowed_with(field, by)
        value = ", ".join(_label(field, code, language) for code in chosen if code not in may)
        if not value:
            continue
        said = label_in(control.labels, language)
        about: dict[str, Any] = {"field": field.name, "control": said, "value": value}
        if by:
            others = ", ".join(_label(control, code, language) for code in by)
            row.refuse("value.not_with", field.name, chosen=others, **about)
        else:
            row.refuse("value.needs_control", field.name, **about)


def _label(field: FieldDef, code: str, language: Language) -> str:
    known = field.picklist.value(code) if field.picklist is not None else None
    return label_in(known.labels, language) if known is not None else code
