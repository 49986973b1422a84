"""What a formula sees of the moment of its evaluation, and the values it computes with."""

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from tabwright.formula.calendars import STANDARD, read

Value = Decimal | str | bool | date | datetime | time | UUID | None


@dataclass(frozen=True, slots=True)
class Env:
    """One moment for one user: `today` in the user's zone, `now` aware in UTC, `zone` as in
    "Asia/Shanghai".

    `calendar` is the organisation's business calendar as ``calendars.Calendar.text``; `fiscal` the months
    that lead from a date to the day whose calendar year and quarter are the fiscal ones of that date.
    """

    today: date
    now: datetime
    zone: str = "UTC"
    is_new: bool = False
    is_clone: bool = False
    calendar: str = STANDARD.text
    fiscal: int = 0

    def parameters(self) -> dict[str, Any]:
        """What SQL of formulas has to be given."""
        week, changed, changes = read(self.calendar).counts
        return {
            "tw_today": self.today,
            "tw_now": self.now,
            "tw_zone": self.zone,
            "tw_calendar": self.calendar,
            "tw_fiscal": self.fiscal,
            "tw_week": week,
            "tw_changed": changed,
            "tw_changes": changes,
        }
