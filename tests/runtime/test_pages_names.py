"""Objects whose fields are named as a form's own inputs, or as what a script may take for the form's own."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from pagesite import PageSite, Visitor, make_pages, readable
from stores import DIALECTS
from tabwright.runtime.query.reads import Reads

# What the form's inputs are or were called, what frameworks call theirs, a form's properties in a script.
HOSTILE = (
    "csrf", "csrf_token", "then", "was", "back", "next", "resolved", "record_type_chosen", "method",
    "copy", "mine", "pick", "text", "action", "submit", "elements", "target", "view", "preview", "q",
    "name_text",
)  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        fields = dict.fromkeys(HOSTILE, "text(80)")
        made.publish({"odd": {"name": "text(80) required", **fields, "form": "lookup(odd)"}})
        yield made


@pytest.fixture(scope="module")
def rep(site: PageSite) -> Visitor:
    return site.person("odette", "standard_user", language="en")


def stored(site: PageSite, id: UUID) -> dict[str, Any]:
    row = Reads(site.call).get("odd", id, ("name", "form", *HOSTILE))
    return {name: row[name] for name in HOSTILE}


def test_fields_of_every_name_are_saved_changed_and_merged(site: PageSite, rep: Visitor) -> None:
    values = {name: f"{name} one" for name in HOSTILE}
    rep.get("/o/odd/new")
    answer = rep.post("/o/odd/new", {**rep.form(), "name": "first", **values})
    assert answer.status_code == 303, readable(answer)
    at = answer.headers["Location"]
    id = UUID(at.rpartition("/")[2])
    assert stored(site, id) == values

    rep.get(at + "/edit")
    opened = rep.form()
    assert {name: opened[name] for name in HOSTILE} == values
    later = {name: f"{name} two" for name in HOSTILE}
    answer = rep.post(at + "/edit", {**opened, **later})
    assert answer.status_code == 303 and stored(site, id) == later

    # Somebody changed all of them meanwhile: each is picked by itself.
    third = {name: f"{name} three" for name in HOSTILE}
    answer = rep.post(at + "/edit", {**opened, **third})
    assert answer.status_code == 409
    picks = {f"_pick.{name}": "mine" if n % 2 else "theirs" for n, name in enumerate(HOSTILE)}
    answer = rep.post(at + "/edit", {**rep.form(), **picks})
    assert answer.status_code == 303, readable(answer)
    expected = {name: (third if n % 2 else later)[name] for n, name in enumerate(HOSTILE)}
    assert stored(site, id) == expected


def test_words_in_such_fields_steer_nothing(site: PageSite, rep: Visitor) -> None:
    rep.get("/o/odd/new")
    steering = {"then": "edit", "back": "//evil.example", "resolved": "1", "method": "DELETE", "csrf": "x"}
    answer = rep.post("/o/odd/new", {**rep.form(), "name": "steered", **steering})
    assert answer.status_code == 303 and re.fullmatch(r"/o/odd/[0-9a-f-]{36}", answer.headers["Location"])
    assert stored(site, UUID(answer.headers["Location"][-36:]))["then"] == "edit"
    # The token is taken from its own input only.
    answer = rep.client.post("/o/odd/new", data={"name": "x", "csrf": "x", "csrf_token": "x"})
    assert answer.status_code == 403


def test_an_address_fills_such_fields(site: PageSite, rep: Visitor) -> None:
    page = rep.get("/o/odd/new?then=t1&back=b1&copy=c1&mine=m1&_back=/o/odd")
    assert page.status_code == 200
    form = rep.form()
    assert (form["then"], form["back"], form["copy"], form["mine"]) == ("t1", "b1", "c1", "m1")
    assert rep.post("/o/odd/new", {**form, "name": "back"}).headers["Location"] == "/o/odd"


def test_a_lookup_named_as_a_prefix_finds_its_record(site: PageSite, rep: Visitor) -> None:
    rep.get("/o/odd/new")
    first = rep.post("/o/odd/new", {**rep.form(), "name": "Unique parent"}).headers["Location"]
    rep.get("/o/odd/new")
    answer = rep.post("/o/odd/new", {**rep.form(), "name": "child", "form.text": "Unique parent"})
    assert answer.status_code == 303, readable(answer)
    child = Reads(site.call).get("odd", UUID(answer.headers["Location"][-36:]), ("form",))
    assert str(child["form"]) == first[-36:]
