"""The typed tree: what the checker makes of a text, and what Python, SQL and the dependency set are made
from.

A node knows more than its type: whether it can be blank, how big its number and how long its text can be. So
both databases and the process test only what can happen, and all three test the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from tabwright.formula.budget import TEXT_RESULT
from tabwright.formula.datatypes import (
    BOOLEAN,
    DATE,
    DATETIME,
    EMPTY_IS_BLANK,
    TEXT,
    TIME,
    Type,
    common,
    number,
)
from tabwright.formula.figures import FIELD_DIGITS, LIMIT, NOWHERE, SCALE, STEADY, At
from tabwright.formula.operations import OPERATIONS
from tabwright.formula.places import FARTHEST

_DAYS: Final = 3_700_000
_TEXT_OPS: Final = frozenset(
    "concat left right mid trim substitute upper lower number_text date_text datetime_text time_text"
    " duration_text days_text".split()
)
_BOOLEAN_OPS: Final = frozenset(
    "eq ne lt le gt ge same other differs not xor and or in blank contains begins ends matches is_new"
    " is_clone text_lt text_le text_gt text_ge between below is_workday".split()
)
# The operations that give a date, a datetime, a time of day.
_MOMENT_OPS: Final = {
    **dict.fromkeys(
        "make_date add_days add_months end_of_month local_date text_date today start_of end_of"
        " workday".split(),
        DATE,
    ),
    **dict.fromkeys(
        "add_time add_months_time text_datetime date_datetime now local_moment clock_start clock_end"
        " just_before from_unix".split(),
        DATETIME,
    ),
    **dict.fromkeys("text_time local_time add_ms".split(), TIME),
}
# Whole numbers, and the greatest that each can be.
_WHOLE: Final = {
    "year": 9999, "month": 12, "day": 31, "weekday": 7, "quarter": 4, "days_between": _DAYS,
    "day_of_year": 366, "iso_week": 53, "iso_year": 9999, "hour": 23, "minute": 59, "second": 59,
    "millisecond": 999, "ms_between": 86_400_000, "months_between": 120_000, "workdays_between": _DAYS,
    "seconds_between": _DAYS * 86_400,
}  # fmt: skip
_ROUNDING: Final = frozenset("round trunc ceiling floor mceiling mfloor mod".split())
_OPPOSITE: Final = {"same": "other", "other": "same"}
# Always give a value, whatever their arguments.
_NEVER_BLANK: Final = frozenset(
    "zero same other differs xor and or in between blank is_new is_clone today now fiscal".split()
)
# Also blank where no argument is: a blank text is no number and no date, and comes neither before nor after
# another.
FROM_TEXT: Final = frozenset(
    "text_number text_date text_datetime text_time text_lt text_le text_gt text_ge code_of".split()
)


@dataclass(frozen=True, slots=True)
class Read:
    """A value that the evaluator needs; `prior` asks for the one before the save."""

    path: tuple[str, ...]
    prior: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One operation. `data`: a literal's value, the Read, the places of a shift."""

    op: str
    type: Type
    args: "tuple[Node, ...]" = ()
    data: Any = None
    at: At = NOWHERE
    nullable: bool = False  # can be blank (a text never is: its blank is "")
    bound: int = 0  # of a number: |value| <= bound
    length: int = 0  # of a text: the characters that it can have
    checked: bool = False  # of a number: its 20 digits have to be tested; of a text: its length

    @property
    def scale(self) -> int:
        """Places after the point that the number can have."""
        return SCALE if self.type.scale is None else self.type.scale

    @property
    def literal(self) -> bool:
        return self.op == "literal"


def shifted(node: Node, places: int) -> Node:
    """`node` times ten to the power of `places`."""
    factor = literal(Decimal(1).scaleb(places), number(), node.at)
    return make("shift", node, factor, data=places, at=node.at)


def zone() -> Node:
    """The name of the user's time zone."""
    return Node("zone", TEXT, length=100)


def calendar() -> Node:
    """The organisation's business calendar, as a text."""
    return Node("calendar", TEXT, length=TEXT_RESULT)


def fiscal() -> Node:
    """The months from a date to the day that stands for it in the fiscal year."""
    return Node("fiscal", number(0), bound=12)


