"""Who imports is told of the end, once each, wherever they are by then."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from apisite import ApiSite, make_api
from importing import Importer, call_of, csv_of
from stores import DIALECTS
from tabwright.runtime.pages.notices_page import in_words
from tabwright.runtime.personal.notices import Notices
from tabwright.runtime.query.reads import Reads


@pytest.fixture(params=DIALECTS)
def api(request: pytest.FixtureRequest) -> Iterator[ApiSite]:
    with tempfile.TemporaryDirectory() as folder, make_api(request.param, Path(folder)) as made:
        made.publish({"deal": {"name": "text(40) required unique"}})
        yield made


def test_the_end_of_an_import_and_of_its_undo_are_told(api: ApiSite) -> None:
    here, call = Importer(api), call_of(api, api.admin)
    run = here.start("deal", csv_of(["name"], [["a"], ["b"], ["a"]]))
    here.check(run.id)
    assert Notices(call).newest() == []  # who checks looks at it
    here.run(run.id)
    (told,) = Notices(call).newest()
    assert (told.kind, told.params["state"], told.params["written"], told.params["failed"]) == (
        "import", "done", 2, 1,
    )  # fmt: skip
    (shown,) = in_words(call, Reads(call), [told])
    assert shown.href == f"/imports/{run.id.hex}" and "2" in shown.text and "1" in shown.text
    here.undo(run.id)
    assert [each.params["what"] for each in Notices(call).newest()] == ["undo", "run"]


def test_a_value_that_stands_twice_names_the_row_of_the_file_that_had_it_first(api: ApiSite) -> None:
    here = Importer(api)
    run = here.start("deal", csv_of(["name"], [["x" * 41], ["a"], ["b"], ["a"]]))
    here.check(run.id)
    long, again = here.imports.problems(run.id, "check")
    assert (long.row, again.row) == (2, 5)
    assert again.faults[0].params["other"] == 3
