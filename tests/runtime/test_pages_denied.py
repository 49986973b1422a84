"""Pages that a person may not open: labels, not names; and what to do."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pagesite import PageSite, make_pages, readable
from stores import DIALECTS
from tabwright.platform.language import messages

REP = {
    "kind": "permission_set",
    "name": "rep",
    "objects": {"sales_order": ["read"]},
    "fields": {"sales_order": {"*": "read", "margin": "none"}},
}
VIEWS = [
    {
        "kind": "list_view",
        "name": "sales_order.rich",
        "columns": ["name", "margin"],
        "where": "margin > 10",
    },
    {"kind": "list_view", "name": "sales_order.plain", "columns": ["name"], "where": 'name <> ""'},
]


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish({"sales_order": {"name": "text(80) required", "margin": "integer"}}, [REP, *VIEWS])
        made.person("boss", "administrator", language="en")
        made.records.create("sales_order", {"name": "First", "margin": 5})
        yield made


@pytest.mark.parametrize(
    "language, told", [("en", ("Sales order", "ask an administrator")), ("zh", ("用户", "系统管理员"))]
)
def test_a_refusal_says_labels_and_what_to_do(site: PageSite, language: str, told: tuple[str, str]) -> None:
    rep = site.person(f"rep{language}", "rep", language=language)
    object = "sales_order" if language == "en" else "user"
    answer = rep.get(f"/o/{object}/new")
    assert answer.status_code == 403
    for word in told:
        assert word in readable(answer)
    assert object not in readable(answer) and "(create)" not in readable(answer)
    answer = rep.get(f"/o/{object}/import")
    assert answer.status_code == 403 and told[1] in readable(answer)


def test_a_rep_sees_who_the_users_are(site: PageSite) -> None:
    rep = site.person("looker", "rep", language="en")
    for address in ("/o/user", "/o/user?view=active", "/o/queue"):
        answer = rep.get(address)
        assert answer.status_code == 200, (address, readable(answer)[-300:])
    assert "boss" in readable(rep.get("/o/user")) and "boss@example.com" not in readable(rep.get("/o/user"))


def test_a_view_that_filters_by_a_hidden_field_is_not_offered(site: PageSite) -> None:
    rep = site.person("narrow", "rep", language="en")
    for address in ("/o/sales_order?view=plain", "/o/sales_order?view=rich", "/o/sales_order"):
        page = readable(rep.get(address))
        assert "Rich" not in page and "Plain" in page
    boss = site.person("chief", "administrator", language="en")
    page = readable(boss.get("/o/sales_order?view=rich"))
    assert "Rich" in page and "Plain" in page and "First" not in page


def test_every_right_has_a_word() -> None:
    schema = Path(__file__).parents[2] / "metadata/schemas/permission_set.schema.json"
    properties = json.loads(schema.read_text("utf-8"))["properties"]
    for right in properties["system"]["items"]["enum"]:
        assert f"access.right.{right}" in messages()
    operations = "create read edit delete view_all modify_all transfer import export undo"
    assert {f"access.to.{each}" for each in operations.split()} <= set(messages())
