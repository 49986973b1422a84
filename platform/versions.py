"""Which shape a store has: stamped when it is made, compared when it is opened, raised by ``upgrade``.

A store that is older or newer than the code is refused with the command to run, before anything reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import sqlalchemy as sa

from tabwright.platform.database import Store, Stores, Writer, create_tables
from tabwright.platform.errors import Unavailable
from tabwright.platform.tables import CONTROL, TENANT

Kind = Literal["control", "tenant"]
CATALOGUES: Mapping[Kind, sa.MetaData] = {"control": CONTROL, "tenant": TENANT}
VERSIONS: Mapping[Kind, int] = {"control": 3, "tenant": 7}
# What makes version n of version n - 1, each in one transaction; a room whose own tables change puts its step
# here. New tables need no entry.
STEPS: Mapping[Kind, dict[int, Callable[[Writer], None]]] = {"control": {}, "tenant": {}}

_TABLES = {
    kind: sa.Table("store_version", catalogue, sa.Column("version", sa.Integer, primary_key=True))
    for kind, catalogue in CATALOGUES.items()
}


def version_of(store: Store, kind: Kind) -> int | None:
    """The version that a store is stamped with; None for a place without tables."""
    with store.read() as reader:
        if not sa.inspect(reader.connection).has_table("store_version", schema=store.schema):
            return None
        found: int | None = reader.execute(sa.select(sa.func.max(_TABLES[kind].c.version))).scalar_one()
        return found


def fill(store: Store, kind: Kind) -> None:
    """Make every fixed table of a new store and stamp it; does nothing to one that is stamped."""
    if version_of(store, kind) is not None:
        return
    create_tables(store, CATALOGUES[kind])
    table = _TABLES[kind]
    with store.write() as writer:
        # Two processes may start at once; the table's key lets one stamp stand.
        stamped = writer.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        if not stamped:
            writer.execute(sa.insert(table), {"version": VERSIONS[kind]})


def check(store: Store, kind: Kind) -> None:
    """Raise Unavailable (``store.older``, ``store.newer``, ``store.empty``) unless the store fits
    the code.
    """
    found, wanted = version_of(store, kind), VERSIONS[kind]
    if found is None:
        raise Unavailable.of("store.empty", store=store.key)
    if found < wanted:
        raise Unavailable.of("store.older", store=store.key, found=found, wanted=wanted)
    if found > wanted:
        raise Unavailable.of("store.newer", store=store.key, found=found, wanted=wanted)


def upgrade(store: Store, kind: Kind) -> tuple[int, ...]:
    """Bring a store to the version of the code; the steps taken. Each is one transaction and may
    be interrupted.
    """
    create_tables(store, CATALOGUES[kind])
    taken = []
    for version in range((version_of(store, kind) or 0) + 1, VERSIONS[kind] + 1):
        with store.write() as writer:
            if step := STEPS[kind].get(version):
                step(writer)
            writer.execute(sa.insert(_TABLES[kind]), {"version": version})
        taken.append(version)
    return tuple(taken)


def open_control(stores: Stores) -> Store:
    """The control store, made at the very first start, checked at every other one."""
    stores.make_control()
    fill(stores.control, "control")
    check(stores.control, "control")
    return stores.control
