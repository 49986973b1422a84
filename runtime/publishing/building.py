"""The jobs of publishing: preparing a release, finishing one, and purging what was dropped 30 days ago.

Each works out anew what is left to do (``storage.changes.fit``) and does it step by step, so that a job that
was cut off goes on from what it committed, and a publish in between changes what it does next.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tabwright.metadata.compiler import compile_tree
from tabwright.metadata.model import Model
from tabwright.platform.database import Reader, Store, Writer
from tabwright.platform.errors import UniqueViolation
from tabwright.platform.jobs import JobRun
from tabwright.runtime.access import share_rows
from tabwright.runtime.comments.tables import forget_object
from tabwright.runtime.desk import env_of
from tabwright.runtime.filing import sweeping
from tabwright.runtime.publishing.computing import Computing
from tabwright.runtime.publishing.consequences import count_rows, name_of_step
from tabwright.runtime.publishing.engine import (
    KEPT,
    PREPARE,
    Engine,
    Wanted,
    clash_of,
    principal_from,
)
from tabwright.runtime.publishing.merging import merged
from tabwright.runtime.publishing.searching import Searching, forget
from tabwright.runtime.search import notes
from tabwright.runtime.storage.apply import row_counter, save, told
from tabwright.runtime.storage.changes import (
    AddColumns,
    BuildIndex,
    Convert,
    CreateSide,
    FillFormula,
    FillKey,
    Fit,
    apply_ddl,
    fit,
)
from tabwright.runtime.storage.columns import Shape, codec
from tabwright.runtime.storage.data import CHUNK, Filling
from tabwright.runtime.storage.ddl import Ddl, IndexSpec, Term
from tabwright.runtime.storage.tables import Entry, Physical, Tables

LATE = timedelta(minutes=10)  # how long a save may run that began before a publish


class Builder:
    """Does the long steps of one store."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.store: Store = engine.store

    # ---- preparing -----------------------------------------------------------------------------------------

    def prepare(self, run: JobRun) -> tuple[Wanted, Model, int]:
        """Bring the tables so far that the release can be published at once; gives it, ready to publish."""
        while True:
            wanted, old, current = self._wanted(run)
            model = compile_tree(wanted.tree, release=current + 1, previous=old)
            with self.store.read() as reader:
                way = self._fit(reader, model)
            if not way.prepare:
                return wanted, old, current
            if self._stage(run, model):
                continue
            for step in way.prepare:
                run.progress(0, note=name_of_step(step))
                if isinstance(step, BuildIndex):
                    self._index(run, step, way, ready="filled")
                elif isinstance(step, Convert):
                    self._convert(run, step)
                elif isinstance(step, FillKey):
                    self._key(run, step)

    def _wanted(self, run: JobRun) -> tuple[Wanted, Model, int]:
        """The release that the job is for, on what is in force now."""
        given = run.payload
        releases = self.engine.releases
        with self.store.read() as reader:
            current = releases.current(reader)
            now, base = releases.tree(reader, current), releases.tree(reader, given["base"])
            target = releases.trees.load(reader, given["tree"])
        tree = merged(base, now, target)
        old = compile_tree(now, release=current)
        wanted = Wanted(
            tree,
            given["base"],
            principal_from(given["author"]),
            given["note"],
            draft=given["draft"],
            package=given.get("package"),
            restored=given.get("restored"),
        )
        return wanted, old, current

    def _fit(self, reader: Reader, model: Model) -> Fit:
        return fit(model, Physical.read(reader), row_counter(reader), self.engine.clock.now())

    def _stage(self, run: JobRun, model: Model) -> bool:
        """Add the columns that the long steps fill, out of sight of every model; False: they are there."""
        with run.step() as writer:
            self.engine.alone(writer)
            there = Physical.read(writer)
            way = fit(model, there, row_counter(writer), self.engine.clock.now())
            entries = _staged(way, there)
            if not entries:
                return False
            ddl = Ddl(writer)
            numbers = {entry.n for entry in entries}
            sides = {entry.object_n for entry in entries if entry.side == "side"}
            for step in way.instant:
                if isinstance(step, CreateSide) and step.n in sides:
                    apply_ddl(ddl, step)
                elif isinstance(step, AddColumns):
                    columns = tuple(each for each in step.columns if int(each[0][1:]) in numbers)
                    if columns:
                        apply_ddl(ddl, replace(step, columns=columns))
            save(writer, entries)
            if any(entry.fold == "building" or entry.sort == "building" for entry in entries):
                self._same_again(writer)
        return True

    def _same_again(self, writer: Writer) -> None:
        """The release in force once more under the next number: every process reads the tables anew."""
        releases = self.engine.releases
        current = releases.current(writer)
        now = releases.get(writer, current)
        releases.add(
            writer,
            releases.tree(writer, current),
            expected=current,
            author=None,
            at=self.engine.clock.now(),
            note="",
            base=current,
            building=now.building,
        )

    def _convert(self, run: JobRun, step: Convert) -> None:
        """Fill the new column; then index what was written since, so that the rest is found at once."""
        filling = Filling(step, self.store.dialect)
        total = self._rows(step.n)
        self._walk(run, filling, total)
        mark = IndexSpec((Term("id", "reference"),), mark=f"r{step.new.n}")
        uid = f"stale:{step.new.n}"
        with run.step() as writer:
            there = Physical.read(writer)
            entry = there.find("index", uid, "building")
            if entry is None:
                storage = {"spec": mark.as_json()}
                entry = Entry(there.next_number, "index", uid, step.n, storage, "building")
                save(writer, [entry])
        if not entry.storage.get("filled"):
            self._build(run, BuildIndex(step.object, entry, mark, (step.new,)))
            with run.step() as writer:
                save(writer, [replace(entry, storage={**entry.storage, "filled": True})])
        self._walk(run, filling, total)  # what was written while the index was made
        with run.step() as writer:
            save(writer, [replace(step.new, storage={**step.new.storage, "filled": True})])

    def _key(self, run: JobRun, step: FillKey) -> None:
        """Fill the sort keys or folded forms of an object, then let every process know they are whole."""
        began = self.engine.clock.now()
        filling = Filling(step, self.store.dialect)
        self._walk(run, filling, self._rows(step.n))
        # Saves that had begun before the publish may have left a key as it was.
        filling.only_since(codec(Shape("datetime"), self.store.dialect).to_storage(began - LATE))
        self._walk(run, filling, 0)
        name = "sort" if step.form == "s" else "fold"
        with run.step() as writer:
            self.engine.alone(writer)
            now = Physical.read(writer).number(step.entry.n)
            save(writer, [replace(now, storage={**now.storage, name: "live"})])
            self._same_again(writer)

    def _formula(self, run: JobRun, step: FillFormula, model: Model, tables: Tables) -> None:
        """Work out a stored formula for every record, then let every process read the column."""
        total, done, after = self._rows(step.n), 0, None
        field = model.objects[step.object].fields[step.field]
        computing = Computing(
            model, tables, [field], env_of(model, self.engine.clock.now(), self.engine.zone)
        )
        while True:
            with run.step() as writer:
                worked = computing.chunk(writer, after)
                done += worked.rows
                run.progress(done, max(total, done))
            after = worked.last
            if worked.rows < CHUNK:
                break
        with run.step() as writer:
            self.engine.alone(writer)
            now = Physical.read(writer).number(step.entry.n)
            if now.storage.get("formula") != step.entry.storage["formula"]:
                return  # it has become another formula meanwhile
            save(writer, [replace(now, storage={k: v for k, v in now.storage.items() if k != "fill"})])
            self._same_again(writer)

    def _walk(self, run: JobRun, filling: Filling, total: int) -> None:
        after, done = None, 0
        while True:
            with run.step() as writer:
                result = filling.chunk(writer, after)
                done += result.rows
                run.progress(done, max(total, done))
            after = result.last
            if result.rows < CHUNK:
                return

    def _rows(self, n: int) -> int:
        with self.store.read_long() as reader:
            return count_rows(reader, n)

    # ---- indexes -------------------------------------------------------------------------------------------

    def _index(self, run: JobRun, step: BuildIndex, way: Fit, ready: str) -> None:
        try:
            self._build(run, step)
        except UniqueViolation as error:
            raise clash_of(way, error) from error
        with run.step() as writer:
            now = Physical.read(writer).find("index", step.entry.uid, "building")
            if now is not None and now.n == step.entry.n:
                done = (
                    replace(now, state="live")
                    if ready == "live"
                    else replace(now, storage={**now.storage, "filled": True})
                )
                save(writer, [done])

    def _build(self, run: JobRun, step: BuildIndex) -> None:
        with told(self.store, step):
            self._build_index(run, step)

    def _build_index(self, run: JobRun, step: BuildIndex) -> None:
        entry = step.entry
        with run.step() as writer:
            if Physical.read(writer).find("index", entry.uid, "building") is None:
                save(writer, [entry])
        entries = [each for each in step.columns if each.side == "main"]
        name = f"o{entry.object_n}"
        if self.store.dialect == "sqlite":
            with run.step() as writer:
                ddl = Ddl(writer)
                ddl.drop_index(entry.n, name)
                ddl.create_index(step.spec.index(entry.n, ddl.main(entry.object_n, entries)))
            return
        with self.store.maintain() as reader:
            ddl = Ddl(reader)
            # What a build that was cut off left behind is invalid, and serves nobody.
            ddl.drop_index(entry.n, name, concurrently=True)
            try:
                ddl.create_index(
                    step.spec.index(entry.n, ddl.main(entry.object_n, entries), concurrently=True)
                )
            except BaseException:
                ddl.drop_index(entry.n, name, concurrently=True)
                raise

    # ---- after a release -----------------------------------------------------------------------------------

    def finish(self, run: JobRun) -> Any:
        """Do what the release in force still lacks: indexes, sort keys, search rows."""
        releases = self.engine.releases
        while True:
            with self.store.read() as reader:
                current = releases.current(reader)
                release = releases.get(reader, current)
                model = compile_tree(releases.tree(reader, current), release=current)
                way = self._fit(reader, model)
                tables = Tables(Physical.read(reader), self.store.dialect)
            search = [name for name in release.building.get("search", ()) if name in model.objects]
            self._say(run, current, way, search)
            if way.after:
                step = way.after[0]
                run.progress(0, note=name_of_step(step))
                if isinstance(step, BuildIndex):
                    self._index(run, step, way, ready="live")
                elif isinstance(step, FillKey):
                    self._key(run, step)
                elif isinstance(step, FillFormula):
                    self._formula(run, step, model, tables)
            elif search:
                self._search(run, model, tables, search[0])
            else:
                return {"release": current}

    def _say(self, run: JobRun, number: int, way: Fit, search: list[str]) -> None:
        """Bring the release's ``building`` up to date."""
        steps = [name_of_step(step) for step in way.after] + [f"search {name}" for name in search]
        states = [
            {"step": step, "state": "waiting" if at else "running", "job": run.id.hex}
            for at, step in enumerate(steps)
        ]
        with run.step() as writer:
            building = {"steps": states, "search": search} if steps else {}
            self.engine.releases.set_building(writer, number, building)

    def _search(self, run: JobRun, model: Model, tables: Tables, name: str) -> None:
        table = tables.of(model.objects[name])
        total, done, after = self._rows(table.number), 0, None
        run.progress(0, total, note=f"search {name}")
        while True:
            with run.step() as writer:
                searching = Searching(writer, model, table)
                after = searching.chunk(writer, after)
                done += 500
                run.progress(min(done, total), total)
            if after is None:
                break
        with run.step() as writer:
            self.engine.alone(writer)
            current = self.engine.releases.current(writer)
            building = dict(self.engine.releases.get(writer, current).building)
            building["search"] = [each for each in building.get("search", ()) if each != name]
            self.engine.releases.set_building(writer, current, building)

    # ---- purging -------------------------------------------------------------------------------------------

    def purge(self, run: JobRun) -> Any:
        """Remove for good what was dropped 30 days ago, and what a preparation that was given up has left."""
        while True:
            with run.step() as writer:
                self.engine.alone(writer)
                todo = self._expired(writer)
                if not todo:
                    return None
                self._purge(writer, todo[0], Physical.read(writer))

    def _expired(self, reader: Reader) -> list[Entry]:
        preparing = any(
            job.kind == PREPARE for job in self.engine.jobs.list(reader, states=("waiting", "running"))
        )
        limit = self.engine.clock.now() - KEPT
        return [
            entry
            for entry in Physical.read(reader).entries
            if (
                entry.state in ("dropped", "retired")
                and entry.dropped_at is not None
                and entry.dropped_at <= limit
            )
            or (entry.state == "building" and entry.kind == "field" and not preparing)
        ]

    def _purge(self, writer: Writer, entry: Entry, there: Physical) -> None:
        gone = [entry]
        now = self.engine.clock.now()
        sweeping.ask(self.engine.jobs, writer, now)
        ddl = Ddl(writer)
        if entry.kind == "object":
            ddl.drop_table(f"o{entry.n}x")
            ddl.drop_table(f"o{entry.n}")
            sweeping.forget_fields(writer, now, entry.uid, None)
            forget(writer, entry.n)
            if there.find("object", entry.uid) is None:  # it may have a new table by now
                forget_object(writer, entry.uid)
                share_rows.forget_object(writer, entry.uid)
                notes.forget_object(writer, entry.uid)
            gone += [each for each in there.entries if each.object_n == entry.n and each.n != entry.n]
        else:
            table = f"o{entry.object_n}x" if entry.side == "side" else f"o{entry.object_n}"
            marks = [f"r{entry.n}"] if entry.storage.get("mark") else []
            stale = there.find("index", f"stale:{entry.n}", "building", "live")
            if stale is not None:
                ddl.drop_index(stale.n, f"o{entry.object_n}")
                gone.append(stale)
            ddl.drop_columns(table, entry.columns)
            if entry.state == "dropped":
                sweeping.forget_fields(writer, now, None, entry.uid)
            if marks:
                ddl.drop_columns(f"o{entry.object_n}", marks)
        save(writer, [replace(each, state="gone") for each in gone])


def _staged(way: Fit, there: Physical) -> list[Entry]:
    """The new columns that the steps to prepare need, and keys that they fill, as they stand meanwhile."""
    found: dict[int, Entry] = {}
    for step in way.prepare:
        if isinstance(step, Convert):
            found[step.new.n] = step.new
        elif isinstance(step, FillKey):
            found[step.entry.n] = step.entry
        elif isinstance(step, BuildIndex):
            for entry in step.columns:
                if entry.n >= there.next_number and f"f{entry.n}" in _columns_of(step.spec):
                    found[entry.n] = replace(entry, state="building")
    return [
        entry
        for entry in found.values()
        if entry.n >= there.next_number or there.number(entry.n).storage != entry.storage
    ]


def _columns_of(spec: IndexSpec) -> set[str]:
    return {"f" + term.column[1:] for term in spec.terms if term.column[1:].isdigit()}
