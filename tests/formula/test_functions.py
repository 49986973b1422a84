"""Every function is documented, and every example holds in process and in both databases."""

import re

import pytest

from formulas import ENV, Database, compiled, in_database
from tabwright.formula.functions.catalogue import FUNCTIONS
from tabwright.formula.functions.registry import Example
from tabwright.formula.scope import ONLY_SQL
from tabwright.formula.treewalk import evaluate

EXAMPLES = [
    pytest.param(example, id=f"{name}: {example.formula}")
    for name, function in FUNCTIONS.items()
    for example in function.examples
]
# They read fields or the moment, so no example of theirs stands alone.
WITHOUT = {"BELOW", "INCLUDES", "INCLUDESALL", "EXCLUDES", "PICKLISTCOUNT"} | {
    "ISPICKVAL",
    "ISNEW",
    "ISCHANGED",
    "PRIORVALUE",
    "TODAY",
    "NOW",
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_holds_in_process(example: Example) -> None:
    formula = compiled(example.formula)
    value = formula.evaluator()((), ENV)
    assert (value, type(value)) == (example.value, type(example.value))
    assert evaluate(formula.root, (), (), ENV) == example.value


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_holds_in_the_database(example: Example, place: Database) -> None:
    found = in_database(compiled(example.formula), place)
    if "REGEX" in example.formula:
        assert found is None
    else:
        assert found == [example.value]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_documented(name: str) -> None:
    function = FUNCTIONS[name]
    assert function.name == name == name.upper()
    assert re.search("[\u4e00-\u9fff]", function.zh) and function.zh.endswith("。")
    assert function.en.endswith(".") and function.en != function.zh
    assert function.signatures
    assert bool(function.examples) == (name not in WITHOUT)
    most = max(len(signature.params) for signature in function.signatures)
    assert function.usage.count(",") + 1 >= most or not most


def test_what_no_database_runs_is_not_legal_where_only_a_database_does() -> None:
    assert {name for name, function in FUNCTIONS.items() if not function.places >= ONLY_SQL} == {
        "REGEX",
        "ISNEW",
        "ISCHANGED",
        "PRIORVALUE",
    }
