"""Showing masked values whole: a system right, and an entry in the journal each time."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.errors import Invalid, Place
from tabwright.runtime.desk import Call
from tabwright.runtime.journal.writing import record_event
from tabwright.runtime.masks import HIDDEN, Sealed
from tabwright.runtime.query.reads import Reads

UNMASK = "unmask"


def may_unmask(call: Call) -> bool:
    """Whether the caller may see masked values whole."""
    return call.gate.has(UNMASK)


def unmask(call: Call, object: ObjectDef, id: UUID, names: Sequence[str]) -> dict[str, str | None]:
    """The whole values of masked fields of a record, by field name; the journal says who saw which.

    Raises Denied without the right ``unmask``, NotFound for a record that may not be read, Invalid for a
    field that may not be read or has no mask.
    """
    call.gate.require_right(UNMASK)
    fields: list[FieldDef] = []
    for path in call.gate.resolve_all(object, tuple(dict.fromkeys(names))):
        if path.hops or path.field.mask is None:
            raise Invalid.of("field.not_masked", Place(object=object.name, field=path.text), field=path.text)
        fields.append(path.field)
    row = Reads(call).get(object.name, id, tuple(field.name for field in fields))
    with call.tenant.store.write() as writer:
        about = {"object": object.uid, "record": id.hex, "fields": [field.uid for field in fields]}
        record_event(call, writer, "view", about)
    return {field.name: whole(call, row.get(field.name)) for field in fields}


def whole(call: Call, value: object) -> str | None:
    """A masked field's value as it is, sealed or not."""
    if value is None:
        return None
    if isinstance(value, Sealed):
        opened = call.tenant.keys.open(value.token)
        return HIDDEN if opened is None else opened
    return str(value)
