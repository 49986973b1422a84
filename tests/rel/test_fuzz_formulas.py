"""Promise R51 on some hundred texts; the long run is a command: see fuzz_formulas.py."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any


def _module() -> Any:
    path = Path(__file__).with_name("fuzz_formulas.py")
    spec = importlib.util.spec_from_file_location("fuzz_formulas", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzz_formulas"] = module
    spec.loader.exec_module(module)
    return module


def test_whatever_is_typed_is_a_formula_or_its_faults() -> None:
    seen, wrong = _module().attack(20_240_301, count=600)
    assert wrong == []
    assert min(seen["formula"], seen["sqlite"], seen["postgresql"]) > 30
    assert len(seen) > 35, "many kinds of faults were met"


def test_every_odd_text_is_answered() -> None:
    fuzz = _module()
    for text in fuzz.ODD:
        for place in fuzz.Place:
            fuzz.try_out(text, {"place": place}, fuzz.Counter())
