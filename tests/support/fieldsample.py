"""What a type is by example: the row that the matrix of types and paths is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OTHER = "@other"  # in a value: the id of a record of the object ``other``
THIRD = "@third"  # the id of a record of the object ``third``
SECOND = "@second"  # the id of another one
USER = "@user"  # the id of the user who asks
UPLOAD = "@file "  # then a name: the id of a file of that name, uploaded for the occasion
NEVER = "@never"  # in place of a blank value: the type takes none


@dataclass(frozen=True, slots=True)
class Sample:
    """A type by example.

    ``value`` and ``second`` are two valid values as the API takes them, ``second`` after ``value`` in a list
    that is sorted by it; ``wire`` and ``second_wire`` as it gives them back (None: as they were given).
    ``form`` is what a person types, ``held`` what the form then holds, ``cell`` what stands in a file; each
    means ``value``. ``shown``: words of it on a page. ``wrong``: values with the code that refuses them.
    ``holds`` and ``fails``: filters (``{f}`` is the field) that are true and false of ``value``.
    """

    type: str
    value: Any
    second: Any
    form: str | list[str]
    cell: str
    shown: str
    wire: Any = None
    second_wire: Any = None
    held: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    wrong: tuple[tuple[Any, str], ...] = ()
    wrong_cells: tuple[tuple[str, str], ...] = ()
    holds: tuple[str, ...] = ()
    fails: tuple[str, ...] = ()
    default: tuple[str, Any] | None = None  # a formula and the value that it gives
    sorts: bool = True
    unique: bool = False
    required: bool = True
    blank: Any = None
    word: str | None = None  # found by global search
    text: str | None = None  # after the type was changed to text; None: as ``cell``
    masked: bool = False  # what is given back is not the whole value
    given: bool = True  # the system gives the value, nobody sends it
    imports: bool = True  # a table can bring it
    name: str = ""
    on: str = "thing"  # the object that has the field

    @property
    def key(self) -> str:
        return self.name or self.type
