"""A process that makes a table and a row in one transaction, again and again, until it is killed.

``python killed_writer.py <settings as JSON> <slug> <file that gets each number after its commit>``
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import sqlalchemy as sa

from tabwright.platform.clock import SystemClock, SystemIds
from tabwright.platform.database import Stores
from tabwright.platform.settings import Settings
from tabwright.platform.tenants import Tenants

MADE = sa.Table(
    "made", sa.MetaData(), sa.Column("n", sa.Integer, primary_key=True), sa.Column("half", sa.Integer)
)


def table_of(n: int, part: str) -> sa.Table:
    """One of the two tables that belong to row ``n``."""
    return sa.Table(f"t{n}{part}", sa.MetaData(), sa.Column("x", sa.Integer))


def main() -> None:
    given = json.loads(sys.argv[1])
    stores = Stores(Settings(home=Path(given.pop("home")), **given))
    clock = SystemClock()
    store = stores.tenant(Tenants(stores, clock, SystemIds(clock)).get(sys.argv[2]))
    told = os.open(sys.argv[3], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with store.read() as reader:
        n = reader.execute(sa.select(sa.func.coalesce(sa.func.max(MADE.c.n), 0))).scalar_one()
    while True:
        n += 1
        with store.write() as writer:
            table_of(n, "a").create(writer.connection)
            writer.execute(sa.insert(MADE), {"n": n, "half": 0})
            table_of(n, "b").create(writer.connection)
            writer.execute(sa.update(MADE).where(MADE.c.n == n).values(half=1))
        os.write(told, f"{n}\n".encode())


if __name__ == "__main__":
    main()
