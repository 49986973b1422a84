"""Row 5 of the attacks: a field that may not be read, by every route that shows something.

Routes are not listed here: a new one is tried because it is there.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from asking import routes
from hiding import OBJECTS
from twins import Ask, Twin, twins

_slot = re.compile(r"<(?:(\w+)(?:\(([^)]*)\))?:)?(\w+)>")
# What else the name could have meant depends on how it is spelled, and is taken from readable names only.
_near = re.compile(r" Did you mean [^\"?]*\?|_near")
# What stands in the place of a name in a path; ids are those of a record that may be read.
PLACES = {
    "object": "thing", "link": "memo", "kind": "field", "field": "firm", "name": "thing", "number": "1",
    "a": "1", "b": "2", "n": "1",
}  # fmt: skip


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    with tempfile.TemporaryDirectory() as folder, twins("sqlite", Path(folder), (1, 2)) as both:
        yield both[0]


def filled(rule: str, id: UUID, field: str = "firm") -> str:
    """A path of a route. A place without a word here fails: say what stands in it."""

    def word(slot: re.Match[str]) -> str:
        kind, choices, name = slot.groups()
        if kind == "any":
            return str(choices).split(",")[0].strip()
        if kind == "uuid" or name in ("id", "file", "comment", "operation", "share", "grantee"):
            return str(id) if kind == "uuid" else id.hex
        return field if name == "field" else PLACES[name]

    return _slot.sub(word, rule)


def asked(twin: Twin, endpoint: str, method: str, path: str, *given: tuple[str, str]) -> Ask:
    page = not endpoint.startswith("api:")
    in_query = method == "GET" or not page
    json = None if page or method in ("GET", "DELETE") else dict(given)
    query = given if in_query and json is None else ()
    return Ask(method, path, query, () if in_query else given, json, page)


def test_no_byte_of_what_is_hidden_and_no_name_of_it(twin: Twin) -> None:
    id = twin.planted.seen["thing"][0]
    tried = 0
    for endpoint, method, rule in routes(twin.site.app):
        if method != "GET":
            continue
        for object in ("thing", "anon", "part", "firm"):
            path = filled(rule.replace("<object>", object), twin.planted.seen[object][0])
            answer = twin.ask(asked(twin, endpoint, method, path))
            assert b"hush" not in answer.data.lower(), (endpoint, path)
            tried += answer.status_code == 200
            if "<object>" not in rule:
                break
    assert tried > 60 and id is not None


@pytest.mark.parametrize(
    "name", [each for each in OBJECTS["thing"] if each.startswith("hush") or each == "firm_rate"]
)
def test_every_kind_of_hidden_field_is_absent_and_unknown_to_the_api(twin: Twin, name: str) -> None:
    records, other = "/api/v1/objects/thing/records", "husk" + name[4:]

    def code(query: tuple[str, str]) -> tuple[int, str]:
        answer = twin.ask(Ask("GET", records, (query,), page=False))
        return answer.status_code, _near.sub("", re.sub("[0-9a-f]{32}", "ID", answer.text))

    for form in ("{}", "{}:desc", "ISBLANK({})"):
        for parameter in ("fields", "order", "where"):
            one = code((parameter, form.format(name)))[1].replace(name, "N")
            assert one == code((parameter, form.format(other)))[1].replace(other, "N")
    listed = twin.ask(Ask("GET", records, page=False)).json
    assert listed is not None and all(name not in each for each in listed["records"])
    written = twin.ask(Ask("POST", records, json={"name": "x", name: "x"}, page=False))
    unknown = twin.ask(Ask("POST", records, json={"name": "x", other: "x"}, page=False))
    assert written.status_code == unknown.status_code == 422
