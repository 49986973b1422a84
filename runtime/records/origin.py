"""Where a new record comes from: whose it is, when it was made and by whom. Each is a right of its own."""

from __future__ import annotations

from tabwright.platform.errors import Denied
from tabwright.runtime.access.rights import AUDIT_FIELDS
from tabwright.runtime.records.batch import Batch, Row, Work


def fill(row: Row, work: Work) -> None:
    """The system fields of a new record: what was said of its making (see ``Gate.settable``), else now and
    this person. The journal keeps the true moment and person in any case.
    """
    new, sent = row.new, row.sent
    assert new is not None
    person = None if work.principal.kind == "system" else work.principal.user_id
    new["created_at"] = sent.get("created_at") or work.now
    new["created_by"] = sent.get("created_by") or person
    new["updated_at"], new["updated_by"] = work.now, person
    if person is not None and sent.get("owner") is None:
        new["owner"] = person
        new["owner_kind"] = "user"


def check(batch: Batch, work: Work) -> None:
    """A record for another owner needs the right to transfer. It was not made in the future, and what is said
    of its making never changes.
    """
    principal = work.gate.principal
    own = {principal.user_id, *principal.groups}
    gives = work.gate.may(batch.object, "transfer")
    for row in batch.rows:
        if row.action == "create":
            owner, made = row.sent.get("owner"), row.sent.get("created_at")
            if owner is not None and not gives and owner not in own:
                row.refuse("record.owner_denied", "owner", kind=Denied)
            if made is not None and made > work.now:
                row.refuse("record.created_in_future", "created_at")
        elif row.action == "update" and row.old is not None:
            for name in AUDIT_FIELDS:
                if name in row.sent and row.sent[name] != row.old[name]:
                    row.refuse("field.read_only_after_create", name, field=name)
