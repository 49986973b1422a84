"""Tables as people bring them: CSV in any common encoding and delimiter, and spreadsheets.

``sniff`` looks at the file and proposes how to read it; the person may change each part of the proposal.
``read`` then streams the whole as rows of text cells, one (number, cells) pair a row, the numbers counting
rows of the file from 1 as a spreadsheet shows them.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from typing import Any, BinaryIO, Literal

from tabwright.platform.errors import Fault, Invalid, Place
from tabwright.runtime.exchange import sheets
from tabwright.runtime.exchange.cells import is_result, unsafe
from tabwright.runtime.exchange.sheets import LONGEST_CELL, MOST_COLUMNS
from tabwright.runtime.exchange.stamps import is_stamp

Kind = Literal["csv", "sheet"]
ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "utf-16", "big5", "shift_jis", "cp1252", "latin-1")
DELIMITERS = (",", ";", "\t", "|")
SAMPLE_BYTES = 256 * 1024
_LONGEST_ROW = 4_000_000  # characters

Rows = Iterator[tuple[int, list[str]]]


@dataclass(frozen=True, slots=True)
class Format:
    """How a file is read. ``sheet`` names the sheet of a spreadsheet; the other parts are a CSV's."""

    kind: Kind
    encoding: str = "utf-8"
    delimiter: str = ","
    header: bool = True
    sheet: str | None = None
    sheets: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Format:
        return Format(**{**value, "sheets": tuple(value["sheets"])})


def changed(form: Format, changes: Mapping[str, Any]) -> Format:
    """The format with a person's corrections. Raises Invalid with a pointer for each that makes no sense."""
    allowed: Mapping[str, Sequence[Any]] = (
        {"encoding": ENCODINGS, "delimiter": DELIMITERS, "header": (True, False)}
        if form.kind == "csv"
        else {"sheet": form.sheets, "header": (True, False)}
    )
    codes = {
        "encoding": "import.unknown_encoding",
        "delimiter": "import.unknown_delimiter",
        "sheet": "import.unknown_sheet",
    }
    faults = []
    for name, value in changes.items():
        choices = allowed.get(name)
        if choices is None or not any(
            value is each or (value == each and type(value) is str) for each in choices
        ):
            code = (
                codes.get(name, "import.unknown_format") if choices is not None else "import.unknown_format"
            )
            place = Place(pointer=f"/format/{name[:80]}")
            faults.append(Fault(code, {"given": str(value)[:80], "name": name[:80]}, place))
    if faults:
        raise Invalid(faults)
    return replace(form, **changes)


def sniff(content: BinaryIO, filename: str) -> Format:
    """Propose a Format. Raises Invalid for a file that is neither text nor a spreadsheet."""
    content.seek(0)
    head = content.read(SAMPLE_BYTES)
    if head[:4] == b"PK\x03\x04":
        names = sheets.names(content)
        if not names:
            raise Invalid.of("import.broken_sheet", Place())
        return Format("sheet", sheet=names[0], sheets=names)
    if head[:4] == b"\xd0\xcf\x11\xe0":
        raise Invalid.of("import.old_sheet", Place(), file=filename)
    encoding = _encoding(head)
    if encoding is None:
        raise Invalid.of("import.not_a_table", Place(), file=filename)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head, final=False)
    return Format("csv", encoding=encoding, delimiter=_delimiter(text))


def read(content: BinaryIO, form: Format) -> Rows:
    """Every row with anything in it, header included, as (row number from 1, cells without outer blanks); not
    the line that says whose export the file is.

    Raises Invalid with the row where the file stops being readable: a character that the encoding does not
    have, quotes that are never closed, a cell beyond 131,072 characters, more than 1,000 columns.
    """
    content.seek(0)
    found = sheets.rows(content, form.sheet) if form.kind == "sheet" else _csv_rows(content, form)
    for number, cells in found:
        while cells and not cells[-1].strip():  # spreadsheets like to end lines with empty columns
            cells.pop()
        if len(cells) > MOST_COLUMNS:
            raise Invalid.of("import.too_many_columns", Place(row=number), most=MOST_COLUMNS)
        if cells and not is_stamp(cells):
            yield number, [cell.strip() for cell in cells]


@dataclass(frozen=True, slots=True)
class Outline:
    """What a file holds: the header (letters ``A, B, ...`` where it has none, and for cells that stand beyond
    it), first rows and the first that goes beyond the header, how many in all.
    """

    header: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]
    rows: int | None
    fault: Fault | None = None  # why it cannot be read to its end


def outline(
    content: BinaryIO,
    form: Format,
    sample: int = 20,
    take: Callable[[int, Sequence[str]], None] = lambda number, cells: None,
) -> Outline:
    """Read the file once from end to end; ``take`` gets the rows under the header, (number, cells). Raises
    Invalid where there is nothing to import at all.

    A file that breaks off after its first row is outlined all the same, with its fault: another encoding or
    delimiter may read it.
    """
    rows = read(content, form)
    top = next(rows, None)
    if top is None:
        raise Invalid.of("import.empty_file", Place())
    if not form.header:
        rows = chain((top,), rows)
    made_safe = form.header and is_result(top[1])
    first: list[list[str]] = []
    count, width = 0, len(top[1])
    fault = None
    try:
        for number, cells in rows:
            if len(cells) > width:
                if form.header and first and count >= sample and width == len(top[1]):
                    first[-1] = cells  # one that shows what stands there
                width = len(cells)
            if count < sample:
                first.append(cells)
            take(number, [unsafe(cell) for cell in cells] if made_safe else cells)
            count += 1
    except Invalid as error:
        fault = error.faults[0]
    if form.header:
        header = _distinct([*top[1], *[""] * (width - len(top[1]))])
    else:
        header = [_letter(index) for index in range(width)]
    shown = [[*row, *[""] * (len(header) - len(row))][: len(header)] for row in first]
    if not count and fault is None:
        raise Invalid.of("import.only_header", Place(row=1))
    return Outline(tuple(header), tuple(map(tuple, shown)), None if fault else count, fault)


