"""CSV that people open in a spreadsheet: the rows that did not go in with their reasons, and the empty
template.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from tabwright.platform.errors import Fault
from tabwright.platform.language import Language, say_fault
from tabwright.runtime.exchange.cells import REASON, is_result, safe
from tabwright.runtime.exchange.runs import Problem

_BOM = "\ufeff"


def failed_rows(header: Sequence[str], problems: Iterable[Problem], language: Language) -> Iterator[bytes]:
    """The file of failed rows, in pieces: the file's own columns and one more with the reasons."""
    width = len(header) - is_result(header)
    yield _line([*map(safe, header[:width]), REASON[language]], _BOM)
    for problem in problems:
        cells = [*problem.cells, *[""] * width][:width]
        reasons = "; ".join(dict.fromkeys(reason(fault, language) for fault in problem.faults))
        yield _line([*map(safe, cells), safe(reasons)])


def lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """A file for a spreadsheet, in pieces; no cell of it is run as a formula."""
    yield _line([safe(cell) for cell in head], _BOM)
    for row in rows:
        yield _line([safe(cell) for cell in row])


def reason(fault: Fault, language: Language) -> str:
    """What was wrong, in words, with the field that it was about."""
    said = say_fault(fault, language)
    field = fault.place.field
    return f"{field}: {said}" if field and field not in said else said


def template(labels: Sequence[str]) -> bytes:
    """An empty file with these columns."""
    return _line([safe(label) for label in labels], _BOM)


def _line(cells: Sequence[str], before: str = "") -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return (before + out.getvalue()).encode("utf-8", "replace")
