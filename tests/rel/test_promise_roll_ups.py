"""R25: roll-ups are exact under concurrent writers, on both databases.

At length: ``TABWRIGHT_REL_WRITERS=64 TABWRIGHT_REL_WRITES=100 python -m pytest -s
tests/rel/test_promise_roll_ups.py``.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from time import monotonic
from uuid import UUID

import pytest

from served import size, tell
from tabwright.platform.clock import SystemClock, SystemIds
from tabwright.platform.errors import NotFound, Unavailable
from tabwright.runtime.publishing.recomputing import in_turn, recompute
from tabwright.runtime.records.service import Records
from world import World, field_doc, object_doc

WRITERS = size("writers", 8)
WRITES = size("writes", 12)
PARENTS = 5
MONEY = {"precision": 16, "scale": 2, "currency": "CNY"}


def rolled(name: str, relation: str, function: str, returns: str, **options: object) -> Mapping[str, object]:
    given = {"relation": relation, "function": function, "returns": returns, **options}
    return field_doc(name, "roll_up", options=given)


DOCUMENTS = [
    object_doc("firm", sharing="edit"),
    field_doc("firm.name", "text"),
    rolled("firm.turnover", "order.firm", "sum", "currency", value="total"),
    object_doc("order", sharing="edit"),
    field_doc("order.name", "text"),
    field_doc("order.firm", "lookup", options={"target": "firm"}),
    rolled("order.total", "line.order", "sum", "currency", value="amount"),
    rolled("order.lines", "line.order", "count", "integer"),
    rolled("order.dearest", "line.order", "max", "currency", value="amount", filter="amount > 10"),
    object_doc("line"),
    field_doc("line.name", "text"),
    field_doc("line.order", "master_detail", options={"target": "order"}),
    field_doc("line.amount", "currency", options=MONEY),
]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_after_concurrent_writers_nothing_has_drifted(world: Callable[..., World]) -> None:
    made = world(DOCUMENTS)
    firms = [made.records.create("firm", {"name": f"f{n}"}).id for n in range(2)]
    orders = [
        made.records.create("order", {"name": f"o{n}", "firm": firms[n % 2]}).id for n in range(PARENTS)
    ]
    clock = SystemClock()
    call = replace(made.call, clock=clock, ids=SystemIds(clock))
    done: Counter[str] = Counter()
    failed: list[BaseException] = []
    counting = threading.Lock()

    def write(number: int) -> None:
        choices, mine = random.Random(number), list[UUID]()
        records = Records(call)
        try:
            for _ in range(WRITES):
                what = choices.choice(["create", "create", "edit", "move", "delete", "restore"])
                try:
                    if what == "create" or not mine:
                        values = {"order": choices.choice(orders), "amount": choices.randint(1, 99)}
                        mine.append(records.create("line", values).id)
                    elif what == "edit":
                        records.update("line", choices.choice(mine), {"amount": choices.randint(1, 99)})
                    elif what == "move":
                        records.update("line", choices.choice(mine), {"order": choices.choice(orders)})
                    elif what == "delete":
                        records.delete("line", choices.choice(mine))
                    else:
                        records.update("order", choices.choice(orders), {"firm": choices.choice(firms)})
                except NotFound:
                    what = "gone"
                except Unavailable as error:  # said to the caller, and nothing written
                    what = f"busy: {error.faults[0].code}"
                with counting:
                    done[what] += 1
        except BaseException as error:
            failed.append(error)

    begun = monotonic()
    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = monotonic() - begun
    assert failed == []
    drifts = recompute(made.tenant, made.model, in_turn(made.model), made.clock.now())
    tell(
        promise="R25",
        database=made.store.dialect,
        writers=WRITERS,
        writes=dict(done),
        seconds=round(took),
        values=sum(each.records for each in drifts),
        differed=sum(each.differed for each in drifts),
    )
    assert [(each.field.path, each.differed) for each in drifts if each.differed] == []
    assert done["create"] > 0
