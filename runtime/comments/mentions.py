"""Who is named in a comment: ``<@id>`` in its text, "@Name" where a person types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.database import Prepared, Reader, prepare
from tabwright.platform.tables import ids_value, in_ids, uuid_of
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.desk import Call
from tabwright.runtime.query.naming import named
from tabwright.runtime.query.plans import TablesUsed, kept
from tabwright.runtime.query.source import Source

MOST: Final = 50  # people in one comment
TOKEN: Final = re.compile(r"<@([0-9a-f]{32})>")
_AT = re.compile(r"(?<![A-Za-z0-9._%+-])[@＠]")  # an address of mail mentions nobody
_LATIN = re.compile(r"[A-Za-z0-9_]")


@dataclass(frozen=True, slots=True)
class _Plan:
    statement: Prepared
    tables: TablesUsed


def mentioned(body: str) -> tuple[UUID, ...]:
    """The ids in a body, each once, in their order."""
    return tuple(dict.fromkeys(UUID(each) for each in TOKEN.findall(body)))


def unknown(call: Call, reader: Reader, ids: Iterable[UUID]) -> set[UUID]:
    """Of some ids those that no person ever had; who has left is known."""
    wanted = set(ids)
    if not wanted:
        return set()
    user = call.model.objects["user"]
    table = call.tables.of(user)

    def make() -> Prepared:
        chosen = sa.select(table.id).where(in_ids(reader.store.dialect, table.id))
        return prepare(reader.store, chosen)

    statement = call.tenant.piece("people", user, table, make)
    rows = reader.rows(statement, {"ids": ids_value(reader.store.dialect, sorted(wanted))})
    return wanted - {uuid_of(id) for (id,) in rows}


def names(call: Call, reader: Reader, ids: Iterable[UUID]) -> dict[UUID, str]:
    """The names of people by id, as far as the caller may know them; one statement."""
    user = call.model.objects["user"]
    found = named(call, [(user.uid, each) for each in set(ids)], reader)
    return {id: each.name for id, each in found.items() if each.name}


def typed(body: str, known: Mapping[UUID, str]) -> str:
    """A body as it is typed: names in place of ids. An id without a known name stays as it is."""

    def name(found: re.Match[str]) -> str:
        said = known.get(UUID(found[1]))
        return f"@{said}" if said else found[0]

    return TOKEN.sub(name, body)


def read(call: Call, text: str, picked: Iterable[UUID] = ()) -> str:
    """A body out of what was typed: "@Name" becomes the person of that name.

    The longest name counts. Of several people with one name it is the one who was ``picked`` in the chooser;
    without that the name stays a text, since nobody knows who is meant.
    """
    if not _AT.search(text):
        return text
    chosen = dict.fromkeys(picked)
    people: dict[str, list[UUID]] = {}
    for id, name in _people_in(call, text).items():
        people.setdefault(name, []).append(id)
    meant: dict[str, UUID] = {}
    for name, ids in people.items():
        among = [id for id in ids if id in chosen] or ids
        if len(among) == 1:
            meant[name] = among[0]
    longest = sorted(meant, key=len, reverse=True)
    made, at = [], 0
    for found in _AT.finditer(text):
        if found.start() < at:
            continue
        rest = text[found.end() :]
        said = next((each for each in longest if _begins(rest, each)), None)
        if said is not None:
            made += [text[at : found.start()], f"<@{meant[said].hex}>"]
            at = found.end() + len(said)
    return "".join(made) + text[at:]


def _begins(text: str, name: str) -> bool:
    """Whether a text begins with a name, not with a longer word."""
    if not text.startswith(name):
        return False
    return not (_LATIN.match(name[-1]) and _LATIN.match(text[len(name) : len(name) + 1]))


def _people_in(call: Call, text: str) -> dict[UUID, str]:
    """The active people whose name stands after an @ in the text."""
    user = call.model.objects["user"]
    if not call.gate.may(user, "read"):
        return {}
    store = call.tenant.store

    def make() -> _Plan:
        source = Source(call.gate, call.tables, user)
        system = Source(Gate.system(call.model), call.tables, user, "of_")
        name = source.column(call.gate.resolve(user, user.name_field))
        active = system.column(system.gate.resolve(user, "active"))
        find = sa.func.instr if store.dialect == "sqlite" else sa.func.strpos
        within = sa.bindparam("within", type_=sa.Text())
        alive = sa.exists(
            system.select(sa.literal_column("1")).where(system.id == source.id, active == sa.true())
        )
        chosen = source.select(source.id, name).where(
            name != "", find(within, sa.literal("@") + name) > 0, alive
        )
        tables = (*source.tables_used(), *system.tables_used())
        return _Plan(prepare(store, chosen.order_by(source.id).limit(1_000)), tables)

    plan = kept(call, "named after @", user, make, call.gate.footprint(user))
    with store.read() as reader:
        rows = reader.rows(plan.statement, {**call.gate.viewer(), "within": text.replace("＠", "@")})
    return {uuid_of(id): str(name) for id, name in rows}
