"""The sealer: committed operations get consecutive positions and, block by block, a chain of digests.

One short job per tenant, asked for after commits. Feeds, webhooks, sync and audit read sealed operations
only,
so what commits late is sealed later and never skipped. The chain covers each change's ``value_digest``:
values can
be erased by law without breaking it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tabwright.platform.clock import Clock
from tabwright.platform.database import Reader, Writer
from tabwright.platform.tables import Uuid, ids_value, in_ids, json_text
from tabwright.runtime.journal.tables import (
    blocks,
    changes,
    operations,
    partition_statement,
    partitions,
    qualified,
)  # fmt: skip
from tabwright.runtime.search.keeping import tidy
from tabwright.runtime.search.learning import learn

if TYPE_CHECKING:
    from tabwright.platform.jobs import JobRun, Jobs
    from tabwright.runtime.desk import TenantRuntime

KIND = "journal.seal"
BLOCK = 1_000  # operations at most in one block
_GATHER = timedelta(seconds=2)  # one job seals what commits in this time
_START = bytes(32)


def register(jobs: Jobs, clock: Clock) -> None:
    """Make the sealer known to the workers."""
    jobs.register(KIND, _handler(clock), runs_as="system", max_tries=20)


def _handler(clock: Clock) -> Callable[[JobRun], Any]:
    def run(job: JobRun) -> Any:
        sealed = 0
        while True:
            with job.step() as writer:
                count = seal(writer, clock.now())
                sealed += count
                job.progress(sealed)
            if count < BLOCK:
                break
        more = True
        while more:
            with job.step() as writer:
                more = learn(writer) > 0
        with job.step() as writer:
            tidy(writer)
        return {"sealed": sealed}

    return run


def ask(tenant: TenantRuntime, clock: Clock) -> None:
    """Have the tenant's journal sealed soon; after a commit. At most one job row in two seconds and
    process.
    """
    now = clock.now()
    if KIND not in tenant.jobs.kinds or now < tenant.seal_asked + _GATHER / 2:
        return
    tenant.seal_asked = now
    with tenant.store.write() as writer:
        tenant.jobs.add(writer, KIND, {}, key=KIND, due_at=now + _GATHER)


def seal(writer: Writer, now: datetime) -> int:
    """Seal one block of up to ``BLOCK`` operations; how many there were."""
    store = writer.store
    if store.dialect == "postgresql":
        # Two sealers cannot run at once (fenced job); this makes it sure even where somebody calls us by
        # hand.
        writer.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:key))"), {"key": f"seal {store.key}"})
        _make_partitions(writer, now)
    waiting = sa.select(operations.c.id).where(operations.c.position.is_(None)).order_by(operations.c.id)
    ids = list(writer.execute(waiting.limit(BLOCK)).scalars())
    if not ids:
        return 0
    last = writer.execute(sa.select(blocks).order_by(blocks.c.last.desc()).limit(1)).one_or_none()
    first = last.last + 1 if last is not None else 1
    previous = last.digest if last is not None else _START
    positions = {id: first + at for at, id in enumerate(ids)}
    digest = block_digest(previous, _contents(writer, ids))
    _set_positions(writer, positions)
    writer.execute(
        sa.insert(blocks),
        {"last": first + len(ids) - 1, "first": first, "digest": digest, "previous": previous, "at": now},
    )
    return len(ids)


def _make_partitions(writer: Writer, now: datetime) -> None:
    schema = writer.store.schema
    for table, key in ((operations, operations.c.id), (changes, changes.c.operation_id)):
        for suffix, start, end in partitions(now):
            exists = sa.select(sa.func.to_regclass(qualified(schema, f"{table.name}_{suffix}")).is_not(None))
            # A month of which the default partition has rows (nobody was here to make its own) stays in it.
            taken = sa.select(sa.exists().where(key >= start, key < end))
            if not writer.execute(exists).scalar_one() and not writer.execute(taken).scalar_one():
                writer.connection.exec_driver_sql(partition_statement(schema, table, suffix, start, end))


def _contents(reader: Reader, ids: list[UUID]) -> list[tuple[Mapping[str, Any], list[bytes]]]:
    """Each operation's row with the digests of its changes, in the order of ids."""
    dialect = reader.store.dialect
    given = {"ids": ids_value(dialect, ids)}
    rows: dict[UUID, Mapping[str, Any]] = {
        row["id"]: dict(row)
        for row in reader.execute(
            sa.select(operations).where(in_ids(dialect, operations.c.id)), given
        ).mappings()
    }
    digests: dict[UUID, list[bytes]] = {id: [] for id in ids}
    chosen = sa.select(changes.c.operation_id, changes.c.value_digest).where(
        in_ids(dialect, changes.c.operation_id)
    )
    ordered = chosen.order_by(changes.c.record_id, changes.c.revision)
    for found in reader.execute(ordered, given).all():
        digests[found.operation_id].append(bytes(found.value_digest))
    return [(rows[id], digests[id]) for id in ids]


def block_digest(previous: bytes, contents: Iterable[tuple[Mapping[str, Any], list[bytes]]]) -> bytes:
    """SHA-256 over the previous digest and, in order, each operation's facts and the digests of its
    changes.
    """
    chain = sha256(previous)
    for row, digests in contents:
        person = row["principal_id"]
        facts = (
            row["id"].hex, row["at"].isoformat(), row["principal_kind"], person.hex if person else "",
            row["cause"], str(row["release"]),
        )  # fmt: skip
        chain.update("\n".join(facts).encode())
        for digest in digests:
            chain.update(digest)
    return chain.digest()


def _set_positions(writer: Writer, positions: Mapping[UUID, int]) -> None:
    if writer.store.dialect == "postgresql":
        source = (
            sa.func.unnest(
                sa.bindparam("ids", list(positions), type_=postgresql.ARRAY(postgresql.UUID(as_uuid=True))),
                sa.bindparam("places", list(positions.values()), type_=postgresql.ARRAY(sa.BigInteger)),
            )
            .table_valued(sa.column("id", Uuid()), sa.column("position", sa.BigInteger))
            .render_derived()
            .alias("v")
        )
        id, place = source.c.id, source.c.position
    else:
        pairs = [[each.hex, position] for each, position in positions.items()]
        rows = sa.func.json_each(sa.bindparam("pairs", json_text(pairs))).table_valued("value")
        picked = sa.select(
            sa.func.tw_blob(sa.func.json_extract(rows.c.value, "$[0]"), type_=Uuid()).label("id"),
            sa.func.json_extract(rows.c.value, "$[1]", type_=sa.BigInteger).label("position"),
        ).subquery("v")
        id, place = picked.c.id, picked.c.position
    writer.execute(
        sa.update(operations)
        .values(position=place)
        .where(operations.c.id == id, operations.c.position.is_(None))
    )


def verify(reader: Reader) -> int | None:
    """Walk the whole chain; the first position of the first block that does not hold, or None when all do."""
    previous = _START
    for block in reader.execute(sa.select(blocks).order_by(blocks.c.last)).all():
        ids = list(
            reader.execute(
                sa.select(operations.c.id)
                .where(operations.c.position.between(block.first, block.last))
                .order_by(operations.c.position)
            ).scalars()
        )
        whole = len(ids) == block.last - block.first + 1 and bytes(block.previous) == previous
        if not whole or block_digest(previous, _contents(reader, ids)) != bytes(block.digest):
            return int(block.first)
        previous = bytes(block.digest)
    return None
