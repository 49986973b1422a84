"""Keys by which rows of one file concern each other: unique values, and names that self lookups use.

A key is a number (a short hash), so that a million of them fit into memory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from tabwright.runtime.exchange.dates import read_day, read_moment
from tabwright.runtime.exchange.mapping import fold
from tabwright.runtime.exchange.matching import choices_of
from tabwright.runtime.exchange.resolving import Plan
from tabwright.runtime.records.values import Convert, Refused, converter
from tabwright.runtime.sort_keys import folded


def number_of(*parts: str) -> int:
    """A signed number of 64 bits, as databases keep them."""
    said = "\x1f".join(parts).encode("utf-8", "replace")
    return int.from_bytes(blake2b(said, digest_size=8).digest(), signed=True)


def _typed(convert: Convert, text: str) -> Any:
    try:
        return convert(text)
    except Refused:
        return None


def _said(value: Any) -> str | None:
    return None if value is None else str(value)


def _rules(plan: Plan, prefix: str, mapped: Collection[str]) -> Iterator[tuple[str, list[str]]]:
    """The unique rules that rows of the file may break among themselves, but for that of the key.

    A part of a rule that the file does not give is the same for all of its rows, as far as we can know.
    """
    for rule in plan.object.unique_rules:
        names = [name for name in rule.fields if prefix + name in mapped]
        if names and set(names) != set(plan.key_names):
            yield rule.uid, [prefix + name for name in names]


class Keys:
    """The keys of rows of one plan. ``texts`` is the translator's: cells to mapped texts by field."""

    def __init__(self, plan: Plan, zone: str, texts: Callable[[Sequence[str]], dict[str, str]]) -> None:
        self.texts = texts
        mapped = plan.by_field
        self._convert = {name: (converter(each.field, zone), each) for name, each in mapped.items()}
        self._matches = {
            name: converter(each.targets[0][1], zone) for name, each in mapped.items() if each.targets
        }
        self._choices = {
            name: choices_of(each.field) for name, each in mapped.items() if each.field.picklist is not None
        }
        self._key = plan.key_names
        self._folds = plan.key_ignores_case
        self._fillers = {each.lookup.name: each for each in plan.parents}
        self._rules = [*_rules(plan, "", mapped)]
        for parent in plan.parents:
            self._rules += _rules(parent.plan, parent.lookup.name + ".", mapped)
        # Lookups that may name, by a field that columns fill too, what such columns make.
        made = {
            (parent.plan.object.uid, each.field.name): f"{parent.lookup.name}.{each.field.name}"
            for parent in plan.parents
            for each in parent.plan.columns
        }
        self._named_made = [
            (name, of, made[of])
            for name, each in mapped.items()
            for target, match in each.targets[:1]
            if (of := (target.uid, match.name)) in made
        ]
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
        return bool(self._rules or self._parents or self._fillers)

    @property
    def needs_old(self) -> bool:
        """Whether an update may give up a value that another row takes."""
        return bool(self._rules) or any((name,) != self._key for name in self.names)

    def comparable(self, field: str, text: str) -> str | None:
        """The text in a form that is the same for every way to write one value; None for no value."""
        if not text:
            return None
        convert, chosen = self._convert[field]
        if chosen.field.is_reference and chosen.targets:  # one record may be named in several ways
            return (_said(_typed(self._matches[field], text)) or text).casefold()
        if chosen.field.type == "record_type":
            return text.casefold()
        if chosen.field.picklist is not None:
            return self._choices[field].get(fold(text), text).casefold()
        if chosen.field.type == "date":
            text = read_day(text, chosen.column.dates)
        elif chosen.field.type == "datetime":
            text = read_moment(text, chosen.column.dates)
        said = _said(_typed(convert, text))
        return None if said is None else said.casefold()

    def named_by(self, texts: Mapping[str, str]) -> int | None:
        """The number of the key that names the row's record; None where a part of it is blank or no value.

        Two keys have one number only where they name one record: what a rule tells apart is not folded.
        """
        parts = [
            _said(self.filled(name, texts)) if name in self._fillers else self._exact(name, texts[name])
            for name in self._key
        ]
        if self._folds:
            parts = [part if part is None else folded(part) for part in parts]
        return number_of("key", *map(str, parts)) if parts and None not in parts else None

    def filled(self, lookup: str, texts: Mapping[str, str]) -> int | None:
        """The number of the record that columns ``lookup.field`` fill; None where they name none."""
        plan = self._fillers[lookup].plan
        parts = [self._exact(f"{lookup}.{name}", texts[f"{lookup}.{name}"]) for name in plan.key_names]
        if plan.key_ignores_case:
            parts = [part if part is None else folded(part) for part in parts]
        if not parts or None in parts:
            return None
        return number_of("parent", plan.object.uid, *plan.key_names, *map(str, parts))

    def _exact(self, field: str, text: str) -> str | None:
        convert, chosen = self._convert[field]
        if not text:
            return None
        if chosen.targets:
            match = chosen.targets[0][1]
            value = _typed(self._matches[field], text)
            return folded(str(value)) if match.unique == "ignore_case" and value is not None else _said(value)
        if chosen.field.picklist is not None:
            return self._choices[field].get(fold(text), text)
        if chosen.field.type == "date":
            text = read_day(text, chosen.column.dates)
        elif chosen.field.type == "datetime":
            text = read_moment(text, chosen.column.dates)
        return _said(_typed(convert, text))

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
        yield from self._all_filled(texts)
        for _, (uid, match), name in self._named_made:
            value = self.comparable(name, texts[name])
            if value is not None:
                yield number_of("made", uid, match, value)

    def asked(self, texts: Mapping[str, str]) -> Iterator[int]:
        """What a row depends on."""
        yield from self._unique(lambda name: self.comparable(name, texts[name]))
        yield from self.parents(texts)
        yield from self._all_filled(texts)
        for name, (uid, match), _ in self._named_made:
            value = self.comparable(name, texts[name])
            if value is not None:
                yield number_of("made", uid, match, value)

    def _all_filled(self, texts: Mapping[str, str]) -> Iterator[int]:
        for lookup in self._fillers:
            number = self.filled(lookup, texts)
            if number is not None:
                yield number

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
