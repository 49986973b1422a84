"""Which column goes into which field: what we propose, from names alone.

A person sees every proposal and may change it. Compared are the header and the field's name, aliases
and labels in both languages, folded so that case, blanks and punctuation do not matter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from tabwright.metadata.model import FieldDef, Model, ObjectDef

_LIKELY = 0.72  # below this a proposal is more often wrong than right


@dataclass(frozen=True, slots=True)
class Proposal:
    """Column ``column`` into ``field``; a lookup is matched by ``match``, a unique or name field of its target.

    ``confidence`` is 1.0 where a name is the same, less where it is only like.
    """

    column: str
    field: str
    match: str | None
    confidence: float


def propose(model: Model, object_: ObjectDef, fields: Iterable[FieldDef], header: Sequence[str]) -> list[Proposal]:
    """The best column for each field, each column and each field at most once, in the header's order.

    ``fields`` are those that this person may write.
    """
    fields = list(fields)
    scored = sorted(
        (
            (score, column, each.name)
            for column in header
            for each in fields
            if (score := _likeness(column, _names_of(each, object_))) >= _LIKELY
        ),
        key=lambda row: -row[0],
    )
    columns: dict[str, Proposal] = {}
    taken: set[str] = set()
    by_name = {each.name: each for each in fields}
    for score, column, name in scored:
        if column not in columns and name not in taken:
            taken.add(name)
            columns[column] = Proposal(column, name, match_field(model, by_name[name]), round(score, 2))
    return [columns[column] for column in header if column in columns]


def match_field(model: Model, field: FieldDef) -> str | None:
    """The field of a lookup's target by which a file most likely names it: an external key, else its name."""
    if not field.is_reference or field.target is None:
        return None
    target = model.objects[field.target]
    external = next((each.name for each in target.own_fields if each.external_key), None)
    return target.name_field if target.name_field else external


def fold(text: str) -> str:
    """Letters and digits of the text, lower case, full-width folded: ``Close Date`` and ``close_date`` are one."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def _names_of(field: FieldDef, object_: ObjectDef) -> list[str]:
    names = [field.name, *field.aliases, *field.labels.values()]
    if field.name == object_.name_field:
        names += [object_.name, *object_.labels.values()]  # a file of accounts heads the name column "account"
    return names


def _likeness(column: str, names: Sequence[str]) -> float:
    return max((_alike(column, name) for name in names), default=0.0)


def _alike(column: str, name: str) -> float:
    left, right = fold(column), fold(name)
    if not left or not right:
        return 0.0
    if left == right:
        return 1.0
    ours, theirs = set(_words(name)), set(_words(column))
    if ours and ours < theirs:  # "sales agent" for the field "agent"
        return 0.8 if len(theirs) - len(ours) == 1 else 0.73
    return SequenceMatcher(a=left, b=right).ratio() * 0.95


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", unicodedata.normalize("NFKC", text).casefold()) if word]
