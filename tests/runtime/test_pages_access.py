"""The page of who has access to a record: shared, seen by, and why, without a script."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from pagesite import PageSite, Visitor, make_pages
from stores import DIALECTS

PEOPLE: dict[str, Visitor] = {}
SELLER = {
    "kind": "permission_set", "name": "seller", "label": {"en": "Seller"}, "tabs": ["*"],
    "objects": {"*": ["create", "read", "edit", "delete", "share"], "group": ["read"], "position": ["read"]},
    "fields": {"*": {"*": "edit"}},
}  # fmt: skip
RULE = {
    "kind": "sharing_rule", "name": "deal.big", "label": {"en": "Big deals"}, "access": "read",
    "when": "amount > 100", "to": [{"kind": "group", "key": "service"}],
}  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageSite]:
    with make_pages(request.param, tmp_path_factory.mktemp("access")) as made:
        made.publish({"deal": {"name": "text(80) required", "amount": "integer"}}, [SELLER, RULE])
        group = made.records.create("group", {"name": "Service", "code": "service"}).id
        for name in ("ada", "ann", "ben", "cy"):
            PEOPLE[name] = made.person(name, "administrator" if name == "ada" else "seller", language="en")
        made.records.create("group_member", {"group": group, "user": id_of("cy")})
        yield made


def id_of(name: str) -> UUID:
    found = PEOPLE[name].user_id
    assert found is not None
    return found


def test_an_owner_shares_from_the_page_and_takes_back(site: PageSite) -> None:
    ann, ben = PEOPLE["ann"], PEOPLE["ben"]
    id = site.records.create("deal", {"name": "Plant", "amount": 500, "owner": id_of("ann")}).id
    at = f"/o/deal/{id}"
    assert ben.get(f"{at}/access").status_code == 404
    assert "Access and sharing" in ann.get(at).text
    page = ann.get(f"{at}/access").text
    assert (
        "Not shared with anybody yet" in page and "Its owner" in page and "Sharing rule “Big deals”" in page
    )
    assert "Administrator" in page and "cy" in page and "ben" not in page
    wrong = ann.post(f"{at}/access", {"whom": "", "whom.text": "nobody", "level": "read", "until": ""})
    assert wrong.status_code == 422 and "Choose from the list" in wrong.text
    given = {
        "whom.text": "ben",
        "level": "edit",
        "until": "2099-01-31",
        "role": "Engineer",
        "reason": "helps",
    }
    assert ann.post(f"{at}/access", given).status_code == 303
    page = ben.get(at).text
    assert "Engineer" in page and "Team" in page
    page = ann.get(f"{at}/access").text
    assert "until 2099-02-01 00:00" in page and "helps" in page and "Team: ben (Engineer)" in page
    options = ann.get(f"{at}/access/whom?q=serv&prefix=p").text
    assert "group:" in options and "Service" in options
    ann.get(f"{at}/access")
    assert ann.post(f"{at}/access/take-back", {"grantee": id_of("ben").hex}).status_code == 303
    assert ben.get(at).status_code == 404


def test_why_is_told_about_oneself_and_by_who_may_explain_about_others(site: PageSite) -> None:
    ann, cy, ada = (PEOPLE[name] for name in ("ann", "cy", "ada"))
    id = site.records.create("deal", {"name": "Mill", "amount": 500, "owner": id_of("ann")}).id
    at = f"/o/deal/{id}/access"
    page = cy.get(f"{at}?op=edit").text
    assert "may not edit this" in page and "Big deals" in page and "The least change" not in page
    assert "Who can see this" not in page, "who may neither share nor explain is not told"
    ben = id_of("ben").hex
    page = ada.get(f"{at}?op=read&user={ben}").text
    assert "ben may not see this" in page and "Share this record with ben: see" in page
    assert "Put them in the group “Service”" in page
    page = ann.get(f"{at}?op=read&user={ben}").text
    assert "may not see this" not in page and "See who may do what" in page
    assert "cy" in ada.get(f"{at}?q=cy").text
