"""Totals under a list, and a list as a file: what is on the screen, for whom, and what the journal says."""

from __future__ import annotations

import csv
import io
import re
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
import sqlalchemy as sa

import models
from pagesite import PageSite, Visitor, make_pages, readable
from stores import DIALECTS
from tabwright.runtime.exchange import sheets
from tabwright.runtime.exporting.tables import EXPORT, PART
from tabwright.runtime.journal.tables import operations
from tabwright.runtime.records.batch import Intent

CRM: models.Compact = {
    "account": {"name": "text(120) required sortable searchable"},
    "deal": {
        "name": "text(120) required sortable searchable",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "rate": "percent(5,2)",
        "secret": "decimal(10,2)",
        "stage": "picklist(open,won)",
        "hot": "boolean",
        "due": "date",
        "met": "datetime",
        "huge": "integer",
    },
    "memo": {"name": "text(40) required"},
}
SETS = [
    {"kind": "permission_set", "name": "looker", "label": {"en": "Looker", "zh": "看"},
     "objects": {"deal": ["read", "view_all"]}, "fields": {"deal": {"*": "read"}},
     "tabs": ["*"], "apps": ["*"]},
    {"kind": "permission_set", "name": "clerk", "label": {"en": "Clerk", "zh": "文员"},
     "objects": {"deal": ["read", "view_all", "export"]},
     "fields": {"deal": {"*": "read", "secret": "none"}}, "tabs": ["*"], "apps": ["*"]},
]  # fmt: skip
COLUMNS = "name,account,amount,rate,stage,hot,due,met,secret"
HEAD = ["Name", "Account", "Amount", "Rate", "Stage", "Hot", "Due", "Met", "Secret"]


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(CRM, SETS)
        account = made.records.create("account", {"name": "-恒锐精密"})
        rows = [("=cmd|' /C calc'!A0", "100.50", "open", "10"), ("乙，单", "900", "won", "30.5"),
                ("丙单", None, "open", None)]  # fmt: skip
        for name, amount, stage, rate in rows:
            made.records.create(
                "deal",
                {"name": name, "amount": amount, "stage": stage, "rate": rate, "account": account.id,
                 "secret": "7", "hot": stage == "won", "due": "2026-03-04",
                 "met": "2026-03-04T05:06:07Z", "huge": 9_000_000_000_000_000_00},
            )  # fmt: skip
        yield made


@pytest.fixture(scope="module")
def boss(site: PageSite) -> Visitor:
    return site.person("周文博", "administrator", "standard_user")


@pytest.fixture(scope="module")
def clerk(site: PageSite) -> Visitor:
    return site.person("文员", "clerk")


def export(visitor: Visitor, object: str = "deal", **form: Any) -> Any:
    visitor.get(f"/o/{object}")
    given = {"format": "csv", "where": "", "order": "name", "columns": COLUMNS, "_all": "yes", **form}
    return visitor.post(f"/o/{object}/export", given)


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def noted(site: PageSite) -> list[Any]:
    chosen = sa.select(operations.c.principal_id, operations.c.cause_ref).where(
        operations.c.cause == "export"
    )
    with site.call.tenant.store.read() as reader:
        return [tuple(row) for row in reader.execute(chosen.order_by(operations.c.id))]


def test_totals_are_of_all_that_match(boss: Visitor, clerk: Visitor) -> None:
    page = boss.get("/o/deal?columns=name,amount,rate,secret")
    assert "data-totals=" in page.text and "合计" not in page.text
    foot = readable(boss.get("/o/deal/totals?columns=name,amount,rate,secret"))
    assert "共 3 条" in foot and "合计 ¥1,000.50" in foot and "平均 500.25" in foot.replace("¥", "")
    assert "平均 20.25%" in foot and "合计 21.00" in foot
    foot = readable(boss.get("/o/deal/totals?columns=name,amount&where=" + quote("amount > 500")))
    assert "共 1 条" in foot and "¥900.00" in foot
    # A hidden field is in no total, and a list without numbers asks for none.
    assert "21.00" not in clerk.get("/o/deal/totals?columns=name,amount,secret").text
    assert "data-totals" not in boss.get("/o/deal?columns=name,stage").text


def test_a_sum_that_no_number_holds_leaves_the_others(site: PageSite, boss: Visitor) -> None:
    made = site.records.apply(
        "deal",
        [Intent("create", values={"name": f"巨 {n}", "huge": 900_000_000_000_000_000}) for n in range(12)],
    )
    try:
        foot = boss.get("/o/deal/totals?columns=name,huge,amount&where=" + quote('BEGINS(name, "")'))
        assert foot.status_code == 200 and "¥1,000.50" in readable(foot)
    finally:
        site.records.undo(made.operation)  # type: ignore[arg-type]


