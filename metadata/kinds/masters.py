"""Master-detail: which parent decides about access to an object's records, and that parents end somewhere."""

from __future__ import annotations

from tabwright.metadata import limits
from tabwright.metadata.documents import Component
from tabwright.metadata.fieldtypes import options_of
from tabwright.metadata.kinds.work import Work
from tabwright.metadata.world import FieldSource, ObjectSource


def master_of(work: Work, source: ObjectSource, component: Component) -> str | None:
    """The name of the field whose record decides about access; None where the object has records of its own.

    Faults: two that decide, a sharing of its own besides, parents in a ring or in too long a chain.
    """
    details = [each for each in source.fields.values() if each.type == "master_detail"]
    for each in details:
        _chain_ends(work, each)
    deciding = [each for each in details if decides(each)]
    for second in deciding[1:]:
        assert second.component is not None
        work.fault(second.component, "master.two", "options", "access", first=deciding[0].name)
    if deciding and component.body.get("sharing", "private") != "private":
        work.fault(component, "master.sharing", "sharing", field=deciding[0].name)
    return deciding[0].name if deciding else None


def decides(field: FieldSource) -> bool:
    """Whether the field's record decides about access to the records that name it."""
    return field.type == "master_detail" and options_of(field.type, field.options)["access"] != "none"


def _chain_ends(work: Work, field: FieldSource) -> None:
    """A record hangs on its parent for life, so an object may not hang on itself, by any of its parents."""
    assert field.component is not None
    seen: set[str] = {field.object}
    level, depth = [field], 0
    while level:
        targets = dict.fromkeys(each.target for each in level if each.target)
        found = [each for name in targets if name and (each := work.lens.object(name)) is not None]
        if any(each.name == field.object for each in found):
            work.fault(field.component, "master.ring", "options", "target", object=field.object)
            return
        depth += 1
        if depth > limits.master_details:
            params = {"limit": limits.master_details}
            work.fault(field.component, "master.too_deep", "options", "target", **params)
            return
        level = []
        for each in found:
            if each.name not in seen:
                seen.add(each.name)
                level += [up for up in _links(work, each.name) if up.type == "master_detail"]


def _links(work: Work, object: str) -> list[FieldSource]:
    """The fields of an object that may be master-details; their types are what the answer hangs on."""
    found = (work.lens.field(object, each.name) for each in work.lens.fields(object) if each.target)
    return [each for each in found if each is not None]
