"""Whom a comment may mention: what the chooser shows while somebody types after an @."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from tabwright.metadata.model import ObjectDef
from tabwright.runtime.access.asking import Asked
from tabwright.runtime.comments.hearing import may_read
from tabwright.runtime.comments.reading import summary
from tabwright.runtime.desk import Call
from tabwright.runtime.forms.inputs import Option
from tabwright.runtime.pages.lookups import ShownOption, shown
from tabwright.runtime.query.choosing import Choice
from tabwright.runtime.query.options import MAX_TEXT, lookup_options
from tabwright.runtime.search.querying import search

OPTIONS: Final = 8


@dataclass(frozen=True, slots=True)
class Mentionable:
    """A person to choose; ``is_blind``: they may not read the record, so nothing will tell them."""

    option: ShownOption
    is_blind: bool


def mentionable(call: Call, object: ObjectDef, record: UUID, text: str) -> Sequence[Mentionable]:
    """People who may sign in, by name, pinyin or initials, oneself left out. NotFound for the record."""
    about = summary(call, object, record)
    user = call.model.objects["user"]
    if not call.gate.may(user, "read"):
        return []
    typed, me = text.strip()[:MAX_TEXT], call.principal.user_id
    found: dict[UUID, Option] = {}
    for each in lookup_options(call, user.name, typed, OPTIONS + 1):
        found.setdefault(each.id, Option(each.id, each.name))
    if typed and len(found) < OPTIONS:
        # Initials of pinyin: what global search knows besides names.
        hits = search(call, typed, [user.name], OPTIONS)
        with call.tenant.store.read() as reader:
            wrong = Choice(call, None, user).refused(reader, [hit.id for hit in hits])
        for hit in hits:
            if hit.id not in wrong:
                found.setdefault(hit.id, Option(hit.id, hit.name))
    options = [each for each in found.values() if each.name and each.id != me][:OPTIONS]
    with call.tenant.store.read() as reader:
        seeing = may_read(call, reader, object, Asked(record, about.owner), [each.id for each in options])
    return [Mentionable(each, each.id not in seeing) for each in shown(options, typed)]
