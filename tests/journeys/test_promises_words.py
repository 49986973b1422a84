"""Whatever an admin or a user typed shows as typed: on every page, in every language, and in the API."""

from __future__ import annotations

import html.parser
import itertools
import re
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

import models
from pagesite import PageSite, Visitor, make_pages
from stores import DIALECTS

_numbers = itertools.count(100)
TYPED: dict[str, str] = {}  # the mark in a text, and the text


def hostile(what: str) -> str:
    """A text that shows it when anything but printing was done with it, and can be found again."""
    mark = f"zq{next(_numbers)}{what}"
    TYPED[mark] = f"{{{{7*7}}}} {{% raw %}} {{#x#}} <script>{mark}</script> &lt; ' %s ${{7*7}}"
    return TYPED[mark]


def spoken(what: str) -> dict[str, str]:
    return {"en": hostile(what), "zh": hostile(what)}


def documents() -> list[dict[str, Any]]:
    doc = models.document
    values = [{"code": code, "label": spoken("value"), "colour": "blue"} for code in ("open", "done")]
    return [
        doc("object", "evil", name_field="name", label=spoken("object"), plural=spoken("plural"),
            description=spoken("description"), highlights=["stage"], icon="target"),
        doc("field", "evil.name", type="text", required=True, searchable=True, sortable=True,
            label=spoken("name"), help=spoken("help"), placeholder=spoken("placeholder")),
        doc("field", "evil.stage", type="picklist", label=spoken("stage"), help=spoken("help"),
            options={"values": values}),
        doc("field", "evil.size", type="integer", label=spoken("size"), help=spoken("help")),
        doc("field", "evil.done", type="boolean", label=spoken("done"), help=spoken("help")),
        doc("field", "evil.parent", type="lookup", label=spoken("parent"), options={"target": "evil"}),
        doc("field", "evil.notes", type="long_text", label=spoken("notes"), help=spoken("help")),
        doc("record_type", "evil.first", label=spoken("type")),
        doc("record_type", "evil.second", label=spoken("type")),
        doc("layout", "evil.main", label=spoken("layout"), sections=[
            {"label": spoken("section"), "columns": 2, "fields": ["name", "stage", "size", "done", "parent"]},
            {"label": spoken("section"), "fields": ["notes", "record_type", "owner"]}],
            related=[{"field": "evil.parent", "columns": ["name", "stage"]}]),
        doc("list_view", "evil.all", label=spoken("view"), columns=["name", "stage", "parent", "notes"]),
        doc("list_view", "evil.some", label=spoken("view"), columns=["name"], where="size > 1"),
        doc("validation_rule", "evil.small", condition="size > 100", field="size", message=spoken("message")),
        doc("validation_rule", "evil.whole", condition="size < 0", message=spoken("message")),
        doc("tab", "evil", label=spoken("tab"), object="evil", list_view="evil.all"),
        doc("app", "evil", label=spoken("app"), tabs=["evil"]),
        doc("permission_set", "evil", label=spoken("set"), objects={"evil": ["read", "create", "edit"]}),
    ]  # fmt: skip


