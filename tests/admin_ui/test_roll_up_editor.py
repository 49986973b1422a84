"""Roll-up and snapshot fields by Studio's forms: offered in plain words, made, published, shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from pagesite import PageSite, readable
from studios import in_draft, make_field, studio_site
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.service import Records


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with studio_site(request.param) as made:
        yield made


def shown(site: PageSite, object: str, id: UUID, field: str) -> Any:
    return Reads(site.call).get(object, id, (field,))[field]


def test_a_roll_up_and_a_snapshot_are_made_published_and_filled(site: PageSite) -> None:
    admin = site.person("admin", "administrator", language="en")
    write = Records(site.call)
    account = write.create("account", {"name": "Acme"}).id
    for amount in (5, 7):
        write.create("deal", {"name": "d", "amount": amount, "account": account})
    admin.get("/studio/objects/account/new-field")
    words = readable(admin.last)
    assert "Roll-up summary" in words and "Snapshot" in words
    form = {"local": "worth", "/options/relation": "deal.account", "/options/function": "sum"}
    make_field(
        admin, "account", "roll_up", "总额",
        **form, **{"/options/value": "amount", "/options/returns": "currency", "/options/scale": "2"},
    )  # fmt: skip
    make_field(
        admin, "deal", "snapshot", "客户当时的名称",
        **{"local": "account_then", "/options/path": "account.name"},
    )  # fmt: skip
    made = in_draft(site, admin, "field", "account.worth")
    assert made is not None and made.body["options"]["function"] == "sum"
    page = admin.get("/studio/plan").text
    expected = re.search(r'name="expected" value="([^"]*)"', page)
    assert expected is not None
    asked = re.findall(r'name="accept" value="([^"]+)"', admin.last)  # all children count, hidden or not
    assert asked
    answer = admin.post("/studio/publish", {"expected": expected[1], "note": "x", "accept": asked})
    assert answer.status_code == 303, readable(answer)[:600]
    assert shown(site, "account", account, "worth") == 12
    deal = Records(site.call).create("deal", {"name": "n", "amount": 1, "account": account}).id
    assert shown(site, "account", account, "worth") == 13
    assert shown(site, "deal", deal, "account_then") == "Acme"
    admin.get(f"/o/account/{account}")
    assert "13.00" in readable(admin.last)
