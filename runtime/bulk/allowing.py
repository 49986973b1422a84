"""What a person may do with a selection of records, and which fields may be given one value.

Mass edit is: a selection of a list, whose records all get the same values. It needs ``mass_edit`` beside
``edit``. Many records in one request, each with its own values (the API's bulk, an import, a pasted block),
are so many edits; giving a selection away needs ``transfer``, deleting it ``delete``.
"""

from __future__ import annotations

from collections.abc import Mapping

from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.errors import Denied, Place
from tabwright.runtime.bulk.runs import ACTIONS, Action
from tabwright.runtime.desk import Call

_RIGHTS: Mapping[Action, tuple[str, ...]] = {
    "edit": ("edit", "mass_edit"),
    "transfer": ("edit", "transfer"),
    "delete": ("delete",),
}


def actions_of(call: Call, object: ObjectDef) -> tuple[Action, ...]:
    """What this person may do with many records of an object."""
    return tuple(
        action
        for action in ACTIONS
        if all(call.gate.may(object, right) for right in _RIGHTS[action]) and _has(call, object, action)
    )


def _has(call: Call, object: ObjectDef, action: Action) -> bool:
    """Whether there is anything that the action could write."""
    if action == "transfer":
        return any(field.type == "owner" for field in call.gate.editable(object))
    return action == "delete" or bool(fields_of(call, object))


def require(call: Call, object: ObjectDef, action: Action) -> None:
    """Raises NotFound, Denied where this person may not do that with many records of the object."""
    if action in actions_of(call, object):
        return
    for right in _RIGHTS[action]:
        call.gate.require(object, right)
    if action == "transfer":
        raise call.gate.denied(object, action)
    raise Denied.of("bulk.no_fields", Place(object=object.name))


def fields_of(call: Call, object: ObjectDef) -> tuple[FieldDef, ...]:
    """The fields that may be given one value on many records, in the model's order.

    Not a unique one, which no two records may share, and not the owner, who is changed by a transfer.
    """
    readable = {each.name for each in call.gate.readable(object)}
    unique = {rule.fields[0] for rule in object.unique_rules if len(rule.fields) == 1}
    return tuple(
        field
        for field in call.gate.editable(object)
        if not (field.read_only or field.read_only_after_create or field.unique or field.name in unique)
        and field.type not in ("owner", "auto_number", "id", "revision")
        and field.name in readable
        and (not field.system or (field.type == "record_type" and object.record_types))
        and field.type in TYPES
        and not field.holds_files  # a file belongs to one record
    )
