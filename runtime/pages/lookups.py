"""How the text in a lookup finds records: by name (pinyin too), then by global search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.errors import NotFound
from tabwright.platform.language import say
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.desk import Call
from tabwright.runtime.forms.inputs import Option
from tabwright.runtime.forms.shown import colour_of, initials
from tabwright.runtime.pages.preview import Reading
from tabwright.runtime.pages.shell import singular
from tabwright.runtime.query.choosing import Choice
from tabwright.runtime.query.options import MAX_TEXT, lookup_options
from tabwright.runtime.search.querying import search

OPTIONS = 8


@dataclass(frozen=True, slots=True)
class ShownOption:
    """An option as the list shows it; ``hit`` is the part of the name that was typed."""

    id: UUID
    name: str
    before: str
    hit: str
    after: str
    hint: str
    initials: str
    colour: str


def targets(call: Call, field: FieldDef) -> tuple[ObjectDef, ...]:
    """The objects whose records the field may name, as far as this person may read them."""
    found = (call.model.objects.get(name) for name in field.targets)
    return tuple(each for each in found if each is not None and call.gate.may(each, "read"))


class Lookups:
    """Finds what a lookup may name, for one call."""

    def __init__(self, call: Call, reads: Reading, most: int = OPTIONS) -> None:
        self._call = call
        self._reads = reads
        self._most = most

    def options(self, field: FieldDef, text: str) -> Sequence[Option]:
        """The best records for a typed text; without a text the first by name."""
        kinds = [self._among(field, object, text) for object in targets(self._call, field)]
        if not field.kinds:
            return [each for kind in kinds for each in kind][: self._most]
        # As many of each kind as of another, while there are any; shown kind by kind.
        left, taken = self._most, [0] * len(kinds)
        while left > 0 and any(taken[n] < len(kind) for n, kind in enumerate(kinds)):
            for n, kind in enumerate(kinds):
                if left > 0 and taken[n] < len(kind):
                    taken[n], left = taken[n] + 1, left - 1
        return [each for n, kind in enumerate(kinds) for each in kind[: taken[n]]]

    def _among(self, field: FieldDef, object: ObjectDef, text: str) -> list[Option]:
        """The best records of one object; of a field of several kinds each says its kind."""
        found: dict[UUID, Option] = {}
        kind = singular(object, self._call.language) if field.kinds else ""
        for each in lookup_options(self._call, object.name, text[:MAX_TEXT], self._most, field):
            found.setdefault(each.id, Option(each.id, each.name, kind))
        if text.strip() and len(found) < self._most:
            # Pinyin initials, another field's text: what global search knows besides names.
            hits = search(self._call, text, [object.name], self._most)
            with self._call.tenant.store.read() as reader:
                wrong = Choice(self._call, field, object).refused(reader, [hit.id for hit in hits])
            for hit in hits:
                if hit.id not in wrong:
                    found.setdefault(hit.id, Option(hit.id, hit.name, kind))
        return [each for each in found.values() if each.name]

    def name(self, field: FieldDef, id: UUID) -> str | None:
        """The name of the record that the id names; None where there is none that may be read."""
        known = field.target_of(id) if field.kinds else ""
        for object in targets(self._call, field):
            if known and object.name != known:
                continue
            try:
                row = self._reads.get(object.name, id, (object.name_field,))
            except NotFound:
                continue
            return str(row.get(object.name_field) or "")
        return None


@dataclass(frozen=True, slots=True)
class NewPanel:
    """The option that makes what was not found."""

    href: str
    label: str


def new_panel(call: Call, field: FieldDef, text: str) -> NewPanel | None:
    """Where a record that the lookup may name is made; None for people, and without the right to."""
    target = call.model.objects.get(field.target or "")
    if target is None or field.type in ("user", "owner") or target.package == BASE:
        return None
    if not call.gate.may(target, "create"):
        return None
    given = urlencode({target.name_field: text.strip()}) if text.strip() else ""
    said = say("pages.quick.new", {"object": singular(target, call.language)}, call.language)
    return NewPanel(f"/o/{target.name}/new/panel?{given}", said)


def shown(options: Sequence[Option], text: str) -> list[ShownOption]:
    """The options with the typed part marked."""
    made = []
    for each in options:
        at = each.name.casefold().find(text.strip().casefold()) if text.strip() else -1
        cut = (at, at + len(text.strip())) if at >= 0 else (0, 0)
        made.append(
            ShownOption(
                each.id,
                each.name,
                each.name[: cut[0]],
                each.name[cut[0] : cut[1]],
                each.name[cut[1] :],
                each.hint,
                initials(each.name),
                colour_of(str(each.id)),
            )  # fmt: skip
        )
    return made
