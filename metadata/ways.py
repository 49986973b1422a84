"""By which field an object's board opens, by which its calendar: the one that matters, not the first.

The pages ask it of the fields that a person may read; storage asks it of all, since the fields that most
people open a board or calendar by are worth an index.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tabwright.metadata.model import FieldDef, ObjectDef

# What a field is called that tells how far a record has come, the surest first.
_TELLING: Final = (("stage", "阶段"), ("status", "状态"), ("state", "进度"))


def boardable(fields: Iterable[FieldDef]) -> tuple[FieldDef, ...]:
    """The fields that may make a board's columns."""
    own = (each for each in fields if each.active and each.computed is None)
    return tuple(each for each in own if each.type == "picklist" and each.picklist)


def datable(fields: Iterable[FieldDef]) -> tuple[FieldDef, ...]:
    """The fields by which a calendar may place records."""
    own = (each for each in fields if each.active and each.computed is None)
    return tuple(each for each in own if each.type in ("date", "datetime"))


def summable(fields: Iterable[FieldDef]) -> tuple[FieldDef, ...]:
    """The numbers that a board's columns may add up."""
    kinds = ("currency", "decimal", "integer")
    own = (each for each in fields if each.active and not each.system and each.type in kinds)
    return tuple(each for each in own if each.in_database)


def board_field(object: ObjectDef, fields: Iterable[FieldDef]) -> FieldDef | None:
    """Of these fields the picklist that a board opens by: called a stage or a status, else required, else put
    forward by the admin, else the first.
    """
    found = boardable(fields)
    shown = {column.path for view in object.list_views.values() for column in view.columns}

    def weight(field: FieldDef) -> tuple[int, bool, bool, bool]:
        return (
            _telling(field), not field.required, field.name not in object.highlights, field.name not in shown
        )  # fmt: skip

    return min(found, key=weight, default=None)


def calendar_field(object: ObjectDef, fields: Iterable[FieldDef]) -> FieldDef | None:
    """Of these fields the date that a calendar opens by: one that the admin put forward, else the first."""
    found = datable(fields)
    own = [each for each in found if not each.system] or list(found)
    return next((each for each in own if each.name in object.highlights), own[0] if own else None)


def board_sum(fields: Iterable[FieldDef]) -> FieldDef | None:
    """Of these fields what each column of a board adds up at first: the first amount of money."""
    money = [each for each in summable(fields) if each.type == "currency"]
    return next((each for each in money if each.is_stored), money[0] if money else None)


def _telling(field: FieldDef) -> int:
    """How surely a name says that the field tells how far a record has come; less is surer."""
    texts = " ".join(field.labels.values())
    words = {*field.name.split("_"), *texts.lower().split()}
    for place, (word, chinese) in enumerate(_TELLING):
        if field.name == word:
            return 2 * place
        if word in words or chinese in texts:
            return 2 * place + 1
    return 2 * len(_TELLING)
