"""Rows of cells as bytes: CSV in pieces, or a workbook. No spreadsheet runs a cell of either."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

from tabwright.runtime.exchange.cells import safe
from tabwright.runtime.exporting.cells import Cell, csv_text

BOM = "\ufeff"
XLSX_ROWS = 1_048_575  # below the head
_XLSX_TEXT = 32_767
_EXACT_DIGITS = 15  # of a number that a workbook keeps as it is
_FIRST_DAY = date(1900, 3, 1)  # earlier days are counted wrongly by spreadsheets


def csv_pieces(
    heads: Sequence[str], rows: Iterable[Sequence[Cell]], *, bom: bool, stamp: str = ""
) -> Iterator[bytes]:
    """The file, some rows at a time; ``stamp`` is its last line."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    out.write(BOM if bom else "")
    writer.writerow([safe(head) for head in heads])
    for row in rows:
        writer.writerow([_safe(cell) for cell in row])
        if out.tell() > 60_000:
            yield out.getvalue().encode("utf-8", "replace")
            out.seek(0)
            out.truncate()
    if stamp:
        writer.writerow([stamp])
    yield out.getvalue().encode("utf-8", "replace")


def _safe(cell: Cell) -> str:
    return safe(cell) if isinstance(cell, str) else csv_text(cell)


def write_xlsx(
    file: IO[bytes], title: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]], *, stamp: str = ""
) -> None:
    """Write a workbook of one sheet; texts are never formulas or links, numbers and days are typed. ``stamp``
    is its last row, stands below every printed page and in the document's properties.
    """
    import xlsxwriter

    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book: Any = xlsxwriter.Workbook(
        file, {**plain, "constant_memory": True, "default_date_format": "yyyy-mm-dd"}
    )
    sheet = book.add_worksheet(_sheet_name(title))
    bold = book.add_format({"bold": True})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for at, head in enumerate(heads):
        sheet.write_string(0, at, head[:_XLSX_TEXT], bold)
    sheet.freeze_panes(1, 0)
    number = 0
    for number, row in enumerate(rows, 1):  # noqa: B007
        for at, cell in enumerate(row):
            if cell is None:
                continue
            if isinstance(cell, bool):
                sheet.write_boolean(number, at, cell)
            elif isinstance(cell, int | Decimal) and _is_exact(cell):
                sheet.write_number(number, at, cell)
            elif isinstance(cell, datetime) and cell.date() >= _FIRST_DAY:
                sheet.write_datetime(number, at, cell, instant)
            elif isinstance(cell, date) and not isinstance(cell, datetime) and cell >= _FIRST_DAY:
                sheet.write_datetime(number, at, cell, day)
            else:
                sheet.write_string(number, at, csv_text(cell)[:_XLSX_TEXT])
    if stamp:
        sheet.write_string(number + 1, 0, stamp, book.add_format({"italic": True, "font_color": "#6b7280"}))
        sheet.set_footer("&L&8" + stamp.replace("&", "&&")[:200])
        book.set_properties({"comments": stamp})
    book.close()


def _is_exact(value: int | Decimal) -> bool:
    return len(Decimal(value).as_tuple().digits) <= _EXACT_DIGITS


def _sheet_name(title: str) -> str:
    """A name that a workbook takes: without its special characters, at most 31 of them."""
    kept = "".join(" " if each in "[]:*?/\\'" or not each.isprintable() else each for each in title)
    return kept.strip()[:31] or "1"
