"""What leaves as a file: how much, marked with whose it is, noted to the byte, and seen by who may see it."""

from __future__ import annotations

import hashlib
import io
import re
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import sqlalchemy as sa

import models
from desks import Desk
from importing import Importer, counted
from pagesite import PageSite, Visitor, make_pages, readable
from stores import DIALECTS
from tabwright.platform.errors import Denied
from tabwright.platform.versions import STEPS
from tabwright.runtime.access.granting import check_assignment, check_publish
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.exchange import sheets, sources
from tabwright.runtime.journal.tables import operations

OBJECTS: models.Compact = {
    "deal": {"name": "text(80) required sortable searchable", "amount": "currency(16,2)", "code": "text"},
    "card": {"name": "text(80) required", "mobile": {"type": "phone", "options": {"mask": "phone"}},
             "pin": {"type": "secret", "options": {"mask": "all"}}},
}  # fmt: skip


def exporter(name: str, rows: int | None = None, **more: Any) -> dict[str, Any]:
    found = {
        "kind": "permission_set", "name": name, "label": {"en": name, "zh": name},
        "objects": {"*": ["read", "view_all", "create", "import", "export"]},
        "fields": {"*": {"*": "edit"}}, "tabs": ["*"], "apps": ["*"], **more,
    }  # fmt: skip
    return found if rows is None else {**found, "export_rows": rows}


SETS = [
    exporter("three", 3),
    exporter("five", 5),
    exporter("all_of_them"),
    exporter("reader", 1, objects={"*": ["read", "view_all"]}),
    exporter("cards", 1, objects={"card": ["export"]}),
    exporter("manager", 1, objects={"card": ["read"]}, system=["manage_users"]),
    exporter("porter", 50, system=["import"]),
    exporter("auditor", system=["view_exports"]),
]
DEAL = {**models.documents({"deal": OBJECTS["deal"]})[0], "watermark": ["files", "screens"]}


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(OBJECTS, SETS)
        made.publish({}, [DEAL])
        for n in range(6):
            made.records.create("deal", {"name": f"单 {n}", "amount": str(n), "code": f"C{n}"})
        made.records.create("card", {"name": "李", "mobile": "13800138000", "pin": "4711-0815"})
        yield made


@pytest.fixture(scope="module")
def boss(site: PageSite) -> Visitor:
    return site.person("周文博", "administrator", "standard_user")


def export(visitor: Visitor, object: str = "deal", **form: Any) -> Any:
    visitor.get(f"/o/{object}")
    given = {"format": "csv", "where": "", "order": "name", "columns": "name", "_all": "yes", **form}
    return visitor.post(f"/o/{object}/export", given)


def noted(site: PageSite) -> list[Any]:
    chosen = sa.select(operations.c.id, operations.c.cause_ref).where(operations.c.cause == "export")
    with site.call.tenant.store.read() as reader:
        return [tuple(row) for row in reader.execute(chosen.order_by(operations.c.id))]


# ---- how many rows ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sets,most",
    [
        (("three",), 3),
        (("three", "five"), 5),  # the most generous holds
        (("three", "all_of_them"), None),
        (("three", "reader"), 3),  # a set that does not let export says nothing of its size
        (("three", "cards"), 3),
    ],
)
def test_a_set_says_how_many_rows(site: PageSite, sets: tuple[str, ...], most: int | None) -> None:
    visitor = site.person(f"{'-'.join(sets)}", *sets)
    answer = export(visitor)
    if most is None:
        assert answer.status_code == 200
        return
    before = len(noted(site))
    assert answer.status_code == 429 and f"最多导出 {most} 行" in readable(answer)
    visitor.get("/o/deal/export")
    assert f"一次最多导出 {most} 行" in readable(visitor.last)
    assert len(noted(site)) == before, "what was refused is no export"
    assert export(visitor, where=f"amount < {most}").status_code == 200
    ids = [part.split('"')[0] for part in visitor.get("/o/deal").text.split('name="id" value="')[1:]]
    assert export(visitor, id=ids, _all="").status_code == 429, "ticked records count too"


