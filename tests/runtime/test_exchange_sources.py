"""Files as people bring them: encodings, delimiters, spreadsheets, and files that mean harm."""

from __future__ import annotations

import datetime as dt
import io
import zipfile

import pytest
import xlsxwriter

from tabwright.platform.errors import Invalid
from tabwright.runtime.exchange import cells, dates, sheets, sources
from tabwright.runtime.exchange.sources import Format


def outlined(content: bytes, name: str = "file.csv") -> tuple[Format, sources.Outline]:
    form = sources.sniff(io.BytesIO(content), name)
    return form, sources.outline(io.BytesIO(content), form)


def refusal(content: bytes) -> tuple[str, int | None]:
    """Code and row of what stands against a file, whether it is refused or kept with a fault."""
    try:
        _, outline = outlined(content)
    except Invalid as error:
        return error.code, error.faults[0].place.row
    assert outline.fault is not None and outline.rows is None
    return outline.fault.code, outline.fault.place.row


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found(encoding: str, delimiter: str) -> None:
    rows = [["客户名称", "电话", "备注"], ["上海绿源新能源", "13800006620", "展会, 名片; 一"]]
    text = "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    form, outline = outlined(text.encode(encoding))
    assert (form.encoding, form.delimiter) == (encoding, delimiter)
    assert outline.header == tuple(rows[0])
    assert outline.sample == (tuple(rows[1]),)
    assert outline.rows == 1


def test_western_text_is_not_taken_for_chinese() -> None:
    form, outline = outlined("name,town\nJosé Müller,Zürich\nAndré Königsberg,Genève\n".encode("cp1252"))
    assert form.encoding in ("cp1252", "latin-1")
    assert outline.sample[0] == ("José Müller", "Zürich")


def test_row_numbers_are_the_files_own_and_blank_rows_are_left_out() -> None:
    content = b'a,b\n\n1,"x\ny"\n,\n2,z,,\n'
    form = sources.sniff(io.BytesIO(content), "f")
    found: list[tuple[int, list[str]]] = []
    sources.outline(io.BytesIO(content), form, take=lambda number, cells: found.append((number, [*cells])))
    assert found == [(3, ["1", "x\ny"]), (5, ["2", "z"])]


def test_header_names_are_told_apart() -> None:
    _, outline = outlined(b"name,,name,name (2),a\x01b\n1,2,3,4,5\n")
    assert outline.header == ("name", "B", "name (2)", "name (2) (2)", "a b")


def test_cells_beyond_the_header_have_letters_and_a_sample() -> None:
    rows = "".join(f"a{n},b{n}\n" for n in range(30))
    _, outline = outlined(f"name,note\n{rows}x,y,132,000\n".encode())
    assert outline.header == ("name", "note", "C", "D")
    assert outline.sample[-1] == ("x", "y", "132", "000") and len(outline.sample) == 20
    assert sources.unnamed(outline.header) == ("C", "D")


def test_a_file_without_header_has_letters() -> None:
    form = Format("csv", header=False)
    outline = sources.outline(io.BytesIO(b"1,2\n3,4,5\n"), form)
    assert outline.header == ("A", "B", "C")
    assert outline.rows == 2


@pytest.mark.parametrize(
    ("content", "code", "row"),
    [
        (b"", "import.empty_file", None),
        (b"\n\n,,\n", "import.empty_file", None),
        (b"a,b\n", "import.only_header", 1),
        (b"\x00\x01\x02", "import.not_a_table", None),
        (b"\xd0\xcf\x11\xe0rest", "import.old_sheet", None),
        (b"PK\x03\x04rest", "import.broken_sheet", None),
        (b'a,b\n1,2\n3,"x\n', "import.broken_csv", 3),
        (b'a,b\n1,"x"y\n', "import.broken_csv", 2),
        (b"a," * 1_000_001, "import.too_many_columns", 1),
        (b"x" * 5_000_000, "import.row_too_long", 1),
        (b"a,b\n" + b'"\n",' * 2_000_000, "import.row_too_long", 2),
        (("名称,b\n" + "上海,2\n" * 60_000).encode() + b"\xff\xfe,\xe4\n", "import.bad_character", 60_002),
    ],
)
def test_files_that_cannot_be_read(content: bytes, code: str, row: int | None) -> None:
    assert refusal(content) == (code, row)


