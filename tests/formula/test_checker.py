"""Types, names, counts and places: every fault has its place, a sentence in both languages, and a hint."""

import json
import re
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

import tabwright.formula.compiler as room
from formulas import ENV, SOMEONE, Names, compiled
from tabwright.formula.compiler import compile_formula
from tabwright.formula.datatypes import BOOLEAN, DATE, KINDS, NULL, TEXT, Type, number, picklist, reference
from tabwright.formula.faults import FormulaError, messages, say
from tabwright.formula.scope import Place

ROOM = Path(room.__file__).parent


@pytest.mark.parametrize(
    ("text", "code", "where", "hint"),
    [
        ("amont + 1", "FORMULA_UNKNOWN_FIELD", "amont", "amount"),
        ("account.nam & ''", "FORMULA_UNKNOWN_FIELD_OF", "nam", "name"),
        ("acount.name", "FORMULA_UNKNOWN_FIELD", "acount", "account"),
        ("$usr.id = owner", "FORMULA_UNKNOWN_FIELD", "$usr", "$User"),
        ("$user.idd = owner", "FORMULA_UNKNOWN_FIELD_OF", "idd", "id"),
        ("name.length", "FORMULA_NOT_A_REFERENCE", "name", None),
        ("zzzzqqq", "FORMULA_UNKNOWN_FIELD", "zzzzqqq", None),
        ("RUOND(amount, 2)", "FORMULA_UNKNOWN_FUNCTION", "RUOND", "ROUND"),
        ("ROUND(amount)", "FORMULA_WRONG_COUNT", "ROUND", None),
        ("TODAY(1)", "FORMULA_WRONG_COUNT", "TODAY", None),
        ("IFS(ok, 1, ok, 2)", "FORMULA_WRONG_COUNT", "IFS", None),
        ("LEFT(name, 'x')", "FORMULA_WRONG_TYPE", "'x'", None),
        ("amount + ok", "FORMULA_WRONG_TYPE", "ok", None),
        ("name - 1", "FORMULA_WRONG_TYPE", "name", None),
        ("close + close", "FORMULA_WRONG_TYPE", "close", None),
        ("IF(amount, 1, 2)", "FORMULA_WRONG_TYPE", "amount", None),
        ("IF(ok, 1, 'a')", "FORMULA_WRONG_TYPE", "'a'", None),
        ("IFS(ok, 1, amount, 2, 3)", "FORMULA_WRONG_TYPE", "amount", None),
        ("amount = name", "FORMULA_WRONG_TYPE", "name", None),
        ("close = start", "FORMULA_WRONG_TYPE", "start", None),
        ("owner = name", "FORMULA_WRONG_TYPE", "name", None),
        ("ok && amount", "FORMULA_WRONG_TYPE", "amount", None),
        ("!name", "FORMULA_WRONG_TYPE", "name", None),
        ("-name", "FORMULA_WRONG_TYPE", "name", None),
        ("name & ok", "FORMULA_WRONG_TYPE", "ok", None),
        ("TEXT(ok)", "FORMULA_WRONG_TYPE", "ok", None),
        ("owner > account", "FORMULA_NO_ORDER", "owner > account", None),
        ("ok < ok", "FORMULA_NO_ORDER", "ok < ok", None),
        ("stage = 'wonn'", "FORMULA_UNKNOWN_VALUE", "'wonn'", '"won"'),
        ("ISPICKVAL(stage, 'opn')", "FORMULA_UNKNOWN_VALUE", "'opn'", '"open"'),
        ("ISPICKVAL(stage, name)", "FORMULA_NEEDS_LITERAL", "name", None),
        ("CASE(stage, 'open', 1, 'lsot', 2, 3)", "FORMULA_UNKNOWN_VALUE", "'lsot'", '"lost"'),
        ("IN(stage, 'open', 'zzz')", "FORMULA_UNKNOWN_VALUE", "'zzz'", None),
        ("CASE(n, 1, 2, 1, 3, 4)", "FORMULA_LABEL_TWICE", "1", None),
        ("LEFT(stage, 1)", "FORMULA_PICKLIST_HERE", "stage", "TEXT(stage)"),
        ("owner = 'me'", "FORMULA_NOT_AN_ID", "'me'", None),
        ("ROUND(amount, 39)", "FORMULA_BAD_PLACES", "39", None),
        ("REGEX(name, '(a')", "FORMULA_BAD_PATTERN", "'(a'", None),
        ("PRIORVALUE(account.name)", "FORMULA_NEEDS_FIELD", "account.name", None),
        ("ISCHANGED(1)", "FORMULA_NEEDS_FIELD", "1", None),
        ("123456789012345678901 > 1", "FORMULA_BAD_NUMBER", "123456789012345678901", None),
        ("0.1234567890123456789 > 1", "FORMULA_BAD_NUMBER", "0.1234567890123456789", None),
    ],
)
def test_a_fault_has_its_place_and_a_hint(text: str, code: str, where: str, hint: str | None) -> None:
    with pytest.raises(FormulaError) as caught:
        compiled(text)
    (fault,) = caught.value.faults
    assert (fault.code, text[fault.start : fault.end], fault.hint) == (code, where, hint)
    zh, en = say(fault, "zh"), say(fault, "en")
    assert re.search("[\u4e00-\u9fff]", zh) and not re.search("[\u4e00-\u9fff]", en)
    assert "{" not in zh + en
    if hint is not None:
        assert f"是不是想写 {hint}" in zh and f"Did you mean {hint}?" in en


