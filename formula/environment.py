"""What a formula sees of the moment of its evaluation, and the values it computes with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from tabwright.formula.calendars import STANDARD, read

Value = Decimal | str | bool | date | datetime | time | UUID | None


@dataclass(frozen=True, slots=True)
class Org:
    """What `$Org` names: the organisation itself. `fiscal_year_start`: the month in which its year begins."""

    name: str = ""
    slug: str = ""
    language: str = ""
    zone: str = ""
    fiscal_year_start: int = 1


NOBODY: Final = Org()


@dataclass(frozen=True, slots=True)
class Env:
    """One moment for one user: `today` in the user's zone, `now` aware in UTC, `zone` as in
    "Asia/Shanghai".

    `calendar` is the organisation's business calendar as ``calendars.Calendar.text``; `fiscal` the months
    that lead from a date to the day whose calendar year and quarter are the fiscal ones of that date.
    `org` is what `$Org` names, `labels` what `$Label` does: the texts of the custom labels in the language of
    who reads, by name.
    """

    today: date
    now: datetime
    zone: str = "UTC"
    is_new: bool = False
    is_clone: bool = False
    calendar: str = STANDARD.text
    fiscal: int = 0
    org: Org = NOBODY
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)

    def label(self, name: str) -> str:
        """The text of a custom label; of one that there is not, none."""
        return self.labels.get(name, "")

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
            "tw_org_name": self.org.name,
            "tw_org_slug": self.org.slug,
            "tw_org_language": self.org.language,
            "tw_org_zone": self.org.zone,
            "tw_org_fiscal_year_start": self.org.fiscal_year_start,
            **{f"tw_label_{name}": text for name, text in self.labels.items()},
        }
