"""A block of cells from a spreadsheet: read as it stands on the clipboard, put where the form takes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from tabwright.metadata.choices import CHOICE_SEPARATOR
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef
from tabwright.runtime.exchange.dates import read_day, read_moment
from tabwright.runtime.exchange.mapping import fold
from tabwright.runtime.exchange.matching import choices_of

_money = re.compile(r"^([-+]?)\s*(?:[$€£¥￥]|[A-Z]{3}\s)\s*")
_yes = frozenset(("true", "yes", "y", "1", "是", "对", "√", "✓", "✔"))
_no = frozenset(("false", "no", "n", "0", "否", "×", "✗", ""))
_several = re.compile(r"[;；,，、\n]")


def cells(text: str) -> list[list[str]]:
    """The rows of a clipboard text: cells by tabs, rows by line ends.

    A cell that begins with a quote and has one before its end is quoted as spreadsheets do it (tabs, line
    ends inside, quotes doubled); any other quote is a character. The last line end begins no row.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    rows: list[list[str]] = [[]]
    at = 0
    while True:
        cell, at = _cell(text, at)
        rows[-1].append(cell)
        if at >= len(text):
            break
        if text[at] == "\n":
            if at + 1 == len(text):
                break
            rows.append([])
        at += 1
    return rows


def _cell(text: str, at: int) -> tuple[str, int]:
    """The cell that begins at a place, and where the separator behind it stands."""
    if text.startswith('"', at):
        end = at + 1
        while (end := text.find('"', end)) >= 0:
            if text.startswith('""', end):
                end += 2
                continue
            if end + 1 == len(text) or text[end + 1] in "\t\n":
                return text[at + 1 : end].replace('""', '"'), end + 1
            break
    end = next((n for n in range(at, len(text)) if text[n] in "\t\n"), len(text))
    return text[at:end], end


def heads(row: Sequence[str], labels: Sequence[str], start: int) -> list[int] | None:
    """Where the cells of a first row that names columns belong (-1: nowhere); None where it is no heading.

    It is one when each cell that is not blank is a label, and there is one.
    """
    folded = [fold(label) for label in labels]
    wanted = [fold(cell) for cell in row]
    named = [each for each in wanted if each]
    if not named or any(each not in folded for each in named):
        return None
    return [folded.index(each) if each else -1 for each in wanted]


def as_typed(field: FieldDef, cell: str) -> tuple[str, bool]:
    """The text that the field's input takes for a cell, and whether it is understood."""
    cell = cell.strip()
    if cell == "":
        return ("false" if field.type == "boolean" else ""), True
    way = _ways.get(field.type)
    if way is not None:
        return way(cell)
    if field.picklist is not None:
        return _choice(field, cell)
    if field.is_number:
        return _money.sub(r"\1", cell), True
    return cell, True


def _choice(field: FieldDef, cell: str) -> tuple[str, bool]:
    assert field.picklist is not None
    known = choices_of(field)
    parts = [each.strip() for each in _several.split(cell)] if TYPES[field.type].many else [cell]
    codes = [known.get(fold(part), part) for part in parts if part]
    good = not field.picklist.restricted or all(field.picklist.value(code) is not None for code in codes)
    return CHOICE_SEPARATOR.join(codes), good


def _boolean(cell: str) -> tuple[str, bool]:
    word = cell.casefold()
    return ("true" if word in _yes else "false"), word in _yes or word in _no


def _day(cell: str) -> tuple[str, bool]:
    made = read_day(cell)
    return made, re.fullmatch(r"\d{4}-\d\d-\d\d", made) is not None


def _moment(cell: str) -> tuple[str, bool]:
    made = read_moment(cell)
    good = re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d", made) is not None
    return (made[:16] if good else made), good


def _time(cell: str) -> tuple[str, bool]:
    found = re.fullmatch(r"(\d{1,2})[:：](\d\d)(?:[:：]\d\d)?", cell)
    return (f"{int(found[1]):02}:{found[2]}", True) if found else (cell, False)


_ways: dict[str, Callable[[str], tuple[str, bool]]] = {
    "boolean": _boolean,
    "date": _day,
    "datetime": _moment,
    "time": _time,
}
