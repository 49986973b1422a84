"""Promise R2 on a few hundred requests; the long run is a command: see noninference.py."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from models import document
from stores import DIALECTS
from twins import twins


def _module() -> Any:
    path = Path(__file__).with_name("noninference.py")
    spec = importlib.util.spec_from_file_location("noninference", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["noninference"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("dialect", "requests"),
    [(DIALECTS[0].values[0], 300), pytest.param("postgresql", 150, marks=pytest.mark.postgres)],
)
def test_what_is_hidden_changes_no_answer(dialect: str, requests: int) -> None:
    with tempfile.TemporaryDirectory() as folder, twins(dialect, Path(folder), (1, 2)) as both:
        found = None
        for found in _module().walk(*both, requests, seed=5):
            assert found.differing == []
        assert found is not None and len(found.endpoints) > 80
        assert not any(status >= 500 for status in found.statuses)
        assert found.statuses[200] > requests / 5


def test_what_is_declassified_does() -> None:
    """Or the walk would find nothing whatever there was to find."""
    leak = document(
        "field", "thing.total", type="formula", options={"returns": "integer", "formula": "hush_count + 1"},
    )  # fmt: skip
    with (
        tempfile.TemporaryDirectory() as folder,
        twins("sqlite", Path(folder), (1, 2), lambda: [leak]) as both,
    ):
        assert any(found.differing for found in _module().walk(*both, 300, seed=5))
