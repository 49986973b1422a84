"""Templates of one language: what a template says in any case is said once, when it is compiled.

``t('list.filter')``, ``icon('plus')``, ``asset('pages/list.css')``: most calls of a page's frame have
constant arguments. They become constant text, which Jinja joins with the HTML beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

from tabwright.runtime.forms.piece import safe

Saying = Callable[..., Any]
"""A function of templates that gives the same for the same arguments; raises Unknown where it cannot yet."""


class Unknown(Exception):
    """The call cannot be made while the template is compiled: it is made at each request."""


class _Generator(CodeGenerator):
    """Writes ``escaped`` where Jinja has markupsafe's ``escape``, which is a third of a page's printing."""

    def _output_child_pre(
        self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo
    ) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.escaped(")


class Templates(Environment):
    """The templates in some folders, escaped by default and strict about names.

    ``constant``: functions by their names in templates. A call with constant arguments is made once.
    """

    code_generator_class = _Generator

    def __init__(self, folders: Sequence[Path], constant: Mapping[str, Saying]) -> None:
        super().__init__(
            loader=FileSystemLoader(folders),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,  # a template is what it was when the process started
        )
        self._folding = _Folding(constant)

    @staticmethod
    def escaped(value: Any) -> str:
        """What a template prints, as HTML."""
        kind = value.__class__
        if kind is str:
            return safe(value)
        return value if kind is Markup else escape(value)

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        self._folding.visit(source)
        return super()._generate(source, name, filename, defer_init)


class _Folding(NodeTransformer):
    def __init__(self, constant: Mapping[str, Saying]) -> None:
        self._constant = constant

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        self.generic_visit(node)
        called = node.node
        if not isinstance(called, nodes.Name) or called.name not in self._constant:
            return node
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            return node
        first = node.args[0] if len(node.args) == 1 and not node.kwargs else None
        if isinstance(first, nodes.CondExpr) and first.expr2 is not None:
            # t('a' if it else 'b'): one of two constant texts.
            one, other = (self._made(node, called.name, each) for each in (first.expr1, first.expr2))
            if one is None or other is None:
                return node
            return nodes.CondExpr(first.test, one, other, lineno=node.lineno, environment=node.environment)
        return self._made(node, called.name, *node.args) or node

    def _made(self, node: nodes.Call, name: str, *args: nodes.Expr) -> nodes.Const | None:
        try:
            given = [each.as_const() for each in args]
            named = {each.key: each.value.as_const() for each in node.kwargs}
            value = self._constant[name](*given, **named)
        except (nodes.Impossible, Unknown):
            return None
        return nodes.Const(value, lineno=node.lineno, environment=node.environment)
