"""Bulk changes of one person: begun on a selection, rehearsed, run, cancelled, taken back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Writer
from tabwright.platform.errors import Conflict, Invalid, Place
from tabwright.platform.language import register_messages
from tabwright.runtime.bulk import runs, selection, working
from tabwright.runtime.bulk.allowing import fields_of, require
from tabwright.runtime.bulk.runs import CHUNK, Action, Phase, Problem, Run
from tabwright.runtime.bulk.selection import Selection
from tabwright.runtime.bulk.tables import PART, RUN
from tabwright.runtime.desk import Call
from tabwright.runtime.records.moving import under_the_release_in_force

register_messages(Path(__file__).with_name("messages.json"))

_STATES: Mapping[Phase, str] = {"check": "checking", "run": "running", "undo": "undoing"}
MOST_FIELDS = 40


class Bulk:
    """Bulk changes on behalf of one call."""

    def __init__(self, call: Call) -> None:
        self._call = call.because("bulk")
        self._store = call.tenant.store
        self._person = call.principal.user_id

    def start(self, object: ObjectDef, action: Action, chosen: Selection, back: str) -> Run:
        """Begin with the records that are chosen now. A deletion is rehearsed at once.

        Raises Denied, NotFound, Invalid (none chosen), LimitReached (too many).
        """
        require(self._call, object, action)
        ids = selection.ids_of(self._call, object, chosen)
        call, id = self._call, self._call.ids.new()
        now = call.clock.now()
        row = {
            "id": id, "object_uid": object.uid, "action": action, "values": {}, "row_count": len(ids),
            "state": "choosing", "back": back, "language": call.language, "zone": call.zone,
            "created_by": self._person, "created_at": now,
        }  # fmt: skip
        parts = [
            {"run_id": id, "number": number, "ids": selection.pack(ids[start : start + CHUNK])}
            for number, start in enumerate(range(0, len(ids), CHUNK))
        ]
        with self._store.write() as writer:
            runs.drop_before(writer, now - timedelta(days=call.tenant.limits.bulk_days))
            writer.execute(sa.insert(RUN), row)
            writer.connection.execute(sa.insert(PART), parts)
        return self.choose(id, {}) if action == "delete" else self.get(id)

    def get(self, id: UUID) -> Run:
        """A bulk change of this person's. Raises NotFound."""
        with self._store.read() as reader:
            return runs.load(reader, id, self._person)

    def object(self, run: Run) -> ObjectDef:
        """Its object. Raises NotFound where it may not be known any more."""
        return working.object_of(self._call, run)

    def choose(self, id: UUID, values: Mapping[str, Any]) -> Run:
        """Rehearse with these values: what each record would become is counted. Raises Invalid, Conflict."""
        run = self._may(id, "choose")
        object = self.object(run)
        require(self._call, object, run.action)
        if run.action != "delete":
            self._check_fields(object, run.action, values)

        def first(writer: Writer) -> None:
            runs.forget(writer, id, "check")
            runs.change(writer, id, values=dict(values))

        return self._go(replace(run, values=dict(values)), "check", first)

    def check_again(self, id: UUID) -> Run:
        """Rehearse once more with the same values: a rehearsal was cancelled, or the records have changed."""
        return self.choose(id, self.get(id).values)

    def run(self, id: UUID, confirmed: bool = False) -> Run:
        """Do it, or go on with it after it was stopped. ``confirmed``: the warnings that the rehearsal listed
        pass, and no others. Raises Conflict.
        """
        run = self._may(id, "run")
        require(self._call, self.object(run), run.action)
        return self._go(run, "run", confirmed=confirmed)

    def undo(self, id: UUID) -> Run:
        """Take it back, the whole of it or what was done. Raises Conflict."""
        return self._go(self._may(id, "undo"), "undo")

    def cancel(self, id: UUID) -> Run:
        """Stop at the end of the part that is being done. Raises Conflict."""
        run = self._may(id, "cancel")
        assert run.job is not None
        with self._store.write() as writer:
            self._call.tenant.jobs.cancel(writer, run.job.id)
        return self.get(id)

    def problems(self, id: UUID, phase: Phase, limit: int) -> list[Problem]:
        """The first records that a phase could not do."""
        with self._store.read() as reader:
            return list(runs.problems(reader, id, phase, 0, limit))

    def all_problems(self, id: UUID, phase: Phase) -> Iterator[Problem]:
        """All of them, page by page."""
        after = 0
        while True:
            with self._store.read() as reader:
                found = runs.problems(reader, id, phase, after, CHUNK)
            yield from found
            if len(found) < CHUNK:
                return
            after = found[-1].row

    # ---- inside ------------------------------------------------------------------------------------

    def _may(self, id: UUID, verb: str) -> Run:
        run = self.get(id)
        if verb not in run.verbs:
            raise Conflict.of("bulk.not_now", state=run.state)
        return run

    def _check_fields(self, object: ObjectDef, action: Action, values: Mapping[str, Any]) -> None:
        known = {"owner"} if action == "transfer" else {each.name for each in fields_of(self._call, object)}
        if not values:
            raise Invalid.of("bulk.no_values", Place(object=object.name))
        if len(values) > MOST_FIELDS:
            raise Invalid.of("bulk.many_fields", Place(object=object.name), limit=MOST_FIELDS)
        for name in values:
            if name not in known:
                raise Invalid.of("field.unknown", Place(object=object.name, field=name), path=name)

    def _go(self, run: Run, phase: Phase, first: Any = None, confirmed: bool = False) -> Run:
        """One part at once, more of them by a job."""
        if len(run.parts) == 1:
            self._at_once(run, phase, first, confirmed)
        else:
            jobs, payload = (
                self._call.tenant.jobs,
                {"run": run.id.hex, "by": self._person.hex, "phase": phase, "confirmed": confirmed},
            )
            with self._store.write() as writer:
                self._still(writer, run)
                if first is not None:
                    first(writer)
                job = jobs.add(writer, working.KIND, payload, created_by=self._person)
                runs.change(writer, run.id, state=_STATES[phase], job_id=job)
        return self.get(run.id)

    def _at_once(self, run: Run, phase: Phase, first: Any, confirmed: bool) -> None:
        def once(call: Call) -> None:
            with self._store.write() as writer:
                present = self._still(writer, run)
                if first is not None:
                    first(writer)
                acting = call.because("undo" if phase == "undo" else "bulk")
                # A rehearsal is of new values; all else is of what stands by now.
                wanted = replace(present, values=run.values) if phase == "check" else present
                working.do_part(acting, writer, wanted, phase, 0, confirmed)
                runs.change(writer, run.id, state=working.ENDS[phase])

        under_the_release_in_force(self._call, once)

    def _still(self, writer: Writer, run: Run) -> Run:
        """The run under the lock of its row: two clicks do it once. Raises Conflict."""
        runs.change(writer, run.id, row_count=run.row_count)
        present = runs.load(writer, run.id, self._person)
        if present.state != run.state:
            raise Conflict.of("bulk.not_now", state=present.state)
        return present
