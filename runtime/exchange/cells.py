"""Cells that people open in a spreadsheet, made harmless and back again.

A cell that a spreadsheet would run as a formula gets an apostrophe in front. A file of failed rows comes
back as it is: the last column, that of reasons, tells that its cells were made safe.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tabwright.platform.language import Language

REASON: dict[Language, str] = {"zh": "未导入的原因", "en": "Reason not imported"}
_risky = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_number = re.compile(r"[+-]?\d+([.,]\d+)*%?").fullmatch


def safe(cell: str) -> str:
    """The cell as no spreadsheet runs it; real numbers stay as they are."""
    return "'" + cell if cell.startswith(_risky) and not _number(cell) else cell


def unsafe(cell: str) -> str:
    """The cell that ``safe`` was given."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_risky) else cell


def is_result(header: Sequence[str]) -> bool:
    """Whether a file is one of failed rows that comes back."""
    return bool(header) and header[-1] in REASON.values()
