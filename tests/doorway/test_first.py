"""Row 20: the first administrator is made on the console, or by whoever can read a file of this machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from pagesite import HTML, Visitor, readable
from stores import DIALECTS, drop_everything, settings_for
from tabwright import first
from tabwright.app import Site, create_app, create_site
from tabwright.platform.errors import Conflict

FORM = {
    "tenant": "Acme", "slug": "acme", "name": "Anna", "address": "anna@example.com", "language": "en",
    "password": "seven rivers under moss",
}  # fmt: skip


@pytest.fixture(params=DIALECTS)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    made = create_site(settings_for(request.param, tmp_path), hasher=PasswordHasher(1, 8, 1))
    try:
        yield made
    finally:
        drop_everything(made.stores)
        made.close()


def code(site: Site) -> str:
    return (site.settings.home / first.FILE).read_text("ascii").strip()


def test_row_20_the_first_administrator_comes_by_the_one_time_file(site: Site) -> None:
    first.prepare(site)
    file = site.settings.home / first.FILE
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    known = code(site)
    first.prepare(site)
    assert code(site) == known, "another process of the installation keeps it"
    who = Visitor(create_app(site).test_client())
    assert who.get("/first").status_code == 200 and known not in who.last
    for wrong in (
        {"code": "x"},
        {"code": ""},
        {"code": known, "password": "short"},
        {"code": known, "slug": "A"},
    ):
        assert who.post("/first", {**FORM, **wrong}).status_code in (403, 422), wrong
    assert code(site) == known and not site.identities.any()
    made = who.post("/first", {**FORM, "code": known})
    assert made.status_code == 303, readable(made)
    assert who.get("/people").status_code == 200
    assert not file.exists()
    assert who.get("/first").status_code == 404
    who.get("/people")
    assert who.post("/first", {**FORM, "code": known, "slug": "other"}).status_code == 404
    first.prepare(site)
    assert not file.exists()


def test_row_20_from_elsewhere_there_is_no_such_page(site: Site) -> None:
    first.prepare(site)
    client = create_app(site).test_client()
    assert client.get("/first", headers=HTML).status_code == 200
    for name in ("X-Forwarded-For", "Forwarded"):
        assert client.get("/first", headers={**HTML, name: "127.0.0.1"}).status_code == 404
    client.environ_base["REMOTE_ADDR"] = "192.0.2.1"
    assert client.get("/first", headers=HTML).status_code == 404
    assert client.post("/first", data={**FORM, "code": code(site)}, headers=HTML).status_code == 404
    assert not site.identities.any()


def test_row_20_nothing_is_served_to_others_before_it(site: Site) -> None:
    with pytest.raises(Conflict, match=r"cli\.remote_first"):
        first.check_served(site)
    site.identities.create("anna@example.com", FORM["password"])
    first.check_served(site)
