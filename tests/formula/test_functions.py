"""Every function is documented, and every example holds in process and in both databases."""

import re

import pytest

from formulas import ENV, Database, compiled, in_database
from tabwright.formula.faults import EvaluationError, FormulaError, say
from tabwright.formula.functions.absent import ABSENT
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
    "CHANGEDTO",
    "ISCLONE",
    "TIMENOW",
}
# The process and SQLite, which borrows them, run these; PostgreSQL refuses them.
NOT_ON_POSTGRESQL = set(
    "REGEX REGEX_REPLACE REGEX_EXTRACT ROUNDUP EXP LN LOG SQRT SIN COS TAN ASIN ACOS ATAN ATAN2 PROPER"
    " INITCAP CHR LIKE SPLIT FORMAT FORMATCURRENCY HTMLENCODE JSENCODE JSINHTMLENCODE URLENCODE HYPERLINK"
    " IMAGE CASESAFEID JSONVALUE JSONPATHVALUE RMBUPPER PINYIN IDCARDCHECK USCCCHECK WORKDAY"
    " HOURSBETWEEN".split()
)
NOT_ON_POSTGRESQL_SO = {'UPPER("i", "tr")'}


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_holds_in_process(example: Example) -> None:
    formula = compiled(example.formula)
    value = formula.evaluator()((), ENV)
    assert (value, type(value)) == (example.value, type(example.value))
    assert evaluate(formula.root, (), (), ENV) == example.value


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_holds_in_the_database(example: Example, place: Database) -> None:
    found = in_database(compiled(example.formula), place)
    name = example.formula.partition("(")[0]
    if place.dialect == "postgresql" and (
        name in NOT_ON_POSTGRESQL or example.formula in NOT_ON_POSTGRESQL_SO
    ):
        assert found is None
    else:
        assert found == [example.value]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_documented(name: str) -> None:
    function = FUNCTIONS[name]
    assert function.name == name == name.upper()
    assert re.search("[\u4e00-\u9fff]", function.zh) and function.zh.endswith("。")
    assert function.en.endswith(".") and function.en != function.zh
    assert function.signatures or function.over
    assert bool(function.examples) == (name not in WITHOUT and bool(function.signatures))
    most = max((len(signature.params) for signature in function.signatures), default=0)
    assert function.usage.count(",") + 1 >= most or not most


def test_what_no_database_runs_is_not_legal_where_only_a_database_does() -> None:
    assert {name for name, function in FUNCTIONS.items() if not function.places >= ONLY_SQL} == {
        "REGEX",
        "ISNEW",
        "ISCLONE",
        "ISCHANGED",
        "CHANGEDTO",
        "PRIORVALUE",
    }


@pytest.mark.parametrize("name", sorted(ABSENT))
def test_a_function_that_makes_no_sense_here_says_what_to_use(name: str) -> None:
    assert name not in FUNCTIONS
    with pytest.raises(FormulaError) as caught:
        compiled(f"{name}(1)")
    (fault,) = caught.value.faults
    assert fault.code == "FORMULA_ABSENT_FUNCTION"
    assert re.search("[\u4e00-\u9fff]", say(fault, "zh")) and name in say(fault, "en")


@pytest.mark.parametrize(
    ("other", "here"), [("SEARCH", "FIND"), ("substring", "SUBSTR"), ("IfNull", "BLANKVALUE")]
)
def test_a_name_from_elsewhere_leads_to_ours(other: str, here: str) -> None:
    with pytest.raises(FormulaError) as caught:
        compiled(f"{other}(name, name)")
    assert caught.value.faults[0].hint == here


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("LN(0)", "FORMULA_NOT_DEFINED"),
        ("LOG(-1)", "FORMULA_NOT_DEFINED"),
        ("SQRT(-0.01)", "FORMULA_NOT_DEFINED"),
        ("ASIN(1.01)", "FORMULA_NOT_DEFINED"),
        ("ACOS(-2)", "FORMULA_NOT_DEFINED"),
        ("EXP(47)", "FORMULA_TOO_BIG_NUMBER"),
        ("EXP(99999999)", "FORMULA_TOO_BIG_NUMBER"),
        ("GEOLOCATION(1 + 90, 0)", "FORMULA_NO_SUCH_PLACE"),
        ('FORMAT("{x}", 1)', "FORMULA_BAD_FORMAT"),
        ('FORMAT("{0", 1)', "FORMULA_BAD_FORMAT"),
        ('JSONVALUE("{", "a")', "FORMULA_NOT_JSON"),
        ('REPT("x", 32001)', "FORMULA_TEXT_TOO_LONG"),
    ],
)
def test_what_a_function_has_no_value_for(text: str, code: str, place: Database) -> None:
    formula = compiled(text)
    with pytest.raises(EvaluationError) as caught:
        formula.evaluator()((), ENV)
    assert caught.value.code == code
    assert in_database(formula, place) in (["error"], None)
