"""Typed tree to a Python function: generated source, compiled once and kept by its hash.

The only place of the product that compiles Python. What a user typed never becomes a part of the source:
names are ours (f0 a field, k0 a constant, t0 a temporary, h_... a helper), and literals are bound as default
arguments.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from decimal import Decimal, getcontext, setcontext
from functools import lru_cache
from operator import attrgetter
from types import CodeType
from typing import Any

from tabwright.formula import figures, strings
from tabwright.formula.aggregates import Aggregate, given
from tabwright.formula.datatypes import EMPTY_IS_BLANK
from tabwright.formula.environment import Env, Value
from tabwright.formula.faults import EvaluationError
from tabwright.formula.figures import QUANTA, ZERO
from tabwright.formula.operations import OPERATIONS, WRITTEN
from tabwright.formula.typed import FROM_TEXT, Node, Read, nodes_of, whole_literal

Evaluator = Callable[[Sequence[Value], Env], Value]
# Brackets inside each other in one expression before a part of it gets a line of its own; CPython stops at
# 200.
_NESTING = 60
_FEW = 6  # texts up to which + is the fastest way to join them
_HIGHEST, _LOWEST = Decimal(figures.LIMIT), -Decimal(figures.LIMIT)
_NAME = re.compile(r"[a-z]\w*")


def generate(root: Node, inputs: Sequence[Read | Aggregate]) -> Evaluator:
    """A function from the values of `inputs`, in their order, and an Env to the formula's value."""
    source, constants = write(root, inputs)
    space: dict[str, Any] = {"__builtins__": {}, **constants}
    exec(_compiled(hashlib.sha256(source.encode()).digest(), source), space)
    found: Evaluator = space["formula"]
    return found


@lru_cache(4_096)
def _compiled(_digest: bytes, source: str) -> CodeType:
    return compile(source, "<formula>", "exec")


def write(root: Node, inputs: Sequence[Read | Aggregate]) -> tuple[str, dict[str, Any]]:
    """The source of the function `formula`, and the constants and helpers that it is bound to."""
    return _Source(root, inputs).whole(root)