class Seen(html.parser.HTMLParser):
    """The texts and attributes of a page in which a mark stands; those in scripts by themselves."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.in_script: list[str] = []
        self._inside = ""
        self._text = ""
        self.feed(page)
        self.close()
        self._end_text()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "mark":  # what was searched for is marked inside a text
            self._end_text()
            self._inside = tag
        self.found += [value for _, value in attrs if value and "zq" in value]

    def handle_endtag(self, tag: str) -> None:
        if tag != "mark":
            self._end_text()
            self._inside = ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def _end_text(self) -> None:
        if "zq" in self._text:
            (self.in_script if self._inside in ("script", "style") else self.found).append(self._text)
        self._text = ""


def check(page: str, path: str) -> set[str]:
    """The marks on a page; each of them stands in its whole text, printed and nothing else."""
    seen = Seen(page)
    assert seen.in_script == [], path
    marks: set[str] = set()
    for text in seen.found:
        plain = unquote(text)
        for mark in re.findall(r"zq\d+[a-z]+", plain):
            # A JSON text in a hidden input, or an address, has the same characters.
            assert TYPED[mark] in plain, f"{path}: {text}"
            marks.add(mark)
    return marks


def kinds(marks: set[str]) -> set[str]:
    return {re.sub(r"zq\d+", "", mark) for mark in marks}


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish({}, documents())
        yield made


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_shows_words_as_typed(site: PageSite, language: str) -> None:
    parent = site.records.create("evil", {"name": hostile("record"), "stage": "open"}).id
    values = {"name": hostile("record"), "stage": "done", "parent": str(parent), "notes": hostile("text")}
    id = site.records.create("evil", values).id
    ada = site.person(f"ada-{language}", "administrator", language=language)
    assert ada.user_id is not None
    site.records.update("user", ada.user_id, {"name": hostile("person")})
    pages = {
        "/": {"app"}, "/more": {"tab"}, "/o/evil?view=some": {"view"},
        "/o/evil?view=all": {"plural", "view", "name", "stage", "record", "value"},
        f"/o/evil/{id}": {"object", "section", "record", "text", "person"},
        f"/o/evil/{parent}": {"record", "value"}, "/o/evil/new": {"help", "value", "placeholder", "type"},
        f"/o/evil/{id}/edit": {"help", "record", "text"}, f"/o/evil/{id}/delete": {"record"},
        "/search?q=zq": set(), "/search?q=script": {"record"}, "/bin": set(), "/settings": {"person"},
        "/o/evil/import": {"plural"}, "/o/evil/lookup/parent?q=script": {"record"},
        "/o/nothing": set(), f"/o/evil/{ada.user_id}": set(), "/nowhere": set(),
    }  # fmt: skip
    for path, least in pages.items():
        answer = ada.get(path)
        assert answer.status_code in (200, 404), (path, answer.status_code)
        there = check(answer.text, path)
        assert least <= kinds(there), (path, least - kinds(there))
    refused = _refused(ada, f"/o/evil/{id}/edit")
    assert {"message", "record"} <= kinds(check(refused, "refusal"))
    conflict = _conflict(site, ada, id)
    assert {"record", "stage"} <= kinds(check(conflict, "conflict"))
    _import(ada)


def _refused(ada: Visitor, path: str) -> str:
    ada.get(path)
    answer = ada.post(path, {**ada.form(), "size": "101"})
    assert answer.status_code == 422
    return answer.text


def _conflict(site: PageSite, ada: Visitor, id: Any) -> str:
    path = f"/o/evil/{id}/edit"
    ada.get(path)
    form = {**ada.form(), "name": hostile("record"), "stage": "open"}
    site.records.update("evil", id, {"name": hostile("record"), "stage": None})
    answer = ada.post(path, form)
    assert answer.status_code == 409
    return answer.text


def _import(ada: Visitor) -> None:
    """A file whose heads, values and name are hostile too."""
    head, value, name = hostile("head"), hostile("cell"), hostile("file").replace("/", "_")
    mark = next(each for each in TYPED if each in name)
    TYPED[mark] = name
    ada.get("/o/evil/import")
    rows = [[head, hostile("head"), "third"], [value, hostile("cell"), "3"]]
    content = "\n".join(",".join(f'"{cell}"' for cell in row) for row in rows).encode()
    answer = ada.post("/o/evil/import", {"file": (BytesIO(content), f"{name}.csv")})
    assert answer.status_code == 303, answer.text[:500]
    page = ada.follow(answer)
    assert {"head", "cell"} <= kinds(check(page.text, "import"))


def test_signing_in_shows_what_was_typed(site: PageSite) -> None:
    stranger = site.stranger()
    stranger.get("/sign-in")
    typed = hostile("address")
    answer = stranger.post("/sign-in", {"address": typed, "password": "wrong wrong wrong", "next": "/"})
    assert answer.status_code in (401, 422)
    assert kinds(check(answer.text, "sign-in")) == {"address"}


def test_the_api_gives_words_as_typed(site: PageSite) -> None:
    name = hostile("record")
    id = site.records.create("evil", {"name": name, "notes": hostile("text")}).id
    user = site.person("robot", "administrator").user_id
    assert user is not None
    token = site.site.tokens.create(site.location.id, user, "test")
    client = site.app.test_client()

    def get(path: str, **more: Any) -> Any:
        return client.open(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"}, **more)

    described = get("/objects/evil").json
    assert described["label"]["en"] == TYPED[_mark(described["label"]["en"])]
    for field in described["fields"]:
        if not field["system"]:
            for text in (*field["label"].values(), *field.get("help", {}).values()):
                assert text == TYPED[_mark(text)]
    assert get(f"/objects/evil/records/{id.hex}").json["name"] == name
    assert name in [each["name"] for each in get("/search?q=script&limit=50").json["hits"]]
    refused = get("/objects/evil/records", method="POST", json={"name": "a", "size": 101}).json
    assert refused["faults"][0]["message"] == TYPED[_mark(refused["faults"][0]["message"])]
    assert get("/openapi.json").status_code == 200


def _mark(text: str) -> str:
    found = re.search(r"zq\d+[a-z]+", text)
    assert found, text
    return found[0]


def test_the_check_sees_a_text_that_was_not_escaped() -> None:
    text = hostile("bare")
    for page in (f"<p>{text}</p>", f"<p>{text.replace('{{7*7}}', '49')}</p>", f"<i title='{text[20:]}'></i>"):
        with pytest.raises(AssertionError):
            check(page, "bare")
