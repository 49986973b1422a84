"""The lines of a form in its draft: under the uids of their fields, so that a rename loses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from tabwright.metadata.model import FieldDef
from tabwright.runtime.desk import Call
from tabwright.runtime.pages.lines.tables import Line, Table, fresh_line


def kept(table: Table) -> dict[str, Any] | None:
    """What a draft keeps of a table; None where nothing of it was changed. What a mask hides is left out."""
    if not table.is_changed:
        return None
    fields = {field.name: field for field in table.plan.asked(creating=True) if _may_be_kept(field)}

    def by_uid(given: Mapping[str, str]) -> dict[str, str]:
        return {fields[name].uid: text for name, text in given.items() if name in fields}

    return {
        "had": {id.hex: revision for id, revision in table.had.items()},
        "lines": [
            {
                "id": line.id.hex if line.id is not None else None,
                "revision": line.revision,
                "at": line.at,
                "texts": by_uid(line.texts),
                "was": by_uid(line.was),
                "names": by_uid(line.names),
                "was_names": by_uid(line.was_names),
            }
            for line in table.lines
            if line.id is not None or not line.is_blank
        ],
    }


def _may_be_kept(field: FieldDef) -> bool:
    return field.mask is None and field.type != "secret"


def restored(call: Call, table: Table, kept: Mapping[str, Any]) -> Table:
    """The table with the draft's rows over those of now. Lines that others added since stand at the end."""
    plan = table.plan
    fields = {field.uid: field.name for field in plan.asked(creating=True)}
    now = {line.id: line for line in table.lines if line.id is not None}
    had = {UUID(id): int(revision) for id, revision in kept["had"].items()}
    fresh = fresh_line(call, plan, "n1")
    lines: list[Line] = []

    def by_name(given: Mapping[str, str]) -> dict[str, str]:
        return {fields[uid]: text for uid, text in given.items() if uid in fields}

    for number, each in enumerate(kept["lines"], start=1):
        id = UUID(each["id"]) if each["id"] else None
        base = now.pop(id, None) if id is not None else fresh
        if base is None:  # gone since: it is told when the form is saved
            base = replace(fresh, id=id, may_delete=plan.may_delete)
        if id is None and not plan.may_add:
            continue
        lines.append(
            replace(
                base,
                key=id.hex if id is not None else f"n{number}",
                revision=each["revision"],
                at=each["at"],
                texts={**base.texts, **by_name(each["texts"])},
                was={**base.was, **by_name(each["was"])},
                names={**base.names, **by_name(each["names"])},
                was_names={**base.was_names, **by_name(each["was_names"])},
            )
            if base.may_edit
            else base
        )
    added = [line for id, line in now.items() if id not in had]
    had |= {line.id: line.revision or 0 for line in added if line.id is not None}
    return replace(table, lines=(*lines, *added), had=had)
