"""Cases of the language, written from its rules by hand: every case on every engine that can run it.

A file of ``conformance/`` is read line by line:

    # what the next lines are about
    @ blanks=zero dialect=sf zone=Asia/Shanghai now=2024-03-01T20:00:00Z is_new     a setting; @ alone: none
    $ n number 5                     a field: its name, its type, its value as JSON (dates bare), values=a|b
    $ n number 5 <- 4                the same with the value before the save
    + m number n * 2                 a field that is a formula itself
    n + 1 -> 6                       a formula and its value: JSON, or bare where it is shown as a text
    n / 0 -> !DIVISION_BY_ZERO       a formula that has no value, and the code that says why

Settings and fields hold until the next ``@``. In ``types.txt`` every operator has a table of all pairs of
types instead: a letter for the type of the result, or - where the pair is refused.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tabwright.formula.answering import Answers, Engine

FOLDER = Path(__file__).with_name("conformance")
FILES = sorted(FOLDER.glob("[!_]*.txt"))
TABLES = FOLDER / "_types.txt"
ENGINES: tuple[Engine, ...] = ("python", "tree", "sqlite", "postgresql")
# What a database may refuse; everything else has to run in it.
OF_A_SAVE = r"\b(ISNEW|ISCLONE|ISCHANGED|PRIORVALUE|CHANGEDTO)\("
ON_POSTGRESQL = (
    r"\b(REGEX|REGEX_REPLACE|REGEX_EXTRACT|ROUNDUP|EXP|LN|LOG|SQRT|A?SIN|A?COS|A?TAN2?|PROPER|INITCAP|CHR|LIKE|SPLIT"
    r"|FORMAT|FORMATCURRENCY|HTMLENCODE|JSENCODE|JSINHTMLENCODE|URLENCODE|HYPERLINK|IMAGE|CASESAFEID|JSONVALUE"
    r"|JSONPATHVALUE|RMBUPPER|PINYIN|IDCARDCHECK|USCCCHECK)\(|[\^]|POWER\(|(UPPER|LOWER)\(.*,"
)
REFUSED = {
    "python": "$.",
    "tree": "$.",
    "sqlite": OF_A_SAVE,
    "postgresql": f"{OF_A_SAVE}|{ON_POSTGRESQL}",
}
NOW = "2024-02-29T16:30:15Z"


@dataclass(frozen=True)
class Case:
    where: str
    asked: Mapping[str, Any]
    expected: Any  # the value; or "!" and the code of an error


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.strip()


def _field(line: str) -> tuple[str, dict[str, Any], Any]:
    name, type, rest = line.split(maxsplit=2)
    rest, _, before = rest.partition(" <- ")
    value, _, codes = rest.partition(" values=")
    options = {"values": codes.strip().split("|")} if codes else {}
    field = {"type": type, "value": _value(value), "options": options}
    return name, field, _value(before.partition(" values=")[0]) if before else field["value"]


def cases_of(path: Path) -> Iterator[Case]:
    """The cases of a file."""
    settings: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    prior: dict[str, Any] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line.startswith("@"):
            settings, fields, prior = {}, {}, {}
            for word in line[1:].split():
                name, said, value = word.partition("=")
                settings[name] = value if said else True
        elif line.startswith("$ "):
            name, field, before = _field(line[2:])
            fields, prior = {**fields, name: field}, {**prior, name: before}
        elif line.startswith("+ "):
            name, type, text = line[2:].split(maxsplit=2)
            fields = {**fields, name: {"type": type, "options": {"formula": text}}}
        elif line.strip() and not line.startswith("#"):
            formula, arrow, expected = line.rpartition(" -> ")
            assert arrow, f"{path.name}:{number}: {line}"
            asked = {"expr": formula, "fields": fields, "prior": prior, "now": NOW, **settings}
            value = expected.strip()
            yield Case(f"{path.name}:{number}: {formula}", asked, value if value[0] == "!" else _value(value))


def shown(answer: Mapping[str, Any]) -> Any:
    """An answer as a case expects it: a number as a number's text, an error as its code."""
    if "error" in answer:
        return "!" + answer["error"]["code"].removeprefix("FORMULA_")
    return answer["value"]


