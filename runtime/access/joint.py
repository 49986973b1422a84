"""What two people may both see: the draft as somebody else will see it, shown to who makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tabwright.metadata.model import FieldDef, Model, ObjectDef
from tabwright.runtime.access.gate import Gate, Level
from tabwright.runtime.access.record_rule import NOTHING, ByRule, OfParent, RecordRule, Way

_OTHER = "other"  # begins the names of parameters


class JointGate(Gate):
    """One person's gate, narrowed to what another gate lets through as well.

    Objects and fields of the two are the same by uid: the other gate may be of another Model (a draft's),
    in which case names are those of the first one's, and what the other does not know is closed.
    """

    def __init__(self, mine: Gate, other: Gate) -> None:
        super().__init__(mine.model, mine.principal)
        self._mine = mine
        self._other = Gate(other.model, other.principal, _OTHER)
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
        other = _in_names_of(object, self.model, self._other.rule(twin, level))
        return self._mine.rule(object, level).both(other)

    def viewer(self) -> Mapping[str, Any]:
        """Values of the parameters of everybody's rules."""
        return {**self._mine.viewer(), **self._other.viewer()}

    def footprint(self, object: ObjectDef) -> str:
        """Keys a statement by both."""
        twin = self._twins.get(object.uid)
        other = self._other.footprint(twin) if twin is not None else ""
        return f"{self._mine.footprint(object)}&{other}"

    def _seen_by_other(self, field: FieldDef) -> bool:
        twin = self._twins.get(self.model.objects[field.object].uid)
        known = next((each for each in twin.fields.values() if each.uid == field.uid), None) if twin else None
        return known is not None and self._other.can_read(known)


def _in_names_of(object: ObjectDef, model: Model, rule: RecordRule) -> RecordRule:
    """The rule of a draft on the tables in force. A sharing rule that is not there as it stands opens nothing
    as yet, and a restriction that is not there closes everything.
    """
    shared = {(each.uid, each.when.text if each.when is not None else "") for each in object.sharing_rules}
    closed = {(each.uid, each.condition.text) for each in object.restriction_rules}
    if any((each.uid, each.condition.text) not in closed for each in rule.restrictions):
        return NOTHING
    ways: list[Way] = []
    for each in rule.ways:
        if isinstance(each, OfParent):
            if object.master != each.field:
                return NOTHING
            parent = model.objects[object.fields[each.field].target or ""]
            ways.append(replace(each, parent=_in_names_of(parent, model, each.parent)))
        elif not isinstance(each, ByRule) or (
            (each.rule.uid, each.rule.when.text if each.rule.when is not None else "") in shared
        ):
            ways.append(each)
    return replace(rule, ways=tuple(ways))