def test_a_format_that_makes_no_sense_is_refused_with_its_place() -> None:
    with pytest.raises(Invalid) as caught:
        sources.changed(Format("csv"), {"encoding": "rot13", "delimiter": "x", "sheet": "1", "header": 1})
    found = {(each.code, each.place.pointer) for each in caught.value.faults}
    assert found == {
        ("import.unknown_encoding", "/format/encoding"),
        ("import.unknown_delimiter", "/format/delimiter"),
        ("import.unknown_format", "/format/sheet"),
        ("import.unknown_format", "/format/header"),
    }


# ---- spreadsheets
# ---------------------------------------------------------------------------------------------


def workbook() -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet("数据")
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    moment = book.add_format({"num_format": "m/d/yy h:mm"})
    money = book.add_format({"num_format": '#,##0.00 "days"'})
    sheet.write_row(0, 0, ["a", "day", "n", "yes", "moment", "money"])
    sheet.write_string(2, 0, "x")
    sheet.write_datetime(2, 1, dt.datetime(2017, 3, 1), day)
    sheet.write_number(2, 2, 0.1 + 0.2)
    sheet.write_boolean(2, 3, True)
    sheet.write_datetime(2, 4, dt.datetime(2017, 3, 1, 12, 30), moment)
    sheet.write_number(2, 5, 1234.5, money)
    sheet.write_rich_string(3, 0, "one ", book.add_format({"bold": True}), "two")
    sheet.write_string(3, 7, "far")
    sheet.write_formula(4, 0, '="q"&1', None, "q1")
    sheet.write_number(4, 2, 12345678901234)
    book.add_worksheet("second").write_row(0, 0, ["h", "i"])
    book.close()
    return out.getvalue()


def test_a_spreadsheet_reads_like_the_csv_of_the_same_table() -> None:
    form, _ = outlined(workbook(), "f.xlsx")
    assert (form.kind, form.sheet, form.sheets) == ("sheet", "数据", ("数据", "second"))
    assert list(sources.read(io.BytesIO(workbook()), form)) == [
        (1, ["a", "day", "n", "yes", "moment", "money"]),
        (3, ["x", "2017-03-01", "0.3", "true", "2017-03-01 12:30:00", "1234.5"]),
        (4, ["one two", "", "", "", "", "", "", "far"]),
        (5, ["q1", "", "12345678901234"]),
    ]
    other = sources.changed(form, {"sheet": "second"})
    assert [row for _, row in sources.read(io.BytesIO(workbook()), other)] == [["h", "i"]]
    with pytest.raises(Invalid) as caught:
        sources.changed(form, {"sheet": "third"})
    assert caught.value.code == "import.unknown_sheet"


