"""A roll-up field as the formula that it is: its options put together, faults put back to their places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tabwright.formula.faults import Fault, FormulaError, fault_at
from tabwright.formula.lexer import quote
from tabwright.formula.parser import parse

_FUNCTIONS = {"count_distinct": "COUNTDISTINCT"}
_BETWEEN = ", "


@dataclass(frozen=True, slots=True)
class Written:
    """The formula, and where in it each option stands."""

    text: str
    places: Mapping[str, tuple[int, int]]

    def option_of(self, fault: Fault) -> tuple[str, Fault]:
        """The option that a fault of the formula is about, and the fault as it stands in its text."""
        for key, (start, end) in self.places.items():
            if start <= fault.start and fault.end <= end:
                own = self.text[start:end]
                moved = fault_at(
                    own, fault.code, fault.start - start, fault.end - start, fault.hint, **fault.params
                )
                return key, moved
        return "returns", Fault(fault.code, fault.params)


def written(options: Mapping[str, Any]) -> Written:
    """``SUM(deal.account, amount, stage = "won")`` of a roll-up's options."""
    kind = str(options.get("function", "count"))
    parts: list[tuple[str, str]] = [("relation", str(options.get("relation", "")))]
    parts += [(key, str(options[key])) for key in ("value",) if options.get(key)]
    if kind == "join":
        parts.append(("separator", quote(str(options.get("separator", _BETWEEN)))))
    parts += [(key, str(options[key])) for key in ("order", "filter") if options.get(key)]
    text = f"{_FUNCTIONS.get(kind, kind.upper())}("
    places: dict[str, tuple[int, int]] = {}
    for number, (key, part) in enumerate(parts):
        text += ", " if number else ""
        places[key] = (len(text), len(text) + len(part))
        text += part
    return Written(f"{text})", places)


def broken(options: Mapping[str, Any]) -> Iterator[tuple[str, Iterable[Fault]]]:
    """The options that are no formulas by themselves, with what is wrong with each."""
    for key in ("value", "order", "filter"):
        if options.get(key):
            try:
                parse(str(options[key]))
            except FormulaError as error:
                yield key, error.faults
