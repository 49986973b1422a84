"""Which values of a list may be edited where they stand; the editor itself is ``inplace``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tabwright.metadata.model import LayoutField, ObjectDef
from tabwright.runtime.access.asking import open_among
from tabwright.runtime.desk import Call
from tabwright.runtime.forms.unroll import asks
from tabwright.runtime.lists.table import Column

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Editing:
    """``fields``: columns that may be edited; ``paths``: what has to be read of a row to say so."""

    fields: frozenset[str]
    paths: tuple[str, ...]

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
        return Editing(found, () if everything else ("owner",))

    def among(self, call: Call, object: ObjectDef, rows: Rows) -> Callable[[Mapping[str, Any]], str]:
        """Where each of some rows is edited: "" for one that this person may not change."""
        if not self.fields:
            return nowhere
        may = open_among(call, object, "edit", rows)
        start = f"/o/{object.name}/"
        return lambda row: f"{start}{row['id']}/value" if row["id"] in may else ""


def nowhere(row: Mapping[str, Any]) -> str:
    """No row is edited."""
    return ""


NOWHERE = Editing(frozenset(), ())
