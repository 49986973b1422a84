"""Bad rows of a checked import put right over the API: the same rows and the same outcome as on the page."""

from collections.abc import Iterator
from typing import Any

import pytest

import models
from apisite import ApiSite, make_api
from importing import Importer, counted, csv_of
from stores import DIALECTS

OBJECTS: models.Compact = {
    "account": {"name": "text(40) required unique"},
    "deal": {"title": "text(40) required", "account": "lookup(account)", "amount": "decimal(10,2)"},
}
HEAD = ["title", "account", "amount"]


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    with make_api(request.param, tmp_path_factory.mktemp("corrections")) as made:
        made.publish(OBJECTS)
        made.admin.post("/objects/account/records", {"name": "Acme"})
        yield made


def checked(site: ApiSite, rows: list[list[str]]) -> tuple[Importer, str]:
    """A checked import of deals and its address."""
    importer = Importer(site)
    run = importer.check(importer.start("deal", csv_of(HEAD, rows)).id)
    return importer, f"/imports/{run.id.hex}"


def numbers(answer: Any) -> list[int]:
    return [each["row"] for each in answer.json["rows"]]


BAD = [[f"D{n}", "Acme", "much" if n % 2 else "1"] for n in range(7)]  # rows 3, 5 and 7 of the file


def test_bad_rows_are_listed_page_by_page(site: ApiSite) -> None:
    _, at = checked(site, BAD)
    first = site.admin.get(f"{at}/rows", limit=2)
    assert first.json["kind"] == "bad" and first.json["counts"] == {"bad": 3, "corrected": 0, "skipped": 0}
    assert numbers(first) == [3, 5]
    row = first.json["rows"][0]
    assert (row["outcome"], row["cells"], row["file"]) == ("failed", ["D1", "Acme", "much"], row["cells"])
    assert [each["field"] for each in row["faults"]] == ["amount"]
    last = site.admin.get(f"{at}/rows", limit=2, cursor=first.json["next_cursor"])
    assert (numbers(last), last.json["next_cursor"]) == ([7], None)
    assert numbers(site.admin.get(f"{at}/rows", kind="corrected")) == []
    # A cursor is of its import and kind.
    for wrong in ({"kind": "skipped", "cursor": first.json["next_cursor"]}, {"cursor": "x"}):
        assert site.admin.get(f"{at}/rows", **wrong).status_code == 400


def test_rows_put_right_and_skipped_go_in_as_corrected(site: ApiSite) -> None:
    importer, at = checked(site, BAD)
    said = {"rows": [{"row": 3, "cells": {"amount": "5", "title": "Better"}}, {"row": 5, "skip": True}]}
    done = site.admin.post(f"{at}/rows", said)
    assert done.status_code == 200, done.text
    assert [(each["row"], each["outcome"]) for each in done.json["rows"]] == [(3, "created"), (5, "skipped")]
    assert done.json["rows"][0]["cells"] == ["Better", "Acme", "5"]
    assert done.json["rows"][0]["file"] == ["D1", "Acme", "much"]
    run = done.json["import"]
    assert (run["state"], run["counts"]["created"], run["counts"]["failed"]) == ("checked", 5, 1)
    assert run["checked"]["since"] == 2
    assert numbers(site.admin.get(f"{at}/rows")) == [7]
    assert numbers(site.admin.get(f"{at}/rows", kind="skipped")) == [5]
    back = site.admin.post(f"{at}/rows", {"rows": [{"row": 5, "skip": False}, {"row": 3, "restore": True}]})
    assert [each["outcome"] for each in back.json["rows"]] == ["failed", "failed"]
    site.admin.post(f"{at}/rows", {"rows": [{"row": 3, "cells": {"amount": "5"}}]})
    # The next check says the same, and the run does what was said.
    assert site.admin.post(f"{at}/check").status_code == 202
    importer.work()
    assert site.admin.get(at).json["counts"]["created"] == 5
    site.admin.post(f"{at}/run")
    importer.work()
    ended = site.admin.get(at).json
    assert (ended["counts"]["created"], ended["counts"]["failed"]) == (5, 2)
    late = site.admin.post(f"{at}/rows", said)
    assert (late.status_code, late.json["faults"][0]["code"]) == (409, "import.wrong_state")


