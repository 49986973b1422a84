"""What a field shows to who may not know it is asked in the plan, and the tick is kept in the document."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from htmlforms import posted
from models import document
from pagesite import PageSite, readable
from studios import draft_of, in_draft, me, release, studio_site

REP = {
    "kind": "permission_set", "name": "rep", "label": {"zh": "业务员", "en": "Rep"},
    "objects": {"deal": ["read"]}, "fields": {"deal": {"*": "read", "amount": "none"}},
}  # fmt: skip
NET = document(
    "field", "deal.net", type="formula", label={"zh": "净额", "en": "Net"},
    options={"returns": "currency", "formula": "amount * 2"},
)  # fmt: skip


@pytest.fixture
def site() -> Iterator[PageSite]:
    with studio_site("sqlite", REP) as made:
        yield made


@pytest.mark.parametrize("language, words", [("zh", ("净额", "业务员")), ("en", ("Net", "Rep"))])
def test_the_plan_asks_and_keeps_the_answer(site: PageSite, language: str, words: tuple[str, ...]) -> None:
    admin = site.person("boss", "administrator", language=language)
    site.draft(me(admin), NET)
    page = admin.get("/studio/plan")
    for word in words:
        assert word in readable(page)
    assert "deal.amount" not in readable(page)
    before = release(site)
    form = posted(admin.last, "plan-form")
    assert form.get("accept") is None, "nothing is accepted before it is ticked"
    refused = admin.post("/studio/publish", form)
    assert refused.status_code == 409 and release(site) == before and words[1] in readable(refused)
    admin.get("/studio/plan")
    answer = admin.post(
        "/studio/publish", {**posted(admin.last, "plan-form"), "accept": "deal.net deal.amount"}
    )
    assert answer.status_code == 303, readable(answer)
    assert release(site) == before + 1
    with site.call.tenant.store.read() as reader:
        kept = site.site.releases.stored.tree(reader, before + 1).get("field", "deal.net")
    assert kept is not None and kept.body["declassifies"] == ["deal.amount"]


def test_a_tick_that_nobody_asked_for_is_none(site: PageSite) -> None:
    admin = site.person("boss", "administrator")
    site.draft(me(admin), {**NET, "options": {"returns": "currency", "formula": "amount * 2"}})
    admin.get("/studio/plan")
    form = {**posted(admin.last, "plan-form"), "accept": "deal.net deal.name"}
    assert admin.post("/studio/publish", form).status_code == 409
    found = in_draft(site, admin, "field", "deal.net")
    assert found is not None and "declassifies" not in found.body and not draft_of(site, admin).is_empty


def test_the_field_s_form_shows_what_was_accepted_and_keeps_it(site: PageSite) -> None:
    admin = site.person("boss", "administrator", language="en")
    site.draft(me(admin), {**NET, "declassifies": ["deal.amount"]})
    page = admin.get("/studio/objects/deal/fields/net")
    if page.status_code != 200:
        page = admin.get("/studio/c/field/deal.net")
    assert page.status_code == 200 and "deal.amount" in page.text
