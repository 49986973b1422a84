"""Working out stored formulas of records that are there, chunk by chunk: at a publish, in a job, at midnight.

What is written is not a change of anybody's: the record keeps its revision, and the journal says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tabwright.formula.environment import Env
from tabwright.formula.faults import EvaluationError
from tabwright.metadata.model import FieldDef, Model
from tabwright.platform.database import prepare
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.query.source import Source, values_of
from tabwright.runtime.sort_keys import folded, sort_key
from tabwright.runtime.storage.changes import FillFormula
from tabwright.runtime.storage.columns import Shape
from tabwright.runtime.storage.data import Put
from tabwright.runtime.storage.tables import Tables

if TYPE_CHECKING:
    from tabwright.platform.database import Writer

CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Worked:
    """What a chunk did: records seen, records whose values were others, where the next one starts."""

    rows: int
    changed: int
    last: Any


class Computing:
    """Stored formula fields of one object, ready to be worked out."""

    def __init__(self, model: Model, tables: Tables, fields: Sequence[FieldDef], env: Env) -> None:
        object = model.objects[fields[0].object]
        table = tables.of(object)
        self._fields = fields
        self._env = env
        source = Source(Gate.system(model), tables, object, "w")
        self._id = source.id
        columns: list[sa.ColumnElement[Any]] = [source.id]
        self._makers: list[Callable[[Sequence[Any]], Any]] = []
        self._at: list[int] = []
        for field in fields:
            self._at.append(len(columns))
            columns.append(source.kept(field))
            self._makers.append(self._maker(source, field, columns))
        chosen = source.select(*(each.label(f"w{n}") for n, each in enumerate(columns)))
        self._query = chosen.order_by(source.id)
        # Locked by a statement of its own: what a value is made of is looked at after the lock was had.
        locked = source.select(source.id).with_for_update(of=source.main, key_share=True)
        self._lock = locked.order_by(source.id) if tables.dialect == "postgresql" else None
        self._puts: list[tuple[Put, Callable[[Any], tuple[Any, ...]]]] = []
        for field in fields:
            entry = table.entries[field.name]
            target = table.column(field.name).table
            forms = [(entry.column, entry.shape)]
            keys: list[Callable[[Any], Any]] = []
            if entry.sort:
                forms.append((f"s{entry.n}", Shape("text")))
                keys.append(sort_key)
            if entry.fold:
                forms.append((f"u{entry.n}", Shape("text")))
                keys.append(folded)
            assert isinstance(target, sa.Table)
            self._puts.append((Put(tables.dialect, target, forms), _forms(keys)))

    def _maker(
        self, source: Source, field: FieldDef, columns: list[sa.ColumnElement[Any]]
    ) -> Callable[[Sequence[Any]], Any]:
        """From a row of the statement to the value as it is stored; adds what it needs to the columns."""
        assert field.computed is not None
        fresh = source.fresh(field)
        at = len(columns)
        if fresh is not None:
            columns.append(fresh)
            return lambda row: row[at]
        formula = field.computed.shown
        more, inputs = source.inputs_of(formula)
        columns += more
        evaluate, env = formula.evaluator(), self._env
        store = source.codec_of(field).to_storage

        def work_out(row: Sequence[Any]) -> Any:
            try:
                return store(evaluate(values_of(inputs, row[at:], {}), env))
            except EvaluationError:
                return None

        return work_out

    def chunk(self, writer: Writer, after: Any = None, size: int = CHUNK) -> Worked:
        """The next records after a stored id, locked. ``rows`` below ``size``: that was the last chunk."""
        query, given = self._query.limit(size), {**_nobody, **self._env.parameters()}
        if after is not None:
            query = query.where(self._id > after)
        if self._lock is not None:
            lock = self._lock if after is None else self._lock.where(self._id > after)
            there = writer.rows(prepare(writer.store, lock.limit(size)), {})
            if not there:
                return Worked(0, 0, after)
            query = query.where(self._id <= there[-1][0])
        rows = writer.rows(prepare(writer.store, query), given)
        changed: set[Any] = set()
        for (put, forms), at, make in zip(self._puts, self._at, self._makers, strict=True):
            made = [(row[0], row[at], make(row)) for row in rows]
            found = [(id, value) for id, kept, value in made if value != kept]
            put.rows(writer, [(id, *forms(value)) for id, value in found])
            changed.update(id for id, _ in found)
        return Worked(len(rows), len(changed), rows[-1][0] if rows else after)

    def all(self, writer: Writer) -> int:
        """Every record, in one transaction; how many had other values."""
        after, changed = None, 0
        while True:
            done = self.chunk(writer, after)
            changed += done.changed
            if done.rows < CHUNK:
                return changed
            after = done.last


_nobody: Mapping[str, Any] = {f"me_{name}": None for name in ("id", "name", "language", "zone")}


def _forms(keys: Sequence[Callable[[Any], Any]]) -> Callable[[Any], tuple[Any, ...]]:
    return lambda value: (value, *(None if value is None else key(value) for key in keys))


def fill_formulas(
    writer: Writer, steps: Iterable[FillFormula], model: Model, tables: Tables, env: Env
) -> None:
    """Do the steps of a publish, in its transaction."""
    for step in steps:
        Computing(model, tables, [model.objects[step.object].fields[step.field]], env).all(writer)
