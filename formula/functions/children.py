"""Functions on the records that name a record: its contacts, the lines of an order.

The first argument is a relation: the object of the children, with the lookup behind it where there are
several (`contact`, `contact.account`). What stands behind it is about a child; the last argument may be a
condition that a child must meet. Blank values are skipped; deleted children never count.
"""

from tabwright.formula.functions.registry import Function, Over

_FILTER = "condition"

FUNCTIONS = (
    Function(
        "COUNT", "children", "relation, [condition]",
        "子记录的个数；没有时为 0。",
        "How many children there are; 0 when there are none.",
        (), over=Over("count", (_FILTER,)),
    ),
    Function(
        "COUNTDISTINCT", "children", "relation, value, [condition]",
        "子记录中不同的值的个数，空白不计。",
        "How many different values the children have; blanks are not counted.",
        (), over=Over("count_distinct", ("value", _FILTER)),
    ),
    Function(
        "SUM", "children", "relation, number, [condition]",
        "子记录的数字之和；空白不计，没有时为 0。",
        "The total of a number of the children; blanks are skipped, 0 when there are none.",
        (), over=Over("sum", ("number", _FILTER)),
    ),
    Function(
        "AVG", "children", "relation, number, [condition]",
        "子记录的数字的平均值；空白不计，没有时为空白。",
        "The average of a number of the children; blanks are skipped, blank when there are none.",
        (), over=Over("avg", ("number", _FILTER)),
    ),
    Function(
        "MIN", "children", "relation, value, [condition]",
        "第一个参数是子记录时：子记录中最小的数字、日期或时间；空白不计，没有时为空白。",
        "Of a relation: the least number, date or time of the children; blanks are skipped, blank when there"
        " are none.",
        (), over=Over("min", ("ordered", _FILTER)),
    ),
    Function(
        "MAX", "children", "relation, value, [condition]",
        "第一个参数是子记录时：子记录中最大的数字、日期或时间；空白不计，没有时为空白。",
        "Of a relation: the greatest number, date or time of the children; blanks are skipped, blank when"
        " there are none.",
        (), over=Over("max", ("ordered", _FILTER)),
    ),
    Function(
        "ANY", "children", "relation, [condition], [condition]",
        "有子记录符合条件时为真；没有子记录时为假。",
        "True when a child meets the condition; false when there are none.",
        (), over=Over("any", (_FILTER, _FILTER), optional=2),
    ),
    Function(
        "ALL", "children", "relation, condition, [condition]",
        "每条子记录都符合第一个条件时为真（第二个条件限定看哪些子记录）；没有子记录时为真。",
        "True when every child meets the first condition (the second says which children are looked at); true"
        " when there are none.",
        (), over=Over("all", (_FILTER, _FILTER)),
    ),
    Function(
        "JOIN", "children", "relation, text, separator, [condition]",
        "把子记录的文字按创建的先后连在一起，中间放分隔符；空白不计。",
        "The texts of the children in the order in which these were made, with a separator between; blanks"
        " are skipped.",
        (), over=Over("join", ("text", "separator", _FILTER)),
    ),
    Function(
        "FIRST", "children", "relation, value, order, [condition]",
        "按次序排在最前的子记录的值；次序为空白的排在最后，没有子记录时为空白。",
        "The value of the child that comes first in an order; a child whose order is blank comes after all"
        " others. Blank when there are none.",
        (), over=Over("first", ("value", "order", _FILTER)),
    ),
    Function(
        "LAST", "children", "relation, value, order, [condition]",
        "按次序排在最后的子记录的值；次序为空白的不算在最后，没有子记录时为空白。",
        "The value of the child that comes last in an order; one whose order is blank gives way to all"
        " others. Blank when there are none.",
        (), over=Over("last", ("value", "order", _FILTER)),
    ),
)  # fmt: skip
OVER_CHILDREN = frozenset(function.name for function in FUNCTIONS)
