"""Faults of the formula language as faults of the product: the same sentence, at a place of ours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from tabwright.formula import faults as language
from tabwright.platform.errors import Fault, Place, Said
from tabwright.platform.language import register_messages

register_messages(Path(language.__file__).with_name("messages.json"))


def faults_of(found: Iterable[language.Fault], place: Place) -> list[Fault]:
    """Each fault at ``place``, with its line and columns in the formula's text."""
    return [_fault_of(each, place) for each in found]


def _fault_of(fault: language.Fault, place: Place) -> Fault:
    params = {
        name: Said(language.SAID_PARAMS[name] + value) if name in language.SAID_PARAMS else value
        for name, value in fault.params.items()
    }
    one_line = fault.end_line == fault.line
    end = fault.column + fault.end - fault.start if one_line else None
    return Fault(
        fault.code,
        {**params, "hint": fault.hint},
        replace(place, line=fault.line, column=fault.column, end=end),
    )
