"""What a publish and a form cost in the process: compiling models, filling forms. Milliseconds of CPU.

``python benchmarks/bench_compile.py``; exits 1 when a bar is missed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))

import models  # noqa: E402
from tabwright.metadata.compiler import compile_tree  # noqa: E402
from tabwright.metadata.documents import read  # noqa: E402
from tabwright.metadata.packages import base_tree  # noqa: E402
from tabwright.runtime.forms.inputs import Entry  # noqa: E402
from tabwright.runtime.forms.shown import Seen  # noqa: E402
from tabwright.runtime.forms.unroll import form_fields, form_piece  # noqa: E402

KINDS = (
    "text(80)",
    "integer",
    "currency(16,2)",
    "date",
    "picklist(a,b,c)",
    "boolean",
    "email",
    "long_text(2000)",
)


def best(call: Callable[[], Any], times: int = 7) -> float:
    """Milliseconds of CPU of one call, the best of some."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return min(taken) * 1000


def field_more() -> float:
    """One field more in a model of 200 objects of 40 fields."""
    large = {
        f"o{n}": {"name": "text", **{f"f{m}": "boolean" for m in range(38)}, "up": f"lookup(o{n * 7 % 200})"}
        for n in range(200)
    }
    start = base_tree().changed(models.components(large))
    one = compile_tree(start, release=1)
    after = start.changed([read(models.document("field", "o5.extra", type="text"))])
    return best(lambda: compile_tree(after, release=2, previous=one))


def wide() -> float:
    """One object of 500 fields with defaults, from nothing."""
    fields = {f"f{n}": {"type": "text", "default": "'a'"} for n in range(499)}
    start = base_tree().changed(models.components({"wide": {"name": "text", **fields}}))
    return best(lambda: compile_tree(start, release=1), 3)


def form() -> float:
    """A filled form of 30 fields, beyond the frame of its page."""
    fields = {"name": "text(80) required"} | {f"f{n}": KINDS[n % len(KINDS)] for n in range(29)}
    model = models.model({"wide": fields})
    object = model.objects["wide"]
    names, layout = frozenset(object.fields), next(iter(object.layouts.values()))
    piece = form_piece(object, layout, model, "en", names, names, creating=False)
    asked = form_fields(object, layout, names, creating=False)
    values = {each.name: "true" if each.type == "boolean" else "a" for each in asked}
    entry = Entry(values, Seen({}, ZoneInfo("Asia/Shanghai")))
    return best(lambda: [piece.fill(entry) for _ in range(200)]) / 200


def main() -> int:
    """Print each figure with its bar."""
    good = True
    for name, run, bar in (
        ("a field more", field_more, 15.0),
        ("500 fields", wide, 300.0),
        ("form", form, 0.1),
    ):
        found = run()
        good &= found <= bar
        print(f"{name:14} {found:8.3f} ms   bar {bar}{'' if found <= bar else '   MISSED'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
