"""Formulas on lines of JSON: every type comes in and goes out in one form, a bad line stops nothing, and all
engines say the same.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tabwright.formula.answering import Answers, Engine

ENGINES: tuple[Engine, ...] = ("python", "tree", "sqlite", "postgresql")


@pytest.fixture(scope="module", params=ENGINES)
def answers(request: pytest.FixtureRequest) -> Iterator[Answers]:
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url").replace("postgresql://", "postgresql+psycopg://")
    found = Answers(request.param, url=url)
    yield found
    found.close()


def field(type: str, value: Any, **options: Any) -> dict[str, Any]:
    return {"type": type, "value": value, "options": options}


@pytest.mark.parametrize(
    ("given", "type", "shown"),
    [
        (field("text", "客户"), "text", "客户"),
        (field("email", "a@b.cn"), "text", "a@b.cn"),
        (field("phone", ""), "text", None),
        (field("url", None), "text", None),
        (field("number", "10.50"), "number", "10.5"),
        (field("number", 7), "number", "7"),
        (field("number", 1.25), "number", "1.25"),
        (field("number", "-0"), "number", "0"),
        (field("number", "1e3"), "number", "1000"),
        (field("number", "12345678901234567890.125"), "number", "12345678901234567890.125"),
        (field("number", "0.000000000000000001"), "number", "0.000000000000000001"),
        (field("number", None), "number", None),
        (field("currency", "99.90", scale=2), "number", "99.9"),
        (field("percent", 50), "number", "0.5"),
        (field("boolean", True), "boolean", True),
        (field("checkbox", None), "boolean", False),
        (field("date", "2024-02-29"), "date", "2024-02-29"),
        (field("datetime", "2024-02-29T23:59:58Z"), "datetime", "2024-02-29T23:59:58Z"),
        (field("datetime", "2024-02-29T23:59:58.125+08:00"), "datetime", "2024-02-29T15:59:58.125Z"),
        (field("datetime", None), "datetime", None),
        (field("time", "09:05:01.250"), "time", "09:05:01.250"),
        (field("time", "23:59"), "time", "23:59:00.000"),
        (field("picklist", "a", values=["a", "b"]), "picklist", "a"),
        (field("picklist", None, values=["a"]), "picklist", None),
        (field("multi-select", ["a", "b"], values=["a", "b", "c"]), "choices", ["a", "b"]),
        (field("multi-select", "a;c"), "choices", ["a", "c"]),
        (field("multi-select", []), "choices", None),
        (
            field("reference", "0190163D-8694-739b-aea5-966c26f8ad91"),
            "reference",
            "0190163d-8694-739b-aea5-966c26f8ad91",
        ),
        (field("reference", "001A0000006Vm9r"), "text", "001A0000006Vm9r"),
        (
            field("location", {"latitude": "31.23", "longitude": 121.47}),
            "location",
            {"latitude": "31.23", "longitude": "121.47"},
        ),
        (field("geolocation", "31.23, 121.47"), "location", {"latitude": "31.23", "longitude": "121.47"}),
    ],
)
def test_a_value_of_every_type_comes_back(
    answers: Answers, given: dict[str, Any], type: str, shown: Any
) -> None:
    asked = {"id": "x", "expr": "F__c", "fields": {"F__c": given}}
    assert json.loads(answers.line(json.dumps(asked))) == {"id": "x", "type": type, "value": shown}


@pytest.mark.parametrize(
    ("asked", "value"),
    [
        ({"expr": "2*3^4"}, "162"),
        ({"expr": "2*3^4", "dialect": "sf"}, "1296"),
        ({"expr": "n + 1", "fields": {"n": field("number", None)}}, None),
        ({"expr": "n + 1", "fields": {"n": field("number", None)}, "blanks": "zero"}, "1"),
        ({"expr": "ISBLANK(n)", "fields": {"n": field("number", None)}, "blanks": "zero"}, True),
        (
            {"expr": "ISBLANK(n)", "fields": {"n": field("number", None)}, "blanks": "zero", "dialect": "sf"},
            False,
        ),
        ({"expr": "IN(t, '', 'a')", "fields": {"t": field("text", None)}}, True),
        ({"expr": "IN(t, '', 'a')", "fields": {"t": field("text", None)}, "compat": True}, False),
        ({"expr": "TODAY()", "now": "2024-03-01T20:00:00Z", "zone": "Asia/Shanghai"}, "2024-03-02"),
        ({"expr": "NOW()", "now": "2024-03-01T20:00:00Z"}, "2024-03-01T20:00:00Z"),
        ({"expr": "1 / 3", "returns": {"type": "number", "scale": 2}}, "0.33"),
        ({"expr": "p", "fields": {"p": field("percent", 50)}, "returns": "percent"}, "50"),
        ({"expr": "account.owner.name & '!'", "fields": {"Account.Owner.Name": field("text", "w")}}, "w!"),
        ({"expr": "$User.Alias", "fields": {"$User.Alias": field("text", "w")}}, "w"),
    ],
)
def test_what_a_question_may_ask_for(answers: Answers, asked: dict[str, Any], value: Any) -> None:
    assert answers.answer(asked)["value"] == value


@pytest.mark.parametrize(
    ("asked", "value"),
    [
        ({"expr": "ISCHANGED(n) && PRIORVALUE(n) = 1", "prior": {"N": 1}}, True),
        ({"expr": "ISCHANGED(n)"}, False),
        ({"expr": "CHANGEDTO(n, 2)", "prior": {"n": None}}, True),
        ({"expr": "ISNEW()", "is_new": True}, True),
        ({"expr": "ISCLONE()", "is_clone": True}, True),
    ],
)
def test_the_state_of_a_record_is_for_the_process(
    answers: Answers, asked: dict[str, Any], value: Any
) -> None:
    found = answers.answer({**asked, "fields": {"n": field("number", 2)}})
    if answers.engine in ("python", "tree"):
        assert found["value"] is value
    else:
        assert found["error"]["code"] == "FORMULA_NOT_IN_SQL"


BAD = [
    ("nonsense", "FORMULA_BAD_LINE"),
    ("[1]", "FORMULA_BAD_LINE"),
    ("{}", "FORMULA_BAD_LINE"),
    ('{"expr": 1}', "FORMULA_BAD_LINE"),
    ('{"expr": "1", "fields": [1]}', "FORMULA_BAD_LINE"),
    ('{"expr": "1", "fields": {"a": 1}}', "FORMULA_BAD_LINE"),
    ('{"expr": "1", "dialect": "x"}', "FORMULA_BAD_LINE"),
    ('{"expr": "1", "zone": "Mars"}', "FORMULA_BAD_LINE"),
    ('{"expr": "1", "now": "soon"}', "FORMULA_BAD_LINE"),
    ('{"expr": "1", "returns": "x"}', "FORMULA_BAD_LINE"),
    ('{"expr": "a", "fields": {"a": {"type": "number", "value": "x"}}}', "FORMULA_BAD_VALUE"),
    ('{"expr": "a", "fields": {"a": {"type": "number", "value": NaN}}}', "FORMULA_BAD_LINE"),
    ('{"expr": "a", "fields": {"a": {"type": "date", "value": "2023-02-29"}}}', "FORMULA_BAD_VALUE"),
    ('{"expr": "a", "fields": {"a": {"type": "weather", "value": 1}}}', "FORMULA_BAD_VALUE"),
    ('{"expr": ""}', "FORMULA_EMPTY"),
    ('{"expr": "1 +"}', "FORMULA_UNFINISHED"),
    ('{"expr": "amont", "fields": {"amount": {"type": "number", "value": 1}}}', "FORMULA_UNKNOWN_FIELD"),
    ('{"expr": "VLOOKUP(1)"}', "FORMULA_ABSENT_FUNCTION"),
    ('{"expr": "\\n 1 / 0"}', "FORMULA_DIVISION_BY_ZERO"),
    ("[" * 100_000, "FORMULA_BAD_LINE"),
]


@pytest.mark.parametrize(("line", "code"), BAD)
def test_a_bad_line_is_answered_like_any_other(answers: Answers, line: str, code: str) -> None:
    error = json.loads(answers.line(line))["error"]
    assert error["code"] == code and error["message"]
    assert error["line"] == (2 if "\\n" in line else 1) and error["column"] >= 1


def test_the_command_answers_in_order_and_never_stops() -> None:
    lines = [
        '{"id": 1, "expr": "1+1"}',
        "",
        "?",
        '{"id": 3, "expr": "UPPER(\'é\')"}',
        '{"id": 2, "expr": "x"}',
    ]
    command = [sys.executable, "-m", "tabwright", "formula", "eval", "--jsonl", "--engine", "tree"]
    done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["id"] for each in found] == [1, None, 3, 2]
    assert [each.get("value") for each in found] == ["2", None, "É", None]


def test_the_command_works_out_one_expression() -> None:
    command = [sys.executable, "-m", "tabwright", "formula", "eval"]
    done = subprocess.run([*command, "ROUND(2 / 3, 2)"], capture_output=True, text=True, check=True)
    assert done.stdout == "0.67\n"
    assert subprocess.run([*command, "1 /"], capture_output=True).returncode == 1
    assert subprocess.run(command, capture_output=True).returncode == 2
