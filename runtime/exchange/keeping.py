"""A file taken in: kept with what is known of how to read it, with an object to go into or still without.

A file may come before its object: Studio makes an object out of it, and the same file goes on as an import of
that object once it is in force.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, BinaryIO
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.errors import Invalid, NotFound, Place
from tabwright.platform.settings import Limits
from tabwright.runtime.access.principal import TokenScope
from tabwright.runtime.desk import Call
from tabwright.runtime.exchange import files, laying, runs, sources
from tabwright.runtime.exchange.laying import Laid
from tabwright.runtime.exchange.runs import Run
from tabwright.runtime.exchange.settings import Settings
from tabwright.runtime.exchange.sources import Outline, Rows
from tabwright.runtime.exchange.tables import RUN

NO_OBJECT = ""  # stands for the object of a file that waits for one


def keep(
    call: Call,
    limits: Limits,
    filename: str,
    content: BinaryIO,
    object_uid: str,
    choose: Callable[[Outline], Settings],
) -> UUID:
    """Keep a file as an import that is being prepared; its id. ``choose`` proposes its settings.

    ``content`` can be read from anywhere. Raises TooLarge, Invalid for a file without rows.
    """
    filename = _plain(filename)
    size = files.size_of(content, limits.upload_bytes)
    form = sources.sniff(content, filename)
    id = call.ids.new()
    now = call.clock.now()
    with Laid() as laid:
        outline = sources.outline(content, form, take=laid.put)
        values = {
            "id": id,
            "object_uid": object_uid,
            "filename": filename,
            "size": size,
            "format": form.to_json(),
            **outlined(outline),
            "settings": choose(outline).to_json(),
            "state": "mapping",
            "counts": dict(runs.NO_COUNTS),
            "checked": None,
            "taken_row": 0,
            "job_id": None,
            "language": call.language,
            "zone": call.zone,
            "scope": scope_json(call.principal.token_scope),
            "created_by": call.principal.user_id,
            "created_at": now,
            "updated_at": now,
        }
        content.seek(0)
        with call.tenant.store.write() as writer:
            writer.execute(sa.insert(RUN), values)
            files.keep(writer, id, content, limits.upload_bytes)
            laid.keep(writer, id)
            files.ask(call.tenant.jobs, writer, now, limits.import_file_days)
    return id


class Waiting:
    """Files of this person that wait for their object. Somebody else's is as unknown as none."""

    def __init__(self, call: Call, limits: Limits) -> None:
        self._call = call
        self._limits = limits

    def start(self, filename: str, content: BinaryIO) -> Run:
        """Keep a file that has no object yet. Raises as ``keep`` does."""
        id = keep(self._call, self._limits, filename, content, NO_OBJECT, lambda outline: Settings())
        return self.get(id)

    def get(self, id: UUID) -> Run:
        """A file that waits. Raises NotFound, also once it has its object or was removed for its age."""
        with self._call.tenant.store.read() as reader:
            run = runs.load(reader, id)
        own = run.created_by == self._call.principal.user_id
        if not own or run.object_uid != NO_OBJECT or not run.has_file:
            raise NotFound.of("import.not_found", Place(), id=id.hex)
        return run

    def rows(self, run: Run) -> Rows:
        """The rows under the header. Raises Invalid where the file stops being readable."""
        if run.row_count is None:
            raise Invalid(run.error)
        store = self._call.tenant.store
        laying.lay_out(store, run, store.write)
        return laying.rows(store, run.id)

    def give(self, run: Run, object_uid: str, settings: Settings) -> None:
        """From now on the file is an import of an object, which may be in force later than this."""
        now = self._call.clock.now()
        with self._call.tenant.store.write() as writer:
            runs.change(writer, run.id, now, object_uid=object_uid, settings=settings.to_json())


def outlined(outline: Outline) -> Mapping[str, Any]:
    """What a row of an import says of its file."""
    return {
        "header": list(outline.header),
        "sample": [[cell[:200].replace("\x00", "\ufffd") for cell in row] for row in outline.sample],
        "row_count": outline.rows,
        "error": [runs.fault_json(outline.fault)] if outline.fault is not None else None,
    }


def scope_json(scope: TokenScope | None) -> Any:
    """The scope of a token as a row keeps it."""
    return None if scope is None else scope.to_json()


def _plain(filename: str) -> str:
    """The name without folders and what cannot be shown."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in last if char.isprintable())[:200] or "file"
