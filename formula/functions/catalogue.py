"""Every function of the language, by name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tabwright.formula.functions import dates, figures, logic, text
from tabwright.formula.functions.registry import Function

FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {function.name: function for module in (logic, figures, text, dates) for function in module.FUNCTIONS}
)
