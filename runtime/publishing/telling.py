"""What a release tells by its nature to people who may not see every record, named once, when it comes.

Fields that show more than their inputs, roll-ups over all children, unique rules over all records, numbers
that count all records, lookups that keep what they name from being deleted: the ways in which something of
hidden records is meant to be known.
"""

from __future__ import annotations

from collections.abc import Iterator

from tabwright.metadata.model import Model
from tabwright.platform.errors import Fault, Param, Place
from tabwright.runtime.access.disclosing import newly_shown, partly_seen
from tabwright.runtime.publishing.consequences import Consequence


def told(old: Model, new: Model) -> tuple[Consequence, ...]:
    """What ``new`` tells and ``old`` did not. What nobody accepted yet is a warning with what to accept."""
    found = []
    for each in newly_shown(old, new):
        first = each.first
        accepts = None if first.accepted else (first.path, first.input)
        found.append(Consequence("warning" if accepts else "info", each.says, accepts=accepts))
    before = dict(_by_nature(old))
    found += [Consequence("info", says) for key, says in _by_nature(new) if key not in before]
    return tuple(found)


def _by_nature(model: Model) -> Iterator[tuple[tuple[str, ...], Fault]]:
    partly = partly_seen(model)
    for object in model.objects.values():
        if object.uid not in partly:
            continue
        numbers = {each.name for each in object.own_fields if each.type == "auto_number"}
        for name in sorted(numbers):
            place = Place(object=object.name, field=name)
            yield (
                ("number", object.fields[name].uid),
                Fault("publish.tells_numbers", {"object": object.name, "field": name}, place),
            )
        for field in object.own_fields:
            if field.on_delete == "restrict" and field.targets:
                place = Place(object=object.name, field=field.name)
                params: dict[str, Param] = {"object": object.name, "field": field.name}
                yield ("restrict", field.uid), Fault("publish.tells_restrict", params, place)
        for rule in object.unique_rules:
            if not numbers.issuperset(rule.fields[-1:]):
                listed = ", ".join(rule.fields)
                uids = tuple(object.fields[name].uid for name in rule.fields)
                says = Fault(
                    "publish.tells_unique",
                    {"object": object.name, "fields": listed},
                    Place(object=object.name),
                )
                yield ("unique", rule.uid, *uids), says