class _Source:
    def __init__(self, root: Node, inputs: Sequence[Read | Aggregate]) -> None:
        self.fields = {each: f"f{index}" for index, each in enumerate(inputs)}
        self.constants: dict[str, Any] = {}
        self.names: dict[int, str] = {}
        self.lines: list[str] = []
        self.temporaries = 0
        every = list(nodes_of(root))
        self.figures = any(node.op in OPERATIONS and OPERATIONS[node.op].figures for node in every)
        # Fields whose blank counts as zero wherever they are used.
        bare = {arg.data for node in every if node.op != "zero" for arg in node.args if arg.op == "read"}
        zeroed = {node.args[0].data for node in every if node.op == "zero" and node.args[0].op == "read"}
        self.zeroed = zeroed - bare
        # Texts for which None and "" make a difference to an operation that uses them.
        users = [(node, arg) for node in [Node("root", root.type, (root,)), *every] for arg in node.args]
        self.blankless = {arg.data for node, arg in users if arg.op == "read" and not _takes_none(node, arg)}
        self.raising: dict[int, bool] = {}
        self.filled: frozenset[Read] = frozenset()  # fields that are not blank in the branch being written

    def whole(self, root: Node) -> tuple[str, dict[str, Any]]:
        result = self.outward(root)
        body = [*self.prologue(root), *self.lines, f"return {result}"]
        bound = "".join(f", {name}={name}" for name in self.constants)
        return f"def formula(v, e{bound}):\n" + "".join(f"    {line}\n" for line in body), self.constants

    def prologue(self, root: Node) -> list[str]:
        lines = []
        if self.figures:  # figures.use_context, written out
            context = self.constant(figures.CONTEXT)
            get, put = self.helper("getcontext", getcontext), self.helper("setcontext", setcontext)
            lines.append(f"if {get}() is not {context}: {put}({context})")
        if self.fields:
            lines.append(f"{', '.join(self.fields.values())}, = v")
        kinds = {node.data: node.type.kind for node in nodes_of(root) if node.op == "read"}
        for read, name in self.fields.items():
            if isinstance(read, Aggregate):
                continue
            if kinds[read] in EMPTY_IS_BLANK and read in self.blankless:
                lines.append(f"if {name} is None: {name} = {self.constant('')}")
            elif kinds[read] == "boolean":
                lines.append(f"{name} = {name} is True")
            elif read in self.zeroed:
                lines.append(f"if {name} is None: {name} = {self.constant(ZERO)}")
        return lines

    def outward(self, root: Node) -> str:
        """See treewalk.outward."""
        if root.type.kind == "boolean":
            return self.truth(root)
        code = self.code(root)
        if root.type.kind in EMPTY_IS_BLANK:
            return f"{code} or None"
        if root.type.kind == "number" and not root.nullable:
            return f"{code} or {self.constant(ZERO)}"
        if root.type.kind == "number":
            name = self.name(code)
            return f"None if {name} is None else {name} or {self.constant(ZERO)}"
        return code

    # Names

    def helper(self, name: str, call: Any) -> str:
        if self.constants.setdefault("h_" + name, call) is not call:
            raise ValueError(f"two helpers are called {name}")
        return "h_" + name

    def constant(self, value: Any) -> str:
        found = self.names.get(id(value))
        if found is None:
            found = self.names[id(value)] = f"k{len(self.names)}"
            self.constants[found] = value
        return found

    def temporary(self) -> str:
        self.temporaries += 1
        return f"t{self.temporaries}"

    def name(self, code: str) -> str:
        """A name for the value of `code`, worked out on a line of its own."""
        if _NAME.fullmatch(code):
            return code
        name = self.temporary()
        self.lines.append(f"{name} = {code}")
        return name

    def raises(self, node: Node) -> bool:
        """Whether working out `node` can end in an EvaluationError."""
        found = self.raising.get(id(node))
        if found is None:
            own = node.checked or node.op == "aggregate"
            own = own or (node.op in OPERATIONS and OPERATIONS[node.op].raises)
            found = self.raising[id(node)] = own or any(self.raises(arg) for arg in node.args)
        return found

    # Code

    def code(self, node: Node) -> str:
        """An expression for `node`; lines that have to run before it go to `self.lines`."""
        special = getattr(self, "_" + node.op, None)
        code: str = special(node) if special is not None else self.operation(node)
        return self.name(code) if _nesting(code) > _NESTING else code

    def apart(self, node: Node, write: Callable[[Node], str] | None = None) -> tuple[list[str], str]:
        """The same with lines of its own, for a part that may not run."""
        kept, self.lines = self.lines, []
        code = (write or self.code)(node)
        lines, self.lines = self.lines, kept
        return lines, code

    def nullable(self, node: Node) -> bool:
        """Whether the node can be blank in the branch that is being written."""
        if not node.nullable or not self.filled:
            return node.nullable
        if node.op == "read":
            return node.data not in self.filled
        if node.op in OPERATIONS and OPERATIONS[node.op].strict and node.op not in FROM_TEXT:
            return any(self.nullable(arg) for arg in node.args)
        return True

    def truth(self, node: Node) -> str:
        """The condition as True or False, blank as False."""
        if not self.nullable(node):
            return self.code(node)
        if node.op in OPERATIONS and OPERATIONS[node.op].strict:
            code = self.operation(node, truth=True)
            return self.name(code) if _nesting(code) > _NESTING else code
        return f"({self.code(node)} is True)"

    def operation(self, node: Node, truth: bool = False) -> str:
        operation = OPERATIONS[node.op]
        blanks = operation.strict and any(self.nullable(arg) for arg in node.args)
        tests: list[str] = []
        args: list[str] = []
        for arg in node.args:
            code = self.code(arg)
            if (
                blanks and self.raises(arg) and (tests or not self.nullable(arg))
            ):  # runs even if another is blank
                code = self.name(code)
            if blanks and self.nullable(arg):
                if _NAME.fullmatch(code):
                    tests.append(code)
                else:
                    name = self.temporary()
                    tests.append(f"({name} := {code})")
                    code = name
            args.append(code)
        code = self.applied(node, args)
        if node.checked and node.type.kind == "number":
            code = self.checked(code, node)
        if not tests:
            return code
        if truth:
            return f"({' and '.join(f'{test} is not None' for test in tests)} and {code})"
        blank = self.constant("") if node.type.kind == "text" else "None"
        return f"({blank} if {' or '.join(f'{test} is None' for test in tests)} else {code})"

    def checked(self, code: str, node: Node) -> str:
        """figures.checked, written out."""
        low, high = self.constant(_LOWEST), self.constant(_HIGHEST)
        too_big = f"{self.helper('too_big', figures.checked)}({high} + {high}, {self.constant(node.at)})"
        if _NAME.fullmatch(code):
            return f"({code} if {low} <= {code} <= {high} else {too_big})"
        name = self.temporary()
        return f"({name} if {low} <= ({name} := {code}) <= {high} else {too_big})"

    def applied(self, node: Node, args: list[str]) -> str:
        operation = OPERATIONS[node.op]
        places = whole_literal(node.args[1]) if node.op == "round" else None
        if places is not None:
            return f"{self.helper('quantize', Decimal.quantize)}({args[0]}, {self.constant(QUANTA[places])})"
        if node.op == "concat" and node.checked:
            return f"{self.helper('held', strings.joined)}({', '.join([self.constant(node.at), *args])})"
        if node.op == "concat" and len(args) > _FEW:
            return f"{self.helper('concat', strings.concat)}({', '.join(args)})"
        if operation.code is None:
            at = [self.constant(node.at)] if operation.raises else []
            return f"{self.helper(node.op, operation.call)}({', '.join([*args, *at])})"
        if "{" in operation.code:
            return f"({operation.code.format(*args)})"
        return f"({f' {operation.code} '.join(args)})" if len(args) > 1 else args[0]

    def _literal(self, node: Node) -> str:
        return (
            repr(node.data) if node.data is None or isinstance(node.data, bool) else self.constant(node.data)
        )

    def _read(self, node: Node) -> str:
        return self.fields[node.data]

    def _aggregate(self, node: Node) -> str:
        code = f"{self.helper('given', given)}({self.fields[node.data]}, {self.constant(node.at)})"
        return f"({code} or {self.constant('')})" if node.type.kind in EMPTY_IS_BLANK else code

    def _number_text(self, node: Node) -> str:
        number = node.args[0]
        if number.op not in WRITTEN:
            return self.operation(node)
        args, tests = [], []
        for arg in number.args:
            code = self.code(arg)
            if self.nullable(arg):
                code = self.name(code)
                tests.append(f"{code} is None")
            elif self.raises(arg):
                code = self.name(code)
            args.append(code)
        written = f"{self.helper(f'{number.op}_written', WRITTEN[number.op])}({', '.join(args)})"
        return f"({self.constant('')} if {' or '.join(tests)} else {written})" if tests else written

    def _zero(self, node: Node) -> str:
        code = self.code(node.args[0])
        if node.args[0].op == "read" and node.args[0].data in self.zeroed:
            return code
        name = self.temporary()
        return f"({self.constant(ZERO)} if ({name} := {code}) is None else {name})"

    def _today(self, node: Node) -> str:
        return "e.today"

    def _now(self, node: Node) -> str:
        return "e.now"

    def _zone(self, node: Node) -> str:
        return "e.zone"

    def _calendar(self, node: Node) -> str:
        return "e.calendar"

    def _fiscal(self, node: Node) -> str:
        return f"{self.helper('decimal', Decimal)}(e.fiscal)"

    def _org(self, node: Node) -> str:
        code = f"{self.helper('org_' + node.data, attrgetter('org.' + node.data))}(e)"
        return f"{self.helper('decimal', Decimal)}({code})" if node.type.kind == "number" else code

    def _label(self, node: Node) -> str:
        return f"{self.helper('label', Env.label)}(e, {self.constant(node.data)})"

    def _is_new(self, node: Node) -> str:
        return "e.is_new"

    def _is_clone(self, node: Node) -> str:
        return "e.is_clone"

    def _rescue(self, node: Node) -> str:
        """Written as a statement: only that can catch."""
        outside = self.filled
        lines, code = self.apart(node.args[0])
        other_lines, other = self.apart(node.args[1])
        self.filled = outside
        if not self.raises(node.args[0]):
            self.lines += lines
            return code
        name, error = self.temporary(), self.helper("error", EvaluationError)
        self.lines += ["try:", *_indented([*lines, f"{name} = {code}"])]
        self.lines += [f"except {error}:", *_indented([*other_lines, f"{name} = {other}"])]
        return name

    def _and(self, node: Node) -> str:
        return self.chain(node, "and")

    def _or(self, node: Node) -> str:
        return self.chain(node, "or")

    def chain(self, node: Node, word: str) -> str:
        parts: list[str] = []
        before = self.filled
        for arg in node.args:
            lines, code = self.apart(arg, self.truth)
            self.filled = self.filled | _filled(arg, word == "and")
            if not parts or not lines:
                self.lines += lines
                parts.append(code)
                continue
            name = self.temporary()
            test = name if word == "and" else f"not {name}"
            self.lines += [
                f"{name} = {f' {word} '.join(parts)}",
                f"if {test}:",
                *_indented([*lines, f"{name} = {code}"]),
            ]
            parts = [name]
        self.filled = before
        return f"({f' {word} '.join(parts)})"

    def _if(self, node: Node) -> str:
        outside = self.filled
        code = self.choice(node)
        self.filled = outside
        return code

    def choice(self, node: Node) -> str:
        parts: list[str] = []
        while node.op == "if":
            condition, value, otherwise = node.args
            before, test = self.apart(condition, self.truth)
            outside = self.filled
            self.filled = outside | _filled(condition, True)
            lines, code = self.apart(value)
            self.filled = outside | _filled(condition, False)
            if (before and parts) or lines:
                return self.branches(parts, before, test, lines, code, otherwise)
            self.lines += before
            parts.append(f"{code} if {test} else ")
            node = otherwise
        lines, code = self.apart(node)
        if lines:
            return self.otherwise(parts, lines, code)
        return f"({''.join(parts)}{code})"

    def branches(
        self, parts: list[str], before: list[str], test: str, lines: list[str], code: str, otherwise: Node
    ) -> str:
        """IF whose branch needs lines of its own, so it is written as a statement."""
        name = self.temporary()
        other_lines, other = self.apart(otherwise)
        block = [*before, f"if {test}:", *_indented([*lines, f"{name} = {code}"])]
        block += ["else:", *_indented([*other_lines, f"{name} = {other}"])]
        return self.otherwise(parts, block, name)

    def otherwise(self, parts: list[str], lines: list[str], code: str) -> str:
        """What is left when none of `parts` (all "value if test else ") holds."""
        if not parts:
            self.lines += lines
            return code
        name, missed = self.temporary(), self.constant(_MISSED)
        self.lines += [f"{name} = {''.join(parts)}{missed}", f"if {name} is {missed}:"]
        self.lines += _indented([*lines, f"{name} = {code}"])
        return name

    def _case(self, node: Node) -> str:
        x = self.name(self.code(node.args[0]))
        labels = [self.name(self.code(label)) for label in node.args[1:-1:2]]
        parts: list[str] = []
        for label, result in zip(labels, node.args[2:-1:2], strict=True):
            lines, code = self.apart(result)
            test = self.equal(node.args[0], x, label)
            if lines:
                name, missed = self.temporary(), self.constant(_MISSED)
                self.lines += [f"{name} = {''.join(parts)}{missed}", f"if {name} is {missed} and {test}:"]
                self.lines += _indented([*lines, f"{name} = {code}"])
                parts = [f"{name} if {name} is not {missed} else "]
            else:
                parts.append(f"{code} if {test} else ")
        lines, code = self.apart(node.args[-1])
        return self.otherwise(parts, lines, code) if lines else f"({''.join(parts)}{code})"

    def equal(self, x: Node, x_code: str, y_code: str) -> str:
        test = f"{x_code} == {y_code}"
        return f"({x_code} is not None and {test})" if x.nullable and x.type.kind != "reference" else test

    def _in(self, node: Node) -> str:
        first, *rest = node.args
        x = self.name(self.code(first))
        candidates = [self.name(self.code(arg)) for arg in rest]
        if all(arg.literal for arg in rest):
            known = frozenset(
                arg.data for arg in rest if arg.data is not None or first.type.kind == "reference"
            )
            return f"({x} in {self.constant(known)})"
        return f"({' or '.join(self.equal(first, x, candidate) for candidate in candidates)})"

    def _fallback(self, node: Node) -> str:
        code = self.code(node.args[0])
        lines, other = self.apart(node.args[1])
        if lines:
            name = self.temporary()
            self.lines.append(f"{name} = {code}")
            test = f"not {name}" if node.type.kind in EMPTY_IS_BLANK else f"{name} is None"
            self.lines += [f"if {test}:", *_indented([*lines, f"{name} = {other}"])]
            return name
        if node.type.kind in EMPTY_IS_BLANK:
            return f"({code} or {other})"
        if _NAME.fullmatch(code):
            return f"({other} if {code} is None else {code})"
        name = self.temporary()
        return f"({other} if ({name} := {code}) is None else {name})"

    def _blank(self, node: Node) -> str:
        code = self.code(node.args[0])
        return f"(not {code})" if node.args[0].type.kind in EMPTY_IS_BLANK else f"({code} is None)"


