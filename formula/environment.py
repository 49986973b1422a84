"""What a formula sees of the moment of its evaluation, and the values it computes with."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

Value = Decimal | str | bool | date | datetime | UUID | None


@dataclass(frozen=True, slots=True)
class Env:
    """One moment for one user: `today` in the user's zone, `now` aware in UTC, `zone` as in
    "Asia/Shanghai".
    """

    today: date
    now: datetime
    zone: str = "UTC"
    is_new: bool = False
    is_clone: bool = False
