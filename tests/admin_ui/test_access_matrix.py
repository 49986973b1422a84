"""The table of rights: what it shows of each permission set, what it writes, and what it refuses."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import models
from pagesite import PageSite, Visitor, make_pages, readable
from tabwright.admin_ui.access.matrix import changed, follows, operations_of
from tabwright.platform.errors import Invalid

OBJECTS: models.Compact = {"deal": {"name": "text(120) required", "amount": "decimal", "secret": "text"}}


def permission_set(name: str, **body: Any) -> dict[str, Any]:
    return {"kind": "permission_set", "name": name, "label": {"zh": name, "en": name}, **body}


SETS = [
    permission_set(
        "wide", objects={"*": ["read", "edit"]}, fields={"*": {"*": "edit"}, "deal": {"secret": "none"}}
    ),
    permission_set("narrow", objects={"deal": ["read"]}, fields={"deal": {"*": "read"}}),
    permission_set("looker", system=["view_setup"]),
]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(OBJECTS, SETS)
        yield made


def sets_of(site: PageSite, visitor: Visitor) -> dict[str, dict[str, Any]]:
    """The draft's permission sets by name, and their uids under ``uid``."""
    assert visitor.user_id is not None
    with site.call.tenant.store.read() as reader:
        tree = site.publishing.drafts.get(reader, visitor.user_id).tree
    return {each.name: {**each.document} for each in tree if each.kind == "permission_set"}


def shown(visitor: Visitor, object: str = "deal") -> dict[str, str]:
    """What a browser would send of the page as it stands."""
    from htmlforms import posted

    return posted(visitor.get(f"/studio/access/{object}").text, "access")


def test_rights_are_set_by_table(site: PageSite) -> None:
    boss = site.person("boss", "administrator")
    before = sets_of(site, boss)
    wide, narrow = before["wide"]["uid"], before["narrow"]["uid"]
    form = shown(boss)
    # What is sent as it was shown changes nothing.
    boss.post("/studio/access/deal", form)
    assert sets_of(site, boss) == before
    form = shown(boss)
    form[f"{narrow}:o:create"] = "on"
    form[f"{narrow}:f:secret"] = "none"
    form[f"{narrow}:f:amount"] = "edit"
    form[f"{wide}:f:secret"] = ""
    page = boss.follow(boss.post("/studio/access/deal", form))
    assert "2 个权限集已放入草稿" in readable(page)
    after = sets_of(site, boss)
    assert after["narrow"]["objects"] == {"deal": ["create", "read"]}
    assert after["narrow"]["fields"] == {"deal": {"*": "read", "secret": "none", "amount": "edit"}}
    assert after["wide"]["fields"] == {"*": {"*": "edit"}}
    assert after["wide"]["objects"] == {"*": ["read", "edit"]}


def test_nobody_overwrites_what_they_have_not_seen(site: PageSite) -> None:
    boss = site.person("boss", "administrator")
    uid = sets_of(site, boss)["narrow"]["uid"]
    form = shown(boss)
    boss.post("/studio/access/deal", {**form, f"{uid}:f:secret": "none"})
    boss.get("/studio/access/deal")
    late = boss.post("/studio/access/deal", {**form, f"{uid}:f:amount": "none"})
    assert late.status_code == 409
    assert "amount" not in sets_of(site, boss)["narrow"]["fields"]["deal"]


def test_who_may_only_look_changes_nothing(site: PageSite) -> None:
    boss, looker = site.person("boss", "administrator"), site.person("looker", "looker")
    plain = site.person("plain", "narrow")
    page = looker.get("/studio/access/deal")
    assert page.status_code == 200 and "data-save" not in page.text
    uid = sets_of(site, boss)["narrow"]["uid"]
    assert looker.post("/studio/access/deal", {uid: "x", f"{uid}:f:secret": "edit"}).status_code == 403
    assert plain.get("/studio/access/deal").status_code == 403
    # What is built in is shown and stays as it is.
    admin = sets_of(site, boss)["administrator"]
    form = {**shown(boss), admin["uid"]: "x", f"{admin['uid']}:f:secret": "none"}
    boss.post("/studio/access/deal", form)
    assert sets_of(site, boss)["administrator"] == admin
    assert boss.get("/studio/access/nothing").status_code == 404


def test_a_word_that_is_none_and_a_star_that_holds_are_refused() -> None:
    wide = SETS[0]
    operations = operations_of(wide, "deal", False)
    with pytest.raises(Invalid, match="bad_word"):
        changed(wide, "deal", False, {"operations": operations, "fields": {"secret": "all"}})
    with pytest.raises(Invalid, match="by_star"):
        changed(wide, "deal", False, {"operations": frozenset(), "fields": {}})
    assert changed(wide, "deal", False, {"operations": frozenset({"read"}), "fields": {}})["objects"] == {
        "*": ["read", "edit"], "deal": ["read"],
    }  # fmt: skip
    # Of what is built in a star says nothing.
    assert operations_of(wide, "user", True) == frozenset()
    assert (follows(wide, "deal", "secret"), follows(wide, "deal", "*")) == ("edit", "edit")
    assert follows({}, "deal", "name") == "none"
