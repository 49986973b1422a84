"""What two people may both see: the draft as somebody else will see it, shown to who makes it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.runtime.access.gate import Gate, Level
from tabwright.runtime.access.record_rule import NOTHING, RecordRule

_OTHER, _BOTH = "other", "both"  # the names of parameters


class JointGate(Gate):
    """One person's gate, narrowed to what another gate lets through as well.

    Objects and fields of the two are the same by uid: the other gate may be of another Model (a draft's),
    in which case names are those of the first one's, and what the other does not know is closed.
    """

    def __init__(self, mine: Gate, other: Gate) -> None:
        super().__init__(mine.model, mine.principal)
        self._mine = mine
        self._other = other
        self._twins = {each.uid: each for each in other.model.objects.values()}

    def has(self, right: str) -> bool:
        """Whether both have a system right."""
        return self._mine.has(right) and self._other.has(right)

    def may(self, object: ObjectDef, operation: str) -> bool:
        """Whether both may do it with the object at all."""
        twin = self._twins.get(object.uid)
        return twin is not None and self._mine.may(object, operation) and self._other.may(twin, operation)

    def can_read(self, field: FieldDef) -> bool:
        """Whether both may read the field."""
        return self._mine.can_read(field) and self._seen_by_other(field)

    def can_edit(self, field: FieldDef) -> bool:
        """Nothing is written through two people's gate."""
        return False

    def readable(self, object: ObjectDef) -> tuple[FieldDef, ...]:
        """The fields that both may read, in the Model's order."""
        return tuple(each for each in self._mine.readable(object) if self._seen_by_other(each))

    def rule(self, object: ObjectDef, level: Level) -> RecordRule:
        """The records of both."""
        twin = self._twins.get(object.uid)
        if twin is None:
            return NOTHING
        other = replace(self._other.rule(twin, level), whose=_OTHER)
        return self._mine.rule(object, level).both(other, _BOTH)

    def viewer(self) -> dict[str, UUID]:
        """Values of the parameters of everybody's rules."""
        mine, other = self._mine.own(), replace(self._other.own(), whose=_OTHER)
        return mine.parameters() | other.parameters() | mine.both(other, _BOTH).parameters()

    def footprint(self, object: ObjectDef) -> str:
        """Keys a statement by both, and by how many owners they share."""
        twin, shared = self._twins.get(object.uid), self._mine.own().both(self._other.own(), _BOTH)
        other = self._other.footprint(twin) if twin is not None else ""
        return f"{self._mine.footprint(object)}&{other}&{shared.shape}"

    def _seen_by_other(self, field: FieldDef) -> bool:
        twin = self._twins.get(self.model.objects[field.object].uid)
        known = next((each for each in twin.fields.values() if each.uid == field.uid), None) if twin else None
        return known is not None and self._other.can_read(known)