def _takes_none(node: Node, arg: Node) -> bool:
    """Whether generated code for `node` gives the same when `arg`, a text field, is None in place of ""."""
    if node.op in ("blank", "root", "differs"):
        return True
    if node.op == "fallback":
        return arg is node.args[0]
    others = node.args[1:-1:2] if node.op == "case" else [other for other in node.args if other is not arg]
    compares = node.op in ("same", "other") or (node.op in ("case", "in") and arg is node.args[0])
    return compares and all(other.literal and other.data for other in others)


def _filled(condition: Node, holds: bool) -> frozenset[Read]:
    """The fields that cannot be blank where a condition holds, or does not."""
    if condition.op == "blank" and not holds:
        return _sources(condition.args[0])
    if condition.op == "not" and not condition.args[0].nullable:
        return _filled(condition.args[0], not holds)
    if (condition.op == "and" and holds) or (condition.op == "or" and not holds):
        return frozenset().union(*(_filled(arg, holds) for arg in condition.args))
    if holds and condition.op in OPERATIONS and OPERATIONS[condition.op].strict:
        return _sources(condition)
    return _NONE


def _sources(node: Node) -> frozenset[Read]:
    """The fields that cannot be blank where `node` is not."""
    if node.op == "read":
        return frozenset({node.data})
    if node.op in OPERATIONS and OPERATIONS[node.op].strict:
        return frozenset().union(*(_sources(arg) for arg in node.args))
    return _NONE


_NONE: frozenset[Read] = frozenset()


class _Missed:
    """The mark of "none of these branches"."""


_MISSED = _Missed()


def _indented(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


def _nesting(code: str) -> int:
    depth = deepest = 0
    for sign in code:
        if sign == "(":
            depth += 1
            deepest = max(deepest, depth)
        elif sign == ")":
            depth -= 1
    return deepest
