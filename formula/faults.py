"""Everything that can be wrong with a formula: a code, a place, what was meant, and the sentence in zh and
en.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Literal

Language = Literal["zh", "en"]

# Parameters whose value names a message, to be said in the reader's language: a type, a way out.
SAID_PARAMS = {"expected": "type.", "received": "type.", "instead": "absent."}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a formula.

    `start` and `end` count characters of the text from 0, `line` and `column` from 1. `hint` is what the
    author probably meant, ready to stand in the place of `text[start:end]`; None when nothing is near.
    """

    code: str
    params: Mapping[str, str] = field(default_factory=dict)
    start: int = 0
    end: int = 0
    line: int = 1
    column: int = 1
    end_line: int = 1
    hint: str | None = None


class FormulaError(ValueError):
    """A text is not a formula that may stand in its place; `faults` holds every fault that could be found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__(
            "; ".join(f"{say(fault, 'en')} ({fault.line}:{fault.column})" for fault in self.faults)
        )


class EvaluationError(ArithmeticError):
    """A formula has no value for this record: division by zero, a number too big, a text that is no date...

    `function` is the function or operator as written, `span` its place in the text (start, end).
    """

    def __init__(self, code: str, function: str = "", span: tuple[int, int] = (0, 0)) -> None:
        self.code, self.function, self.span = code, function, span
        super().__init__(code, function, span)

    def fault(self, text: str) -> Fault:
        """The same as a fault in `text`, so that it can be said like any other."""
        return fault_at(text, self.code, *self.span, function=self.function)


def fault_at(text: str, code: str, start: int, end: int, hint: str | None = None, **params: str) -> Fault:
    """A fault at `text[start:end]`, with its line and column."""
    line = text.count("\n", 0, start) + 1
    column = start - text.rfind("\n", 0, start)
    return Fault(code, params, start, end, line, column, text.count("\n", 0, end) + 1, hint)


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that `name` was probably meant to be."""
    by_folded = {known.lower(): known for known in names}
    found = get_close_matches(name.lower(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


@cache
def messages() -> Mapping[str, Mapping[str, str]]:
    """Every sentence of this room: {code: {"zh": ..., "en": ...}}."""
    found: Mapping[str, Mapping[str, str]] = json.loads(
        Path(__file__).with_name("messages.json").read_text("utf-8")
    )
    return found


def say(fault: Fault, language: Language) -> str:
    """The fault as a sentence, with the hint where there is one."""
    known = messages()
    params = {
        name: known[SAID_PARAMS[name] + value][language] if name in SAID_PARAMS else value
        for name, value in fault.params.items()
    }
    sentence = known[fault.code][language].format_map(params)
    if fault.hint is not None:
        sentence += known["FORMULA_DID_YOU_MEAN"][language].format(hint=fault.hint)
    return sentence