def unnamed(header: Sequence[str]) -> tuple[str, ...]:
    """The columns of a header that go by their letters, because nothing stands above them."""
    return tuple(name for index, name in enumerate(header) if name == _letter(index))


# ---- text -----------------------------------------------------------------------------------------


def _encoding(head: bytes) -> str | None:
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\x00" in head:
        return None
    if _decodes(head, "utf-8") is not None:
        return "utf-8"
    text = _decodes(head, "gb18030")
    if text and _looks_chinese(text):
        return "gb18030"
    from charset_normalizer import from_bytes

    best = from_bytes(head[:65536], cp_isolation=list(ENCODINGS)).best()
    found = codecs.lookup(best.encoding).name if best else "cp1252"
    guess = next((each for each in ENCODINGS if codecs.lookup(each).name == found), "latin-1")
    # One broken byte in a file that is UTF-8 otherwise is better shown as such than read as another language.
    if best is None and _mostly_utf8(head):
        return "utf-8"
    return guess


def _decodes(head: bytes, encoding: str) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)(errors="strict").decode(head, final=False)
    except UnicodeDecodeError:
        return None


def _mostly_utf8(head: bytes) -> bool:
    text = head.decode("utf-8", "replace")
    foreign = sum(ord(char) > 127 for char in text)
    return foreign > 20 * text.count("\ufffd")


def _looks_chinese(text: str) -> bool:
    """Whether what is not ASCII is mostly in the block of everyday Han characters and their punctuation.

    Western text read as GB 18030 gives rare characters or fails; 0.6 leaves room for names and symbols.
    """
    foreign = [char for char in text if ord(char) > 127]
    everyday = sum(
        "\u4e00" <= char <= "\u9fa5" or "\u3000" <= char <= "\u303f" or "\uff01" <= char <= "\uff5e"
        for char in foreign
    )
    return bool(foreign) and everyday / len(foreign) > 0.6


def _delimiter(text: str) -> str:
    """The delimiter under which the first lines have the most columns, and all the same number of them."""
    lines = [line[:100_000] for line in text.splitlines()[:50]]
    lines = lines[:-1] if len(lines) > 2 else lines  # the last may be cut

    def score(delimiter: str) -> tuple[float, int]:
        try:
            counts = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            return (0.0, 0)
        if not counts or max(counts) == 1:
            return (0.0, 0)
        usual = max(set(counts), key=counts.count)
        return (counts.count(usual) / len(counts) if usual > 1 else 0.0, usual)

    return max(DELIMITERS, key=score)


class _Lines:
    """The lines of a text, none beyond a length, so that a file without line ends is not read into one."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.number = 0  # of the row that is being read
        self.length = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(_LONGEST_ROW + 1):
            self.length += len(line)
            if self.length > _LONGEST_ROW:
                raise Invalid.of("import.row_too_long", Place(row=self.number), most=_LONGEST_ROW)
            yield line


def _csv_rows(content: BinaryIO, form: Format, errors: str = "strict") -> Rows:
    csv.field_size_limit(LONGEST_CELL)
    text = io.TextIOWrapper(content, encoding=form.encoding, errors=errors, newline="")
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=form.delimiter, strict=True)
    lines.number = 1
    bad = ""
    try:
        for cells in reader:
            yield lines.number, cells
            lines.number += 1
            lines.length = 0
    except UnicodeDecodeError as error:
        bad = error.object[error.start : error.end].hex()
    except csv.Error as error:
        place = Place(row=lines.number, line=reader.line_num)
        raise Invalid.of("import.broken_csv", place, reason=str(error)) from None
    finally:
        text.detach()  # or it would close what is not its own
    if bad:
        row = _row_of_bad_character(content, form) or lines.number
        raise Invalid.of("import.bad_character", Place(row=row), encoding=form.encoding, bytes=bad)


def _row_of_bad_character(content: BinaryIO, form: Format) -> int | None:
    """Text is decoded in blocks, so the block that failed may begin many rows before the bad byte."""
    content.seek(0)
    for number, cells in _csv_rows(content, form, "replace"):
        if any("\ufffd" in cell for cell in cells):
            return number
    return None


# ---- header ---------------------------------------------------------------------------------------


def _distinct(names: Sequence[str]) -> list[str]:
    """The header's names; an empty one takes its column's letter, a repeated one its number."""
    taken: set[str] = set()
    out: list[str] = []
    for index, name in enumerate(names):
        name = "".join(char if char.isprintable() else " " for char in name).strip()
        name = plain = (name or _letter(index))[:200]
        count = 1
        while name in taken:
            count += 1
            name = f"{plain} ({count})"
        taken.add(name)
        out.append(name)
    return out


def _letter(index: int) -> str:
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
