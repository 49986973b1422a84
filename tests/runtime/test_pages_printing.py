"""A record on paper: what its reader may see, behind a right of its own, and told in the journal."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from pagesite import PageSite, Visitor, make_pages, readable
from stores import DIALECTS
from tabwright.runtime.journal.tables import operations

EVERY = {"fields": {"*": {"*": "edit"}}, "tabs": ["*"], "apps": ["*"]}
LAYOUT = {
    "kind": "layout", "name": "deal.main",
    "sections": [
        {"label": {"en": "Figures", "zh": "数字"}, "fields": [{"field": "name"}, {"field": "secret"}]},
        {"label": {"en": "Lines"}, "lines": {"relation": "line.deal", "columns": [{"field": "what"}]}},
    ],
}  # fmt: skip


@pytest.fixture(params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(
            {
                "deal": {"name": "text(80) required", "secret": "text(80)"},
                "line": {"what": "text(80)", "deal": "master_detail(deal)"},
            },
            [
                LAYOUT,
                {"kind": "permission_set", "name": "printer", "objects": {"*": ["read", "view_all", "print"]},
                 **EVERY, "fields": {"*": {"*": "edit"}, "deal": {"secret": "none"}}},
                {"kind": "permission_set", "name": "reader", "objects": {"*": ["read", "view_all"]}, **EVERY},
            ],
        )  # fmt: skip
        yield made


def test_paper_holds_sections_and_lines_and_no_hidden_field(site: PageSite) -> None:
    deal = site.records.create("deal", {"name": "五轴机床", "secret": "底价 7"}).id
    site.records.create("line", {"what": "主轴", "deal": deal.hex})
    printer, reader = site.person("printer", "printer"), site.person("reader", "reader")
    assert f"/o/deal/{deal}/print" in printer.get(f"/o/deal/{deal}").text
    paper = printer.get(f"/o/deal/{deal}/print")
    assert paper.status_code == 200
    for word in ("五轴机床", "主轴", "由 printer 于"):
        assert word in readable(paper)
    assert "底价" not in paper.text and "<form" not in paper.text
    assert f"/o/deal/{deal}/print" not in reader.get(f"/o/deal/{deal}").text
    assert reader.get(f"/o/deal/{deal}/print").status_code == 403
    assert _prints(site) == [deal]


def test_a_record_that_may_not_be_seen_is_not_printed(site: PageSite) -> None:
    deal = site.records.create("deal", {"name": "x"}).id
    outsider: Visitor = site.person("outsider")
    assert outsider.get(f"/o/deal/{deal}/print").status_code == 404
    assert site.person("printer", "printer").get(f"/o/deal/{UUID(int=7)}/print").status_code == 404
    assert _prints(site) == []


def _prints(site: PageSite) -> list[UUID]:
    wanted = sa.select(operations.c.cause_ref).where(operations.c.cause == "print")
    with site.call.tenant.store.read() as reader:
        return [UUID(each["record"]) for each in reader.execute(wanted).scalars()]
