"""Spreadsheets (.xlsx) as rows of text cells, read as a stream.

A workbook is a zip of XML that says what it likes of its own sizes, so nothing it states is believed: parts
are unpacked in blocks against a limit, a document type is refused, and only one row of cells is held at a
time. The shared texts are held once and never copied into cells.
"""

from __future__ import annotations

import datetime as dt
import io
import posixpath
import re
import struct
import xml.parsers.expat as expat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from tabwright.platform.errors import Invalid, Place

MOST_UNPACKED = 1024 * 1024 * 1024
MOST_SHARED = 64 * 1024 * 1024  # characters of shared texts
MOST_COLUMNS = 1000
LONGEST_CELL = 131_072
_DIRECTORY = 1024 * 1024
_BLOCK = 64 * 1024

_BROKEN = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, expat.ExpatError, OSError,
    ValueError, KeyError, IndexError, OverflowError,
)  # fmt: skip


def names(content: BinaryIO) -> tuple[str, ...]:
    """The names of the sheets, in order. Raises Invalid for what is no workbook."""
    with _Workbook(content) as book:
        return tuple(book.sheets)


def rows(content: BinaryIO, sheet: str | None) -> Iterator[tuple[int, list[str]]]:
    """(row number as the spreadsheet shows it, cells as text). Raises Invalid for an unknown or broken
    sheet.
    """
    with _Workbook(content) as book:
        if sheet not in book.sheets:
            raise Invalid.of("import.unknown_sheet", Place(pointer="/format/sheet"), given=str(sheet)[:80])
        yield from book.rows(sheet)


class _Workbook:
    def __init__(self, content: BinaryIO) -> None:
        self._content = content
        self._left = MOST_UNPACKED

    def __enter__(self) -> _Workbook:
        try:
            _check_directory(self._content)
            self._zip = zipfile.ZipFile(self._content)
            self._entries = {each.filename.lower(): each for each in self._zip.infolist()}
            if "xl/workbook.xml" not in self._entries:
                raise Invalid.of("import.not_xlsx", Place())
            self._targets: dict[str, str] = {}
            self._ids: dict[str, str] = {}
            self._epoch = dt.datetime(1899, 12, 30)
            self._parse("xl/_rels/workbook.xml.rels", self._relation)
            self._parse("xl/workbook.xml", self._sheet)
            self.sheets = {name: self._targets[id] for name, id in self._ids.items() if id in self._targets}
        except _BROKEN as error:
            raise Invalid.of("import.broken_sheet", Place()) from error
        return self

    def __exit__(self, *error: object) -> None:
        self._zip.close()

    def _relation(self, name: str, given: dict[str, str]) -> None:
        if name == "Relationship" and given.get("TargetMode") != "External":
            target = given["Target"]
            path = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
            self._targets[given["Id"]] = path.lower()

    def _sheet(self, name: str, given: dict[str, str]) -> None:
        if name == "workbookPr" and given.get("date1904", "0") in ("1", "true"):
            self._epoch = dt.datetime(1904, 1, 1)
        elif name == "sheet" and len(self._ids) < 1000:
            id = next((value for key, value in given.items() if key.endswith(":id")), "")
            self._ids[given["name"]] = id

    def rows(self, sheet: str) -> Iterator[tuple[int, list[str]]]:
        last = 0
        try:
            texts = _Texts()
            self._parse("xl/sharedstrings.xml", texts.start, texts.end, texts.data)
            styles = _Styles()
            self._parse("xl/styles.xml", styles.start)
            reader = _Cells(texts.done, styles.kinds(), self._epoch)
            parser = _parser(reader.start, reader.end, reader.data)
            for block in self._blocks(self.sheets[sheet]):
                parser.Parse(block, False)
                for last, cells in reader.taken():
                    yield last, cells
            parser.Parse(b"", True)
            for last, cells in reader.taken():
                yield last, cells
        except _BROKEN as error:
            raise Invalid.of("import.broken_sheet", Place(row=last + 1 if last else None)) from error

    def _parse(
        self,
        path: str,
        start: Callable[[str, dict[str, str]], None],
        end: Callable[[str], None] | None = None,
        data: Callable[[str], None] | None = None,
    ) -> None:
        if path not in self._entries:
            return
        parser = _parser(start, end, data)
        for block in self._blocks(path):
            parser.Parse(block, False)
        parser.Parse(b"", True)

    def _blocks(self, path: str) -> Iterator[bytes]:
        entry = self._entries[path]
        entry.file_size = (
            1 << 60
        )  # what it says of itself is not believed: read until it ends, or is too much
        with self._zip.open(entry) as stream:
            while block := stream.read(_BLOCK):
                self._left -= len(block)
                if self._left < 0:
                    raise Invalid.of("import.sheet_too_large", Place(), most=MOST_UNPACKED)
                yield block


