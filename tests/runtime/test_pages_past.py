"""The record page of a moment that is gone, and the history that leads to it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from pagesite import PageSite, Visitor, make_pages, readable
from stores import DIALECTS

TYPES = [
    {"kind": "record_type", "name": f"deal.{name}", "label": {"zh": zh, "en": en}}
    for name, zh, en in (("retail", "零售", "Retail deal"), ("bulk", "大宗", "Bulk deal"))
]


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(
            {
                "account": {"name": "text required"},
                "deal": {
                    "name": "text required",
                    "account": "lookup(account)",
                    "helper": "user",
                    "amount": "currency(16,2)",
                },
            },
            TYPES,
        )
        yield made


@pytest.fixture(scope="module")
def rep(site: PageSite) -> Visitor:
    return site.person("odette", "standard_user", language="en")


def a_deal(site: PageSite, rep: Visitor) -> UUID:
    acme = site.records.create("account", {"name": "Acme <b>", "owner": rep.user_id}).id
    other = site.records.create("account", {"name": "Other", "owner": rep.user_id}).id
    first = {
        "name": "First",
        "account": acme,
        "amount": "5.50",
        "record_type": "retail",
        "owner": rep.user_id,
    }
    id = site.records.create("deal", first).id
    later = {"name": "Second", "account": other, "record_type": "bulk", "helper": rep.user_id}
    site.records.update("deal", id, later)
    return id


def past_links(page: str) -> list[str]:
    return re.findall(r'href="(/o/deal/[^"]+\?as_of=[^"]+)"', page)


def test_each_line_of_the_history_leads_to_the_record_as_it_stood(site: PageSite, rep: Visitor) -> None:
    id = a_deal(site, rep)
    now = rep.get(f"/o/deal/{id}")
    newest, oldest = past_links(now.text)
    then = rep.get(oldest)
    assert then.status_code == 200
    said = readable(then)
    assert re.search(r"<h1>First</h1>", then.text) and "as it stood at" in said and "revision 1" in said
    assert "then First → now Second" in said
    assert "Acme &lt;b&gt;" in then.text and "Other" in said
    assert "then Retail deal → now Bulk deal" in said
    assert f'href="/o/deal/{id}"' in then.text and "/edit" not in then.text and "/delete" not in then.text
    latest = readable(rep.get(newest))
    assert "are the same now" in latest and "revision 2" in latest


def test_history_shows_names_and_labels_never_ids(site: PageSite, rep: Visitor) -> None:
    id = a_deal(site, rep)
    said = readable(rep.get(f"/o/deal/{id}"))
    assert "Retail deal" in said and "Bulk deal" in said and "odette" in said and "Acme <b>" in said
    assert not re.search(r"[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}", said)


def test_in_chinese_and_what_cannot_be_shown(site: PageSite, rep: Visitor) -> None:
    wang = site.person("wang", "standard_user", language="zh")
    id = a_deal(site, wang)
    links = past_links(wang.get(f"/o/deal/{id}").text)
    said = readable(wang.get(links[-1]))
    assert "第 1 版" in said and "当时 First → 现在 Second" in said and "当时 零售 → 现在 大宗" in said
    early = wang.get(f"/o/deal/{id}?as_of=2001-01-01")
    assert early.status_code == 404 and "还不存在" in readable(early)
    wrong = wang.get(f"/o/deal/{id}?as_of=yesterday")
    assert wrong.status_code == 400 and "2026-01-31" in readable(wrong)
    site.records.delete("deal", id)
    assert wang.get(f"/o/deal/{id}").status_code == 404
    binned = wang.get(links[0])
    assert binned.status_code == 200 and "回收站" in readable(binned)
    assert f'href="/o/deal/{id}"' not in binned.text
