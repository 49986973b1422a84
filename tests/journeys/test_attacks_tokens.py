"""A token that was narrowed to some fields, against every way to a record: the others do not exist for it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apisite import ApiSite, Person, make_api
from stores import DIALECTS

OBJECTS = {
    "account": {
        "name": "text searchable sortable required",
        "secret": "text searchable sortable",
        "phone": "text",
    },
    "deal": {"name": "text", "account": "lookup(account,restrict)"},
}
HIDDEN = "zanzibar"
SCOPE = {
    "objects": {"account": ["create", "modify_all"], "deal": ["view_all"]},
    "fields": {"account": ["name", "phone"]},
}


@pytest.fixture(scope="module", params=DIALECTS)
def api(request: pytest.FixtureRequest) -> Iterator[ApiSite]:
    with tempfile.TemporaryDirectory() as folder, make_api(request.param, Path(folder)) as made:
        made.publish(OBJECTS)
        yield made


@pytest.fixture(scope="module")
def record(api: ApiSite) -> str:
    answer = api.admin.post(
        "/objects/account/records", {"name": "Fir", "secret": HIDDEN, "phone": "+8613900000000"}
    )
    assert answer.status_code == 201, answer.text
    assert api.admin.post("/objects/deal/records", {"name": "D", "account": answer.json["id"]}).json
    return str(answer.json["id"])


@pytest.fixture(scope="module")
def narrow(api: ApiSite) -> Person:
    return api.person("narrow", "administrator", scope=SCOPE)


def refused(answer: Any) -> Any:
    """The faults of a refusal, without the name that was asked for."""
    assert answer.status_code in (400, 422), answer.text
    return [
        {key: str(value).replace("secret", "?").replace("hidden", "?") for key, value in fault.items()}
        for fault in answer.json["faults"]
    ]


def test_row_25_no_way_of_reading_tells_a_field_outside_the_tokens_list(
    api: ApiSite, narrow: Person, record: str
) -> None:
    own = f"/objects/account/records/{record}"
    ways: list[tuple[str, dict[str, Any]]] = [
        (own, {}),
        ("/objects/account/records", {}),
        ("/objects/deal/records", {"fields": "name,account.name"}),
        ("/objects/account", {}),
        (own + "/history", {}),
        ("/search", {"q": "Fir"}),
        ("/search", {"q": HIDDEN}),
        ("/openapi.json", {}),
    ]
    assert HIDDEN in api.admin.get(own).text
    for path, query in ways:
        answer = narrow.get(path, **query)
        assert answer.status_code == 200, (path, answer.text)
        assert HIDDEN not in answer.text, path
        assert '"secret"' not in answer.text, path
    assert narrow.get(own).json["phone"] == "+8613900000000"
    assert narrow.get("/search", q=HIDDEN).text.count("Fir") == 0


def test_row_25_naming_such_a_field_is_naming_none(narrow: Person, record: str) -> None:
    def all_of(name: str) -> list[Any]:
        return [
            refused(narrow.get("/objects/account/records", fields=name)),
            refused(narrow.get("/objects/account/records", order=name)),
            refused(narrow.get("/objects/account/records", where=f'{name} = "x"')),
            refused(narrow.get("/objects/deal/records", fields=f"account.{name}")),
            refused(narrow.post("/objects/account/records", {"name": "New", name: "x"})),
            refused(narrow.patch(f"/objects/account/records/{record}", {name: "x"})),
        ]

    assert all_of("secret") == all_of("hidden")
    assert narrow.patch(f"/objects/account/records/{record}", {"phone": "+8613900000001"}).status_code == 200


def test_row_21_what_was_compiled_for_a_scope_is_not_given_to_another(
    api: ApiSite, narrow: Person, record: str
) -> None:
    """The same person with a token that is whole, before and after: statements are not shared."""
    path = f"/objects/account/records/{record}"
    whole = Person(api.client, api.site.tokens.create(api.location.id, narrow.id, "whole"), narrow.id)
    for _ in range(2):
        assert whole.get(path).json["secret"] == HIDDEN
        assert "secret" not in narrow.get(path).json
        assert "secret" not in narrow.get("/objects/account/records").json["records"][0]
        listed = whole.get("/objects/account/records", fields="secret").json["records"][0]
        assert listed["secret"] == HIDDEN
