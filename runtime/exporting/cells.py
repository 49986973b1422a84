"""A value as a cell of a file: what people read, or what the API says; numbers and days stay typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from tabwright.formula.places import Point
from tabwright.metadata.addresses import Address
from tabwright.metadata.choices import CHOICE_SEPARATOR, codes_in
from tabwright.metadata.model import FieldDef, Model, label_in
from tabwright.platform.language import Language, say
from tabwright.runtime import richtext
from tabwright.runtime.filing import refs
from tabwright.runtime.forms.marks import moment
from tabwright.runtime.forms.shown import name_path
from tabwright.runtime.masks import masked
from tabwright.runtime.storage.codings import time_text

Names = Literal["labels", "api"]
Cell = str | Decimal | int | date | datetime | bool | None
MakeCell = Callable[[Mapping[str, Any]], Cell]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file: its head, the paths that it reads, and its cell of a row."""

    head: str
    paths: tuple[str, ...]
    cell: MakeCell


def column_of(
    path: str, label: str, field: FieldDef, model: Model, names: Names, language: Language, zone: ZoneInfo,
    knows: Callable[[str], bool], unmask: Callable[[Any], Cell] | None,
) -> Column:  # fmt: skip
    """The column of a path. ``knows``: whether a path may be read; ``unmask``: the whole value of a masked
    field, None where it is not to be seen.
    """
    if field.mask is not None:
        head = path if names == "api" else label
        return Column(head, (path,), _plain(path, unmask or (lambda value: str(masked(field, value)))))
    if names == "api":
        if field.kinds:
            return Column(path, (path,), _plain(path, lambda value: f"{field.target_of(value)}:{value.hex}"))
        return Column(path, (path,), _plain(path, _file_names if field.holds_files else _api))
    name_at = name_path(field, path, model)
    if name_at is not None:
        if not knows(name_at):
            return Column(label, (path,), lambda row: None)
        if field.kinds:
            return Column(label, (path, name_at), _called(field, path, name_at, model, language))
        return Column(label, (path, name_at), lambda row: row.get(name_at))
    return Column(label, (path,), _plain(path, _shown(field, model, language, zone)))


def _called(field: FieldDef, path: str, name_at: str, model: Model, language: Language) -> MakeCell:
    """The kind and the name of what a polymorphic field names, as an import takes them."""

    def cell(row: Mapping[str, Any]) -> Cell:
        target = model.objects.get(field.target_of(row.get(path)))
        name = row.get(name_at)
        if target is None or not name:
            return None
        return f"{label_in(target.labels, language)}: {name}"

    return cell


def _plain(path: str, convert: Callable[[Any], Cell]) -> MakeCell:
    def cell(row: Mapping[str, Any]) -> Cell:
        value = row.get(path)
        return None if value is None else convert(value)

    return cell


def _api(value: Any) -> Cell:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Address):
        return str(value)
    if isinstance(value, Point):
        return str(value)
    if isinstance(value, list | tuple):
        return CHOICE_SEPARATOR.join(map(str, value))
    return value if isinstance(value, bool | int | Decimal | date) else _text(value)


def _text(value: Any) -> str:
    return time_text(value) if hasattr(value, "hour") and not isinstance(value, str) else str(value)


def _shown(field: FieldDef, model: Model, language: Language, zone: ZoneInfo) -> Callable[[Any], Cell]:
    if field.picklist is not None:
        labels = {each.code: label_in(each.labels, language) for each in field.picklist.values}
        if field.type == "multi_picklist":
            return lambda value: CHOICE_SEPARATOR.join(labels.get(each, each) for each in _codes(value))
        return lambda value: labels.get(value, str(value))
    if field.type == "record_type":
        types = model.objects[field.object].record_types.values() if field.object in model.objects else ()
        known = {name: label_in(each.labels, language) for each in types for name in (each.uid, each.name)}
        return lambda value: known.get(str(value), str(value))
    if field.type == "boolean":
        said = {
            each: say(f"pages.form.{word}", {}, language) for each, word in ((True, "yes"), (False, "no"))
        }
        return lambda value: said[bool(value)]
    if field.type == "datetime":
        return lambda value: moment(value, zone).replace(tzinfo=None, microsecond=0)
    if field.type in ("geolocation", "address"):
        return str
    if field.type == "time":
        return lambda value: value if isinstance(value, str) else time_text(value)
    if field.rich_text:
        return lambda value: richtext.plain(str(value))
    if field.holds_files:
        return _file_names
    return lambda value: value if isinstance(value, int | Decimal | date) else str(value)


def _file_names(value: Any) -> str:
    return refs.joined_names(value)


def _codes(value: Any) -> list[str]:
    return list(codes_in(value)) if isinstance(value, str) else [str(each) for each in value]


def csv_text(cell: Cell) -> str:
    """A cell as CSV says it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}"
    return cell.isoformat() if isinstance(cell, date) else str(cell)
