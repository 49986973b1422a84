"""Functions on records that hang on records of their own kind."""

from uuid import UUID

from tabwright.formula.functions.registry import Function, Signature, Use, Wrong
from tabwright.formula.scope import ONLY_SQL
from tabwright.formula.typed import Node, literal, make


def _below(use: Use) -> Node:
    """The reference, then ids: literals only, since what hangs on them is looked up once for all records."""
    field = use.args[0]
    records = []
    for node, where in zip(use.args[1:], use.written[1:], strict=True):
        if not node.literal:
            raise Wrong("FORMULA_NEEDS_LITERAL", where, function=use.at.function)
        try:
            records.append(literal(UUID(str(node.data)), field.type, node.at))
        except ValueError:
            raise Wrong("FORMULA_NOT_AN_ID", where, value=str(node.data)) from None
    return make("below", field, *records, at=use.at)


FUNCTIONS = (
    Function(
        "BELOW",
        "record",
        "reference, id, ...",
        "关联的记录是其中之一或其下级时为真；BELOW(上级字段, id) 即全部下级。只用于列表筛选等处。",
        "True when the record referred to is one of these or hangs below one in its tree; BELOW(parent, id) "
        "gives everything below a record. Only where the database runs the formula.",
        (Signature(("reference", "text"), _below, repeats=1),),
        places=ONLY_SQL,
    ),
)
