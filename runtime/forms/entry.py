"""What a form is filled with, and where a field stands in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from uuid import UUID

from tabwright.metadata.model import FieldDef, LayoutField, Model
from tabwright.platform.language import Language
from tabwright.runtime.forms.shown import Seen
from tabwright.runtime.records.conditions import NOTHING_ASKED, Asked


@dataclass(frozen=True, slots=True)
class Option:
    """A record that a lookup may name."""

    id: UUID
    name: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a form is filled with: texts by field name, messages at fields, names of what lookups name."""

    texts: Mapping[str, str]
    seen: Seen
    errors: Mapping[str, Sequence[str]] = attribute(default_factory=dict)
    names: Mapping[str, str] = attribute(default_factory=dict)
    choices: Mapping[str, Sequence[Option]] = attribute(default_factory=dict)
    asked: Asked = NOTHING_ASKED  # what hangs on conditions
    offered: Mapping[str, Collection[str]] = attribute(default_factory=dict)  # codes, where others decide
    lines: Mapping[str, str] = attribute(default_factory=dict)  # tables of lines as HTML, by relation

    @property
    def hidden(self) -> frozenset[str]:
        """What does not show. Where something is wrong shows all the same."""
        return self.asked.hidden.difference(self.errors) if self.errors else self.asked.hidden


Control = Callable[[str, str, Entry], str]  # text, attributes for descriptions and invalidity, entry


@dataclass(frozen=True, slots=True)
class Place:
    """Where a field stands: its layout entry, the record type's choices, and what the person may do."""

    layout: LayoutField
    editable: bool
    allowed: tuple[str, ...] | None = None  # picklist codes of the record type; None: all
    required: bool = False
    columns: int = 2  # of its section


MakeControl = Callable[[FieldDef, Place, Model, Language], Control]
