"""What was chosen the last time: the settings of the newest import of the same object and header.

A person's own come first, then anybody's who may import into the object. Which rows were skipped and what was
made is of that file alone. What this person may not choose now is left out, and of somebody else's values all
that name records which this person may not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tabwright.metadata.model import ObjectDef
from tabwright.platform.errors import Denied, Invalid, NotFound
from tabwright.runtime.desk import Call
from tabwright.runtime.exchange import runs
from tabwright.runtime.exchange.cells import is_result
from tabwright.runtime.exchange.matching import matches
from tabwright.runtime.exchange.resolving import Plan, resolve
from tabwright.runtime.exchange.settings import Before, Column, Settings

LOOKED_THROUGH = 200  # newest imports into the object
_PREPARED = ("checked", "running", "stopped", "failed", "done", "undone")  # somebody meant these settings


def remembered(call: Call, object: ObjectDef, header: Sequence[str]) -> Settings | None:
    """The settings of the last import with these columns, as far as they are this person's to choose."""
    with call.tenant.store.read() as reader:
        earlier = runs.recent(reader, None, object.uid, LOOKED_THROUGH)
        asked = _own(header)
        same = [run for run in earlier if _own(run.header) == asked and run.state in _PREPARED]
        same.sort(key=lambda run: run.created_by != call.principal.user_id)  # stable: own first, newest first
        for run in same:
            own = run.created_by == call.principal.user_id
            settings, plan = _choosable(call, object, run.settings, run.header)
            if plan is None:
                continue
            columns = {
                name: replace(each, skip=(), make=(), why="before") for name, each in settings.columns.items()
            }
            for chosen in plan.by_field.values() if not own else ():
                column = columns[chosen.name]
                if chosen.targets and column.values:
                    known = {""}
                    for target, match in chosen.targets:
                        known |= matches(call, reader, target, match, set(column.values.values())).keys()
                    values = {given: becomes for given, becomes in column.values.items() if becomes in known}
                    columns[chosen.name] = replace(column, values=values)
            before = Before(run.filename, run.created_at.isoformat(), own)
            # That warnings pass was chosen for the warnings of that file.
            return replace(settings, columns=columns, before=before, warnings="stop")
    return None


def _own(header: Sequence[str]) -> tuple[str, ...]:
    """The columns of a header but for that of reasons: failed rows that come back are of the same kind."""
    return tuple(header[: len(header) - is_result(header)])


def _choosable(
    call: Call, object: ObjectDef, settings: Settings, header: tuple[str, ...]
) -> tuple[Settings, Plan | None]:
    """The settings without what the model or this person's rights refuse by now; no plan: nothing is left."""
    plan = _plan(call, object, settings, header)
    if plan is None:
        columns: dict[str, Column] = {
            name: each
            for name, each in settings.columns.items()
            if "." not in each.field
            and _plan(call, object, Settings(columns={name: each}), header) is not None
        }
        settings = replace(settings, columns=columns, parents={})
        plan = _plan(call, object, settings, header) if columns else None
    return settings, plan


def _plan(call: Call, object: ObjectDef, settings: Settings, header: tuple[str, ...]) -> Plan | None:
    try:
        return resolve(call.gate, object, settings, header)
    except (Invalid, Denied, NotFound):
        return None
