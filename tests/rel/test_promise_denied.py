"""R3: a write that is refused has written nothing.

Every write of every route is sent by somebody who may only look, and by an administrator with bodies that are
wrong; whenever the answer is a refusal, every table of the tenant, every table of the control store but the
session's own line, and every kept file are as before. The long run: ``python tests/rel/test_promise_denied.py
--writes 100000 [--backend postgresql]``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

if __name__ == "__main__":
    import sys

    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from apisite import Person
from channels import NAMES, OWN, READS, Shot, nowhere, shots
from halves import Half, make_twins, second
from pagesite import Visitor
from snapshots import Snapshot, changed, files, snapshot
from stores import DIALECTS

# Lines of the control store that any request may touch: when a session was used last, tries to sign in.
RESTLESS = ("session", "sign_in_try", "next_due")


@dataclass
class Tally:
    """What a run found."""

    writes: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)


def everything(half: Half) -> Snapshot:
    """All that there is: the tenant's store, the control store, the files."""
    control = snapshot(half.site.stores.control, RESTLESS)
    kept = files(half.site.settings.home / "files")
    return {**snapshot(half.tenant.store), **{f"control.{k}": v for k, v in control.items()}, **kept}


def writes(half: Half) -> Iterator[Shot]:
    """Every write of every route."""
    return (each for each in shots(half.pages.app) if each.sample.method not in READS)


def refuse(
    half: Half, who: Visitor, api: Person, ids: Mapping[str, str], tally: Tally, *, sees: bool, every: int
) -> None:
    """All writes in one person's hands; what is refused is looked at after each ``every`` of them. ``sees``:
    the record may be read, so it may be commented and followed.
    """
    before, batch = everything(half), []
    for shot in writes(half):
        own = shot.sample.everybody and (sees or not shot.in_path)
        if own or shot.sample.route in OWN:
            continue
        for more in (None, {name: ids[kind] for name, kind in NAMES.items()}):
            answer = shot.send(who, api, ids, ids, more)
            tally.writes += 1
            tally.statuses[answer.status_code] += 1
            tally.refused += answer.status_code >= 400
            batch.append(f"{shot.sample.route} {answer.status_code}")
        if len(batch) >= every:
            before, batch = _looked(half, before, batch, tally), []
    _looked(half, before, batch, tally)


def _looked(half: Half, before: Snapshot, batch: list[str], tally: Tally) -> Snapshot:
    after = everything(half)
    if found := changed(before, after):
        tally.wrong.append(f"{found} after {batch}")
    return after


@pytest.fixture(scope="module", params=DIALECTS)
def half(request: pytest.FixtureRequest) -> Iterator[Half]:
    with tempfile.TemporaryDirectory() as folder, make_twins(request.param, Path(folder)) as (_, made):
        yield made


def test_what_is_refused_has_written_nothing(half: Half) -> None:
    looker, tally = second(half), Tally()
    api = half.api_of(looker)
    owned = half.create("deal", name="to look at", owner=api.id.hex)  # may be read, and nothing else
    refuse(half, looker, api, half.ids, tally, sees=False, every=20)
    refuse(half, looker, api, {**half.ids, "record": owned}, tally, sees=True, every=20)
    assert tally.wrong == []
    assert tally.refused > 200 and tally.refused / tally.writes > 0.9, tally


def test_what_makes_no_sense_has_written_nothing_either(half: Half) -> None:
    """The administrator, with identifiers that exist nowhere."""
    tally, void = Tally(), nowhere(half.ids)
    before = everything(half)
    for shot in writes(half):
        if not shot.in_path or shot.sample.route in OWN:
            continue
        answer = shot.send(half.admin, half.api, void, half.ids)
        assert answer.status_code >= 400 or shot.sample.free, (shot.sample.route, answer.status_code)
        tally.writes += 1
    assert changed(before, everything(half)) == [] and tally.writes > 40


def test_a_write_that_is_let_through_would_have_been_seen(half: Half) -> None:
    before = everything(half)
    id = half.create("deal", name="seen")
    found = changed(before, everything(half))
    assert {"journal_operation", "journal_change"} < set(found)
    before = everything(half)
    assert half.api.patch(f"/objects/deal/records/{id}", {"name": "seen again"}).status_code == 200
    assert len(changed(before, everything(half))) > 2
    before = everything(half)
    half.upload()
    assert len(changed(before, everything(half))) > 1  # its line and its content


def run(backend: str, wanted: int, minutes: float) -> dict[str, Any]:
    """The long run: rounds of all writes, looked at after each hundred. It ends in time too."""
    tally, end = Tally(), time.monotonic() + minutes * 60
    with tempfile.TemporaryDirectory() as folder, make_twins(backend, Path(folder)) as (_, half):
        looker = second(half)
        api = half.api_of(looker)
        owned = half.create("deal", name="to look at", owner=api.id.hex)
        while tally.refused < wanted and not tally.wrong and time.monotonic() < end:
            refuse(half, looker, api, half.ids, tally, sees=False, every=100)
            refuse(half, looker, api, {**half.ids, "record": owned}, tally, sees=True, every=100)
            refuse(half, looker, api, nowhere(half.ids), tally, sees=False, every=100)
    return {
        "backend": backend, "writes": tally.writes, "refused": tally.refused, "wrong": tally.wrong,
        "statuses": dict(tally.statuses),
    }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writes", type=int, default=100_000)
    parser.add_argument("--backend", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--minutes", type=float, default=600, help="no new round after these")
    given = parser.parse_args()
    found = run(given.backend, given.writes, given.minutes)
    print(found)
    raise SystemExit(bool(found["wrong"]))
