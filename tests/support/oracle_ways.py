"""Every way to learn of a record or to change one, asked of the product and held against the model (R1).

A tuple is (person, object, record, field, operation). ``Asking`` counts them by path, and keeps what differs
with the smallest facts about it. A way is a method that begins with ``by_``; ``WAYS`` has them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from oracle_asking import Asking
from oracle_pages import Pages
from oracle_plans import Plans
from oracle_reads import Reads
from oracle_writes import Writes

__all__ = ["WAYS", "Asker", "Asking"]


class Asker(Plans, Writes, Pages):
    """Somebody who asks by every way."""


WAYS: Mapping[str, Callable[[Asker, str], None]] = {
    name.removeprefix("by_"): way
    for room in (Reads, Plans, Writes, Pages)
    for name, way in vars(room).items()
    if name.startswith("by_")
}
