"""What a lookup offers while somebody types: records whose name begins with, or holds, the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.database import Prepared, prepare
from tabwright.platform.errors import Malformed
from tabwright.platform.tables import uuid_of
from tabwright.runtime.desk import Call
from tabwright.runtime.query.choosing import Choice
from tabwright.runtime.query.plans import TablesUsed, kept
from tabwright.runtime.query.source import Source
from tabwright.runtime.sort_keys import stripped

MAX_TEXT = 200
MAX_OPTIONS = 50
_END = "\U0010ffff"  # above every character that a sort key holds


@dataclass(frozen=True, slots=True)
class Option:
    """A record to choose; ``name`` is "" where it has none."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class _Plan:
    begins: Prepared
    holds: Prepared
    tables: TablesUsed


def lookup_options(
    call: Call, object: str, text: str = "", limit: int = 20, field: FieldDef | None = None
) -> list[Option]:
    """The records that may be read whose name begins with the text, then those that hold it, by name.

    ``field`` is the lookup that is being filled: only what its filter lets through is offered, and of users
    only the active ones. Compared as lists sort: without case, width and accents, Han characters as they
    stand or as pinyin.
    """
    text = text.strip()
    if len(text) > MAX_TEXT:
        raise Malformed.of("query.option_text", limit=MAX_TEXT)
    if "\0" in text:  # which no name holds, and PostgreSQL does not take
        return []
    limit = max(1, min(limit, MAX_OPTIONS))
    found = call.gate.object(object)
    call.gate.require(found, "read")
    if not call.gate.name_shown(found):
        return []  # nothing that one could be found or called by
    choice = Choice(call, field, found)
    key = (call.gate.footprint(found), *choice.key)
    plan = kept(call, "options", found, lambda: _compile(call, found, choice), *key)
    prefix = stripped(text)
    params: dict[str, Any] = {
        **call.gate.viewer(),
        **choice.parameters(),
        "least": prefix,
        "most": prefix + _END,
        "part": text,
        "folded": prefix,
        "rows": limit,
    }
    with call.tenant.store.read() as reader:
        rows = reader.rows(plan.begins, params)
        if text and len(rows) < limit:
            seen = {row[0] for row in rows}
            rows += [row for row in reader.rows(plan.holds, params) if row[0] not in seen]
    return [Option(uuid_of(row[0]), row[1] or "") for row in rows[:limit]]


def _compile(call: Call, object: ObjectDef, choice: Choice) -> _Plan:
    source = Source(call.gate, call.tables, object)
    path = call.gate.resolve(object, object.name_field)
    key = source.sort(path)[0]
    name = source.column(path)
    select = (
        source.select(source.id, name).order_by(key, source.id).limit(sa.bindparam("rows", type_=sa.Integer))
    )
    tables: TablesUsed = ()
    if not choice.is_open:
        fits, tables = choice.among(source.id)
        select = select.where(fits)
    text = sa.Text()
    begins = select.where(key >= sa.bindparam("least", type_=text), key < sa.bindparam("most", type_=text))
    find = sa.func.instr if source.dialect == "sqlite" else sa.func.strpos
    holds = select.where(
        sa.or_(
            find(name, sa.bindparam("part", type_=text)) > 0,
            find(key, sa.bindparam("folded", type_=text)) > 0,
        )
    )
    store = call.tenant.store
    return _Plan(prepare(store, begins), prepare(store, holds), (*source.tables_used(), *tables))
