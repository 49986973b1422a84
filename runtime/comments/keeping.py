"""Comments go with their record: a record that is purged takes them along. In the bin they wait with it."""

from __future__ import annotations

import sqlalchemy as sa

from tabwright.platform.database import prepare
from tabwright.platform.tables import ids_value, in_ids
from tabwright.runtime.comments.tables import COMMENT, FOLLOW
from tabwright.runtime.desk import Tenancy
from tabwright.runtime.records.batch import Batch, Work


def register(tenancy: Tenancy) -> None:
    """Have every purge remove them."""
    tenancy.hooks.register("jobs", _purged)


def _purged(batch: Batch, work: Work) -> None:
    gone = [row.id for row in batch.rows if row.changes and row.action == "purge" and row.id is not None]
    if not gone or work.rehearsal:
        return
    store = work.writer.store
    for table in (COMMENT, FOLLOW):
        statement = sa.delete(table).where(in_ids(store.dialect, table.c.record_id))
        work.writer.run(prepare(store, statement), {"ids": ids_value(store.dialect, gone)})