def test_a_file_equals_the_screen_and_runs_nothing(site: PageSite, boss: Visitor) -> None:
    before = len(noted(site))
    answer = export(boss, bom="yes")
    content = answer.get_data()
    assert content.startswith(b"\xef\xbb\xbf") and answer.headers["Content-Disposition"].startswith(
        "attachment"
    )
    rows = rows_of(content)
    assert rows[0] == HEAD
    by_name = {row[0]: row for row in rows[1:]}
    assert len(by_name) == 3
    assert by_name["乙，单"][1:] == ["'-恒锐精密", "900.00", "30.50", "Won", "是", "2026-03-04",
                                    "2026-03-04 13:06:07", "7.00"]  # fmt: skip
    assert by_name["'=cmd|' /C calc'!A0"][2] == "100.50"
    entry = noted(site)[before:]
    assert len(entry) == 1 and entry[0][0] == boss.user_id
    assert (entry[0][1]["rows"], entry[0][1]["object"], entry[0][1]["format"]) == (3, "deal", "csv")
    # Filter, order and columns are the list's; API names and no BOM for programs.
    answer = export(boss, where='ISPICKVAL(stage, "open")', order="-name", columns="name,stage,account,met",
                    names="api")  # fmt: skip
    rows = rows_of(answer.get_data())
    assert not answer.get_data().startswith(b"\xef\xbb\xbf") and rows[0] == [
        "name",
        "stage",
        "account",
        "met",
    ]
    assert [row[1] for row in rows[1:]] == ["open", "open"] and UUID(rows[1][2])
    assert rows[1][3] == "2026-03-04T05:06:07Z"


def test_a_workbook_has_types_and_no_formula(boss: Visitor) -> None:
    answer = export(boss, format="xlsx", columns=COLUMNS + ",huge")
    file = io.BytesIO(answer.get_data())
    rows = {cells[0]: cells for _, cells in sheets.rows(file, sheets.names(file)[0])}
    assert "=cmd|' /C calc'!A0" in rows
    assert rows["乙，单"][2] in ("900", "900.00") and rows["乙，单"][6].startswith("2026-03-04")
    assert rows["乙，单"][1] == "-恒锐精密" and rows["乙，单"][9] == "900000000000000000"
    raw = zipfile.ZipFile(file).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in raw and "hyperlink" not in raw
    # Numbers and days are typed; what has more digits than a workbook keeps is a text.
    assert re.search(r'<c r="C\d"[^>]*><v>900(\.00)?</v>', raw) and not re.search(
        r"<v>9(0{17}|E\+?17)</v>", raw
    )


def test_ticked_records_are_exported_alone(site: PageSite, boss: Visitor, clerk: Visitor) -> None:
    boss.get("/o/deal")
    ids = [part.split('"')[0] for part in boss.last.split('name="id" value="')[1:3]]
    asked = boss.post("/o/deal/export", {"id": ids, "columns": COLUMNS, "order": "name"})
    assert "导出 2 条" in readable(asked)
    assert len(rows_of(export(boss, id=ids, _all="").get_data())) == 3


def test_the_right_to_export_is_asked_for(site: PageSite, clerk: Visitor) -> None:
    before = len(noted(site))
    looker = site.person("只看", "looker")
    assert "/o/deal/export" not in looker.get("/o/deal").text
    assert looker.get("/o/deal/export").status_code == 403
    assert export(looker).status_code == 403
    assert export(looker, "memo").status_code in (403, 404) and len(noted(site)) == before
    # A field that may not be read is not in the file, nor can it be asked about.
    assert "/o/deal/export" in clerk.get("/o/deal").text
    rows = rows_of(export(clerk).get_data())
    assert "Secret" not in rows[0] and "Account" in rows[0]
    assert {row[rows[0].index("Account")] for row in rows[1:]} <= {"", "'-恒锐精密"}
    assert export(clerk, where="secret > 1").status_code in (400, 422)


def test_a_long_one_is_made_by_a_job_for_one_person(
    site: PageSite, boss: Visitor, clerk: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = site.call.tenant
    monkeypatch.setattr(tenant, "limits", replace(tenant.limits, export_inline_rows=2))
    before = len(noted(site))
    answer = export(boss)
    at = answer.headers["Location"]
    assert "正在生成" in readable(boss.get(at)) and boss.get(at + "/file").status_code == 404
    site.site.runner.run_due(site.location)
    assert "文件已生成，共 3 行" in readable(boss.get(at))
    assert rows_of(boss.get(at + "/file").get_data())[0] == HEAD and len(noted(site)) == before + 1
    for address in (at, at + "/file"):
        assert clerk.get(address).status_code == 404
    # Past its time it is gone, and so is the file.
    now = site.site.clock.now() - timedelta(minutes=1)
    with tenant.store.write() as writer:
        writer.execute(sa.update(EXPORT).values(expires_at=now))
    assert boss.get(at).status_code == 404 and boss.get(at + "/file").status_code == 404
    export(boss)  # its end brings the sweep
    with tenant.store.write() as writer:
        tenant.jobs.add(writer, "export.expire", {})
    site.site.runner.run_due(site.location)
    with tenant.store.read() as reader:
        kept = reader.execute(sa.select(sa.func.count()).select_from(PART)).scalar_one()
    assert kept == 1  # of the second only
    monkeypatch.setattr(tenant, "limits", replace(tenant.limits, export_rows=2))
    answer = export(boss)
    assert answer.status_code == 429 and "最多 2 行" in readable(answer)
