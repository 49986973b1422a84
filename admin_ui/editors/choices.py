"""What the editors offer: fields that live, colours, permission sets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tabwright.admin_ui.field_types import card_of
from tabwright.admin_ui.names import finding
from tabwright.admin_ui.studio import Studio
from tabwright.metadata import schema
from tabwright.metadata.fieldtypes import TEXT_TYPES, sorts_in_lists
from tabwright.metadata.kinds.showing import DATED, SUMMED
from tabwright.metadata.model import label_in
from tabwright.metadata.world import FieldSource
from tabwright.platform.language import Language

HIDDEN = ("id", "revision")


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose. ``find`` is what a search in a list of them looks at."""

    value: str
    label: str
    note: str = ""
    icon: str = ""
    find: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Fields:
    """The living fields of an object in the draft, by what they can be used for."""

    columns: tuple[Choice, ...]  # its own, then those one lookup away
    own: tuple[Choice, ...]
    sortable: tuple[Choice, ...]
    picklists: tuple[Choice, ...]
    numbers: tuple[Choice, ...]
    dates: tuple[Choice, ...]

    def label(self, path: str) -> str:
        """What a path is called; itself where it leads to nothing that lives."""
        return next((each.label for each in self.columns if each.value == path), path)


def field_label(studio: Studio, field: FieldSource) -> str:
    """What a field of the draft is called, system fields included."""
    if field.component is not None:
        return studio.label(field.component)
    model = studio.drafting.checked.model or studio.call.model
    object = model.objects.get(field.object) or next(iter(model.objects.values()))
    known = object.fields.get(field.name)
    return label_in(known.labels, studio.call.language) if known is not None else field.name


def fields_of(studio: Studio, object: str) -> Fields:
    """The fields that a view of an object may use."""
    world = studio.drafting.world
    source = world.objects[object]
    living = [each for each in source.fields.values() if each.is_active and each.name not in HIDDEN]
    own = tuple(_choice(studio, each) for each in living)
    named = dict(zip((each.name for each in living), own, strict=True))
    name_field = source.component.body["name_field"] if source.component is not None else ""

    def sorts(each: FieldSource) -> bool:
        if each.type in TEXT_TYPES and each.component is not None:
            return each.name == name_field or bool(each.component.body.get("sortable"))
        return sorts_in_lists(each.type)

    def adds_up(each: FieldSource) -> bool:
        known = each.component is not None and each.type in SUMMED
        return known and (each.type != "formula" or world.type_of(each).kind == "number")

    return Fields(
        own + tuple(_behind(studio, living)),
        own,
        tuple(named[each.name] for each in living if sorts(each)),
        tuple(named[each.name] for each in living if each.type == "picklist" and each.component is not None),
        tuple(named[each.name] for each in living if adds_up(each)),
        tuple(named[each.name] for each in living if each.type in DATED),
    )


def _behind(studio: Studio, living: list[FieldSource]) -> Iterator[Choice]:
    world = studio.drafting.world
    for hop in living:
        target = world.objects.get(hop.target) if hop.target and hop.component is not None else None
        if target is None:
            continue
        through = field_label(studio, hop)
        for each in target.fields.values():
            if each.is_active and each.component is not None:
                yield _choice(studio, each, f"{hop.name}.", through)


def _choice(studio: Studio, field: FieldSource, prefix: str = "", through: str = "") -> Choice:
    label, card = field_label(studio, field), card_of(field.type, studio.call.language)
    shown = f"{through} › {label}" if through else label
    kind = card.label if card.label != field.type else studio.s("layout.system_field")
    return Choice(
        prefix + field.name, shown, kind, card.icon, finding(shown, prefix + field.name, kind), through
    )


def colours(language: Language) -> tuple[Choice, ...]:
    """The colours of marks and icons, by their words."""
    known = schema.shared_schema_of("picklist")["$defs"]["colour"]
    return tuple(Choice(each, known["x-labels"][each][language]) for each in known["enum"])


def sets(studio: Studio) -> tuple[Choice, ...]:
    """The permission sets of the draft."""
    return tuple(
        Choice(each.name, studio.label(each), find=finding(studio.label(each), each.name))
        for each in studio.drafting.all("permission_set")
    )
