"""What a secret field was given becomes cipher text before anything of it is kept, compared or told."""

from __future__ import annotations

from tabwright.runtime.masks import Sealed
from tabwright.runtime.records.batch import Batch, Work


def seal(batch: Batch, work: Work) -> None:
    """Seal the new values of secret fields. One that says the same as before stays as it was kept."""
    secrets = [field for field in batch.object.stored_fields if field.type == "secret"]
    if not secrets:
        return
    keys = work.call.tenant.keys
    for row in batch.good:
        if row.new is None:
            continue
        for field in secrets:
            value, name, preset = row.new[field.name], field.name, field.mask or "all"
            if value is None or isinstance(value, Sealed):
                continue
            before = row.old[name] if row.old is not None else None
            same = before is not None and before.startswith(f"{preset}|") and keys.open(before.token) == value
            row.new[name] = before if same else Sealed.of(preset, keys.seal(value), value)
            if name in row.sent:
                row.sent[name] = row.new[name]
