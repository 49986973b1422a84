"""Imports: a file on its way into an object, from upload to undo, on behalf of one call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef, label_in
from tabwright.platform.database import Writer
from tabwright.platform.errors import Conflict, Denied, Invalid, NotFound, Place
from tabwright.platform.language import register_messages
from tabwright.platform.settings import Limits
from tabwright.runtime.desk import Call
from tabwright.runtime.exchange import (
    correcting,
    files,
    keeping,
    resolving,
    results,
    runs,
    sources,
    undoing,
    working,
)
from tabwright.runtime.exchange import settings as choosing
from tabwright.runtime.exchange.cells import is_result
from tabwright.runtime.exchange.correcting import Change, GridRow
from tabwright.runtime.exchange.keeping import outlined, scope_json
from tabwright.runtime.exchange.laying import Laid
from tabwright.runtime.exchange.mapping import propose
from tabwright.runtime.exchange.memory import remembered
from tabwright.runtime.exchange.runs import Problem, Run
from tabwright.runtime.exchange.settings import Column, Parent, Settings
from tabwright.runtime.exchange.sources import Format, Outline
from tabwright.runtime.exchange.tables import LATER, PROBLEM, RUN

register_messages(Path(__file__).with_name("messages.json"))

PHASES = ("check", "run", "note", "warned", "undo")
_REMEMBERED = 20  # imports that are looked through for how a column was mapped before
_PAGE = 500


class Imports:
    """Every verb on imports. Somebody else's import is as unknown as none."""

    def __init__(self, call: Call, limits: Limits | None = None) -> None:
        self._call = call
        self._limits = limits or Limits()

    # ---- the file ---------------------------------------------------------------------------------

    def start(self, object: str, filename: str, content: BinaryIO) -> Run:
        """Keep a file and propose how it is read and where its columns go.

        ``content`` can be read from anywhere. Raises NotFound, Denied (no right to import into the object),
        TooLarge, Invalid for a file without rows. One that breaks off later is kept, with its fault, so
        that its format can be changed.
        """
        found = self._importable(object)

        def chosen(outline: Outline) -> Settings:
            return remembered(self._call, found, outline.header) or self._proposed(found, outline)

        return self.get(keeping.keep(self._call, self._limits, filename, content, found.uid, chosen))

    def change_format(self, id: UUID, changes: Mapping[str, Any]) -> Run:
        """Read the file in another way: ``encoding``, ``delimiter``, ``sheet``, ``header``. Columns are
        proposed again; those of the same name keep what was chosen.
        """
        run = self._for(id, "change")
        form = sources.changed(run.format, changes)
        content = files.opened(self._call.tenant.store, id, run.size)
        object = self.object(run)
        with Laid() as laid:
            outline = sources.outline(content, form, take=laid.put)
            self._reread(run, form, object, outline, laid)
        return self.get(id)

    def _reread(self, run: Run, form: Format, object: ObjectDef, outline: Outline, laid: Laid) -> None:
        chosen = self._proposed(object, outline)
        kept = {name: column for name, column in run.settings.columns.items() if name in chosen.columns}
        taken = {column.field for column in kept.values()}
        columns = {name: column for name, column in chosen.columns.items() if column.field not in taken}
        chosen = replace(run.settings, columns={**columns, **kept})
        self._change(run, laid, format=form.to_json(), settings=chosen.to_json(), **outlined(outline))

    # ---- settings ---------------------------------------------------------------------------------

    def change(self, id: UUID, patch: Mapping[str, Any]) -> Run:
        """Apply a JSON merge patch to ``mode``, ``key`` and ``columns``. Raises Invalid with every fault,
        of the shape at once, of names and rights here too, so that what is kept is what runs.
        """
        run = self._for(id, "change")
        changed = choosing.patched(run.settings, patch)
        resolving.resolve(self._call.gate, self.object(run), changed, run.header)
        self._change(run, settings=changed.to_json())
        return self.get(id)

    def save(self, id: UUID, patch: Mapping[str, Any]) -> Run:
        """``change`` for a page that is being filled in: only the shape is checked; ``faults`` tells the
        rest.
        """
        run = self._for(id, "change")
        self._change(run, settings=self._settled(run, choosing.patched(run.settings, patch)).to_json())
        return self.get(id)

    def _settled(self, run: Run, settings: Settings) -> Settings:
        """The settings with what was left to us written out as the page shows it: to post the page as it is
        changes nothing.
        """
        try:
            plan = resolving.resolve(self._call.gate, self.object(run), settings, run.header)
        except (Invalid, Denied, NotFound):
            return settings
        columns = dict(settings.columns)
        for chosen in plan.by_field.values():
            if chosen.targets:
                match = chosen.column.match or chosen.targets[0][1].name
                columns[chosen.name] = replace(columns[chosen.name], match=match)
        parents = {each.lookup.name: Parent(each.plan.key_names, each.existing) for each in plan.parents}
        return replace(settings, columns=columns, parents=parents)

    def reset(self, id: UUID) -> Run:
        """Forget what was chosen, here and the last time: propose from names and cells alone."""
        run = self._for(id, "change")
        outline = Outline(run.header, run.sample, run.row_count, None)
        self._change(run, settings=self._proposed(self.object(run), outline, {}).to_json())
        return self.get(id)

    def faults(self, run: Run) -> Sequence[Any]:
        """What stands in the way of a check: faults of the file, else of the settings under present
        rights.
        """
        if run.row_count is None:
            return run.error
        try:
            resolving.resolve(self._call.gate, self.object(run), run.settings, run.header)
        except (Invalid, Denied, NotFound) as error:
            return error.faults
        return ()

    # ---- rows put right ---------------------------------------------------------------------------

    def correct(self, id: UUID, changes: Sequence[Change]) -> Run:
        """Put rows right that the check did not take: other cells, skipped on purpose, or back to the file's.
        They are checked at once; of very many rows a check begins instead. Raises Conflict, Invalid.
        """
        run = self._for(id, "correct")
        if not changes or correcting.correct(self._call, run, self.object(run), changes):
            return self.get(id)
        return self.check(id)

    def replace_everywhere(self, id: UUID, column: int, value: str, becomes: str) -> Run:
        """Put the same other text into a column of every bad row that has this one there."""
        run = self._for(id, "correct")
        with self._call.tenant.store.read() as reader:
            numbers = correcting.with_value(reader, id, column, value)
        return self.correct(run.id, [Change(number, {column: becomes}) for number in numbers])

    def grid(self, id: UUID, kind: str, offset: int = 0, limit: int = 50) -> Sequence[GridRow]:
        """Rows to look at: ``bad`` of the check, ``corrected`` or ``skipped``, by number."""
        run = self.get(id)
        with self._call.tenant.store.read() as reader:
            return correcting.listed(reader, run.id, kind, offset, limit)

    def grid_after(self, id: UUID, kind: str, after: int, limit: int) -> Sequence[GridRow]:
        """The rows of a kind with a number beyond ``after``."""
        run = self.get(id)
        with self._call.tenant.store.read() as reader:
            return correcting.listed(reader, run.id, kind, 0, limit, after)

    def grid_rows(self, id: UUID, numbers: Sequence[int]) -> Sequence[GridRow]:
        """Some of these rows, in whatever kind they are by now."""
        run = self.get(id)
        with self._call.tenant.store.read() as reader:
            return correcting.rows(reader, run.id, numbers)

    def grid_counts(self, id: UUID) -> Mapping[str, int]:
        """How many rows there are of each kind."""
        run = self.get(id)
        with self._call.tenant.store.read() as reader:
            return correcting.counted(reader, run.id)

    # ---- verbs ------------------------------------------------------------------------------------

    def check(self, id: UUID) -> Run:
        """Begin a dry run as a job."""
        run = self._for(id, "check")
        resolving.resolve(self._call.gate, self.object(run), run.settings, run.header)
        with self._call.tenant.store.write() as writer:
            fresh: dict[str, Any] = {"counts": dict(runs.NO_COUNTS), "taken_row": 0, "checked": None}
            self._begin(writer, run, "checking", working.KIND, "check", None, error=None, **fresh)
        return self.get(id)

    def run(self, id: UUID) -> Run:
        """Begin the import as a job, or go on with one that was stopped or failed."""
        run = self._for(id, "run")
        resolving.resolve(self._call.gate, self.object(run), run.settings, run.header)
        with self._call.tenant.store.write() as writer:
            if run.state in ("mapping", "checked"):
                writer.execute(
                    sa.delete(PROBLEM).where(PROBLEM.c.import_id == id, PROBLEM.c.phase != "check")
                )
                writer.execute(sa.delete(LATER).where(LATER.c.import_id == id))
                fresh = {"counts": dict(runs.NO_COUNTS), "taken_row": 0}
            else:
                fresh = {}
            self._begin(writer, run, "running", working.KIND, "run", None, error=None, **fresh)
        return self.get(id)

    def cancel(self, id: UUID) -> Run:
        """Stop the check or the run after the chunk that it is in."""
        run = self._for(id, "cancel")
        assert run.job is not None
        with self._call.tenant.store.write() as writer:
            self._call.tenant.jobs.cancel(writer, run.job.id)
        return self.get(id)

    def undo(self, id: UUID) -> Run:
        """Begin to take the import back as a job: records that it made go to the recycle bin, records that it
        changed get their old values, but for those edited since, which are listed.
        """
        run = self._for(id, "undo")
        self._call.gate.require(self.object(run), "edit")
        person = self._call.principal
        who = {"by": person.user_id.hex, "scope": scope_json(person.token_scope)}
        with self._call.tenant.store.write() as writer:
            if run.state != "undo_stopped":
                writer.execute(sa.delete(PROBLEM).where(PROBLEM.c.import_id == id, PROBLEM.c.phase == "undo"))
            self._begin(writer, run, "undoing", undoing.KIND, "undo", who, error=None)
        return self.get(id)

    def _begin(
        self,
        writer: Writer,
        run: Run,
        state: str,
        kind: str,
        what: str,
        further: Mapping[str, Any] | None = None,
        **values: Any,
    ) -> None:
        call = self._call
        payload = {"import": run.id.hex, "what": what, **(further or {})}
        # One unfinished job of an import at most: of two who press the button at once, one finds it begun.
        moved = sa.update(RUN).where(
            RUN.c.id == run.id, RUN.c.job_id.is_not_distinct_from(run.job and run.job.id)
        )
        job = call.tenant.jobs.add(writer, kind, payload, created_by=call.principal.user_id)
        changed = writer.execute(moved.values(state=state, job_id=job, updated_at=call.clock.now(), **values))
        if changed.rowcount != 1:
            raise Conflict.of("import.wrong_state", state=state, verb=what)

    # ---- reading ----------------------------------------------------------------------------------

    def get(self, id: UUID) -> Run:
        """An import of this person, or into an object of which they may change every record: somebody else's
        they may look at and undo. Raises NotFound.
        """
        with self._call.tenant.store.read() as reader:
            run = runs.load(reader, id)
        own = run.created_by == self._call.principal.user_id
        try:
            object = self.object(run)
        except Denied:
            if own:
                raise
            raise NotFound.of("import.not_found", Place(), id=id.hex) from None
        if not own and not self._call.gate.may(object, "modify_all"):
            raise NotFound.of("import.not_found", Place(), id=id.hex)
        return run if own else replace(run, others=True)

    def recent(self, object: str, limit: int = 10) -> list[Run]:
        """The newest imports into an object that this person may look at: their own, or everybody's."""
        found = self._importable(object)
        person = None if self._call.gate.may(found, "modify_all") else self._call.principal.user_id
        with self._call.tenant.store.read() as reader:
            return runs.recent(reader, person, found.uid, limit)

    def object(self, run: Run) -> ObjectDef:
        """The object of an import, whatever it is called by now; NotFound without the right to import into
        it.
        """
        return self._importable(working.object_of(self._call, run).name)

    def problems(self, id: UUID, phase: str = "run", after: int = 0, limit: int = 100) -> Sequence[Problem]:
        """The rows that a phase (check, run, undo) did not take, beyond row ``after``; "note": that went in,
        not whole; "warned": that go in, warnings or no.
        """
        run = self.get(id)
        with self._call.tenant.store.read() as reader:
            return runs.problems(reader, run.id, phase, after, limit)

    def last_phase(self, run: Run) -> str:
        """Whose failed rows are of interest: the run's once there was one, else the check's."""
        return "check" if run.state in ("mapping", "checking", "checked") else "run"

    def result(self, id: UUID) -> Iterator[bytes]:
        """The failed rows as CSV, in pieces: the file's own columns and the reason. It can be imported
        again.
        """
        run = self.get(id)
        return results.failed_rows(run.header, self._all_problems(run), self._call.language)

    def _all_problems(self, run: Run) -> Iterator[Problem]:
        phase, after = self.last_phase(run), 0
        while page := self.problems(run.id, phase, after, _PAGE):
            yield from page
            after = page[-1].row

    def template(self, object: str) -> bytes:
        """An empty CSV with a column for each field that this person may fill in."""
        found = self._importable(object)
        fields = [each for each in self._call.gate.editable(found) if not (each.system or each.holds_files)]
        return results.template([label_in(each.labels, self._call.language) for each in fields])

    # ---- inside -----------------------------------------------------------------------------------

    def _importable(self, object: str) -> ObjectDef:
        found = self._call.gate.object(object)
        self._call.gate.require_right("import")
        self._call.gate.require(found, "import")
        if not any(self._call.gate.may(found, right) for right in ("create", "edit")):
            self._call.gate.require(found, "create")
        return found

    def _for(self, id: UUID, verb: str) -> Run:
        run = self.get(id)
        if verb not in run.verbs:
            if not run.has_file and verb in runs.NEED_FILE and verb in runs.VERBS[run.state]:
                raise Conflict.of("import.file_removed", days=self._limits.import_file_days)
            if run.row_count is None and verb in ("check", "run"):
                raise Invalid(run.error)
            raise Conflict.of("import.wrong_state", state=run.state, verb=verb)
        return run

    def _change(self, run: Run, laid: Laid | None = None, **values: Any) -> None:
        """Change an import that is being prepared; a check's result is of the old settings and goes.

        ``laid``: its rows, where the file is read in another way.
        """
        now = self._call.clock.now()
        with self._call.tenant.store.write() as writer:
            same = sa.select(RUN.c.state).where(RUN.c.id == run.id).with_for_update()
            if writer.execute(same).scalar_one() not in ("mapping", "checked", "checking"):
                raise Conflict.of("import.wrong_state", state=run.state, verb="change")
            if laid is not None:
                correcting.forget(writer, run.id)
                laid.keep(writer, run.id)
            runs.change(writer, run.id, now, **{"state": "mapping", "job_id": None, "error": None, **values})

    def _proposed(
        self, object: ObjectDef, outline: Outline, before: Mapping[str, Column] | None = None
    ) -> Settings:
        gate = self._call.gate
        fields = [
            each
            for each in gate.editable(object)
            if (not each.system or each.name == "owner") and not each.holds_files
        ]
        known = self._before(object) if before is None else before
        columns = propose(self._call.model, object, fields, outline.header, outline.sample, known)
        if is_result(outline.header):
            columns.pop(outline.header[-1], None)
        columns = {name: self._readable_match(object, column) for name, column in columns.items()}
        mode: choosing.Mode = "create" if gate.may(object, "create") else "update"
        return Settings(mode, (), columns)

    def _readable_match(self, object: ObjectDef, column: Column) -> Column:
        """The proposal with a match field that this person may read, if the target has one."""
        field = object.fields[column.field]
        if not field.is_reference or field.kinds:
            return column
        for target in resolving.targets_of(self._call.gate, field):
            known = [each.name for each in resolving.matchable(self._call.gate, target)]
            if column.match in known:
                return column
            if known:
                return replace(column, match=known[0])
        return replace(column, match=None)

    def _before(self, object: ObjectDef) -> dict[str, Column]:
        with self._call.tenant.store.read() as reader:
            earlier = runs.recent(reader, self._call.principal.user_id, object.uid, _REMEMBERED)
        found: dict[str, Column] = {}
        for run in earlier:
            if run.state in ("done", "undone", "checked"):
                for name, column in run.settings.columns.items():
                    known = object.find(column.field)
                    if known is not None and "." not in column.field:
                        found.setdefault(name, replace(column, field=known.name))
        return found


def register(jobs: Any, tenancy: Any, clock: Any, ids: Any, file_days: int) -> None:
    """Make the jobs of imports known to the workers; files go ``file_days`` after the last of an import."""
    files.register(jobs, clock, file_days)
    working.register(jobs, tenancy, clock, ids)
    undoing.register(jobs, tenancy, clock, ids)


__all__ = ["PHASES", "Imports", "register"]
