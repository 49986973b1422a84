"""Related lists and many to many on a record's page: rows, own fields, links added and let go."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import models
from pagesite import PageSite, Visitor, make_pages, readable
from stores import DIALECTS
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads

CRM: models.Compact = {
    "deal": {"name": "text(80) required sortable searchable"},
    "contact": {"name": "text(80) required sortable searchable"},
    "part": {
        "name": "auto_number(P-{0000})",
        "deal": {"type": "master_detail", "options": {"target": "deal"}},
        "contact": {"type": "master_detail", "options": {"target": "contact", "access": "none"}},
        "role": "text(40)",
    },
    "task": {"name": "text(80) required sortable", "deal": "lookup(deal)", "rank": "integer"},
}
EXTRA: list[dict[str, Any]] = [
    {"kind": "unique_rule", "name": "part.once", "label": {"en": "Once"}, "fields": ["deal", "contact"]},
    {"kind": "layout", "name": "deal.standard", "label": {"en": "Standard"},
     "sections": [{"fields": ["name"]}],
     "related": [
         {"field": "part.deal", "label": {"zh": "关键人", "en": "People"}, "columns": ["contact", "role"]},
         {"field": "task.deal", "columns": ["name", "rank"], "order": [["rank", "desc"]], "rows": 2},
     ]},
    {"kind": "permission_set", "name": "looker", "label": {"en": "Looker"},
     "objects": {"deal": ["view_all"], "contact": ["view_all"], "part": ["read"], "task": ["read"]},
     "fields": {"*": {"*": "read"}}},
]  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(CRM, EXTRA)
        yield made


@pytest.fixture
def rep(site: PageSite) -> Visitor:
    return site.person(f"人{site.site.ids.new().hex[-8:]}", "administrator", "standard_user")


def linked(site: PageSite, deal: UUID) -> list[tuple[str, str | None]]:
    query = Query("part", ("contact.name", "role"), order=(("name", "asc"),), parent=("deal", deal))
    return [(row["contact.name"], row["role"]) for row in Reads(site.call).list(query).rows]


def people(site: PageSite, *names: str) -> list[UUID]:
    return [site.records.create("contact", {"name": name}).id for name in names]


def test_several_existing_records_are_linked_at_once_and_undone_at_once(site: PageSite, rep: Visitor) -> None:
    deal = site.records.create("deal", {"name": "产线"}).id
    ann, ben, _ = people(site, "沈国栋", "沈若溪", "王可欣")
    site.records.create("part", {"deal": deal, "contact": ann, "role": "决策人"})
    page = rep.get(f"/o/deal/{deal}")
    assert "关键人" in page.text, "the list has the label that its layout says"
    at = f"/o/deal/{deal}/links/part/deal"
    assert f'href="{at}"' in page.text
    page = rep.get(at + "?q=沈")
    words = readable(page)
    assert "沈国栋" in words and "沈若溪" in words and "王可欣" not in words and "已关联" in words
    assert re.search(rf'value="{ann}" checked disabled', page.text), "what is linked cannot be chosen"
    answer = rep.post(at, {"q": "沈", "id": [str(ann), str(ben)]})
    page = rep.follow(answer)
    assert "已关联 1 条" in readable(page)
    assert linked(site, deal) == [("沈国栋", "决策人"), ("沈若溪", None)]
    undo = re.search(r'action="(/undo/[^"]+)"', page.text)
    assert undo
    rep.follow(rep.post(undo[1], {}))
    assert linked(site, deal) == [("沈国栋", "决策人")]
    assert rep.post(at, {"id": [str(ann)]}).status_code == 422


def test_a_link_is_let_go_and_its_own_field_is_edited_in_the_row(site: PageSite, rep: Visitor) -> None:
    deal = site.records.create("deal", {"name": "产线"}).id
    (ann,) = people(site, "林晓彤")
    link = site.records.create("part", {"deal": deal, "contact": ann, "role": "财务"}).id
    page = rep.get(f"/o/deal/{deal}")
    assert f'data-href="/o/part/{link}/value"' in page.text and 'data-field="role"' in page.text
    assert rep.client.get(f"/o/part/{link}/value?field=role&place=list").status_code == 200
    assert "取消与“林晓彤”的关联" in page.text
    other = site.records.create("deal", {"name": "别的"}).id
    assert rep.post(f"/o/deal/{other}/links/part/deal/remove", {"id": str(link)}).status_code == 404
    rep.get(f"/o/deal/{deal}")
    answer = rep.post(f"/o/deal/{deal}/links/part/deal/remove", {"id": str(link)})
    assert "已取消关联" in readable(rep.follow(answer)) and linked(site, deal) == []
    assert rep.get(f"/o/contact/{ann}").status_code == 200, "the record at the far end stays"


def test_who_may_not_make_or_delete_links_has_no_way_to(site: PageSite) -> None:
    looker = site.person(f"看{site.site.ids.new().hex[-8:]}", "looker")
    deal = site.records.create("deal", {"name": "产线"}).id
    (ann,) = people(site, "周婧")
    link = site.records.create("part", {"deal": deal, "contact": ann}).id
    page = looker.get(f"/o/deal/{deal}")
    assert "周婧" in page.text and "/links/" not in page.text and "data-cell-columns" not in page.text
    assert looker.get(f"/o/deal/{deal}/links/part/deal").status_code == 403
    looker.get(f"/o/deal/{deal}")
    assert looker.post(f"/o/deal/{deal}/links/part/deal", {"id": [str(ann)]}).status_code == 403
    assert looker.post(f"/o/deal/{deal}/links/part/deal/remove", {"id": str(link)}).status_code == 403
    assert linked(site, deal) == [("周婧", None)]


def test_a_related_list_has_its_order_its_rows_and_the_way_to_all(site: PageSite, rep: Visitor) -> None:
    deal = site.records.create("deal", {"name": "产线"}).id
    for rank in (1, 3, 2):
        site.records.create("task", {"name": f"任务{rank}", "deal": deal, "rank": rank})
    page = rep.get(f"/o/deal/{deal}").text
    assert page.index("任务3") < page.index("任务2") and "任务1" not in page
    all_of = re.search(r'href="(/o/task\?where=[^"]+)"', page)
    assert all_of
    words = readable(rep.get(all_of[1].replace("&amp;", "&")))
    assert all(f"任务{rank}" in words for rank in (1, 2, 3))
    assert f"/o/deal/{deal}/links/task/deal" not in page, "a plain lookup is no link"
    assert rep.get(f"/o/deal/{deal}/links/task/deal").status_code == 404
