"""Options that a file says and its fields do not know go into the draft; published, the import takes them."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import models
from pagesite import PageSite, Visitor, make_pages, readable

OBJECTS: models.Compact = {
    "deal": {
        "name": "text(60) required",
        "stage": "picklist(open,won)",
        "tags": {
            "type": "multi_picklist",
            "options": {"values": [{"code": each, "label": {"en": each, "zh": each}} for each in "ab"]},
        },
    }
}
IMPORTER = {
    "kind": "permission_set",
    "name": "importer",
    "label": {"zh": "导入", "en": "Importer"},
    "system": ["import"],
    "objects": {"deal": ["create", "read", "edit", "import"]},
    "fields": {"deal": {"*": "edit"}},
}
FILE = "name,stage,tags\nA,抖音,a;新的\nB,抖音,b\nC,Lost deal,c\nD,won,a\n"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(OBJECTS, [IMPORTER])
        yield made


def checked(site: PageSite, visitor: Visitor) -> str:
    visitor.get("/o/deal/import")
    at = visitor.post("/o/deal/import", {"file": (io.BytesIO(FILE.encode()), "d.csv")}).headers["Location"]
    visitor.get(at)
    visitor.post(at + "/settings", {"mode": "create", "then": "check"})
    site.site.runner.run_due(site.location)
    return str(at)


def test_unknown_options_are_made_in_the_draft_and_the_import_goes_on(site: PageSite) -> None:
    anna = site.person("Anna", "administrator", language="en")
    at = checked(site, anna)
    way = f"/studio{at}/options"
    assert f'href="{way}"' in anna.get(at).text
    page = anna.get(way)
    shown = readable(page)
    assert "抖音 rows: 2" in shown and "Lost deal rows: 1" in shown and "新的 rows: 1" in shown
    nothing = anna.post(way, {})
    assert nothing.status_code == 422 and "Tick at least one value" in readable(nothing)
    names = re.findall(r'name="(use\.\d\.\d)"', page.text)
    assert len(names) == 4
    anna.get(way)
    made = anna.post(way, dict.fromkeys(names, "1"))
    assert made.status_code == 303 and made.headers["Location"].endswith(f"?back={at}"), readable(made)
    anna.get(made.headers["Location"])
    assert anna.post("/studio/publish", {"back": at}).headers["Location"] == at
    stage = site.call.model.objects["deal"].fields["stage"]
    assert stage.picklist is not None
    assert [(each.code, dict(each.labels)) for each in stage.picklist.values][2:] == [
        ("dou_yin", {"zh": "抖音"}), ("lost_deal", {"en": "Lost deal"}),
    ]  # fmt: skip
    anna.get(at)
    anna.post(at + "/settings", {"then": "check"})
    site.site.runner.run_due(site.location)
    assert "Import 4 rows" in readable(anna.get(at))
    assert "Nothing to add" in readable(anna.get(way))


def test_who_does_not_design_is_not_offered_it(site: PageSite) -> None:
    low = site.person("Low", "importer", language="en")
    at = checked(site, low)
    assert "/studio/" not in low.get(at).text and "Skip these rows" in readable(low.get(at))
    assert low.get(f"/studio{at}/options").status_code in (403, 404)
