"""Lines in the body of a record: ``{"name": ..., "lines": {"order_line": [...]}}``.

Lines are the records whose master-detail names the record. A list is all lines that the record is to have:
one with an ``id`` is changed, one without is made, and those that are not in it are deleted. An object with
``create``, ``update`` and ``delete`` is about some lines and leaves the others alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.errors import Fault, Malformed, Place
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.api.record_schema import ID, values_schema, write_schema
from tabwright.runtime.records.batch import Action, Intent, RowResult
from tabwright.runtime.records.together import Lines

KEY = "lines"
_VERBS: tuple[Action, ...] = ("delete", "update", "create")


def relations(gate: Gate, object: ObjectDef) -> Mapping[str, FieldDef]:
    """The master-details by which this caller may give lines, by their name in a body: that of the lines'
    object, with the field's where the object has two that name this one.

    Nothing where the object has a field of its own called ``lines``: the name is taken then.
    """
    if object.find(KEY) is not None:
        return {}
    found = [
        field
        for field in gate.model.children(object.name)
        if field.type == "master_detail"
        and gate.can_read(field)
        and any(gate.may(gate.model.objects[field.object], verb) for verb in ("create", "edit", "delete"))
    ]
    objects = [field.object for field in found]
    return {
        field.object if objects.count(field.object) == 1 else f"{field.object}.{field.name}": field
        for field in found
    }


def split(
    gate: Gate, object: ObjectDef, values: Mapping[str, Any], at: str
) -> tuple[Mapping[str, Any], tuple[Lines, ...]]:
    """The values of the record itself, and what is wanted of its lines. ``at``: pointer of the values.

    Raises Malformed with every fault of the shape, each with its pointer.
    """
    if KEY not in values or object.find(KEY) is not None:
        return values, ()
    given = values[KEY]
    rest = {name: value for name, value in values.items() if name != KEY}
    if not isinstance(given, dict):
        raise Malformed.of("api.not_an_object", Place(pointer=f"{at}/{KEY}"))
    known = relations(gate, object)
    reader = _Reader(gate)
    for name, wanted in given.items():
        pointer = f"{at}/{KEY}/{name[:80]}"
        field = known.get(_canonical(gate, name))
        if field is None:
            reader.fault("api.lines_unknown", pointer, name=name[:80])
        else:
            reader.read(field, wanted, pointer)
    if reader.faults:
        raise Malformed(reader.faults[:1000])
    return rest, tuple(reader.lines)


def _canonical(gate: Gate, name: str) -> str:
    """A renamed object answers to its old name here too."""
    object, dot, field = name.lower().partition(".")
    found = gate.model.find(object)
    return f"{found.name if found is not None else object}{dot}{field}"


class _Reader:
    """Reads what is given for the relations of one record."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._seen: set[str] = set()
        self.lines: list[Lines] = []
        self.faults: list[Fault] = []

    def fault(self, code: str, pointer: str, **params: str) -> None:
        self.faults.append(Fault(code, params, Place(pointer=pointer)))

    def read(self, field: FieldDef, wanted: Any, pointer: str) -> None:
        """What is given for one relation."""
        if field.path in self._seen:
            self.fault("api.lines_twice", pointer, name=field.path)
            return
        self._seen.add(field.path)
        if isinstance(wanted, list):
            intents = [self._either(field, each, f"{pointer}/{n}") for n, each in enumerate(wanted)]
            self._add(field, intents, pointer, no_others=True)
        elif isinstance(wanted, dict) and set(wanted) <= set(_VERBS):
            for verb in _VERBS:
                self._some(field, verb, wanted.get(verb, []), f"{pointer}/{verb}")
        else:
            self.fault("api.lines_shape", pointer)

    def _some(self, field: FieldDef, verb: Action, wanted: Any, pointer: str) -> None:
        if not isinstance(wanted, list):
            self.fault("api.lines_shape", pointer)
            return
        intents = []
        for number, each in enumerate(wanted):
            at = f"{pointer}/{number}"
            if verb == "delete" and isinstance(each, str):
                each = {"id": each}
            made = self._either(field, each, at)
            if made is None:
                continue
            if (made.action == "create") is not (verb == "create"):
                self.fault("api.lines_id" if verb == "create" else "api.lines_no_id", at)
            elif verb == "delete" and made.values:
                self.fault("api.lines_delete_values", at)
            else:
                intents.append(Intent(verb, made.id, made.values, revision=made.revision))
        self._add(field, intents, pointer)

    def _either(self, field: FieldDef, each: Any, pointer: str) -> Intent | None:
        """A line with an id is changed, one without is made."""
        if not isinstance(each, dict):
            self.fault("api.not_an_object", pointer)
            return None
        values = dict(each)
        revision, id = values.pop("revision", None), values.pop("id", None)
        if revision is not None and (
            not isinstance(revision, int) or isinstance(revision, bool) or id is None
        ):
            self.fault("api.lines_revision", f"{pointer}/revision")
        if id is not None and not isinstance(id, str):
            self.fault("api.lines_no_id", f"{pointer}/id")
            return None
        part = self._gate.model.objects[field.object]
        for name in values:
            found = part.find(name.lower())
            if found is not None and found.uid == field.uid:
                self.fault("api.lines_head", f"{pointer}/{name}", name=name)
        if id is None:
            return Intent("create", values=values)
        return Intent("update", id, values, revision=revision)

    def _add(
        self, field: FieldDef, intents: Sequence[Intent | None], pointer: str, no_others: bool = False
    ) -> None:
        made = tuple(each for each in intents if each is not None)
        if made or no_others:
            self.lines.append(Lines(field.object, field.name, made, no_others, pointer))


