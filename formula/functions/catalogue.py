"""Every function of the language, by name."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from tabwright.formula.functions import (
    children,
    chinese,
    choices,
    dates,
    figures,
    logic,
    places,
    text,
    times,
    trees,
    working,
)
from tabwright.formula.functions.registry import Function


def _functions() -> Iterator[Function]:
    plain = {
        function.name: function
        for module in (logic, choices, figures, text, chinese, dates, times, working, places, trees)
        for function in module.FUNCTIONS
    }
    yield from plain.values()
    for function in children.FUNCTIONS:
        other = plain.get(function.name)
        # One name with two uses: the first argument says which is meant.
        yield (
            function
            if other is None
            else replace(
                other,
                usage=f"{other.usage} | {function.usage}",
                zh=other.zh + function.zh,
                en=f"{other.en} {function.en}",
                over=function.over,
            )
        )


FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {function.name: function for function in _functions()}
)