def test_rows_that_come_while_a_file_is_made_are_counted(
    site: PageSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = site.call.tenant
    monkeypatch.setattr(tenant, "limits", replace(tenant.limits, export_inline_rows=2))
    visitor, before = site.person("grown", "five"), len(noted(site))
    at = export(visitor, where="amount < 5").headers["Location"]
    late = site.records.create("deal", {"name": "late", "amount": "1"}).id
    try:
        site.site.runner.run_due(site.location)
        assert visitor.get(at + "/file").status_code == 404 and len(noted(site)) == before
        assert "最多导出 5 行" in readable(visitor.get(at))
    finally:
        site.records.delete("deal", late)


def test_nobody_lets_others_export_more_rows_than_they_may(site: PageSite) -> None:
    model = site.call.model
    uids = {each.name: each.uid for each in model.permission_sets.values()}
    sets = {each.uid: each for each in model.permission_sets.values()}

    def who(*names: str) -> Principal:
        return Principal(
            site.call.ids.new(), "x", permission_sets=tuple(sorted(uids[each] for each in names))
        )

    def assign(by: Principal, set: str) -> None:
        check_assignment(by, model, [uids[set]])

    def publish(by: Principal, rows: int | None) -> None:
        changed = replace(sets[uids["three"]], export_rows=rows)
        check_publish(by, model, replace(model, permission_sets={**sets, changed.uid: changed}))

    assign(who("five"), "three")
    publish(who("five", "manager"), 5)
    publish(who("reader", "manager"), 2)  # less is nothing given
    for giver, set in (("three", "five"), ("five", "all_of_them"), ("reader", "three")):
        with pytest.raises(Denied):
            assign(who(giver), set)
    for giver, rows in (("five", 6), ("five", None), ("reader", 4)):
        with pytest.raises(Denied, match="grant_beyond"):
            publish(who(giver, "manager"), rows)


# ---- whose it is -----------------------------------------------------------------------------------


def test_a_file_names_who_made_it_and_goes_in_again(site: PageSite) -> None:
    desk = Desk(site, site.person("porter", "porter"), None)  # type: ignore[arg-type]
    before = len(noted(site))
    content = export(desk.admin, columns="name,code", bom="yes").get_data()
    [(operation, _)] = noted(site)[before:]
    last = content.decode("utf-8-sig").splitlines()[-1]
    assert last.startswith(f"# Tabwright export {operation.hex} · porter · 20") and last.endswith(
        "Asia/Shanghai"
    )
    # The same as a workbook: in its last row, below each printed page, in its properties.
    book = export(desk.admin, columns="name,code", format="xlsx").get_data()
    [_, (operation, _)] = noted(site)[before:]
    file = io.BytesIO(book)
    *_, (_, cells) = sheets.rows(file, sheets.names(file)[0])
    assert cells[0].startswith(f"# Tabwright export {operation.hex}")
    parts = zipfile.ZipFile(file)
    assert operation.hex in parts.read("docProps/core.xml").decode()
    assert operation.hex in parts.read("xl/worksheets/sheet1.xml").decode().partition("oddFooter")[2]
    # An import leaves the line out: as many rows as were exported, none of them wrong.
    for name, given in (("again.csv", content), ("again.xlsx", book)):
        form = sources.sniff(io.BytesIO(given), name)
        assert sources.outline(io.BytesIO(given), form).rows == 6
    importer = Importer(desk, desk.api_of(desk.admin))  # type: ignore[arg-type]
    run = importer.start("deal", content)
    assert run.row_count == 6 and counted(importer.check(run.id)) == {"created": 6}


def test_an_object_without_a_watermark_has_none(boss: Visitor) -> None:
    assert b"Tabwright export" not in export(boss, "card").get_data()
    assert "tw-watermark" not in boss.get("/o/card").text


def test_lists_and_records_carry_who_looks(site: PageSite, boss: Visitor) -> None:
    found = re.search(r'href="/o/deal/([0-9a-f-]{32,36})', boss.get("/o/deal").text)
    assert found
    for path in (
        "/o/deal",
        f"/o/deal/{found[1]}",
        f"/o/deal/{found[1]}/print",
        f"/o/deal/{found[1]}/edit",
        "/o/deal/export",
    ):
        tile = re.search(
            r'tw-watermark" aria-hidden="true" style="background-image:url\(([^)]*)\)', boss.get(path).text
        )
        assert tile, path
        drawn = unquote(tile[1])
        assert "周文博" in drawn and re.search(r">20\d\d-\d\d-\d\d \d\d:\d\d<", drawn)
    odd = site.person("odd", "all_of_them")
    assert odd.user_id is not None
    site.records.update("user", odd.user_id, {"name": "\"><script>)'"})
    tile = re.search(r"background-image:url\(([^)]*)\)", odd.get("/o/deal").text)
    assert tile and "<script" not in tile[1] and "&lt;script&gt;" in unquote(tile[1])


# ---- what is noted ---------------------------------------------------------------------------------


def test_the_journal_has_the_filter_the_fields_and_the_content(
    site: PageSite, boss: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(noted(site))
    where = "amount > 1 && amount < 4"
    content = export(boss, where=where, order="-amount", columns="name,amount").get_data()
    tenant = site.call.tenant
    monkeypatch.setattr(tenant, "limits", replace(tenant.limits, export_inline_rows=1))
    at = export(boss, where=where, order="-amount", columns="name,amount").headers["Location"]
    site.site.runner.run_due(site.location)
    for (_, said), file in zip(
        noted(site)[before:], (content, boss.get(at + "/file").get_data()), strict=True
    ):
        assert (said["object"], said["where"], said["rows"]) == ("deal", where, 2)
        assert said["order"] == [["amount", "desc"]] and said["fields"] == ["name", "amount"]
        assert said["sha256"] == hashlib.sha256(file).hexdigest() and said["size"] == len(file)
    # Ticked records are noted one by one.
    ids = [part.split('"')[0] for part in boss.get("/o/card").text.split('name="id" value="')[1:]]
    export(boss, "card", id=ids, _all="")
    assert noted(site)[-1][1]["ids"] == [each.replace("-", "") for each in ids]


def test_masked_values_stay_masked_in_files(site: PageSite, boss: Visitor) -> None:
    low = site.person("masked", "all_of_them")
    for names in ("labels", "api"):
        for format in ("csv", "xlsx"):
            given = {"columns": "name,mobile,pin", "names": names, "format": format}
            for who, whole in ((low, False), (boss, True)):
                content = export(who, "card", **given).get_data()
                if format == "xlsx":
                    content = str(
                        list(sheets.rows(io.BytesIO(content), sheets.names(io.BytesIO(content))[0]))
                    ).encode()
                assert (b"13800138000" in content) is whole is (b"4711-0815" in content)
                assert b"****" in content or whole
    assert noted(site)[-2][1]["unmasked"] == [] and noted(site)[-1][1]["unmasked"] == ["mobile", "pin"]


def test_a_kept_file_is_closed_to_who_may_no_longer_read_its_fields(
    site: PageSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = site.call.tenant
    monkeypatch.setattr(tenant, "limits", replace(tenant.limits, export_inline_rows=1))
    visitor = site.person("revoked", "all_of_them")
    at = export(visitor, columns="name,code").headers["Location"]
    site.site.runner.run_due(site.location)
    assert visitor.get(at + "/file").status_code == 200
    narrower = next(each for each in SETS if each["name"] == "all_of_them")
    site.publish({}, [{**narrower, "fields": {"*": {"*": "edit"}, "deal": {"code": "none"}}}])
    try:
        assert visitor.get(at + "/file").status_code == 422
    finally:
        site.publish({}, [narrower])


# ---- who sees it -----------------------------------------------------------------------------------


def test_exports_are_listed_for_who_may_see_them(site: PageSite, boss: Visitor) -> None:
    other = site.person("钱多", "all_of_them")
    content = export(other, where='code = "C2"', columns="name,code").get_data()
    operation = content.decode("utf-8-sig").splitlines()[-1].split()[3]
    assert other.get("/exports").status_code == 403 and "/exports" not in other.get("/o/deal").text
    auditor = site.person("审计", "auditor")
    assert 'href="/exports"' in auditor.get("/o/deal").text
    page = auditor.get("/exports")
    assert page.status_code == 200 and "钱多" in readable(page) and 'code = "C2"' in readable(page)
    for q, hit in (("钱多", True), (operation, True), ("钱多 c2", True), ("code", True), ("nobody", False)):
        page = auditor.get("/exports?q=" + q)
        assert (operation in page.text) is hit, q
        assert hit or "没有导出" in readable(page)


def test_a_person_who_takes_very_much_is_told_of_once(
    site: PageSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = site.call.tenant
    monkeypatch.setattr(tenant, "limits", replace(tenant.limits, export_alarm_rows=10))
    auditor, taker = site.person("看门", "auditor"), site.person("搬运工", "all_of_them")
    export(taker)
    assert "搬运工" not in readable(auditor.get("/notices"))
    for _ in range(3):
        export(taker)
        told = readable(auditor.get("/notices"))
        assert told.count("搬运工 一天内导出了 12 行（超过 10 行）") == 1 == told.count("搬运工")
    assert "一天内导出了" not in readable(taker.get("/notices")), "only who may see exports is told"


def test_an_older_store_gets_the_index_that_finds_exports(site: PageSite) -> None:
    store = site.call.tenant.store

    def names() -> set[str]:
        with store.read() as reader:
            found = sa.inspect(reader.connection).get_indexes(operations.name, schema=store.schema)
        return {str(each["name"]) for each in found}

    assert "journal_operation_exports" in names()
    with store.write() as writer:
        there = f'"{store.schema}".' if store.schema else ""
        writer.connection.exec_driver_sql(f"DROP INDEX {there}journal_operation_exports")
    for _ in range(2):  # it may be interrupted, and is then begun again
        with store.write() as writer:
            STEPS["tenant"][7](writer)
    assert "journal_operation_exports" in names()