def told(
    gate: Gate, object: ObjectDef, lines: Sequence[Lines], results: Sequence[Sequence[RowResult]]
) -> dict[str, list[dict[str, Any]]]:
    """What became of the lines, as answers say it: by relation, those that were named in their order, then
    those that were deleted because they were not.
    """
    names = {field.path: name for name, field in relations(gate, object).items()}
    found: dict[str, list[dict[str, Any]]] = {}
    for each, rows in zip(lines, results, strict=True):
        found.setdefault(names[each.relation], []).extend(
            {"id": row.id, "revision": row.revision, "outcome": row.outcome} for row in rows
        )
    return found


def described(gate: Gate, object: ObjectDef) -> list[dict[str, Any]]:
    """What describe says of the lines that this caller may give."""
    return [
        {
            "name": name,
            "object": field.object,
            "field": field.name,
            "operations": gate.operations(gate.model.objects[field.object]),
        }
        for name, field in relations(gate, object).items()
    ]


def body_schema(gate: Gate, object: ObjectDef) -> dict[str, Any]:
    """The JSON Schema of what may be sent to make or change a record: its values, and its lines."""
    found = values_schema(gate, object)
    known = relations(gate, object)
    if known:
        found["properties"][KEY] = {
            "type": "object",
            "description": "Lines, written with the record, all or nothing. A list is all lines that the "
            "record is to have: one with an id is changed, one without is made, those that are not in it are "
            "deleted. An object with create, update and delete leaves the others alone.",
            "properties": {name: _relation_schema(gate, field) for name, field in known.items()},
            "additionalProperties": False,
        }
    return found


def _relation_schema(gate: Gate, field: FieldDef) -> dict[str, Any]:
    part = gate.model.objects[field.object]
    values = {each.name: write_schema(each) for each in gate.editable(part) if each.uid != field.uid}
    named = {"id": dict(ID), "revision": {"type": "integer"}}

    def line(required: list[str], **properties: Any) -> dict[str, Any]:
        return {
            "type": "object", "properties": properties, "required": required, "additionalProperties": False,
        }  # fmt: skip

    some = {
        "create": {"type": "array", "items": line([], **values)},
        "update": {"type": "array", "items": line(["id"], **named, **values)},
        "delete": {"type": "array", "items": {"anyOf": [dict(ID), line(["id"], **named)]}},
    }
    return {
        "title": part.labels.get("en") or part.name,
        "anyOf": [{"type": "array", "items": line([], **named, **values)}, line([], **some)],
    }