def test_one_text_is_replaced_wherever_bad_rows_say_it(site: ApiSite) -> None:
    _, at = checked(site, BAD)
    wanted = {"column": "amount", "value": "much", "becomes": "9"}
    done = site.admin.post(f"{at}/rows/replace", wanted)
    assert (done.status_code, done.json["counts"]["created"]) == (200, 7)
    unknown = site.admin.post(f"{at}/rows/replace", {**wanted, "column": "price"})
    assert unknown.status_code == 422
    assert unknown.json["faults"][0]["pointer"] == "/column"


def test_every_wrong_correction_is_told_and_none_is_kept(site: ApiSite) -> None:
    _, at = checked(site, BAD)
    right = {"row": 3, "cells": {"amount": "5"}}

    def refused(status: int, *rows: Any) -> list[dict[str, Any]]:
        answer = site.admin.post(f"{at}/rows", {"rows": [right, *rows]})
        assert answer.status_code == status, answer.text
        return [*answer.json["faults"]]

    faults = refused(422, {"row": 5, "cells": {"a/b": "1"}}, {"row": 7, "cells": {"x": "", "y": ""}})
    assert [each["pointer"] for each in faults] == [
        "/rows/1/cells/a~1b", "/rows/2/cells/x", "/rows/2/cells/y"
    ]  # fmt: skip
    assert [each["code"] for each in refused(422, {"row": 2, "skip": True})] == ["import.row_not_bad"]
    assert [each["row"] for each in refused(422, {"row": 3, "skip": True})] == [3]  # named twice
    assert refused(422, {"row": 5, "cells": {"amount": "1" * 200_000}})[0]["code"] == "import.cell_too_long"
    assert [each["pointer"] for each in refused(400, {"row": "5"}, {"row": 7, "skip": "yes"})] == [
        "/rows/1/row", "/rows/2/skip"
    ]  # fmt: skip
    assert site.admin.post(f"{at}/rows", {"rows": []}).status_code == 400
    assert site.admin.get(f"{at}/rows").json["counts"] == {"bad": 3, "corrected": 0, "skipped": 0}


def test_a_correction_that_is_sent_again_is_answered_again(site: ApiSite) -> None:
    _, at = checked(site, BAD)
    key = {"Idempotency-Key": at[-20:]}
    said = {"rows": [{"row": 3, "cells": {"amount": "5"}}]}
    first = site.admin.post(f"{at}/rows", said, headers=key)
    again = site.admin.post(f"{at}/rows", said, headers=key)
    assert again.headers["Idempotency-Replayed"] == "true" and again.json == first.json
    assert again.json["import"]["checked"]["since"] == 1
    other = site.admin.post(f"{at}/rows", {"rows": [{"row": 5, "skip": True}]}, headers=key)
    assert other.status_code == 422


def test_very_many_rows_begin_a_check(site: ApiSite) -> None:
    importer, at = checked(site, [[f"D{n}", "Acme", "much"] for n in range(1200)])
    rows = [{"row": n + 2, "cells": {"amount": "2"}} for n in range(1200)]
    begun = site.admin.post(f"{at}/rows", {"rows": rows})
    assert (begun.status_code, begun.json["import"]["state"]) == (200, "checking")
    importer.work()
    run = importer.imports.get(importer.imports.recent("deal")[0].id)
    assert counted(run) == {"created": 1200}
    assert len(numbers(site.admin.get(f"{at}/rows", kind="corrected", limit=1000))) == 1000


def test_somebody_elses_rows_are_not_seen(site: ApiSite) -> None:
    _, at = checked(site, BAD)
    stranger = site.person("stranger")
    assert stranger.get(f"{at}/rows").status_code in (403, 404)
    assert stranger.post(f"{at}/rows", {"rows": [{"row": 3, "skip": True}]}).status_code in (403, 404)
    assert stranger.post(
        f"{at}/rows/replace", {"column": "amount", "value": "much", "becomes": "1"}
    ).status_code in (403, 404)
