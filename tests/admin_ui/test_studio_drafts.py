"""Drafts, plans, releases and the trash over HTTP: what is out of date, in the way, taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from htmlforms import posted
from pagesite import PageSite, Visitor, readable
from studios import draft_of, make_field, me, release, studio_site


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with studio_site(request.param) as made:
        yield made


@pytest.fixture
def site() -> Iterator[PageSite]:
    with studio_site("sqlite") as made:
        yield made


def _seen(visitor: Visitor) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', visitor.last)
    assert found
    return found[1]


def test_examples_of_lost_values_are_shown_only_to_who_may_read_them(site: PageSite) -> None:
    customiser = {
        "kind": "permission_set",
        "name": "customiser",
        "label": {"en": "C"},
        "system": ["customise"],
        "objects": {"deal": ["read"]},
        "fields": {"deal": {"*": "read"}},
    }
    site.publish({}, [customiser])
    site.records.create("deal", {"name": "secret-value"})
    admin = site.person("管理员", "administrator", language="en")
    other = site.person("别人", "customiser", language="en")
    for each in (admin, other):
        site.draft(
            me(each),
            {
                "kind": "field",
                "name": "deal.name",
                "label": {"en": "N"},
                "type": "auto_number",
                "options": {"pattern": "{0}"},
            },
        )
    shown = {each: "secret-value" in each.get("/studio/plan").text for each in (admin, other)}
    assert not shown[other]


def test_a_form_that_is_out_of_date_overwrites_nothing(site: PageSite) -> None:
    """Two windows of one person: the second save is told, what it typed stays."""
    admin = site.person("管理员", "administrator", language="en")
    form = posted(admin.get("/studio/c/field/deal.amount").text, "component-form")
    first = {**form.to_dict(), "/label/en": "One"}
    assert admin.client.post("/studio/c/field/deal.amount", data=first).status_code == 303
    second = {**form.to_dict(), "/label/en": "Two"}
    answer = admin.client.post("/studio/c/field/deal.amount", data=second, headers={"Accept": "text/html"})
    assert answer.status_code == 422 and "was changed since you opened it" in readable(answer.text)
    assert posted(answer.text, "component-form")["/label/en"] == "Two"
    found = draft_of(site, admin).tree.get("field", "deal.amount")
    assert found and found.body["label"]["en"] == "One"


@pytest.mark.parametrize(("take", "label"), [("mine", "Mine"), ("theirs", "Theirs")])
def test_two_authors_of_one_component_are_told_and_choose(site: PageSite, take: str, label: str) -> None:
    anna, bob = (site.person(name, "administrator", language="en") for name in ("Anna", "Bob"))
    for who, word in ((anna, "Theirs"), (bob, "Mine")):
        form = posted(who.get("/studio/c/field/deal.amount").text, "component-form")
        form["/label/en"] = word
        assert who.client.post("/studio/c/field/deal.amount", data=form).status_code == 303
    assert "Also drafting: Bob" in readable(anna.get("/studio"))
    anna.get("/studio/plan")
    assert anna.post("/studio/publish", {}).status_code == 303
    plan = bob.get("/studio/plan")
    text = readable(plan)
    assert "Theirs" in text and "Mine" in text and "Publish r" not in text
    refused = bob.post("/studio/publish", {})
    assert refused.status_code == 409 and "nothing was changed" in readable(refused)
    uid = re.search(r'action="/studio/settle">.*?name="uid" value="([0-9a-f]+)"', bob.last, re.S)
    assert uid
    bob.get("/studio/plan")
    assert bob.post("/studio/settle", {"uid": uid[1], "take": take}).status_code == 303
    if take == "mine":
        bob.get("/studio/plan")
        assert bob.post("/studio/publish", {}).status_code == 303
    assert site.call.model.objects["deal"].fields["amount"].labels["en"] == label


def test_a_plan_that_is_out_of_date_is_not_published(site: PageSite) -> None:
    anna, bob = (site.person(name, "administrator", language="en") for name in ("Anna", "Bob"))
    make_field(bob, "deal", "text", "乙")
    form = posted(bob.get("/studio/plan").text, "plan-form")
    make_field(anna, "deal", "text", "甲")
    anna.get("/studio/plan")
    assert anna.post("/studio/publish", {}).status_code == 303
    answer = bob.post("/studio/publish", form.to_dict())
    assert answer.status_code == 409 and "Look at the plan again" in readable(answer)


def test_what_stands_in_the_way_leads_to_its_place_and_changes_nothing(site: PageSite) -> None:
    admin = site.person("管理员", "administrator", language="en")
    site.records.create("deal", {"name": "same"})
    site.records.create("deal", {"name": "same"})
    rule = {"kind": "unique_rule", "name": "deal.once", "label": {"en": "Once"}, "fields": ["name"]}
    site.draft(me(admin), rule)
    plan = readable(admin.get("/studio/plan"))
    assert "1 groups" in plan and "I understand" in plan
    before = release(site)
    answer = admin.post("/studio/publish", {})
    assert answer.status_code == 409 and "Not published; nothing was changed" in readable(answer)
    assert release(site) == before and not draft_of(site, admin).is_empty


def test_releases_are_compared_and_restored(site: PageSite) -> None:
    admin = site.person("管理员", "administrator", language="en")
    make_field(admin, "deal", "text", "备注")
    admin.get("/studio/plan")
    admin.post("/studio/publish", {"note": "with notes"})
    text = readable(admin.get("/studio/releases"))
    assert "with notes" in text and "r3 In force" in text
    assert "备注" in readable(admin.get("/studio/releases/diff?a=2&b=3"))
    plan = readable(admin.get("/studio/releases/2/restore"))
    assert "What restoring r2 changes" in plan and "备注" in plan
    assert admin.post("/studio/releases/2/restore", {"note": ""}).status_code == 303
    assert "bei_zhu" not in site.call.model.objects["deal"].fields
    assert admin.get("/studio/releases/diff?a=2&b=99999999999").status_code == 404
    assert admin.get("/studio/releases/77/restore").status_code == 404


def test_a_removed_field_comes_back_with_its_values(both: PageSite) -> None:
    admin = both.person("管理员", "administrator", language="en")
    deal = both.records.create("deal", {"name": "D", "amount": "12.50"})
    admin.get("/studio/c/field/deal.amount/delete")
    assert admin.post("/studio/c/field/deal.amount/delete", {"seen": _seen(admin)}).status_code == 303
    assert "Deleted by this draft" in readable(admin.get("/studio/trash"))
    assert "1 values go to the trash" in readable(admin.get("/studio/plan"))
    assert admin.post("/studio/publish", {}).status_code == 303
    trash = admin.get("/studio/trash")
    assert "Amount" in readable(trash)
    uid = re.search(r'name="uid" value="([0-9a-f]+)"', trash.text)
    assert uid
    assert admin.post("/studio/trash", {"uid": uid[1]}).status_code == 303
    assert "comes back with 1 values" in readable(admin.get("/studio/plan"))
    assert admin.post("/studio/publish", {}).status_code == 303
    assert "12.50" in readable(admin.get(f"/o/deal/{deal.id}"))
    assert "Nothing was deleted" in readable(admin.get("/studio/trash"))


def test_what_is_used_is_not_removed_and_says_where(site: PageSite) -> None:
    admin = site.person("管理员", "administrator", language="en")
    site.publish(
        {},
        [
            {
                "kind": "list_view",
                "name": "deal.all",
                "label": {"en": "All deals"},
                "columns": ["name", "amount"],
            }
        ],
    )
    page = admin.get("/studio/c/field/deal.amount/delete")
    assert "All deals" in readable(page) and "still used in 1 places" in readable(page)
    answer = admin.post("/studio/c/field/deal.amount/delete", {"seen": _seen(admin)})
    assert answer.status_code == 409 and draft_of(site, admin).is_empty


def test_a_rename_takes_along_what_names_it(site: PageSite) -> None:
    admin = site.person("管理员", "administrator", language="en")
    rule = {
        "kind": "validation_rule",
        "name": "deal.r",
        "condition": "amount < 0 /* no */",
        "message": {"en": "No"},
    }
    site.publish({}, [rule])
    page = admin.get("/studio/c/field/deal.amount/rename")
    assert "Follows by itself: 1 places" in readable(page)
    answer = admin.post("/studio/c/field/deal.amount/rename", {"seen": _seen(admin), "to": "price"})
    assert answer.headers["Location"] == "/studio/c/field/deal.price"
    found = draft_of(site, admin).tree.get("validation_rule", "deal.r")
    assert found and found.body["condition"] == "price < 0 /* no */"
    admin.get("/studio/c/field/deal.price/rename")
    assert (
        admin.post("/studio/c/field/deal.price/rename", {"seen": _seen(admin), "to": "name"}).status_code
        == 422
    )


def test_single_changes_and_the_whole_draft_are_given_up(site: PageSite) -> None:
    admin = site.person("管理员", "administrator", language="en")
    make_field(admin, "deal", "text", "甲")
    make_field(admin, "deal", "text", "乙")
    page = admin.get("/studio/discard")
    uids = re.findall(r'name="uid" value="([0-9a-f]+)"', page.text)
    assert len(uids) == 2
    admin.post("/studio/revert", {"uid": uids[0]})
    assert len(draft_of(site, admin).differences) == 1
    admin.get("/studio/discard")
    assert admin.post("/studio/discard", {}).status_code == 303
    assert draft_of(site, admin).is_empty
    assert "tw-pubbar" not in admin.get("/studio").text