def nodes_of(root: Node) -> Iterator[Node]:
    """Every node, parents before their parts, in the order of the text."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.args))


def literal(value: Any, kind: Type, at: At = NOWHERE) -> Node:
    """A constant. Blank text is ""."""
    if kind.kind in EMPTY_IS_BLANK:
        value = value or ""
        return Node("literal", kind, data=value, at=at, length=len(value))
    if value is None:
        return Node("literal", number(0) if kind.kind == "number" else kind, at=at, nullable=True)
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        scale = max(-exponent, 0) if isinstance(exponent, int) else 0
        return Node("literal", number(scale), data=value, at=at, bound=int(abs(value)) + 1)
    return Node("literal", kind, data=value, at=at)


def read(path: tuple[str, ...], kind: Type, at: At, *, prior: bool = False) -> Node:
    """A field. Percent reads as a fraction; a boolean that is blank reads as false, a text as ""."""
    what = Read(path, prior)
    if kind.kind == "number":
        scale = SCALE if kind.scale is None else kind.scale
        raw = Node("read", number(scale), (), what, at, nullable=True, bound=_field_bound(scale, kind.digits))
        return shifted(raw, -2) if kind.percent else raw
    if kind.kind in EMPTY_IS_BLANK:
        return Node("read", kind, (), what, at, length=TEXT_RESULT if kind.length is None else kind.length)
    return Node("read", kind, (), what, at, nullable=kind.kind != "boolean")


def _field_bound(scale: int, digits: int | None) -> int:
    size: int = 10 ** max((digits or FIELD_DIGITS) - scale, 0)
    return size


def coerced(node: Node, kind: Type) -> Node:
    """`node`, or when it is NULL, the blank of `kind`."""
    return literal(None, kind, node.at) if node.type.kind == "null" else node


def make(op: str, *args: Node, data: Any = None, at: At = NOWHERE) -> Node:
    """The node of an operation, with all that follows from its arguments."""
    if op == "not" and args[0].op in _OPPOSITE:
        return make(_OPPOSITE[args[0].op], *args[0].args, at=at)
    if op in _BOOLEAN_OPS:
        return Node(op, BOOLEAN, args, data, at, _nullable(op, args))
    if op in _TEXT_OPS:
        size = _text_length(op, args)
        checked = size > TEXT_RESULT and op in ("concat", "substitute", "upper", "lower")
        return Node(op, TEXT, args, data, at, length=min(size, TEXT_RESULT), checked=checked)
    if op in _MOMENT_OPS:
        return Node(op, _MOMENT_OPS[op], args, data, at, _nullable(op, args))
    if op in ("if", "case", "fallback", "rescue", "max", "min"):
        return _choice(op, args, at)
    scale, bound = _figure(op, args, data)
    if scale > SCALE:
        return make("settle", Node(op, number(scale), args, data, at, _nullable(op, args), bound), at=at)
    # Rounding goes no further than the limit itself.
    checked = bound > LIMIT and op not in _ROUNDING
    bound = min(bound, LIMIT)
    return Node(op, number(scale), args, data, at, _nullable(op, args), bound, 0, checked)


def worked(op: str, kind: Type, *args: Node, at: At, size: int | None = None) -> Node:
    """An operation whose value tells nothing about itself but its type. ``size``: the greatest length of a
    text, or size of a whole number; else it can be as long, or as big with 18 places, as any.
    """
    if kind.kind in EMPTY_IS_BLANK:
        return Node(op, kind, args, at=at, length=TEXT_RESULT if size is None else min(size, TEXT_RESULT))
    if kind.kind == "number":
        bound = LIMIT if size is None else size
        places = SCALE if size is None else 0
        return Node(op, number(places), args, at=at, nullable=_nullable(op, args), bound=bound)
    return Node(op, kind, args, at=at, nullable=_nullable(op, args))


def _nullable(op: str, args: Sequence[Node]) -> bool:
    return op in FROM_TEXT or (op not in _NEVER_BLANK and any(arg.nullable for arg in args))


def _choice(op: str, args: Sequence[Node], at: At) -> Node:
    """An operation that gives one of its arguments."""
    if op == "if":
        picked = args[1:]
    elif op == "case":
        picked = [*args[2::2], args[-1]]
    else:
        picked = args
    kind = picked[0].type
    for node in picked[1:]:
        kind = common(kind, node.type) or kind
    whole = {id(node): coerced(node, kind) for node in picked}
    args = tuple(whole.get(id(node), node) for node in args)
    picked = list(whole.values())
    if kind.kind == "number":
        kind = number(max(node.scale for node in picked))
    if op == "fallback":
        nullable = all(node.nullable for node in picked)
    else:
        nullable = any(node.nullable for node in picked)
    longest, biggest = max(node.length for node in picked), max(node.bound for node in picked)
    return Node(op, kind, args, None, at, nullable and kind.kind not in EMPTY_IS_BLANK, biggest, longest)


_WRITTEN: Final = {
    "number_text": 40, "date_text": 10, "datetime_text": 20, "time_text": 12, "duration_text": 30,
    "days_text": 30,
}  # fmt: skip


def _text_length(op: str, args: Sequence[Node]) -> int:
    if op == "concat":
        return sum(arg.length for arg in args)
    if op == "substitute":
        return args[0].length * max(args[2].length, 1)
    if op in ("upper", "lower"):
        return args[0].length * 2  # ß becomes SS
    return _WRITTEN.get(op) or args[0].length


def _figure(op: str, args: Sequence[Node], data: Any) -> tuple[int, int]:
    """Places after the point and greatest size of a number."""
    if op in _WHOLE:
        return 0, _WHOLE[op]
    a = args[0]
    if op == "add":
        return max(arg.scale for arg in args), sum(arg.bound for arg in args)
    if op == "sub":
        return max(a.scale, args[1].scale), a.bound + args[1].bound
    if op == "mul":
        return a.scale + args[1].scale, a.bound * args[1].bound
    if op == "settle":
        return SCALE, a.bound
    if op == "div":
        return SCALE, _quotient_bound(a, args[1])
    if op == "shift":
        return max(a.scale - data, 0), a.bound * 10**data if data > 0 else a.bound // 10**-data + 1
    if op == "pow":
        exponent = whole_literal(args[1])
        if exponent is not None and 0 <= exponent <= 16:
            return min(a.scale * exponent, SCALE), min(a.bound**exponent, LIMIT * 10)
        return SCALE, LIMIT * 10
    if op in ("round", "trunc"):
        places = whole_literal(args[1])
        if places is None or abs(places) > 38:
            return a.scale, a.bound + 10**38
        return min(a.scale, max(places, 0)), a.bound + (10**-places if places < 0 else 1)
    if op in ("ceiling", "floor", "mceiling", "mfloor"):
        return 0, a.bound + 1
    if op == "mod":
        return min(STEADY, max(a.scale, args[1].scale)), a.bound + 1
    if op in ("len", "find"):
        return 0, 10_000_000
    if op == "text_number":
        return SCALE, LIMIT
    if op == "fit":
        return a.scale, min(a.bound, int(args[1].data))
    if op == "time_between":
        return SCALE, _DAYS
    if op == "hours_between":
        return SCALE, _DAYS * 24
    if op == "metres":
        return 0, FARTHEST * 1000
    return a.scale, a.bound  # neg, abs, zero


def _quotient_bound(a: Node, b: Node) -> int:
    if b.literal and b.data:
        return int(a.bound / abs(b.data)) + 2
    size: int = a.bound * 10**b.scale
    return size


def whole_literal(node: Node) -> int | None:
    """The value of a literal whole number."""
    if node.literal and isinstance(node.data, Decimal) and node.data == int(node.data):
        return int(node.data)
    return None


def grafted(root: Node, hops: tuple[str, ...], kind: Type, at: At) -> Node:
    """The tree of a field's formula in the place of the field, whose type is `kind`.

    What it reads is read from the record at the end of `hops`; `at` is where the field is named, and so the
    place of all that can go wrong in it. A condition that is blank does not hold, as of any field.
    """
    done: dict[int, Node] = {}
    stack = [root]
    while stack:
        node = stack[-1]
        waiting = [arg for arg in node.args if id(arg) not in done]
        if waiting:
            stack += waiting
            continue
        stack.pop()
        data = node.data
        if node.op == "read" and not data.path[0].startswith("$"):
            data = Read((*hops, *data.path), data.prior)
        elif node.op == "aggregate":
            data = replace(data)  # the same question about another record is another one
        done[id(node)] = replace(node, args=tuple(done[id(arg)] for arg in node.args), data=data, at=at)
    found = done[id(root)]
    if kind.kind not in ("number", found.type.kind):
        found = replace(found, type=kind)
    if hops and not vanishes(root):  # where there is no such record, its field is blank
        gone = make("blank", Node("read", Type("reference"), (), Read((*hops, "id")), at, True), at=at)
        found = make("if", gone, literal(None, kind, at), found, at=at)
    if kind.kind == "boolean" and found.nullable:
        return make("if", found, literal(True, BOOLEAN, at), literal(False, BOOLEAN, at), at=at)
    return found


def vanishes(node: Node) -> bool:
    """Whether a node is sure to be blank where all that it reads is."""
    if node.op == "read":
        return node.type.kind != "boolean"
    if node.op not in OPERATIONS or not OPERATIONS[node.op].strict or node.type.kind in EMPTY_IS_BLANK:
        return False
    return any(vanishes(arg) for arg in node.args if arg.type.kind not in EMPTY_IS_BLANK)


def size_of(root: Node) -> tuple[int, int]:
    """How many nodes a tree has, each counted as often as it is used, and how many levels."""
    known: dict[int, tuple[int, int]] = {}
    stack = [root]
    while stack:
        node = stack[-1]
        waiting = [arg for arg in node.args if id(arg) not in known]
        if waiting:
            stack += waiting
            continue
        stack.pop()
        parts = [known[id(arg)] for arg in node.args]
        deepest = max((levels for _, levels in parts), default=0)
        known[id(node)] = 1 + sum(count for count, _ in parts), 1 + deepest
    return known[id(root)]


def negated(node: Node) -> Node:
    """Minus `node`; a literal stays a literal."""
    if node.literal and node.data is not None:
        return replace(node, data=-node.data)
    return make("neg", node, at=node.at)
