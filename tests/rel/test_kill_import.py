"""An import whose worker is killed goes on: every good row once. The long run is a command: see
kill_import.py.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from apisite import make_api
from stores import DIALECTS


def _module() -> Any:
    path = Path(__file__).with_name("kill_import.py")
    spec = importlib.util.spec_from_file_location("kill_import", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["kill_import"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_killed_worker_loses_and_doubles_nothing(dialect: str) -> None:
    kill_import = _module()
    with tempfile.TemporaryDirectory() as folder, make_api(dialect, Path(folder), kill_import.LIMITS) as api:
        found = kill_import.measure(api, rows=1_600, every=0.05)
    assert found["wrong"] == []
    assert found["run"]["kills"] >= 1
    assert found["largest_mb"] <= 300
