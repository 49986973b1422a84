"""The form that narrows an API token: objects and what may be done with them, fields, system rights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from tabwright.metadata.model import label_in
from tabwright.platform.errors import Invalid, Place
from tabwright.runtime.desk import Call
from tabwright.runtime.pages.account.devices import SCOPED
from tabwright.runtime.pages.shell import plural


@dataclass(frozen=True, slots=True)
class ScopeRow:
    """An object in the form, with the operations and fields that the person has there."""

    name: str
    label: str
    operations: tuple[tuple[str, bool], ...]  # each with whether it is ticked
    fields: tuple[tuple[str, str, bool], ...]  # name, label, ticked

    @property
    def picked(self) -> int:
        return sum(ticked for _, _, ticked in self.fields)


def scope_rows(call: Call, form: MultiDict[str, str]) -> list[ScopeRow]:
    """What a token may be narrowed to: nothing that the person has not."""
    gate, rows = call.gate, []
    for object in gate.objects():
        ticked, picked = form.getlist(f"may.{object.name}"), form.getlist(f"field.{object.name}")
        operations = tuple((each, each in ticked) for each in SCOPED if gate.may(object, each))
        fields = tuple(
            (each.name, label_in(each.labels, call.language), each.name in picked)
            for each in gate.readable(object)
            if each.name not in ("id", "revision")
        )
        rows.append(ScopeRow(object.name, plural(object, call.language), operations, fields))
    return sorted(rows, key=lambda each: each.label)


def system_rights(call: Call) -> list[str]:
    """The system rights that the person holds, by name."""
    known = {right for each in call.model.permission_sets.values() for right in each.system}
    return sorted(each for each in known if call.gate.has(each))


def scope_of(call: Call, form: MultiDict[str, str]) -> dict[str, Any] | None:
    """The scope that a form asks for; None: all that the person may. Raises Invalid for an empty one."""
    if form.get("whole") == "yes":
        return None
    objects, fields = {}, {}
    for row in scope_rows(call, form):
        rights = [each for each, ticked in row.operations if ticked]
        picked = [name for name, _, ticked in row.fields if ticked]
        if rights:
            objects[row.name] = rights
            if picked:
                fields[row.name] = picked
    system = [each for each in system_rights(call) if each in form.getlist("system")]
    if not objects and not system:
        raise Invalid.of("pages.account.scope_empty", Place(field="scope"))
    return {"objects": objects, "fields": fields, "system": system}
