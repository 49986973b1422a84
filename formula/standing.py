"""The names that begin with `$`: what a formula can name beside the fields of its record.

`$User` is the person for whom it is worked out, a record whose fields the caller knows. `$Org` and `$Label`
come with the moment (`Env`), as the zone and the calendar do: what they are is never a part of what was
compiled. `$Record` is the record that the whole formula is about: the same as its bare names, but inside a
question about children too, where bare names are the child's.
"""

from collections.abc import Mapping
from typing import Final

from tabwright.formula.datatypes import TEXT, Type, number, text
from tabwright.formula.figures import At
from tabwright.formula.scope import Place
from tabwright.formula.typed import Node

USER: Final = "$user"
ORG: Final = "$org"
RECORD: Final = "$record"
LABEL: Final = "$label"
# As they are offered to people.
NAMES: Final[Mapping[str, str]] = {USER: "$User", ORG: "$Org", RECORD: "$Record", LABEL: "$Label"}

ATTRIBUTES: Final[Mapping[str, Type]] = {
    "name": text(200),
    "slug": text(40),
    "language": text(20),
    "zone": text(100),
    "fiscal_year_start": number(0, 2),
}
LABEL_LENGTH: Final = 2_000  # characters of a custom label in one language

# Where somebody reads what comes of a formula, so that there is a language for a label to be in. What is
# kept, and what decides, must come out the same whoever reads it.
READ: Final = frozenset({Place.FORMULA_FIELD, Place.VISIBILITY, Place.WHERE, Place.REPORT, Place.TEMPLATE})


def attribute(name: str, at: At) -> Node:
    """What an attribute of the organisation is."""
    kind = ATTRIBUTES[name]
    if kind.kind == "number":
        return Node("org", kind, (), name, at, bound=12)
    return Node("org", kind, (), name, at, length=kind.length or 0)


def label(name: str, at: At) -> Node:
    """The custom label of that name, in the language of who reads."""
    return Node("label", TEXT, (), name, at, length=LABEL_LENGTH)


def outer(index: int, given: Node, at: At) -> Node:
    """Inside a question about children: what it was `given` of the record whose formula asks it. The node of
    the question has that as an argument, `index` behind the one that says whose children they are.
    """
    return Node("outer", given.type, (), index, at, given.nullable, given.bound, given.length)
