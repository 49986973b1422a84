"""What stands behind a reference that is not the stored one: a form's choice, or a value of the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from tabwright.metadata.addresses import Address
from tabwright.metadata.model import FieldDef, Model
from tabwright.platform.errors import TabwrightError
from tabwright.runtime.access.gate import CALLED


class Getting(Protocol):
    """The part of the read path that is needed here."""

    def get(self, object: str, id: UUID, fields: Sequence[str] = ()) -> Mapping[str, Any]: ...


def read_behind(
    reads: Getting, model: Model, field: FieldDef, value: Any, rests: Sequence[str]
) -> dict[str, Any]:
    """The rest of paths through ``field`` for the record that ``value`` names; blank where it may not be
    seen, or is of another kind.
    """
    blank = dict.fromkeys(rests)
    if isinstance(value, Address):
        return blank | {rest: getattr(value, rest) or None for rest in rests}
    if not isinstance(value, UUID):
        return blank
    known = field.target_of(value)
    for target in (known,) if known or not field.kinds else field.targets:
        asked = _asked(field, model, target, rests)
        try:
            row = reads.get(target, value, tuple(asked.values()) or ("id",))
        except (TabwrightError, KeyError):
            continue
        return blank | {rest: row.get(path) for rest, path in asked.items()}
    return blank


def _asked(field: FieldDef, model: Model, target: str, rests: Sequence[str]) -> Mapping[str, str]:
    """Each rest as a path from the target; those of other kinds are left out."""
    if not field.kinds:
        return {rest: rest for rest in rests}
    found = {rest: rest.partition(".")[2] or "id" for rest in rests if rest.partition(".")[0] == target}
    if CALLED in rests and target in model.objects:
        found[CALLED] = model.objects[target].name_field
    return found
