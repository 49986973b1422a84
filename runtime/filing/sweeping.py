"""What nobody needs any more goes: uploads that no record took, removed attachments, what was purged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tabwright.platform.clock import Clock
from tabwright.platform.database import Writer
from tabwright.platform.jobs import JobRun, Jobs
from tabwright.runtime.filing.pictures import SIZES
from tabwright.runtime.filing.tables import FILE

if TYPE_CHECKING:
    from tabwright.runtime.desk import Tenancy

KIND = "files.sweep"
_AT_ONCE = 100


def ask(jobs: Jobs, writer: Writer, due: datetime) -> None:
    """Have the files looked through once ``due`` has come: one look for all of an hour."""
    if KIND in jobs.kinds:
        hour = (due + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
        jobs.add(writer, KIND, {}, due_at=hour, key=f"{KIND} {hour:%Y-%m-%dT%H}")


def forget_fields(writer: Writer, now: datetime, object_uid: str | None, field_uid: str | None) -> None:
    """Let the files of an object, or of one field, go with it. For who removes its columns for good."""
    which = FILE.c.object_uid == object_uid if object_uid is not None else FILE.c.field_uid == field_uid
    writer.execute(sa.update(FILE).where(which, FILE.c.gone_at.is_(None)).values(gone_at=now))


def register(jobs: Jobs, tenancy: Tenancy, clock: Clock) -> None:
    """Make the sweep known to the workers."""
    jobs.register(KIND, _sweeper(jobs, tenancy, clock), runs_as="system")


def _sweeper(jobs: Jobs, tenancy: Tenancy, clock: Clock) -> Callable[[JobRun], Any]:
    def run(job: JobRun) -> Any:
        tenant = tenancy.open(job.location)
        now = clock.now()
        uploaded = now - timedelta(hours=tenant.limits.pending_file_hours)
        removed = now - timedelta(days=tenant.limits.removed_file_days)
        with job.step() as writer:
            over = sa.or_(
                sa.and_(FILE.c.record_id.is_(None), FILE.c.uploaded_at <= uploaded),
                FILE.c.removed_at <= removed,
            )
            writer.execute(sa.update(FILE).where(over, FILE.c.gone_at.is_(None)).values(gone_at=now))
        deleted = 0
        while True:
            with job.store.read() as reader:
                ids = reader.execute(
                    sa.select(FILE.c.id).where(FILE.c.gone_at.is_not(None)).limit(_AT_ONCE)
                ).scalars().all()  # fmt: skip
            if not ids:
                return {"deleted": deleted}
            for id in ids:  # content first: a row that is left is tried again
                tenant.files.remove(job.location.id, id, *SIZES)
            with job.step() as writer:
                writer.execute(sa.delete(FILE).where(FILE.c.id.in_(ids)))
                deleted += len(ids)
                job.progress(deleted)

    return run