def _check_directory(content: BinaryIO) -> None:
    """The list of entries is read as a whole by everybody, so its size comes first."""
    size = content.seek(0, io.SEEK_END)
    content.seek(max(0, size - 65_557))
    tail = content.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise Invalid.of("import.broken_sheet", Place())
    count, directory = struct.unpack("<HI", tail[at + 10 : at + 16])
    if directory > _DIRECTORY or count == 0xFFFF:
        raise Invalid.of("import.sheet_too_large", Place(), most=MOST_UNPACKED)
    content.seek(0)


def _parser(
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None,
    data: Callable[[str], None] | None,
) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.StartElementHandler = lambda name, given: start(name.rpartition(":")[2], given)
    if end is not None:
        finish = end
        parser.EndElementHandler = lambda name: finish(name.rpartition(":")[2])
    if data is not None:
        parser.CharacterDataHandler = data
    return parser


def _no_doctype(*given: object) -> None:
    raise Invalid.of("import.broken_sheet", Place())


# ---- texts and styles -----------------------------------------------------------------------------


class _Texts:
    """The shared texts, each the parts of its rich text put together, readings of Japanese left out."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self._parts: list[str] = []
        self._taking = False
        self._reading = False
        self._left = MOST_SHARED

    def start(self, name: str, given: dict[str, str]) -> None:
        if name == "si":
            self._parts = []
        elif name == "rPh":
            self._reading = True
        elif name == "t":
            self._taking = not self._reading

    def end(self, name: str) -> None:
        if name == "t":
            self._taking = False
        elif name == "rPh":
            self._reading = False
        elif name == "si":
            self.done.append("".join(self._parts)[: LONGEST_CELL + 1])
            self._left -= 16  # an empty one takes room too
            self._check()

    def data(self, text: str) -> None:
        if self._taking:
            self._parts.append(text)
            self._left -= len(text)
            self._check()

    def _check(self) -> None:
        if self._left < 0:
            raise Invalid.of("import.sheet_too_large", Place(), most=MOST_SHARED)


_DATES = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
_NOT_CODES = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')


class _Styles:
    """Which cell styles show a number as a date or a time."""

    def __init__(self) -> None:
        self._formats: dict[int, str] = {}
        self._used: list[int] = []
        self._in_cells = False

    def start(self, name: str, given: dict[str, str]) -> None:
        if name == "numFmt" and len(self._formats) < 10_000:
            self._formats[int(given.get("numFmtId", 0))] = given.get("formatCode", "")[:500]
        elif name in ("cellXfs", "cellStyleXfs", "dxfs", "cellStyles"):
            self._in_cells = name == "cellXfs"
        elif name == "xf" and self._in_cells and len(self._used) < 100_000:
            self._used.append(int(given.get("numFmtId", 0)))

    def kinds(self) -> list[bool]:
        """For each cell style whether it is of a date."""
        return [each in _DATES or self._is_date(self._formats.get(each, "")) for each in self._used]

    @staticmethod
    def _is_date(code: str) -> bool:
        plain = _NOT_CODES.sub("", code.partition(";")[0]).lower()
        return "general" not in plain and any(letter in plain for letter in "ymdhs")


# ---- cells ----------------------------------------------------------------------------------------


class _Cells:
    def __init__(self, texts: list[str], dates: list[bool], epoch: dt.datetime) -> None:
        self._texts = texts
        self._dates = dates
        self._epoch = epoch
        self._row = 0
        self._column = 0
        self._cells: list[str] = []
        self._done: list[tuple[int, list[str]]] = []
        self._kind = "n"
        self._style = 0
        self._parts: list[str] = []
        self._length = 0
        self._taking = False

    def taken(self) -> list[tuple[int, list[str]]]:
        done, self._done = self._done, []
        return done

    def start(self, name: str, given: dict[str, str]) -> None:
        if name == "c":
            reference = given.get("r")
            self._column = _column(reference) if reference else self._column + 1
            if not 0 < self._column <= MOST_COLUMNS:
                raise Invalid.of("import.too_many_columns", Place(row=self._row), most=MOST_COLUMNS)
            self._kind = given.get("t", "n")
            self._style = int(given.get("s", 0))
            self._parts = []
            self._length = 0
        elif name == "v" or name == "t":
            self._taking = True
        elif name == "rPh":
            self._kind = "reading"
        elif name == "row":
            self._row = int(given["r"]) if "r" in given else self._row + 1
            self._column = 0
            self._cells = []

    def data(self, text: str) -> None:
        if self._taking:
            self._length += len(text)
            if self._length > LONGEST_CELL:
                raise Invalid.of("import.cell_too_long", Place(row=self._row), most=LONGEST_CELL)
            self._parts.append(text)

    def end(self, name: str) -> None:
        if name == "v" or name == "t":
            self._taking = False
        elif name == "rPh":
            self._kind = "inlineStr"
        elif name == "c":
            text = self._text("".join(self._parts)) if self._parts else ""
            if text:
                self._cells.extend([""] * (self._column - 1 - len(self._cells)))
                self._cells[self._column - 1 :] = [text]
        elif name == "row":
            self._done.append((self._row, self._cells))

    def _text(self, raw: str) -> str:
        if self._kind == "s":
            text = self._texts[int(raw)]
            if len(text) > LONGEST_CELL:
                raise Invalid.of("import.cell_too_long", Place(row=self._row), most=LONGEST_CELL)
            return text
        if self._kind == "b":
            return "true" if raw == "1" else "false"
        if self._kind == "d":
            return raw.replace("T", " ").removesuffix(" 00:00:00")
        if self._kind != "n":
            return raw  # a formula's text, an inline text, an error such as #N/A
        if self._style < len(self._dates) and self._dates[self._style]:
            return self._moment(float(raw))
        return _number(raw)

    def _moment(self, days: float) -> str:
        if self._epoch.year == 1899 and 0 <= days < 61:
            days += days >= 1 and days < 60  # 1900 is no leap year, though the format has its 29 February
        moment = self._epoch + dt.timedelta(seconds=round(days * 86_400))
        if 0 <= days < 1:
            return moment.time().isoformat()
        return moment.date().isoformat() if moment.time() == dt.time() else moment.isoformat(sep=" ")


def _number(raw: str) -> str:
    """The digits as a person reads them: a spreadsheet keeps 0.1 + 0.2 with 17 digits and shows 15."""
    if raw.isdigit() or len(raw) < 15 and "e" not in raw.lower():
        return raw
    number = float(raw)
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    return format(number, ".15g")


def _column(reference: str) -> int:
    number = 0
    for letter in reference:
        if not letter.isalpha():
            break
        number = number * 26 + ord(letter.upper()) - 64
        if number > MOST_COLUMNS:
            return number
    return number
