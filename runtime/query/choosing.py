"""Which records a reference may name: one condition, for what a lookup offers and for what a save accepts.

A lookup's filter and the rule that somebody inactive is not chosen run in system mode, as all rules of an
admin do: they look past the rights of who chooses. Whether the record may be seen at all is the gate's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.database import Prepared, Reader, prepare
from tabwright.platform.tables import ids_value, in_ids, uuid_of
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.desk import Call
from tabwright.runtime.query.plans import TablesUsed, kept
from tabwright.runtime.query.source import Column, Source
from tabwright.runtime.query.unseen import UnseenColumns, parameters


@dataclass(frozen=True, slots=True)
class _Plan:
    statement: Prepared
    codes: tuple[str, ...]
    tables: TablesUsed


class Choice:
    """What a reference may name among the records of one object.

    ``field`` is the reference; None stands for any that has no filter of its own.
    """

    def __init__(self, call: Call, field: FieldDef | None, target: ObjectDef) -> None:
        self._call = call
        self._formula = None if field is None else field.lookup_filter
        self._target = target
        # Who made a record may have left since; rights and memberships are prepared before somebody starts.
        is_free = field is not None and (field.locked or (field.system and field.read_only))
        self._people = target.name == "user" and not is_free

    @property
    def is_open(self) -> bool:
        """Whether every record of the object will do."""
        return self._formula is None and not self._people

    @property
    def key(self) -> tuple[str, bool]:
        """What a statement with this condition is kept by, besides the target."""
        return ("" if self._formula is None else self._formula.text, self._people)

    def among(self, id: Column) -> tuple[Column, TablesUsed]:
        """The condition on a record's id, and the tables that it reads; its values: ``parameters``."""
        source, found = self._source()
        some = source.select(sa.literal_column("1")).where(
            source.id == id, *(condition for _, condition in found)
        )
        return sa.exists(some), tuple(source.tables_used())

    def refused(self, reader: Reader, ids: Iterable[UUID]) -> dict[UUID, str]:
        """Of living records those that it may not name, each with the code of the reason."""
        wanted = sorted(set(ids))
        if self.is_open or not wanted:
            return {}
        call, target = self._call, self._target
        tables = call.tables

        def make() -> _Plan:
            source, found = self._source()
            fits = [sa.case((condition, 1), else_=0).label(f"c{n}") for n, (_, condition) in enumerate(found)]
            chosen = source.select(source.id, *fits).where(in_ids(tables.dialect, source.id))
            codes = tuple(code for code, _ in found)
            return _Plan(prepare(call.tenant.store, chosen), codes, tuple(source.tables_used()))

        plan = kept(call, "choice", target, make, *self.key)
        given = {**self.parameters(), "ids": ids_value(tables.dialect, wanted)}
        wrong = {}
        for id, *fits in reader.rows(plan.statement, given):
            code = next((code for code, fit in zip(plan.codes, fits, strict=True) if not fit), None)
            if code is not None:
                wrong[uuid_of(id)] = code
        return wrong

    def parameters(self) -> dict[str, Any]:
        """Values of the parameters of the condition: the moment and who chooses."""
        return parameters(self._call)

    def _source(self) -> tuple[Source, list[tuple[str, Column]]]:
        gate = Gate.system(self._call.model)
        source = Source(gate, self._call.tables, self._target, "of_")
        columns = UnseenColumns(source)
        found: list[tuple[str, Column]] = []
        if self._people:
            active = source.column(gate.resolve(self._target, "active"))
            found.append(("value.inactive_user", active == sa.true()))
        if self._formula is not None:
            sql = self._formula.sql(columns, source.dialect)
            found.append(("value.filtered_out", sql.condition()))
        return source, found