def test_all_faults_come_at_once_in_the_order_of_the_text() -> None:
    with pytest.raises(FormulaError) as caught:
        compiled("IF(okk, amont +\n LEFFT(name, 1), stage = 'wonn')")
    found = [(fault.code, fault.line, fault.column) for fault in caught.value.faults]
    assert found == [
        ("FORMULA_UNKNOWN_FIELD", 1, 4),
        ("FORMULA_UNKNOWN_FIELD", 1, 9),
        ("FORMULA_UNKNOWN_FUNCTION", 2, 2),
        ("FORMULA_UNKNOWN_VALUE", 2, 26),
    ]


def test_a_sentence_names_the_types_in_its_language() -> None:
    with pytest.raises(FormulaError) as caught:
        compiled("LEFT(name, close)")
    assert say(caught.value.faults[0], "zh") == "LEFT 这里需要数字，得到的是日期。"
    assert say(caught.value.faults[0], "en") == "LEFT expects number here, received date."


@pytest.mark.parametrize("place", Place)
def test_functions_of_a_save_are_legal_only_in_a_save(place: Place) -> None:
    text = "ISNEW() || ISCHANGED(stage) || PRIORVALUE(amount) > 5"
    if place in (Place.VALIDATION, Place.RULE, Place.APPROVAL):
        assert compiled(text, place=place).uses_record_state
        return
    with pytest.raises(FormulaError) as caught:
        compiled(text, place=place)
    assert [fault.code for fault in caught.value.faults] == ["FORMULA_NOT_HERE"] * 3


@pytest.mark.parametrize(
    ("place", "legal"), [(Place.WHERE, False), (Place.SHARING, False), (Place.VALIDATION, True)]
)
def test_what_no_database_runs_is_refused_where_only_it_can(place: Place, legal: bool) -> None:
    if legal:
        assert compiled("REGEX(name, 'a+')", place=place).type == BOOLEAN
        return
    with pytest.raises(FormulaError, match="REGEX cannot be used in this place"):
        compiled("REGEX(name, 'a+')", place=place)


@pytest.mark.parametrize(
    ("text", "expected", "fits"),
    [
        ("1", number(2), True),
        ("NULL", DATE, True),
        ("TODAY()", DATE, True),
        ("NOW()", DATE, False),
        ("1", TEXT, False),
        ("stage", TEXT, True),
        ("'won'", picklist(["open", "won"]), True),
        ("'wonn'", picklist(["open", "won"]), False),
        ("stage = 'won'", BOOLEAN, True),
        ("amount", BOOLEAN, False),
        ("owner", reference("user"), True),
        (f"'{SOMEONE}'", reference("user"), True),
        ("'me'", reference("user"), False),
        ("name", reference("user"), False),
    ],
)
def test_the_result_has_the_type_that_is_expected(text: str, expected: Type, fits: bool) -> None:
    if fits:
        compiled(text, expected=expected)
        return
    with pytest.raises(FormulaError) as caught:
        compiled(text, expected=expected)
    assert (caught.value.faults[0].start, caught.value.faults[0].end) == (0, len(text))


def test_percent_is_a_fraction_inside_and_stored_as_it_is_shown() -> None:
    assert compiled("rate").evaluator()((Decimal(50),), ENV) == Decimal("0.5")
    half = compiled("rate / 2", expected=number(2, percent=True))
    assert half.evaluator()((Decimal(50),), ENV) == 25
    assert half.type.percent


def test_an_id_written_as_text_becomes_the_id() -> None:
    formula = compiled(f"'{SOMEONE}'", expected=reference("user"))
    assert formula.evaluator()((), ENV) == UUID(str(SOMEONE))


def test_what_a_formula_reads() -> None:
    formula = compiled("IF(ISCHANGED(Stage), Account.Name, Name & TEXT(TODAY()))")
    reads = [(read.path, read.prior) for read in formula.reads]
    assert reads == [
        (("stage",), False),
        (("stage",), True),
        (("account", "name"), False),
        (("name",), False),
    ]
    assert formula.paths == {("stage",), ("account", "name"), ("name",)}
    assert formula.uses_now and formula.uses_record_state
    plain = compiled("amount * 2")
    assert not plain.uses_now and not plain.uses_record_state and plain.literals == (Decimal(2),)


def test_null_alone_has_the_null_type() -> None:
    assert compile_formula("NULL", Names()).type == NULL


def test_every_code_in_the_source_has_a_sentence_in_both_languages() -> None:
    source = "".join(path.read_text("utf-8") for path in ROOM.rglob("*.py"))
    raised = set(re.findall(r'"(FORMULA_[A-Z_]+)"', source))
    known = json.loads((ROOM / "messages.json").read_text("utf-8"))
    assert raised == {code for code in known if code.startswith("FORMULA_")}
    assert all(set(texts) == {"zh", "en"} and all(texts.values()) for texts in messages().values())
    for texts in known.values():  # both sentences name the same things
        assert set(re.findall(r"{(\w+)}", texts["zh"])) == set(re.findall(r"{(\w+)}", texts["en"]))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_name_in_both_languages(kind: str) -> None:
    assert set(messages()[f"type.{kind}"]) == {"zh", "en"}
