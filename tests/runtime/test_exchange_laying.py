"""The rows of a file in pieces of the store: read from any row on, without reading what stands before it."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
import xlsxwriter

from apisite import ApiSite, make_api
from importing import Importer, counted, csv_of
from stores import DIALECTS
from tabwright.platform.database import Store
from tabwright.runtime.exchange import laying, sources
from tabwright.runtime.exchange.carrying import Shelf
from tabwright.runtime.exchange.laying import Laid
from tabwright.runtime.exchange.tables import ROWS


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[ApiSite]:
    with tempfile.TemporaryDirectory() as folder, make_api(request.param, Path(folder)) as made:
        made.publish({"deal": {"title": "text(40) required", "code": "text(20) unique external_key"}})
        yield made


def laid(site: ApiSite, rows: list[tuple[int, list[str]]]) -> tuple[Store, UUID]:
    store, id = site.tenant.store, site.site.ids.new()
    with Laid() as taking:
        for number, cells in rows:
            taking.put(number, cells)
        with store.write() as writer:
            taking.keep(writer, id)
    return store, id


def pieces(store: Store, id: UUID) -> int:
    with store.read() as reader:
        chosen = sa.select(sa.func.count()).select_from(ROWS).where(ROWS.c.import_id == id)
        return int(reader.execute(chosen).scalar_one())


# Blank rows are left out of a file: numbers have gaps, also where a piece begins.
FILE = [
    (number, [f"r{number}", "", '中"\n,', "\x00", "x" * (2000 if number % 7 else 0)])
    for number in range(2, 3000)
    if number % 5
]


def test_rows_are_what_was_put_in_from_any_row_on(site: ApiSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laying, "PIECE", 64 * 1024)
    store, id = laid(site, FILE)
    assert pieces(store, id) > 20
    for after in (0, 1, 2, 5, 6, 31, 32, 33, 34, 35, 36, 1499, 1500, 2998, 2999, 5000):
        assert list(laying.rows(store, id, after)) == [row for row in FILE if row[0] > after], after


def test_the_rows_before_are_not_read(site: ApiSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laying, "PIECE", 64 * 1024)
    store, id = laid(site, FILE)
    decoded: list[bytes] = []
    decode = laying._decode

    def counting(line: bytes) -> list[str]:
        decoded.append(line)
        return decode(line)

    monkeypatch.setattr(laying, "_decode", counting)
    assert next(laying.rows(store, id, 2900))[0] == 2901
    assert 0 < len(decoded) < 100


def test_a_sheet_is_read_once_however_often_it_is_checked_and_run(
    site: ApiSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet()
    for at, row in enumerate([["title", "code"], *([f"T{n}", f"S{n}"] for n in range(30))]):
        sheet.write_row(at, 0, row)
    book.close()
    one = Importer(site)
    run = one.start("deal", out.getvalue(), "deals.xlsx")

    def never(*given: object) -> None:
        raise AssertionError("the sheet is read again")

    monkeypatch.setattr(sources, "read", never)
    assert counted(one.check(run.id)) == {"created": 30}
    assert counted(one.run(run.id)) == {"created": 30}
    assert pieces(site.tenant.store, run.id) == 0, "nothing reads them once the import is done"
    assert one.undo(run.id).state == "undone"


def test_a_file_read_in_another_way_has_other_rows(site: ApiSite) -> None:
    one = Importer(site)
    run = one.start("deal", csv_of(["title", "code"], [["客户", "G1"], ["公司", "G2"]]).encode("gb18030"))
    assert [row for _, row in laying.rows(site.tenant.store, run.id)] == [["客户", "G1"], ["公司", "G2"]]
    one.imports.change_format(run.id, {"header": False})
    assert [number for number, _ in laying.rows(site.tenant.store, run.id)] == [1, 2, 3]
    one.imports.change_format(run.id, {"header": True, "delimiter": ";"})
    assert [row for _, row in laying.rows(site.tenant.store, run.id)] == [["客户,G1"], ["公司,G2"]]


def test_a_file_from_before_rows_were_laid_out_goes_on(site: ApiSite) -> None:
    one = Importer(site)
    run = one.start("deal", csv_of(["title", "code"], [["A", "O1"], ["B", "O2"]]))
    with site.tenant.store.write() as writer:
        laying.forget(writer, run.id)
    assert counted(one.check(run.id)) == {"created": 2}
    assert counted(one.run(run.id)) == {"created": 2}
    one.undo(run.id)


def test_a_shelf_finds_rows_by_key_and_keys_of_several_rows() -> None:
    shelf = Shelf()
    shelf.put(0, [(2, ["a"], [1, -(2**63)]), (3, ["b"], [1])])
    shelf.put(1, [(4, ["c"], [1]), (5, ["d"], [1, 7])])
    assert sorted((number, chunk, cells) for _, number, chunk, cells in shelf.by_keys([1])) == [
        (2, 0, ["a"]), (3, 0, ["b"]), (4, 1, ["c"])
    ]  # fmt: skip
    assert [number for _, number, _, _ in shelf.by_keys([-(2**63), 9])] == [2]
    shelf.see([(2**63 - 1, 5), (2, 6), (2**63 - 1, 9)])
    assert shelf.first_of_several() == {2**63 - 1: 5}
    shelf.close()
