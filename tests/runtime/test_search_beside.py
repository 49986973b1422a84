"""Records found by what stands beside them: comments and names of attachments. Over HTTP, both databases."""

from __future__ import annotations

import html
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

import models
from apisite import Person
from filesamples import CONTENTS, uploaded
from pagesite import PageSite, Visitor, make_pages
from stores import DIALECTS
from tabwright.platform.versions import STEPS
from tabwright.runtime.search.everywhere import snippet
from tabwright.runtime.search.tables import note_text, search_note

CRM: models.Compact = {
    "deal": {"name": "text(120) required sortable searchable", "secret": "text searchable"},
    "quiet": {"name": "text required"},
}
RIGHTS: list[dict[str, Any]] = [
    {"kind": "permission_set", "name": "seller", "label": {"en": "Seller"},
     "objects": {"deal": ["read", "create", "edit", "delete"], "quiet": ["read", "create", "edit"]},
     "fields": {"*": {"*": "edit"}}, "tabs": ["*"], "apps": ["*"]},
    {"kind": "permission_set", "name": "blind", "label": {"en": "Blind"},
     "objects": {"deal": ["read", "view_all"]}, "fields": {"deal": {"name": "none", "secret": "none"}}},
]  # fmt: skip


class Somebody:
    """A person with a browser and a token."""

    def __init__(self, site: PageSite, name: str, *sets: str) -> None:
        self.pages: Visitor = site.person(name, *sets, language="en")
        assert self.pages.user_id is not None
        self.id: UUID = self.pages.user_id
        token = site.site.tokens.create(site.location.id, self.id, "test", scope=None)
        self.api = Person(site.app.test_client(), token, self.id)

    def deal(self, name: str, object: str = "deal") -> str:
        answer = self.api.post(f"/objects/{object}/records", {"name": name})
        assert answer.status_code == 201, answer.text
        return str(answer.json["id"])

    def say(self, deal: str, body: str, object: str = "deal") -> str:
        answer = self.api.post(f"/objects/{object}/records/{deal}/comments", {"body": body})
        assert answer.status_code == 201, answer.text
        return str(answer.json["id"])

    def attach(self, deal: str, name: str) -> str:
        file = str(uploaded(self.api, name, CONTENTS["pdf"])["id"])
        answer = self.api.post(f"/objects/deal/records/{deal}/attachments", {"files": [file]})
        assert answer.status_code == 200, answer.text
        return file

    def finds(self, typed: str) -> list[tuple[str, str | None]]:
        """(name, text beside it) of the records that a text finds."""
        hits = self.api.get("/search", q=typed).json["hits"]
        return [(hit["name"], hit.get("beside", {}).get("text")) for hit in hits]


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        private = [
            {"kind": "object", "name": name, "label": {"en": name}, "plural": {"en": name + "s"},
             "name_field": "name", "sharing": "private", "search": name == "deal"}
            for name in CRM
        ]  # fmt: skip
        made.publish(CRM, RIGHTS)
        made.publish({}, private)
        yield made


@pytest.fixture
def rep(site: PageSite) -> Somebody:
    return Somebody(site, f"rep{site.site.ids.new().hex[-8:]}", "seller")


def test_a_comment_finds_its_record_with_the_words_around(rep: Somebody) -> None:
    deal = rep.deal("Anshan")
    text = "They want the 五轴加工中心 delivered before the spring festival, " + "and more " * 30
    rep.say(deal, text)
    ((name, said),) = rep.finds("加工中心")
    assert name == "Anshan" and said is not None
    assert "五轴加工中心" in said and said.endswith("…") and len(said) < 160
    assert [name for name, _ in rep.finds("deliv festival")] == ["Anshan"], "beginnings, in any order"
    assert rep.finds("festival nowhere") == []


def test_the_end_of_a_long_comment_is_found(rep: Somebody) -> None:
    rep.say(rep.deal("Long"), "filler " * 1200 + "zirconium")
    ((_, said),) = rep.finds("zirconium")
    assert said is not None and said.startswith("…") and said.endswith("zirconium")


def test_an_attachment_finds_its_record_by_name_and_by_sound(rep: Somebody) -> None:
    rep.attach(rep.deal("Anshan"), "报价单 quotation-7741.pdf")
    for typed in ("quotation", "7741", "报价", "baojia"):
        assert rep.finds(typed) == [("Anshan", "报价单 quotation-7741.pdf")], typed


def test_one_record_stands_once_with_its_newest_word_and_after_those_with_the_word_as_name(
    rep: Somebody,
) -> None:
    talked = rep.deal("Other")
    named = rep.deal("Xylophone")
    for n in range(3):
        rep.say(talked, f"xylophone {n}")
    assert rep.finds("xylophone") == [("Xylophone", None), ("Other", "xylophone 2")]
    rep.say(named, "a xylophone, what else")
    assert rep.finds("xylophone") == [("Xylophone", "a xylophone, what else"), ("Other", "xylophone 2")]


