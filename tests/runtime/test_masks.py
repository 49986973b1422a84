"""Encrypted and masked fields: what is kept, who sees what, and that every way round is closed."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

import models
from apisite import Person
from pagesite import PageSite, Visitor, make_pages
from stores import DIALECTS
from tabwright.platform.encryption import Keys
from tabwright.platform.errors import Invalid
from tabwright.runtime.journal.tables import changes, operations
from tabwright.runtime.masks import PRESETS, Sealed, masked

NUMBER, PHONE = "110101199003071234", "+8613800138000"
PERSON: models.Compact = {
    "person": {
        "name": "text required",
        "card": {"type": "secret", "options": {"mask": "id_card"}},
        "mobile": {"type": "phone", "options": {"mask": "phone"}},
    }
}
SETS: list[dict[str, Any]] = [
    {
        "kind": "permission_set",
        "name": "clerk",
        "objects": {"person": ["create", "read", "edit", "view_all", "modify_all"]},
        "fields": {"person": {"*": "edit"}},
    },
    {"kind": "permission_set", "name": "unmasker", "system": ["unmask"]},
]


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(PERSON, SETS)
        yield made


@pytest.fixture(scope="module")
def clerk(site: PageSite) -> Visitor:
    return site.person("clerk", "clerk", language="en")


@pytest.fixture(scope="module")
def trusted(site: PageSite) -> Visitor:
    return site.person("trusted", "clerk", "unmasker", language="en")


def api_of(site: PageSite, visitor: Visitor) -> Person:
    assert visitor.user_id is not None
    token = site.site.tokens.create(site.location.id, visitor.user_id, "test", scope=None)
    return Person(site.app.test_client(), token, visitor.user_id)


def made(site: PageSite, **values: Any) -> UUID:
    given = {"name": "Ann", "card": NUMBER, "mobile": PHONE, **values}
    return site.records.create("person", given).id


def everything_stored(site: PageSite) -> str:
    """Every row of every table of the tenant, as text."""
    store = site.call.tenant.store
    with store.read() as reader, warnings.catch_warnings():
        warnings.simplefilter("ignore", sa.exc.SAWarning)  # of indexes that it cannot reflect
        metadata = sa.MetaData()
        metadata.reflect(reader.connection, schema=store.schema)
        tables = [
            each
            for each in metadata.tables.values()
            if not each.name.startswith(("search_entry", "search_note"))
        ]
        return repr([row for table in tables for row in reader.connection.execute(sa.select(table))])


def test_the_number_is_nowhere_in_the_store_only_its_mask(site: PageSite, clerk: Visitor) -> None:
    id = made(site, name="Only cipher text", card="990101199003079876")
    api = api_of(site, clerk)
    changed = api.patch(f"/objects/person/records/{id.hex}", {"card": "880101199003079876"})
    assert changed.status_code == 200, changed.text
    stored = everything_stored(site)
    assert "Only cipher text" in stored and "880****9876" in stored
    assert "990101199003079876" not in stored and "880101199003079876" not in stored


def test_everybody_sees_the_mask_on_every_way(site: PageSite, clerk: Visitor, trusted: Visitor) -> None:
    id = made(site)
    path = f"/objects/person/records/{id.hex}"
    for visitor in (clerk, trusted):
        api = api_of(site, visitor)
        assert (api.get(path).json["card"], api.get(path).json["mobile"]) == ("110****1234", "138****8000")
        shown = [visitor.get(f"/o/person/{id}").text, visitor.get("/o/person").text]
        shown.append(visitor.get(f"/o/person/{id}/edit").text)
        shown.append(visitor.get(f"/o/person/new?copy={id}").text)
        shown += [api.get("/objects/person/records").text, api.get("/search", q="1234").text]
        api.patch(path, {"card": "330101199003071234", "mobile": "13700137000"})
        shown += [api.get(path + "/history").text, visitor.get(f"/o/person/{id}").text]
        shown.append(api.get(path, as_of="2999-01-01").text)
        api.patch(path, {"card": NUMBER, "mobile": PHONE})
        for text in shown:
            for whole in (NUMBER, PHONE, "13800138000", "330101199003071234", "13700137000", "138 0013 8000"):
                assert whole not in text


def looks(site: PageSite) -> list[Any]:
    with site.call.tenant.store.read() as reader:
        chosen = sa.select(operations.c.cause_ref).where(operations.c.cause == "view")
        return [row[0] for row in reader.execute(chosen.order_by(operations.c.id))]


def test_the_right_shows_it_and_the_journal_says_so(site: PageSite, trusted: Visitor) -> None:
    id = made(site)
    api = api_of(site, trusted)
    before = looks(site)
    found = api.get(f"/objects/person/records/{id.hex}", unmask="card,mobile")
    assert found.status_code == 200, found.text
    assert (found.json["card"], found.json["mobile"], found.json["name"]) == (NUMBER, PHONE, "Ann")
    assert "no-store" in found.headers["Cache-Control"]
    page = trusted.get(f"/o/person/{id}")
    assert 'form="unmask"' in page.text and NUMBER not in page.text
    page = trusted.post(f"/o/person/{id}/unmask", {"field": "card"})
    assert NUMBER in page.text and "13800138000" not in page.text
    noted = looks(site)[len(before) :]
    assert [(each["record"], len(each["fields"])) for each in noted] == [(id.hex, 2), (id.hex, 1)]


def test_without_the_right_it_stays_masked(site: PageSite, clerk: Visitor) -> None:
    id = made(site)
    before = looks(site)
    refused = api_of(site, clerk).get(f"/objects/person/records/{id.hex}", unmask="card")
    assert refused.status_code == 403 and NUMBER not in refused.text
    assert 'form="unmask"' not in clerk.get(f"/o/person/{id}").text
    assert clerk.post(f"/o/person/{id}/unmask", {"field": "card"}).status_code == 403
    assert looks(site) == before


@pytest.mark.parametrize(
    "asked",
    [
        {"where": 'mobile = "+8613800138000"'}, {"where": 'BEGINS(mobile, "+8613")'}, {"order": "mobile"},
        {"where": 'card = "1"'}, {"where": "LEN(card) = 18"}, {"order": "card"},
    ],
)  # fmt: skip
def test_what_a_mask_hides_cannot_be_asked_for_either(
    site: PageSite, clerk: Visitor, trusted: Visitor, asked: dict[str, Any]
) -> None:
    made(site)
    again = api_of(site, trusted).get("/objects/person/records", **asked)
    assert again.status_code == (200 if "mobile" in asked.get("where", "") else 422), again.text
    assert api_of(site, clerk).get("/objects/person/records", **asked).status_code == 422


@pytest.mark.parametrize("field", ["card", "mobile"])
def test_groups_do_not_tell_it(site: PageSite, clerk: Visitor, field: str) -> None:
    api = api_of(site, clerk)
    assert api.post("/objects/person/aggregate", {"group": [{"field": field}]}).status_code == 422
    measures = [{"function": "max", "field": field}]
    assert api.post("/objects/person/aggregate", {"measures": measures}).status_code == 422


def test_the_same_value_again_is_no_change_and_undo_brings_the_old_one_back(site: PageSite) -> None:
    id = made(site)
    site.records.update("person", id, {"card": NUMBER})
    store, keys = site.call.tenant.store, site.call.tenant.keys
    with store.read() as reader:
        count = sa.select(sa.func.count()).select_from(changes).where(changes.c.record_id == id)
        assert reader.execute(count).scalar_one() == 1
    saved = site.records.update("person", id, {"card": "220202200012125678"})
    assert saved.operation is not None
    site.records.undo(saved.operation)
    table = site.call.tables.of(site.call.model.objects["person"])
    given = id if store.dialect == "postgresql" else id.bytes
    with store.read() as reader:
        stored = reader.execute(sa.select(table.column("card")).where(table.id == given)).scalar_one()
    assert keys.open(Sealed(stored).token) == NUMBER


def test_another_mask_holds_for_what_was_sealed_before() -> None:
    field = models.model(PERSON).objects["person"].fields["card"]
    sealed = Sealed.of("id_card", "token", NUMBER)
    assert masked(field, sealed) == "110****1234"
    stricter: Any = {"person": {**PERSON["person"], "card": "secret"}}
    assert masked(models.model(stricter).objects["person"].fields["card"], sealed) == "******"


@pytest.mark.parametrize(
    ("preset", "value", "seen"),
    [
        ("phone", "+8613800138000", "138****8000"), ("phone", "12345", "******"),
        ("email", "ann@x.cn", "a****@x.cn"), ("bank_card", "6222020200012345678", "****5678"),
        ("bank_card", "1234567", "******"), ("all", "x", "******"),
    ],
)  # fmt: skip
def test_presets(preset: str, value: str, seen: str) -> None:
    assert PRESETS[preset](value) == seen


def test_keys_can_be_changed() -> None:
    first, second = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    old = Keys((), "s" * 40).seal("value")
    under_first = Keys((first,), "s" * 40).seal("value")
    both = Keys((second, first), "s" * 40)
    assert both.open(old) == both.open(under_first) == "value"
    assert Keys((second,), "s" * 40).open(under_first) is None
    with pytest.raises(Invalid):
        Keys(("nonsense",), "s" * 40)


@pytest.mark.parametrize("key", ["searchable", "sortable", "unique"])
def test_a_masked_field_takes_no_part_in_what_would_tell_it(key: str) -> None:
    body = {"type": "text", "options": {"mask": "all"}, key: True}
    with pytest.raises(Invalid) as caught:
        models.model({"person": {"name": "text", "note": body}})
    assert {fault.code for fault in caught.value.faults} == {"field.masked"}


def test_a_masked_field_names_no_record() -> None:
    with pytest.raises(Invalid):
        models.model({"person": {"name": {"type": "text", "options": {"mask": "all"}}}})
