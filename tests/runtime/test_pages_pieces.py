"""The unrolled pieces of pages: texts and values, what is shown, how quickly, and every text of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import models
from tabwright.metadata.model import FieldDef, Model
from tabwright.runtime.forms import texts
from tabwright.runtime.forms.shown import Seen, initials, shower
from tabwright.runtime.pages import rendering
from tabwright.runtime.pages.edit_page import Posted, overlapping, pack, unpack
from tabwright.runtime.pages.world import local_path

ZONE = ZoneInfo("Asia/Shanghai")
PAGES = Path(rendering.__file__).parent


@pytest.fixture(scope="module")
def model() -> Model:
    return models.model(
        {
            "account": {"name": "text(80) required"},
            "deal": {
                "name": "text(80) required",
                "account": "lookup(account)",
                "amount": "currency(16,2)",
                "chance": "percent(5,2)",
                "count": "integer",
                "visit_at": "datetime",
                "day": "date",
                "key": "boolean",
                "stage": "picklist(open,won)",
                "site": "url",
                "mobile": "phone",
                "mail": "email",
                "needs": "long_text(2000)",
            },
        }
    )


def field(model: Model, name: str) -> FieldDef:
    return model.objects["deal"].fields[name]


def shown(model: Model, name: str, value: Any, **more: Any) -> str:
    show = shower(field(model, name), name, model, "en")
    return show(Seen({name: value, **more}, ZONE))


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("amount", Decimal("2415000.5"), "¥2,415,000.50"),
        ("chance", Decimal("12.50"), "12.5%"),
        ("chance", Decimal("50"), "50%"),
        ("count", Decimal("1204"), "1,204"),
        ("day", date(2026, 11, 28), "2026-11-28"),
        ("visit_at", datetime(2026, 11, 20, 1, 12, tzinfo=UTC), "2026-11-20 09:12"),
        ("mobile", "+8613800006620", "+86 138 0000 6620"),
        ("name", "<b>&", "&lt;b&gt;&amp;"),
        ("stage", "won", "Won"),
        ("stage", "<gone>", "&lt;gone&gt;"),
        ("amount", None, ""),
    ],
)
def test_a_value_is_shown_as_people_write_it(model: Model, name: str, value: Any, text: str) -> None:
    inside = re.sub(r"<(?!/?b&)[^>]+>", "", shown(model, name, value))
    assert inside == text


def test_a_true_box_is_a_tick_and_a_word(model: Model) -> None:
    html = shown(model, "key", True)
    assert html.startswith("<svg") and html.endswith(" Yes") and "&lt;" not in html


def test_a_link_never_leads_to_a_script(model: Model) -> None:
    assert "href" not in shown(model, "site", "javascript:alert(1)")
    assert 'rel="noopener noreferrer"' in shown(model, "site", "https://a.example/")


def test_a_lookup_shows_a_name_and_never_an_id(model: Model) -> None:
    id = UUID(int=7)
    assert ">Hengrui</a>" in shown(model, "account", id, **{"account.name": "Hengrui"})
    nameless = shown(model, "account", id)
    assert str(id) not in nameless and "href" not in nameless


@pytest.mark.parametrize(
    ("name", "said"), [("陈思远", "陈"), ("Chen Siyuan", "CS"), ("x@example.com", "XE"), (" ", "?")]
)
def test_initials(name: str, said: str) -> None:
    assert initials(name) == said


# ---- texts and values ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("amount", "1,275,000.5", "1275000.5"),
        ("amount", "1,27", "1,27"),  # not grouped by thousands: the write path refuses it
        ("amount", "１２．５", "12.5"),
        ("chance", "60 %", "60"),
        ("key", "true", True),
        ("visit_at", "2026-11-20T09:12", "2026-11-20T01:12:00+00:00"),
        ("visit_at", "soon", "soon"),
        ("name", "  ", None),
        ("needs", "a\n", "a\n"),
    ],
)
def test_what_is_typed_becomes_a_value(model: Model, name: str, typed: str, value: Any) -> None:
    assert texts.to_value(field(model, name), typed, ZONE) == value


SMALL = models.model({"visit": {"name": "text(80)", "amount": "currency(16,2)", "at": "datetime"}})


@given(value=st.decimals(min_value=-(10**12), max_value=10**12, places=2, allow_nan=False))
def test_a_number_that_nobody_touched_stays_itself(value: Decimal) -> None:
    amount = SMALL.objects["visit"].fields["amount"]
    assert Decimal(texts.to_value(amount, texts.to_text(amount, value, ZONE), ZONE)) == value


@given(at=st.datetimes(min_value=datetime(1992, 1, 1), max_value=datetime(2090, 1, 1)))
def test_a_moment_stays_itself_to_the_minute(at: datetime) -> None:
    field = SMALL.objects["visit"].fields["at"]
    moment = at.replace(tzinfo=UTC, second=0, microsecond=0)
    again = texts.to_value(field, texts.to_text(field, moment, ZONE), ZONE)
    assert datetime.fromisoformat(again) == moment


@given(
    was=st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["", "1", "2"]), min_size=4),
    mine=st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["", "1", "2"]), min_size=4),
    theirs=st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["", "1", "2"]), min_size=4),
)
def test_only_what_both_changed_differently_is_asked(
    was: dict[str, str], mine: dict[str, str], theirs: dict[str, str]
) -> None:
    both = overlapping(Posted(mine, {}, was), theirs)
    for name in "abcd":
        differs = mine[name] != was[name] and theirs[name] != was[name] and mine[name] != theirs[name]
        assert (name in both) == differs


@given(st.dictionaries(st.text(), st.text()), st.dictionaries(st.text(), st.text()))
def test_what_a_form_remembers_comes_back(first: dict[str, str], second: dict[str, str]) -> None:
    assert unpack(pack(first, second)) == (first, second)


@given(st.text())
def test_whatever_a_browser_sends_as_memory_is_taken(packed: str) -> None:
    unpack(packed)


@given(st.text())
def test_a_path_to_return_to_is_of_this_site(value: str) -> None:
    path = local_path(value)
    assert path.startswith("/") and not path.startswith(("//", "/\\")) and "\n" not in path


# ---- every text of ours --------------------------------------------------------------------------------


def _said() -> Iterator[str]:
    for path in (PAGES / "templates").rglob("*.html"):
        yield from re.findall(r"\bt\('([a-z_0-9.]+)'\s*[,)]", path.read_text("utf-8"))
    for path in [*PAGES.glob("*.py"), *PAGES.parent.joinpath("forms").glob("*.py")]:
        text = path.read_text("utf-8")
        yield from re.findall(r'\bt\("([a-z_0-9.]+)"[,)]', text)
        yield from re.findall(r'(?:text\([a-z.]+\)|flash)\(\s*"([a-z_0-9.]+)"', text)
        yield from re.findall(r'"pages\.([a-z_0-9]+\.[a-z_0-9.]+)"', text)


def test_every_text_is_there_in_both_languages_with_the_same_names() -> None:
    found = {}
    for path in PAGES.rglob("*messages.json"):
        found.update(json.loads(path.read_text("utf-8")))
    assert sorted({code for code in _said() if f"pages.{code}" not in found}) == []
    for code, both in found.items():
        names = [set(re.findall(r"{(\w+)}", both[language])) for language in ("zh", "en")]
        assert both["zh"] and both["en"] and names[0] == names[1], code


def test_templates_hold_no_text_of_their_own() -> None:
    for path in (PAGES / "templates").rglob("*.html"):
        text = re.sub(r"{[%{#].*?[%}#]}", "", path.read_text("utf-8"), flags=re.S)
        assert not re.search(r"[\u4e00-\u9fff]", re.sub(r">简体中文<|>中<", "", text)), path.name