def test_what_is_edited_deleted_or_taken_away_is_found_no_longer(rep: Somebody) -> None:
    deal = rep.deal("Anshan")
    at = f"/objects/deal/records/{deal}"
    said, file = rep.say(deal, "marmalade"), rep.attach(deal, "blueberry.pdf")
    assert rep.api.patch(f"{at}/comments/{said}", {"body": "tangerine"}).status_code == 200
    assert rep.finds("marmalade") == [] and rep.finds("tangerine") == [("Anshan", "tangerine")]
    assert rep.api.delete(f"{at}/comments/{said}").status_code == 204
    assert rep.api.delete(f"{at}/attachments/{file}").status_code in (200, 204)
    assert rep.finds("tangerine") == [] and rep.finds("blueberry") == []
    assert rep.api.post(f"{at}/attachments/{file}/restore").status_code == 200
    assert rep.finds("blueberry") == [("Anshan", "blueberry.pdf")]


def test_the_bin_hides_what_stands_beside_a_record_and_a_purge_removes_it(
    site: PageSite, rep: Somebody
) -> None:
    deal = rep.deal("Anshan")
    rep.say(deal, "persimmon")
    site.records.delete("deal", deal)
    assert rep.finds("persimmon") == []
    site.records.restore("deal", deal)
    assert rep.finds("persimmon") == [("Anshan", "persimmon")]
    site.records.delete("deal", deal)
    site.records.purge("deal", deal)
    with site.call.tenant.store.read() as reader:
        left = sa.select(sa.func.count()).where(search_note.c.record_id == UUID(deal))
        assert reader.execute(left).scalar_one() == 0


def test_nobody_finds_what_stands_beside_a_record_that_is_hidden_from_them(
    site: PageSite, rep: Somebody
) -> None:
    deal = rep.deal("Hidden")
    rep.say(deal, "rhubarb")
    rep.attach(deal, "rhubarb.pdf")
    stranger = Somebody(site, f"x{site.site.ids.new().hex[-8:]}", "seller")
    assert stranger.finds("rhubarb") == []
    assert stranger.api.get("/search", q="rhubarb", objects="deal").json["hits"] == []
    blind = Somebody(site, f"b{site.site.ids.new().hex[-8:]}", "blind")
    assert sorted(name for name, _ in blind.finds("rhubarb")) == [""], "the name stays hidden"
    assert blind.finds("Hidden") == []


def test_an_object_that_is_not_searched_is_not_searched_beside_either(rep: Somebody) -> None:
    rep.say(rep.deal("Still", "quiet"), "gooseberry", "quiet")
    assert rep.finds("gooseberry") == []


def test_a_mention_reads_as_a_name_and_its_id_is_no_word(rep: Somebody) -> None:
    rep.say(rep.deal("Anshan"), f"<@{rep.id.hex}> please elderberry")
    ((_, said),) = rep.finds("elderberry")
    assert said is not None and said.startswith("@rep") and rep.id.hex not in said
    assert rep.finds(rep.id.hex[:12]) == []


def test_the_search_page_and_the_palette_show_the_words_marked(rep: Somebody) -> None:
    deal = rep.deal("Anshan")
    rep.say(deal, 'a <b>"boysenberry"</b> & cream')
    rep.attach(deal, "boysenberry.pdf")
    page = rep.pages.get("/search?q=boysenberry")
    hits = re.findall(r'<a class="tw-hit" href="(/o/deal/[^"]+)">(.*?)</a>', page.text, re.S)
    assert len(hits) == 1 and hits[0][0].endswith(str(UUID(deal)))
    assert "<mark>boysenberry</mark>.pdf" in hits[0][1] and "Attachment" in hits[0][1]
    rep.say(deal, 'the <b>"boysenberry"</b> again')
    palette = rep.pages.get("/palette?q=boysenberry").text
    assert "&lt;b&gt;" in palette and "<mark>boysenberry</mark>" in palette
    assert "Anshan" in html.unescape(palette)


def test_comments_and_attachments_of_before_are_found_after_the_upgrade(
    site: PageSite, rep: Somebody
) -> None:
    deal = rep.deal("Old")
    rep.say(deal, "huckleberry")
    rep.attach(deal, "cloudberry.pdf")
    with site.call.tenant.store.write() as writer:
        if writer.store.dialect == "sqlite":
            writer.execute(sa.text(f"INSERT INTO {note_text.name} ({note_text.name}) VALUES ('delete-all')"))
        writer.execute(sa.delete(search_note))
    assert rep.finds("huckleberry") == []
    with site.call.tenant.store.write() as writer:
        STEPS["tenant"][6](writer)
    assert rep.finds("huckleberry") == [("Old", "huckleberry")]
    assert rep.finds("cloudberry") == [("Old", "cloudberry.pdf")]


@pytest.mark.parametrize(
    ("text", "typed", "shown"),
    [
        ("short", "none", "short"),
        ("one\n two", "TWO", "one two"),
        ("x" * 100 + " here " + "y" * 200, "here", "…" + "x" * 29 + " here " + "y" * 89 + "…"),
        ("İstanbul " * 30, "stan", None),
    ],
)
def test_a_snippet_is_one_line_around_the_word(text: str, typed: str, shown: str | None) -> None:
    made = snippet(text, typed)
    assert made == shown if shown is not None else made.startswith("İstanbul") and made.endswith("…")
