"""Keys by which rows of one file concern each other: unique values, and names that self lookups use.

A key is a number (a short hash), so that a million of them fit into memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from tabwright.runtime.exchange.dates import read_day
from tabwright.runtime.exchange.mapping import fold
from tabwright.runtime.exchange.matching import choices_of
from tabwright.runtime.exchange.settings import Plan
from tabwright.runtime.records.values import Refused, converter


def number_of(*parts: str) -> int:
    return int.from_bytes(blake2b("\x1f".join(parts).encode("utf-8", "replace"), digest_size=8).digest())


class Keys:
    """The keys of rows of one plan. ``texts`` is the translator's: cells to mapped texts by field."""

    def __init__(self, plan: Plan, zone: str, texts: Callable[[Sequence[str]], dict[str, str]]) -> None:
        self.texts = texts
        mapped = {each.field.name: each for each in plan.columns}
        self._convert = {name: (converter(each.field, zone), each) for name, each in mapped.items()}
        self._choices = {
            name: choices_of(each.field) for name, each in mapped.items() if each.field.picklist is not None
        }
        self._key = plan.key.field.name if plan.key is not None else None
        # A part of a rule that the file does not give is the same for all of its rows, as far as we can know.
        rules = (
            (rule.uid, [name for name in rule.fields if name in mapped]) for rule in plan.object.unique_rules
        )
        self._rules = [(uid, names) for uid, names in rules if names and names != [self._key]]
        self._parents = [
            (each.field.name, match.name)
            for each in plan.columns
            for target, match in each.targets[:1]
            if target.uid == plan.object.uid and match.name in mapped
        ]
        self.names = tuple(dict.fromkeys(match for _, match in self._parents))

    @property
    def concern(self) -> bool:
        """Whether rows of the file can concern each other at all."""
        return bool(self._rules or self._parents)

    @property
    def needs_old(self) -> bool:
        """Whether an update may give up a value that another row takes."""
        return bool(self._rules) or any(name != self._key for name in self.names)

    def comparable(self, field: str, text: str) -> str | None:
        """The text in a form that is the same for every way to write one value; None for no value."""
        if not text:
            return None
        convert, chosen = self._convert[field]
        if chosen.field.is_reference or chosen.field.type == "record_type":
            return text.casefold()
        if chosen.field.picklist is not None:
            return self._choices[field].get(fold(text), text).casefold()
        if chosen.field.type == "date":
            text = read_day(text, chosen.column.dates)
        try:
            value = convert(text)
        except Refused:
            return None
        return None if value is None else str(value).casefold()

    def own(self, texts: Mapping[str, str]) -> Iterator[int]:
        """Keys of the names by which others of the file may name this row."""
        for name in self.names:
            value = self.comparable(name, texts[name])
            if value is not None:
                yield number_of("name", name, value)

    def named(self, field: str, text: str) -> int | None:
        """The key that a self lookup's text asks for; None for another lookup."""
        for lookup, match in self._parents:
            if lookup == field:
                value = self.comparable(match, text)
                return None if value is None else number_of("name", match, value)
        return None

    def parents(self, texts: Mapping[str, str]) -> Iterator[int]:
        for lookup, _ in self._parents:
            key = self.named(lookup, texts[lookup])
            if key is not None:
                yield key

    def _unique(self, value_of: Callable[[str], str | None]) -> Iterator[int]:
        for uid, names in self._rules:
            values = [value_of(name) for name in names]
            if None not in values:
                yield number_of("unique", uid, *map(str, values))

    def given(self, texts: Mapping[str, str]) -> Iterator[int]:
        """What a good row takes."""
        yield from self._unique(lambda name: self.comparable(name, texts[name]))
        yield from self.own(texts)

    def asked(self, texts: Mapping[str, str]) -> Iterator[int]:
        """What a row depends on."""
        yield from self._unique(lambda name: self.comparable(name, texts[name]))
        yield from self.parents(texts)

    def given_up(self, old: Mapping[str, Any]) -> Iterator[int]:
        """What the record of an update had before."""

        def value_of(name: str) -> str | None:
            value = old.get(name)
            return None if value is None else str(value).casefold()

        yield from self._unique(value_of)
        for name in self.names:
            value = value_of(name)
            if value is not None:
                yield number_of("name", name, value)
