"""Stored formulas that change by themselves, with TODAY or NOW: made anew when the tenant's day begins.

The job is asked for by the publish that brings the first such field, and asks for the next day's itself while
there are any. It works by the tenant's zone, the operator's setting ``TABWRIGHT_ZONE``.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tabwright.metadata.model import FieldDef, Model
from tabwright.runtime.desk import env_of
from tabwright.runtime.publishing.computing import CHUNK, Computing

if TYPE_CHECKING:
    from tabwright.platform.clock import Clock
    from tabwright.platform.database import Writer
    from tabwright.platform.jobs import JobRun, Jobs
    from tabwright.runtime.desk import Tenancy

REFRESH = "formulas.refresh"


def aging(model: Model) -> dict[str, tuple[FieldDef, ...]]:
    """Of each object that has any the stored computed fields that hang on the day or the moment."""
    found = {}
    for object in model.objects.values():
        fields = tuple(
            each for each in object.stored_fields if each.computed and each.computed.formula.uses_now
        )
        if fields:
            found[object.name] = fields
    return found


def ask(writer: Writer, jobs: Jobs, model: Model, now: datetime, zone: str) -> None:
    """Have the stored formulas worked out when the next day begins, if there are any for which it matters."""
    if not aging(model):
        return
    day = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    due = datetime.combine(day, time(), ZoneInfo(zone))
    jobs.add(writer, REFRESH, {}, due_at=due, key=f"{REFRESH}:{day:%Y-%m-%d}")


def register(jobs: Jobs, tenancy: Tenancy, clock: Clock) -> None:
    """Tell the job runner how it is done."""

    def refresh(run: JobRun) -> Any:
        tenant = tenancy.open(run.location)
        model = tenant.at_release()
        tables, env = tenant.tables(model), env_of(model, clock.now(), tenant.zone)
        seen = changed = 0
        for fields in aging(model).values():
            computing, after = Computing(model, tables, fields, env), None
            while True:
                with run.step() as writer:
                    worked = computing.chunk(writer, after)
                    seen, changed = seen + worked.rows, changed + worked.changed
                    run.progress(seen)
                after = worked.last
                if worked.rows < CHUNK:
                    break
        with run.step() as writer:
            ask(writer, jobs, model, clock.now(), tenant.zone)
        return {"records": seen, "changed": changed}

    jobs.register(REFRESH, refresh, runs_as="system")
