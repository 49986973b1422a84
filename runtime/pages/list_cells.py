"""Which values of a list may be edited where they stand; the editor itself is ``inplace``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tabwright.metadata.model import LayoutField, ObjectDef
from tabwright.runtime.desk import Call
from tabwright.runtime.forms.unroll import asks
from tabwright.runtime.lists.table import Column


@dataclass(frozen=True, slots=True)
class Editing:
    """``fields``: columns that may be edited; ``at``: where, of a row; ``paths``: what it needs."""

    fields: frozenset[str]
    paths: tuple[str, ...]
    at: Callable[[Mapping[str, Any]], str]

    @staticmethod
    def of(call: Call, object: ObjectDef, columns: Sequence[Column]) -> Editing:
        """For what this person may edit; a row of somebody else's perhaps not."""
        gate = call.gate
        if not gate.may(object, "edit"):
            return NOWHERE
        editable = {field.name for field in gate.editable(object)}
        found = frozenset(
            column.path
            for column in columns
            if column.path in editable
            and column.path != object.name_field  # its link opens the record
            and asks(column.field, LayoutField(column.path), editable, creating=False)
        )
        everything = gate.rule(object, "edit").everything
        if not found or not (everything or gate.find(object, "owner")):
            return NOWHERE
        start = f"/o/{object.name}/"

        def at(row: Mapping[str, Any]) -> str:
            return f"{start}{row.get('id')}/value" if everything or gate.allows(object, "edit", row) else ""

        return Editing(found, () if everything else ("owner",), at)


NOWHERE = Editing(frozenset(), (), lambda row: "")