def rezipped(**changed: bytes) -> bytes:
    """The workbook with other content in some of its parts."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook())) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            short = name.rpartition("/")[2].partition(".")[0]
            new.writestr(name, changed.get(short, old.read(name)))
    return out.getvalue()


def _code(content: bytes) -> str:
    with pytest.raises(Invalid) as caught:
        outlined(content, "f.xlsx")
    return caught.value.code


def test_workbooks_that_mean_harm_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><sst><si><t>&b;</t></si></sst>'
    assert _code(rezipped(sharedStrings=laughs)) == "import.broken_sheet"
    assert _code(rezipped(sheet1=b"<worksheet><sheetData><row")) == "import.broken_sheet"
    wide = b'<worksheet><sheetData><row r="1"><c r="XFD1"><v>1</v></c></row></sheetData></worksheet>'
    assert _code(rezipped(sheet1=wide)) == "import.too_many_columns"
    outside = b'<worksheet><sheetData><row><c t="s"><v>99999</v></c></row></sheetData></worksheet>'
    assert _code(rezipped(sheet1=outside)) == "import.broken_sheet"
    monkeypatch.setattr(sheets, "MOST_UNPACKED", 200_000)
    bomb = b"<worksheet><sheetData>" + b" " * 300_000 + b"</sheetData></worksheet>"
    assert _code(rezipped(sheet1=bomb)) == "import.sheet_too_large"


def test_a_zip_that_lies_about_its_sizes_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_UNPACKED", 200_000)
    content = bytearray(rezipped(sheet1=b"<worksheet>" + b" " * 300_000 + b"</worksheet>"))
    true = (300_000 + len(b"<worksheet></worksheet>")).to_bytes(4, "little")
    assert content.count(true) == 2
    assert _code(bytes(content.replace(true, (10).to_bytes(4, "little")))) == "import.sheet_too_large"


def test_a_last_row_far_down_costs_nothing() -> None:
    row = b'<row r="1048576"><c r="A1048576" t="str"><v>x</v></c></row>'
    far = b"<worksheet><sheetData>" + row + b"</sheetData></worksheet>"
    form = Format("sheet", sheet="数据", sheets=("数据",))
    assert list(sources.read(io.BytesIO(rezipped(sheet1=far)), form)) == [(1_048_576, ["x"])]


# ---- days and cells
# -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2017-3-1", "ymd", "2017-03-01"),
        ("2017/03/01", "dmy", "2017-03-01"),
        ("20170301", "ymd", "2017-03-01"),
        ("2017年3月1日", "ymd", "2017-03-01"),
        ("2017-03-01 00:00:00", "ymd", "2017-03-01"),
        ("2017-03-01 12:00", "ymd", "2017-03-01 12:00"),
        ("1.3.2017", "dmy", "2017-03-01"),
        ("3/1/2017", "mdy", "2017-03-01"),
        ("3/1/2017", "ymd", "3/1/2017"),
        ("soon", "ymd", "soon"),
        ("42795", "ymd", "2017-03-01"),
        ("42795.5", "ymd", "42795.5"),
        ("99999", "ymd", "99999"),
        ("２０１７年３月１日", "ymd", "2017-03-01"),
        ("2017／3／1", "dmy", "2017-03-01"),
    ],
)
def test_days(text: str, order: dates.Order, day: str) -> None:
    assert dates.read_day(text, order) == day


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2017/3/1 9:05", "2017-03-01T09:05:00"),
        ("2017-03-01", "2017-03-01T00:00:00"),
        ("2017-03-01T09:05:07Z", "2017-03-01T09:05:07Z"),
        ("2017-03-01 09:05:07.5 +0800", "2017-03-01T09:05:07.500000+08:00"),
        ("2017-03-01 12:05 am", "2017-03-01T00:05:00"),
        ("2017-03-01 13:05 am", "2017-03-01 13:05 am"),
        ("2017年3月1日 下午2:05", "2017-03-01T14:05:00"),
        ("2017年3月1日14时5分", "2017-03-01T14:05:00"),
        ("2017/3/1 上午9点05分30秒", "2017-03-01T09:05:30"),
        ("42795.25", "2017-03-01T06:00:00"),
    ],
)
def test_moments(text: str, moment: str) -> None:
    assert dates.read_moment(text) == moment


def test_the_order_of_days_is_only_guessed_where_it_is_proved() -> None:
    assert dates.guess_order(["1/3/2017", "25/3/2017"]) == "dmy"
    assert dates.guess_order(["1/3/2017", "3/25/2017"]) == "mdy"
    assert dates.guess_order(["1/3/2017", "2/3/2017"]) == "ymd"
    assert dates.guess_order(["25/3/2017", "3/25/2017"]) == "ymd"


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\tx", "\rx"])
def test_formulas_are_made_safe_and_come_back(cell: str) -> None:
    assert cells.safe(cell) == "'" + cell
    assert cells.unsafe(cells.safe(cell)) == cell


@pytest.mark.parametrize("cell", ["-5", "+86", "-1,234.50", "3%", "text", "'quoted", ""])
def test_numbers_and_texts_stay_as_they_are(cell: str) -> None:
    assert cells.safe(cell) == cell
    assert cells.unsafe(cell) == cell
