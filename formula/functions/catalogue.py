"""Every function of the language, by name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tabwright.formula.functions import (
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

FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {
        function.name: function
        for module in (logic, choices, figures, text, chinese, dates, times, working, places, trees)
        for function in module.FUNCTIONS
    }
)
