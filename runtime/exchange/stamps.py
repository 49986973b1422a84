"""The line that says whose export a file is. It comes last, and an import leaves it out: what was exported
goes in again as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

_MARK = "# Tabwright export "
_is_marked = re.compile(re.escape(_MARK) + r"[0-9a-f]{32}( |$)").match


def stamp(operation: UUID, name: str, at: datetime, zone: str) -> str:
    """The line: the operation in the journal, who, and when. The same in every language, for machines."""
    who = " ".join(name.split())[:80]
    return f"{_MARK}{operation.hex} · {who} · {at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S} {zone}"


def is_stamp(cells: Sequence[str]) -> bool:
    """Whether a row of a file is that line and nothing else."""
    return bool(cells) and _is_marked(cells[0].strip()) is not None and not any(cells[1:])
