"""Which column goes into which field: what we propose, from names, from the cells, and from the last time.

A person sees every proposal and may change it. Compared are the header and the field's name, aliases and
labels in both languages (Chinese ones by their pinyin too), folded so that case, blanks and punctuation do
not matter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from tabwright.formula.pinyin import is_han, syllables
from tabwright.metadata.model import FieldDef, Model, ObjectDef
from tabwright.runtime.exchange.dates import guess_order
from tabwright.runtime.exchange.settings import Column

_RUNS = re.compile(r"[\u3400-\u9fff]+|[^\u3400-\u9fff]+")
_LIKELY = 0.72  # below this a proposal is more often wrong than right


def propose(
    model: Model,
    object_: ObjectDef,
    fields: Iterable[FieldDef],
    header: Sequence[str],
    sample: Sequence[Sequence[str]] = (),
    before: Mapping[str, Column] | None = None,
) -> dict[str, Column]:
    """The best field for each column, each column and each field at most once, in the header's order.

    ``fields`` are those that this person may write. ``before`` are columns of earlier imports, which win. A
    lookup is matched by its target's name field, ``why`` says what the proposal rests on.
    """
    by_name = {each.name: each for each in fields}
    columns: dict[str, Column] = {}
    taken: set[str] = set()
    for column in header:
        known = (before or {}).get(column)
        if known is not None and known.field in by_name and known.field not in taken:
            taken.add(known.field)
            columns[column] = replace(known, skip=(), make=(), why="before")
    scored = sorted(
        (
            (score, at, column, each.name)
            for at, column in enumerate(header)
            for each in by_name.values()
            if (score := _likeness(column, _names_of(each, object_, model))) >= _LIKELY
        ),
        key=lambda row: (-row[0], row[1]),
    )
    for score, at, column, name in scored:
        if column not in columns and name not in taken:
            taken.add(name)
            field = by_name[name]
            cells = [row[at] for row in sample if at < len(row) and row[at]]
            dates = guess_order(cells) if field.type in ("date", "datetime") else "ymd"
            why = "same" if score == 1.0 else "like"
            columns[column] = Column(name, match_field(model, field), dates=dates, why=why)
    return {column: columns[column] for column in header if column in columns}


def match_field(model: Model, field: FieldDef) -> str | None:
    """The field of a lookup's target by which a file most likely names it: its name."""
    if not field.is_reference or field.target is None:
        return None
    return model.objects[field.target].name_field


def fold(text: str) -> str:
    """Letters and digits of the text, lower case, full-width folded: ``Close Date`` and ``close_date`` are
    one.
    """
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def _names_of(field: FieldDef, object_: ObjectDef, model: Model) -> list[str]:
    names = [field.name, *field.aliases, *field.labels.values()]
    if field.name == object_.name_field:
        names += [
            object_.name,
            *object_.labels.values(),
        ]  # a file of accounts heads the name column "account"
    if field.is_reference and field.target in model.objects and field.target != object_.name:
        target = model.objects[field.target or ""]
        names += [target.name, *target.labels.values()]  # and the lookup to products "product"
    return names


def _likeness(column: str, names: Sequence[str]) -> float:
    return max((_alike(column, name) for name in names), default=0.0)


def _alike(column: str, name: str) -> float:
    left, right = fold(column), fold(name)
    if not left or not right:
        return 0.0
    if left == right:
        return 1.0
    if not name.isascii() and column.isascii() and _pinyin(name) == left:
        return 0.95
    if len(right) > 1 and is_han(right[0]) and right in left:  # 销售阶段 for the field 阶段
        return 0.78
    ours, theirs = set(_words(name)), set(_words(column))
    if ours and ours < theirs:  # "sales agent" for the field "agent"
        return 0.8 if len(theirs) - len(ours) == 1 else 0.73
    return SequenceMatcher(a=left, b=right).ratio() * 0.95


def _pinyin(name: str) -> str:
    return fold("".join("".join(syllables(run)) if is_han(run[0]) else run for run in _RUNS.findall(name)))


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", unicodedata.normalize("NFKC", text).casefold()) if word]
