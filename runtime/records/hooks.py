"""Where other rooms join the write pipeline: named stages that take hooks, filled once at start-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tabwright.runtime.records.batch import Batch, Work

    Hook = Callable[[Batch, Work], None]

STAGES = (
    "coerce",
    "load",
    "access_old",
    "lock",
    "defaults",
    "before_rules",
    "formulas",
    "access_new",
    "stage_path",
    "validation",
    "uniqueness",
    "duplicates",
    "write",
    "search",
    "roll_ups",
    "after_rules",
    "jobs",
)
"""Every stage, in the order in which a chunk passes them (decision 0008)."""

OPEN_STAGES = ("lock", "before_rules", "stage_path", "duplicates", "roll_ups", "after_rules", "jobs")
"""The stages that hooks may join."""


class Hooks:
    """What runs in the open stages. Filled by the doorway, read by every write."""

    def __init__(self) -> None:
        self._hooks: dict[str, tuple[Hook, ...]] = dict.fromkeys(OPEN_STAGES, ())

    def register(self, stage: str, hook: Hook) -> None:
        """Run ``hook(batch, work)`` in an open stage, after those registered before. KeyError for another
        stage.
        """
        self._hooks[stage] = (*self._hooks[stage], hook)

    @property
    def by_stage(self) -> Mapping[str, tuple[Hook, ...]]:
        return MappingProxyType(self._hooks)
