"""R1 in the small: a random organisation agrees with a model of set logic by every way of asking. The long
run is a command: see oracle.py.
"""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from stores import DIALECTS


def _module() -> Any:
    path = Path(__file__).with_name("oracle.py")
    spec = importlib.util.spec_from_file_location("oracle", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["oracle"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_way_of_asking_agrees_with_the_model(dialect: str) -> None:
    oracle = _module()
    counts: Counter[str] = Counter()
    wrong: list[dict[str, Any]] = []
    with oracle.organisation(dialect, seed=3, people=8, records=6) as poured:
        oracle.asked(poured, "before", counts, wrong, people=1)
        poured.change(Random(3))
        oracle.asked(poured, "after", counts, wrong, people=1)
        assert wrong == []
        assert {path for way in oracle.WAYS for path in oracle.COUNTED.get(way, (way,))} <= set(counts)
        # An oracle that notices nothing is none: other facts than those that are true.
        for rows in poured.facts["records"].values():
            for row in rows.values():
                row["owner"] = next(iter(poured.facts["users"]))
        oracle.asked(poured, "wrong", counts, wrong, people=1, ways=("list", "get"))
        assert {each["path"] for each in wrong} >= {"list", "get"}
