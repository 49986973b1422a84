"""Tables as people bring them: CSV in any common encoding and delimiter, and spreadsheets.

``sniff`` looks at the first bytes and proposes how to read; the person may change each part of the
proposal. ``read`` then streams the whole as rows of text cells, one (number, cells) pair a row, the
numbers counting rows of the file from 1 as a spreadsheet shows them.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO, Literal

from tabwright.platform.errors import Invalid, Place

Kind = Literal["csv", "sheet"]
ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "utf-16", "big5", "shift_jis", "cp1252", "latin-1")
DELIMITERS = (",", ";", "\t", "|")
SAMPLE_BYTES = 256 * 1024
MOST_COLUMNS = 1000
_LONGEST_CELL = 131_072


@dataclass(frozen=True, slots=True)
class Format:
    """How a file is read. ``sheet`` names the sheet of a spreadsheet; the other parts are a CSV's."""

    kind: Kind
    encoding: str = "utf-8"
    delimiter: str = ","
    header: bool = True
    sheet: str | None = None
    sheets: tuple[str, ...] = ()

    def checked(self) -> Format:
        """Itself, or Invalid where a person named an encoding or delimiter that we do not read."""
        if self.encoding not in ENCODINGS:
            raise Invalid.of("import.unknown_encoding", Place(pointer="/format/encoding"), given=self.encoding)
        if self.delimiter not in DELIMITERS:
            raise Invalid.of("import.unknown_delimiter", Place(pointer="/format/delimiter"), given=self.delimiter)
        return self


def sniff(head: bytes, filename: str, whole: BinaryIO | None = None) -> Format:
    """Propose a Format from the first bytes (SAMPLE_BYTES are enough); ``whole`` is needed for a spreadsheet.

    Raises Invalid for a file that is neither text nor a spreadsheet.
    """
    if head[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        if whole is None:
            return Format("sheet")
        names = tuple(_workbook(whole).sheet_names)
        return Format("sheet", sheet=names[0] if names else None, sheets=names)
    encoding = _encoding(head)
    if encoding is None:
        raise Invalid.of("import.not_a_table", Place(), file=filename)
    text = codecs.getincrementaldecoder(encoding)(errors="strict").decode(head, final=False)
    return Format("csv", encoding=encoding, delimiter=_delimiter(text))


def read(content: BinaryIO, form: Format) -> Iterator[tuple[int, list[str]]]:
    """Every row with anything in it, header included, as (row number from 1, cells without outer blanks).

    Raises Invalid with the row where the file stops being readable: a character that the encoding does not
    have, quotes that are never closed, a cell beyond 131,072 characters.
    """
    rows = _sheet_rows(content, form) if form.kind == "sheet" else _csv_rows(content, form)
    for number, cells in rows:
        cells = [cell.strip() for cell in cells]
        if any(cells):
            if len(cells) > MOST_COLUMNS:
                raise Invalid.of("import.too_many_columns", Place(row=number), most=MOST_COLUMNS)
            yield number, cells


def header_of(content: BinaryIO, form: Format, sample: int = 20) -> tuple[list[str], list[list[str]]]:
    """The header (made names ``A, B, ...`` where the file has none) and the first ``sample`` rows under it."""
    rows: list[list[str]] = []
    for _, cells in read(content, form):
        rows.append(cells)
        if len(rows) > sample:
            break
    if not rows:
        raise Invalid.of("import.empty_file", Place())
    if form.header:
        return _distinct(rows[0]), rows[1:]
    return [_letter(index) for index in range(max(map(len, rows)))], rows[:sample]


def with_changes(form: Format, **changes: object) -> Format:
    """The format with a person's corrections, checked."""
    return replace(form, **changes).checked()  # type: ignore[arg-type]


# ---- text ---------------------------------------------------------------------------------------------


def _encoding(head: bytes) -> str | None:
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\x00" in head:
        return None
    if _decodes(head, "utf-8"):
        return "utf-8"
    text = _decodes(head, "gb18030")
    if text and _looks_chinese(text):
        return "gb18030"
    from charset_normalizer import from_bytes

    best = from_bytes(head, cp_isolation=list(ENCODINGS)).best()
    found = codecs.lookup(best.encoding).name if best else "cp1252"
    return next((each for each in ENCODINGS if codecs.lookup(each).name == found), "latin-1")


def _decodes(head: bytes, encoding: str) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)(errors="strict").decode(head, final=False) or " "
    except UnicodeDecodeError:
        return None


