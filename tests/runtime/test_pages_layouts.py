"""What a layout says is what the pages show: columns, spans, sections that are closed at first."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import models
from pagesite import PageSite, make_pages

OBJECTS: models.Compact = {
    "deal": {"name": "text(120) required", "amount": "currency(16,2)", "city": "text(40)", "zip": "text(10)"}
}
LAYOUT = {
    "kind": "layout",
    "name": "deal.standard",
    "label": {"zh": "标准", "en": "Standard"},
    "sections": [
        {
            "columns": 4,
            "fields": ["name", {"field": "amount", "span": 2}, {"field": "zip", "span": 4}],
        },
        {"label": {"zh": "其他", "en": "More"}, "columns": 1, "collapsed": True, "fields": ["city"]},
    ],
}


@pytest.fixture
def site() -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS, [LAYOUT])
        yield made


def test_columns_spans_and_closed_sections_are_on_the_record_and_the_form(site: PageSite) -> None:
    admin = site.person("管理员", "administrator")
    made = site.records.create("deal", {"name": "A", "city": "苏州"})
    record = admin.get(f"/o/deal/{made.id}").text
    assert 'class="tw-fields is-cols-4"' in record and 'class="tw-field is-span-2"' in record
    assert re.search(r'class="tw-field is-wide"[^>]*><dt>Zip', record), (
        "as many columns as there are: the row"
    )
    assert re.search(r'<details><summary class="tw-fold"><h2 id="s1">其他</h2>', record)
    form = admin.get("/o/deal/new").text
    assert 'class="tw-formgrid is-cols-4"' in form and 'class="tw-f is-span-2"' in form
    assert re.search(r'<details><summary class="tw-fold"><h2 id="g1">其他</h2>', form)


def test_a_closed_section_with_an_error_is_open(site: PageSite) -> None:
    admin = site.person("管理员", "administrator")
    admin.get("/o/deal/new")
    answer = admin.post("/o/deal/new", {**admin.form(), "name": "A", "city": "x" * 41})
    assert answer.status_code == 422 and '<details open><summary class="tw-fold">' in answer.text
    answer = admin.post("/o/deal/new", {**admin.form(), "name": "", "city": "x"})
    assert answer.status_code == 422 and '<details><summary class="tw-fold">' in answer.text