def same(found: Any, expected: Any) -> bool:
    if isinstance(expected, bool) or expected is None or isinstance(expected, (list, dict)):
        return found == expected and type(found) is type(expected)
    return not isinstance(found, bool) and found == str(expected)


@pytest.fixture(scope="module", params=ENGINES)
def answers(request: pytest.FixtureRequest) -> Iterator[Answers]:
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url").replace("postgresql://", "postgresql+psycopg://")
    found = Answers(request.param, url=url)
    yield found
    found.close()


def test_every_case_holds(answers: Answers) -> None:
    refused, wrong = re.compile(REFUSED[answers.engine]), []
    for path in FILES:
        for case in cases_of(path):
            found = shown(answers.answer(case.asked))
            if found == "!NOT_IN_SQL" and refused.search(case.asked["expr"]):
                continue
            if not same(found, case.expected):
                wrong.append(f"{case.where} -> {found!r}, not {case.expected!r}")
    assert not wrong, f"{len(wrong)} wrong\n" + "\n".join(wrong)


# ---- all pairs of types ------------------------------------------------------------------------------------

LETTERS = {
    "N": "number", "T": "text", "B": "boolean", "D": "date", "M": "datetime", "H": "time", "P": "picklist",
    "C": "choices", "R": "reference", "L": "location", "0": "null",
}  # fmt: skip
VALUES: dict[str, Any] = {
    "N": ("number", 2), "T": ("text", "a"), "B": ("boolean", True), "D": ("date", "2024-02-29"),
    "M": ("datetime", "2024-02-29T10:00:00Z"), "H": ("time", "10:00:00.000"), "P": ("picklist", "a"),
    "C": ("multi-select", ["a"]), "R": ("reference", "0190163d-8694-739b-aea5-966c26f8ad91"),
    "L": ("location", "1, 2"),
}  # fmt: skip


def pairs() -> Iterator[tuple[str, str]]:
    """Each formula of two fields, and the letter of its type or - for none."""
    form, columns = "", ""
    for line in TABLES.read_text("utf-8").splitlines():
        if line.startswith("= "):
            form = line[2:].strip()
        elif line.startswith("   "):
            columns = line.replace(" ", "")
        elif line.strip() and not line.startswith("#"):
            row, *cells = line.split()
            assert len(cells) == len(columns) == len(LETTERS), line
            for column, cell in zip(columns, cells, strict=True):
                a, b = ("NULL" if letter == "0" else f"{letter}1" for letter in (row, column))
                if row == column and row != "0":
                    b = f"{column}2"
                yield form.replace("a", a, 1).replace("b", b, 1), cell


PAIRS = list(pairs())
FIELDS = {
    f"{letter}{n}": {"type": type, "value": value} for letter, (type, value) in VALUES.items() for n in (1, 2)
}


def test_every_pair_of_types_has_its_result_or_is_refused(answers: Answers) -> None:
    wrong = []
    for formula, cell in PAIRS:
        found = answers.answer({"expr": formula, "fields": FIELDS, "now": NOW})
        if found.get("error", {}).get("code") == "FORMULA_NOT_IN_SQL":
            continue
        if cell == "-":
            code = found.get("error", {}).get("code")
            good = code in {
                "FORMULA_WRONG_TYPE", "FORMULA_NO_ORDER", "FORMULA_PICKLIST_HERE", "FORMULA_NOT_AN_ID",
            }  # fmt: skip
        else:
            good = found.get("type") == LETTERS[cell]
        if not good:
            wrong.append(f"{formula}: {cell}, found {found.get('type', found.get('error'))}")
    assert not wrong, f"{len(wrong)} wrong\n" + "\n".join(wrong[:200])


def test_there_are_enough_cases() -> None:
    by_file = {path.stem: sum(1 for _ in cases_of(path)) for path in FILES}
    thin = ("record_state", "multi_select", "cross_object", "currency", "zones")
    assert sum(by_file.values()) + len(PAIRS) >= 1_500
    assert sum(by_file[name] for name in thin) >= 300
    assert len(PAIRS) == len(set(product(LETTERS, LETTERS))) * TABLES.read_text("utf-8").count("\n= ")
