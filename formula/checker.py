"""From the tree of a text to the typed tree: names, types, counts and places, every fault at once."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from tabwright.formula import nodes, standing
from tabwright.formula.aggregates import Aggregate, Relation, aggregate
from tabwright.formula.budget import CHILDREN_DEEP, EXPANDED_LEVELS, EXPANDED_NODES, NESTED
from tabwright.formula.datatypes import BOOLEAN, NULL, TEXT, TEXT_LIKE, Type, number, reference
from tabwright.formula.faults import Fault, FormulaError, fault_at, nearest
from tabwright.formula.figures import FIELD_DIGITS, LIMIT, SCALE, At
from tabwright.formula.functions.absent import ABSENT, OTHER_NAMES
from tabwright.formula.functions.catalogue import FUNCTIONS
from tabwright.formula.functions.registry import Function, Over, Signature, Use, Wrong
from tabwright.formula.functions.rules import as_text, check_value, chosen, compare, stored
from tabwright.formula.nodes import Tree
from tabwright.formula.scope import ONLY_SQL, Behind, Deriving, Kin, Labelled, Path, Place, Scope
from tabwright.formula.typed import (
    Node,
    coerced,
    grafted,
    literal,
    make,
    negated,
    read,
    shifted,
    size_of,
    whole_literal,
    worked,
)

Blanks = Literal["zero", "blank"]
# What a number added to it counts, and what lies between two.
_LATER = {"date": "add_days", "datetime": "add_time", "time": "add_ms"}
_BETWEEN = {"date": "days_between", "datetime": "time_between", "time": "ms_between"}
_ORDERED = frozenset({"number", "date", "datetime", "time"})
_VALUES = _ORDERED | {"text", "picklist", "choices", "boolean", "reference"}


def check(
    text: str,
    tree: Tree,
    scope: Scope,
    place: Place,
    expected: Type | None,
    blanks: Blanks,
    compat: bool = False,
) -> tuple[Node, int]:
    """The typed tree of `tree`, whose text is `text`, and how many formulas stand inside each other in it.

    Raises FormulaError with all faults.
    """
    checker = _Checker(text, scope, place, blanks, compat)
    root = checker.node(tree)
    if root is not None and expected is not None:
        try:
            root = checker.result(root, tree, expected)
        except Wrong as wrong:
            checker.note(wrong)
    if root is None or checker.faults:
        raise FormulaError(sorted(checker.faults, key=lambda fault: (fault.start, fault.end)))
    if checker.nested and size_of(root)[1] > EXPANDED_LEVELS:
        limit = str(EXPANDED_LEVELS)
        raise FormulaError([fault_at(text, "FORMULA_EXPANDED_TOO_DEEP", 0, len(text), limit=limit)])
    return root, checker.nested + 1


class _Checker:
    """Each method gives a typed node, or None after noting at least one fault below it."""

    def __init__(
        self,
        text: str,
        scope: Scope,
        place: Place,
        blanks: Blanks,
        compat: bool,
        around: "_Checker | None" = None,
    ) -> None:
        self.text, self.scope, self.place, self.blanks = text, scope, place, blanks
        self.compat = compat
        self.around = around  # of the formula that asks this of its children
        self.deep: int = 0 if around is None else around.deep + 1
        self.outer: dict[Path, Node] = {}  # what this takes of the record around
        self.faults: list[Fault] = []
        self.nested = 0  # formulas inside each other in what is named
        self.expanded = 0  # nodes that names have become

    def fault(self, code: str, start: int, end: int, hint: str | None = None, **params: str) -> None:
        self.faults.append(fault_at(self.text, code, start, end, hint, **params))

    def node(self, tree: Tree) -> Node | None:
        try:
            if isinstance(tree, nodes.Name):
                return self.name(tree)
            if isinstance(tree, nodes.Call):
                return self.call(tree)
            if isinstance(tree, nodes.Many):
                return self.many(tree)
            if isinstance(tree, nodes.Binary):
                return self.binary(tree)
            if isinstance(tree, nodes.Unary):
                return self.unary(tree)
            return self.constant(tree)
        except Wrong as wrong:
            self.note(wrong)
            return None

    def note(self, wrong: Wrong) -> None:
        self.fault(wrong.code, wrong.where.start, wrong.where.end, wrong.hint, **wrong.params)

    def constant(self, tree: nodes.Number | nodes.Text | nodes.Constant) -> Node:
        at = At("", tree.start, tree.end)
        if isinstance(tree, nodes.Text):
            return literal(tree.value, TEXT, at)
        if isinstance(tree, nodes.Constant):
            return literal(tree.value, NULL if tree.value is None else BOOLEAN, at)
        # Looked at before any arithmetic, which has limits of its own.
        exponent = tree.value.as_tuple().exponent
        if tree.value >= LIMIT or not isinstance(exponent, int) or -exponent > SCALE:
            raise Wrong("FORMULA_BAD_NUMBER", tree, digits=str(20), places=str(SCALE))
        return literal(tree.value, number(), at)

    def name(self, tree: nodes.Name) -> Node | None:
        if tree.path[0] == standing.RECORD:
            return self.of_record(tree)
        if tree.path[0] in (standing.ORG, standing.LABEL) and self.scope.type_of(tree.path) is None:
            return self.of_moment(tree)
        return self.field(tree, At(tree.written, tree.start, tree.end))

    def field(self, tree: nodes.Name, at: At) -> Node | None:
        """What the scope knows by a name; `at` is where the name stands with all that is before it."""
        kind = self.scope.type_of(tree.path)
        if kind is None:
            self.unknown_name(tree)
            return None
        if kind.kind == "number" and (kind.scale or 0) > FIELD_DIGITS:
            raise ValueError(f"{tree.written}: a number field has at most {FIELD_DIGITS} digits")
        behind = self.scope.behind(tree.path) if isinstance(self.scope, Deriving) else None
        node = read(tree.path, kind, at) if behind is None else self.field_of(tree, kind, behind, at)
        if node is not None and self.blanks == "zero" and kind.kind == "number" and node.nullable:
            return make("zero", node, data=self.compat, at=at)
        return node

    def of_record(self, tree: nodes.Name) -> Node | None:
        """A name of the record that the whole formula is about. Inside a question about children it is handed
        from question to question.
        """
        if self.around is None:
            steps = tree.written[len(standing.RECORD) + 1 :]
            own = replace(tree, written=steps or "id", start=tree.end - len(steps or tree.written))
            return self.field(own, At(tree.written, tree.start, tree.end))
        given = self.outer.get(tree.path)
        if given is None:
            found = self.around.of_record(tree)
            if found is None:
                return None
            given = self.outer[tree.path] = found
        return standing.outer(
            list(self.outer).index(tree.path), given, At(tree.written, tree.start, tree.end)
        )

    def of_moment(self, tree: nodes.Name) -> Node | None:
        """A name of the organisation, or a custom label."""
        first, *steps = tree.path
        at = At(tree.written, tree.start, tree.end)
        if first == standing.ORG:
            if len(steps) == 1 and steps[0] in standing.ATTRIBUTES:
                return standing.attribute(steps[0], at)
            self.unknown_below(tree, standing.ATTRIBUTES)
            return None
        labels = self.scope if isinstance(self.scope, Labelled) else None
        name = labels.label(steps[0]) if labels is not None and len(steps) == 1 else None
        if name is None:
            self.unknown_below(tree, labels.labels() if labels is not None else ())
            return None
        whole = self
        while whole.around is not None:
            whole = whole.around
        if whole.place not in standing.READ:
            self.fault("FORMULA_LABEL_HERE", tree.start, tree.end, name=tree.written)
            return None
        return standing.label(name, at)

    def unknown_below(self, tree: nodes.Name, names: Iterable[str]) -> None:
        """A name of an attribute or label that there is not."""
        known = standing.NAMES[tree.path[0]]
        start = tree.start + len(known) + 1
        step = self.text[start : tree.end]
        if not step:
            near = nearest("", names)
            return self.fault("FORMULA_NEEDS_STEP", tree.start, tree.end, near, name=known)
        return self.fault(
            "FORMULA_UNKNOWN_FIELD_OF", start, tree.end, nearest(step, names), name=step, of=known
        )

    def field_of(self, tree: nodes.Name, kind: Type, behind: Behind, at: At) -> Node | None:
        """The formula of a field in the place of its name; what is kept in a column is read where its
        formula would be too much.
        """
        size, levels = size_of(behind.root)
        too_much = self.expanded + size > EXPANDED_NODES or levels > EXPANDED_LEVELS
        if not too_much and behind.nested < NESTED:
            self.nested = max(self.nested, behind.nested)
            self.expanded += size
            return grafted(behind.root, behind.hops, kind, at)
        if behind.kept:
            return read(tree.path, kind, at)
        limit, code = str(EXPANDED_NODES), "FORMULA_EXPANDED_TOO_BIG"
        if not too_much:
            limit, code = str(NESTED), "FORMULA_NESTED_TOO_DEEP"
        self.fault(code, tree.start, tree.end, name=tree.written, limit=limit)
        return None

    def unknown_name(self, tree: nodes.Name) -> None:
        """Finds the step of the path that leads nowhere."""
        steps = tree.written.split(".")
        start = tree.start
        for index, step in enumerate(steps):
            before: Path = tree.path[:index]
            known = self.scope.type_of(tree.path[: index + 1])
            last = index == len(steps) - 1
            names = () if known else tuple(self.scope.suggestions(before))
            if known is None and (last or tree.path[index] not in {name.lower() for name in names}):
                near = nearest(step, names if index else [*names, *standing.NAMES.values()])
                code = "FORMULA_UNKNOWN_FIELD" if index == 0 else "FORMULA_UNKNOWN_FIELD_OF"
                of = ".".join(steps[:index])
                return self.fault(code, start, start + len(step), near, name=step, of=of)
            leads = known is not None and (known.kind == "reference" or self.leads(tree.path[: index + 1]))
            if known is not None and not leads and not last:
                return self.fault(
                    "FORMULA_NOT_A_REFERENCE", start, start + len(step), name=step, received=known.kind
                )
            start += len(step) + 1
        return None

    def leads(self, path: Path) -> bool:
        """Whether further steps may stand behind a path that is no plain reference."""
        return any(True for _ in self.scope.suggestions(path))

    def unary(self, tree: nodes.Unary) -> Node | None:
        arg = self.node(tree.arg)
        if arg is None:
            return None
        at = At("NOT" if tree.op == "!" else tree.op, tree.start, tree.end)
        if tree.op == "!":
            return make("not", self.of_kind(arg, BOOLEAN, tree.arg, at), at=at)
        arg = self.of_kind(arg, number(0), tree.arg, at)
        return negated(arg) if tree.op == "-" else arg

    def of_kind(self, node: Node, kind: Type, where: Tree, at: At) -> Node:
        if node.type.kind not in (kind.kind, "null"):
            params = {"expected": kind.kind, "received": node.type.kind}
            raise Wrong("FORMULA_WRONG_TYPE", where, function=at.function, **params)
        return coerced(node, kind)

    def many(self, tree: nodes.Many) -> Node | None:
        found = [self.node(arg) for arg in tree.args]
        if None in found:
            return None
        args = [arg for arg in found if arg is not None]
        at = At(tree.op, tree.start, tree.end)
        if tree.op == "&":
            texts = [as_text(arg, at, where) for arg, where in zip(args, tree.args, strict=True)]
            return make("concat", *texts, at=at)
        if tree.op == "+":
            return self.plus(args, tree, at)
        pairs = zip(args, tree.args, strict=True)
        return make(
            "and" if tree.op == "&&" else "or", *(self.of_kind(a, BOOLEAN, t, at) for a, t in pairs), at=at
        )

    def plus(self, args: list[Node], tree: nodes.Many, at: At) -> Node:
        kinds = {arg.type.kind for arg in args}
        if kinds <= {"number", "null"}:
            return make("add", *(coerced(arg, number(0)) for arg in args), at=at)
        if kinds <= TEXT_LIKE | {"null"}:
            return make("concat", *(as_text(a, at, t) for a, t in zip(args, tree.args, strict=True)), at=at)
        total = args[0]
        for index, arg in enumerate(args[1:], 1):
            if total.type.kind in ("number", "null") and arg.type.kind in _LATER:
                total, arg = arg, total
            total = self.add_pair(total, arg, tree.args[index], at)
        return total

    def add_pair(self, a: Node, b: Node, where: Tree, at: At) -> Node:
        if a.type.kind in _LATER and b.type.kind in ("number", "null"):
            return make(_LATER[a.type.kind], a, coerced(b, number(0)), at=at)
        if {a.type.kind, b.type.kind} <= {"number", "null"}:
            return make("add", coerced(a, number(0)), coerced(b, number(0)), at=at)
        if {a.type.kind, b.type.kind} <= TEXT_LIKE:
            return make("concat", as_text(a, at, where), as_text(b, at, where), at=at)
        expected = "number" if a.type.kind in ("boolean", "reference", *_LATER) else a.type.kind
        raise Wrong("FORMULA_WRONG_TYPE", where, function="+", expected=expected, received=b.type.kind)

    def binary(self, tree: nodes.Binary) -> Node | None:
        left, right = self.node(tree.left), self.node(tree.right)
        if left is None or right is None:
            return None
        at = At(tree.op, tree.start, tree.end)
        if tree.op in ("=", "<>", "<", "<=", ">", ">="):
            return compare(tree.op, left, right, at, tree.right)
        if tree.op == "-" and left.type.kind in _LATER:
            if right.type.kind == left.type.kind:
                return make(_BETWEEN[left.type.kind], left, right, at=at)
            less = negated(self.of_kind(right, number(0), tree.right, at))
            return make(_LATER[left.type.kind], left, less, at=at)
        a = self.of_kind(left, number(0), tree.left, at)
        b = self.of_kind(right, number(0), tree.right, at)
        if tree.op == "^" and self.compat and whole_literal(b) is None:
            b = worked("only_whole", number(), b, at=at)
        return make({"-": "sub", "*": "mul", "/": "div", "^": "pow"}[tree.op], a, b, at=at)

    def call(self, tree: nodes.Call) -> Node | None:
        name = tree.function.upper()
        start, end = tree.start, tree.start + len(tree.function)
        function = FUNCTIONS.get(name)
        if function is not None and function.over is not None:
            related = self.related(tree)
            if related is not None:
                return self.of_children(function, function.over, *related, tree)
            if not function.signatures:
                self.no_relation(function, tree)
                return None
        args = [self.node(arg) for arg in tree.args]
        if function is None and name in ABSENT:
            self.fault("FORMULA_ABSENT_FUNCTION", start, end, function=name, instead=name)
            return None
        if function is None:
            near = OTHER_NAMES.get(name.replace("_", ""))
            near = near if near in FUNCTIONS else nearest(name, FUNCTIONS)
            self.fault("FORMULA_UNKNOWN_FUNCTION", start, end, near, name=tree.function)
            return None
        if self.place not in function.places:
            self.fault("FORMULA_NOT_HERE", start, end, function=name)
        right_count = [signature for signature in function.signatures if signature.takes(len(args))]
        if not right_count:
            usage = f"{name}({function.usage})"
            self.fault(
                "FORMULA_WRONG_COUNT", start, end, function=name, usage=usage, received_count=str(len(args))
            )
            return None
        if None in args:
            return None
        return self.apply(function, right_count, tree, [arg for arg in args if arg is not None])

    # Children

    def related(self, tree: nodes.Call) -> tuple[Relation, Scope] | None:
        """The relation that is the first argument of a call, with the names of the children."""
        first = tree.args[0] if tree.args else None
        if not isinstance(first, nodes.Name) or not isinstance(self.scope, Kin):
            return None
        return self.scope.relation(first.path)

    def no_relation(self, function: Function, tree: nodes.Call) -> None:
        usage = f"{function.name}({function.usage})"
        end = tree.start + len(tree.function)
        if not tree.args:
            params = {"function": function.name, "usage": usage, "received_count": "0"}
            return self.fault("FORMULA_WRONG_COUNT", tree.start, end, **params)
        first = tree.args[0]
        if not isinstance(first, nodes.Name):
            return self.fault("FORMULA_NEEDS_RELATION", first.start, first.end, function=function.name)
        known = tuple(self.scope.relations()) if isinstance(self.scope, Kin) else ()
        near = nearest(first.written, known)
        params = {"name": first.written, "function": function.name}
        return self.fault("FORMULA_UNKNOWN_RELATION", first.start, first.end, near, **params)

    def of_children(
        self, function: Function, over: Over, relation: Relation, scope: Scope, tree: nodes.Call
    ) -> Node | None:
        at = At(function.name, tree.start, tree.end)
        end = tree.start + len(tree.function)
        given = tree.args[1:]
        if self.place not in function.places:
            self.fault("FORMULA_NOT_HERE", tree.start, end, function=function.name)
        if not over.takes(len(given)):
            usage = f"{function.name}({function.usage})"
            params = {"function": at.function, "usage": usage, "received_count": str(len(tree.args))}
            self.fault("FORMULA_WRONG_COUNT", tree.start, end, **params)
            return None
        if self.deep >= CHILDREN_DEEP:
            self.fault("FORMULA_CHILDREN_DEEP", tree.start, end, limit=str(CHILDREN_DEEP))
            return None
        # Only the database looks through children, whatever the place of the formula around.
        place = self.place if self.place in ONLY_SQL else Place.WHERE
        inner = _Checker(self.text, scope, place, self.blanks, self.compat, self)
        inner.faults = self.faults
        before = inner.expanded = self.expanded
        parts: dict[str, Node | str] = {}
        whole = True
        for kind, arg in zip(over.params, given, strict=False):
            part = self.separator(arg, at) if kind == "separator" else inner.part(kind, arg, at)
            whole = whole and part is not None
            name = kind if kind in ("order", "separator") else "filter" if kind == "condition" else "value"
            if over.kind in ("any", "all") and "value" not in parts:
                name = "value"
            parts[name] = part if part is not None else ""
        # What it took of this record has been counted here meanwhile.
        self.nested, self.expanded = max(self.nested, inner.nested), self.expanded + inner.expanded - before
        if not whole:
            return None
        key = read(("id",), reference(relation.parent), at)
        found = aggregate(key, Aggregate(over.kind, relation, **parts), at)  # type: ignore[arg-type]
        return replace(found, args=(key, *inner.outer.values()))

    def separator(self, written: Tree, at: At) -> str | None:
        if isinstance(written, nodes.Text):
            return written.value
        if isinstance(written, nodes.Call) and written.function.upper() == "BR" and not written.args:
            return "\n"
        self.fault("FORMULA_NEEDS_LITERAL", written.start, written.end, function=at.function)
        return None

    def part(self, kind: str, written: Tree, at: At) -> Node | None:
        """An argument about a child. A field that is the whole of it is taken as it is stored."""
        node = self.node(written)
        if node is None:
            return None
        try:
            if kind == "condition":
                return self.of_kind(node, BOOLEAN, written, at)
            if kind == "number":
                return stored(self.of_kind(node, number(0), written, at))
            if kind == "text":
                return as_text(node, at, written)
            known = {"ordered": _ORDERED, "order": _ORDERED | TEXT_LIKE}.get(kind, _VALUES)
            if node.type.kind not in known:
                params = {"expected": "number" if kind == "ordered" else "text", "received": node.type.kind}
                raise Wrong("FORMULA_WRONG_TYPE", written, function=at.function, **params)
            return stored(node)
        except Wrong as wrong:
            self.note(wrong)
            return None

    def apply(
        self, function: Function, signatures: list[Signature], tree: nodes.Call, args: list[Node]
    ) -> Node:
        at = At(function.name, tree.start, tree.end)
        best, furthest = signatures[0], -1
        for signature in signatures:
            bad = self.misfit(signature, tree, args)
            if bad is None:
                fitting = [self.blank_for(signature.kind(i), arg) for i, arg in enumerate(args)]
                return signature.build(Use(tuple(fitting), tree.args, at, self.compat))
            if bad > furthest:
                best, furthest = signature, bad
        where, arg, kind = tree.args[furthest], args[furthest], best.kind(furthest)
        if kind == "field":
            raise Wrong("FORMULA_NEEDS_FIELD", where, function=function.name)
        if arg.type.kind == "picklist" and kind == "text":
            hint = f"TEXT({self.text[where.start : where.end]})"
            raise Wrong("FORMULA_PICKLIST_HERE", where, hint, function=function.name)
        params = {"expected": kind, "received": arg.type.kind}
        raise Wrong("FORMULA_WRONG_TYPE", where, function=function.name, **params)

    def misfit(self, signature: Signature, tree: nodes.Call, args: list[Node]) -> int | None:
        """The index of the first argument that does not fit; None when all do."""
        for index, arg in enumerate(args):
            kind, written = signature.kind(index), tree.args[index]
            if kind == "field":
                if (
                    not isinstance(written, nodes.Name)
                    or len(written.path) > 1
                    or written.path[0].startswith("$")
                ):
                    return index
            elif kind != "any" and arg.type.kind not in (kind, "null"):
                return index
        return None

    def blank_for(self, kind: str, arg: Node) -> Node:
        return arg if kind in ("any", "field") else coerced(arg, Type(kind))

    def result(self, root: Node, tree: Tree, expected: Type) -> Node:
        """The value as the caller wants it: its type checked, percent as it is stored."""
        root = coerced(root, expected)
        kinds = {root.type.kind, expected.kind}
        if expected.kind == "reference" and root.literal and root.type.kind == "text":
            return compare("=", literal(None, expected), root, root.at, tree).args[1]
        if expected.kind == "choices" and root.literal and root.type.kind == "text":
            return chosen(root, expected, tree)
        if len(kinds) > 1 and not kinds <= TEXT_LIKE:
            params = {"expected": expected.kind, "received": root.type.kind}
            raise Wrong("FORMULA_WRONG_RESULT", tree, **params)
        if expected.kind == "picklist":
            check_value(literal("", expected), root, tree)
        return shifted(root, 2) if expected.percent and root.type.kind == "number" else root