def _looks_chinese(text: str) -> bool:
    """Whether what is not ASCII is mostly in the block of everyday Han characters and their punctuation.

    Western text read as GB 18030 gives rare characters or fails; 0.6 leaves room for names and symbols.
    """
    foreign = [char for char in text if ord(char) > 127]
    everyday = sum("\u4e00" <= char <= "\u9fa5" or "\u3000" <= char <= "\u303f" or "\uff01" <= char <= "\uff5e" for char in foreign)
    return bool(foreign) and everyday / len(foreign) > 0.6


def _delimiter(text: str) -> str:
    """The delimiter under which the first lines have the most columns, and all the same number of them."""
    lines = text.splitlines()[:50]
    lines = lines[:-1] if len(lines) > 2 else lines  # the last may be cut

    def score(delimiter: str) -> tuple[float, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        if not counts or max(counts) == 1:
            return (0.0, 0)
        usual = max(set(counts), key=counts.count)
        return (counts.count(usual) / len(counts), usual)

    return max(DELIMITERS, key=score)


def _csv_rows(content: BinaryIO, form: Format) -> Iterator[tuple[int, list[str]]]:
    text = io.TextIOWrapper(content, encoding=form.encoding, errors="strict", newline="")
    reader = csv.reader(text, delimiter=form.delimiter, strict=True)
    number = 0
    try:
        for cells in reader:
            number += 1
            yield number, cells
    except UnicodeDecodeError as error:
        raise Invalid.of(
            "import.bad_character", Place(row=number + 1), encoding=form.encoding, bytes=error.object[error.start : error.end].hex()
        ) from None
    except csv.Error as error:
        raise Invalid.of("import.broken_csv", Place(row=number + 1, line=reader.line_num), reason=str(error)) from None
    finally:
        text.detach()


# ---- spreadsheets -----------------------------------------------------------------------------------------


def _workbook(content: BinaryIO):  # type: ignore[no-untyped-def]  # python_calamine has no stable type of its own here
    import python_calamine

    content.seek(0)
    try:
        return python_calamine.CalamineWorkbook.from_filelike(content)
    except Exception as error:  # the reader raises one class per file kind
        raise Invalid.of("import.not_a_table", Place(), file="") from error


def _sheet_rows(content: BinaryIO, form: Format) -> Iterator[tuple[int, list[str]]]:
    book = _workbook(content)
    if form.sheet not in book.sheet_names:
        raise Invalid.of("import.unknown_sheet", Place(pointer="/format/sheet"), given=str(form.sheet))
    for number, cells in enumerate(book.get_sheet_by_name(form.sheet).iter_rows(), start=1):
        yield number, [_cell_text(cell) for cell in cells]


def _cell_text(cell: object) -> str:
    """A spreadsheet's cell as the text that a CSV of the same table would hold."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ") if (cell.hour, cell.minute, cell.second) != (0, 0, 0) else cell.date().isoformat()
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell)


# ---- header -----------------------------------------------------------------------------------------------


def _distinct(names: Sequence[str]) -> list[str]:
    """The header's names; an empty one takes its column's letter, a repeated one its number."""
    seen: dict[str, int] = {}
    out: list[str] = []
    for index, name in enumerate(names):
        name = name or _letter(index)
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return out


def _letter(index: int) -> str:
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


csv.field_size_limit(_LONGEST_CELL)


def chunks(rows: Iterable[tuple[int, list[str]]], size: int) -> Iterator[list[tuple[int, list[str]]]]:
    """The rows in lists of ``size``."""
    chunk: list[tuple[int, list[str]]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
