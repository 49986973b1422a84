"""From what a caller sends for a record to typed values, with every fault at once.

A ``Coercer`` is built once per (object, editable fields, zone) and holds one converter per field; coercing a
record is one dictionary look-up and one call per value sent, no walk over the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from tabwright.metadata.model import FieldDef, ObjectDef, label_in
from tabwright.platform.errors import Fault, Param, Place
from tabwright.runtime.records.values import Convert, Refused, converter

_BLANK = ("", None)


def fault_of(refused: Refused, place: Place, language: str) -> Fault:
    """A refusal as a fault: labels become the caller's language."""
    params: dict[str, Param] = {
        name: label_in(value, language) if isinstance(value, Mapping) else value
        for name, value in refused.params.items()
    }
    return Fault(refused.code, params, place)


class Coercer:
    """Turns a mapping of sent values into typed ones, keyed by the fields' names."""

    def __init__(
        self, object: ObjectDef, editable: Iterable[FieldDef], readable: Iterable[FieldDef], zone: str
    ) -> None:
        self._object = object
        slots: dict[str, tuple[str, Convert]] = {}
        for field in editable:
            slots[field.name] = (field.name, converter(field, zone))
        for alias, name in object.field_aliases.items():
            if name in slots and alias not in object.fields:
                slots.setdefault(alias, slots[name])
        self._slots = slots
        self._readable = frozenset(field.name for field in readable)

    def __call__(
        self, sent: Mapping[str, Any], language: str, place: Place, faults: list[Fault]
    ) -> dict[str, Any]:
        """Typed values by field name; ``faults`` is added to for each value that is refused."""
        typed: dict[str, Any] = {}
        slots = self._slots
        for given, value in sent.items():
            slot = slots.get(given)
            if slot is None:
                slot = slots.get(given.lower()) if isinstance(given, str) else None
                if slot is None:
                    faults.append(self._unknown(str(given)[:80], place))
                    continue
            name, convert = slot
            if value is None:
                typed[name] = None
                continue
            try:
                typed[name] = convert(value)
            except Refused as refused:
                faults.append(fault_of(refused, self._at(place, name), language))
        return typed

    def _at(self, place: Place, field: str) -> Place:
        return Place(object=self._object.name, record=place.record, field=field, row=place.row)

    def _unknown(self, name: str, place: Place) -> Fault:
        found = self._object.find(name.lower())
        if found is not None and found.name in self._readable:
            code = "field.read_only" if found.computed is None else "field.computed"
            return Fault(code, {"field": found.name}, self._at(place, found.name))
        close = get_close_matches(name.lower(), sorted(self._readable), n=3, cutoff=0.6)
        if close:
            return Fault(
                "field.unknown_near", {"path": name, "near": ", ".join(close)}, self._at(place, name)
            )
        return Fault("field.unknown", {"path": name}, self._at(place, name))
