"""Every code has its texts, and every text only the parameters that it may have."""

from __future__ import annotations

import json
import re
import string
from decimal import Decimal
from pathlib import Path

import pytest

from tabwright.platform.errors import Fault, LimitReached, NotFound, Place, TabwrightError
from tabwright.platform.language import (
    choose_language,
    format_currency,
    format_date,
    format_datetime,
    format_number,
    format_percent,
    messages,
    register_messages,
    say,
    say_fault,
)

ROOM = Path(__file__).parents[2] / "platform"
CODE = re.compile(r"""(?:\.of|\.at|Fault|say)\(\s*"([a-z_]+\.[a-z_]+)\"""")


DOORWAY = ROOM.parent / "src" / "tabwright"


@pytest.mark.parametrize(
    ("folder", "files", "as_data"),
    [(ROOM, "**/*.py", {"job.failed"}), (DOORWAY, "*.py", {"cli.jobs_elsewhere"})],
    ids=["platform", "doorway"],
)
def test_every_code_has_both_texts_and_every_text_a_code(folder: Path, files: str, as_data: set[str]) -> None:
    raised = {code for file in folder.glob(files) for code in CODE.findall(file.read_text("utf-8"))}
    own = json.loads((folder / "messages.json").read_text("utf-8"))
    # Examples in docstrings, and what the doorway says in the words of a room.
    borrowed = {"component.in_use", "package.not_found", "package.not_installed"}
    borrowed |= {"tenant.exists", "web.not_found"}
    others = {"record.not_found", "tenant.not_found", *borrowed} - set(own)
    assert (raised | as_data) - others == set(own)
    for code, texts in own.items():
        assert set(texts) == {"zh", "en"} and all(texts.values()), code
        assert re.search(r"[一-鿿]", texts["zh"]) and not re.search(r"[一-鿿]", texts["en"]), code


def test_texts_name_the_same_parameters_and_nothing_of_an_object() -> None:
    for code, texts in messages().items():
        named = {
            language: {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
            for language, text in texts.items()
        }
        assert named["zh"] == named["en"], code
        assert all(re.fullmatch(r"[a-z_]+", name) for name in named["en"]), code


def test_a_fault_is_said_with_its_parameters_and_its_place(tmp_path: Path) -> None:
    path = tmp_path / "messages.json"
    text = {"zh": "第 {row} 行：{amount}", "en": "Row {row}: {amount} {missing}"}
    path.write_text(json.dumps({"test.fault": text}), "utf-8")
    register_messages(path)
    fault = Fault("test.fault", {"amount": Decimal("1E+3")}, Place(row=3))
    assert say_fault(fault, "zh") == "第 3 行：1000"
    assert say_fault(fault, "en") == "Row 3: 1000 {missing}"
    assert say("test.unknown", {}, "en") == "test.unknown"


def test_an_error_holds_faults_and_a_status() -> None:
    error = NotFound.of("record.not_found", Place(object="account"), id="x")
    assert isinstance(error, TabwrightError) and error.status == 404 and error.code == "record.not_found"
    assert error.faults[0].place.known() == {"object": "account"} and error.faults[0].params == {"id": "x"}
    assert LimitReached.at("a.b", "rows", 5).faults[0].params == {"limit": "rows", "value": 5}
    with pytest.raises(ValueError):
        NotFound(())


@pytest.mark.parametrize(
    ("wishes", "accept", "chosen"),
    [
        ((), None, "zh"),
        (("en",), "zh", "en"),
        ((None, "fr"), "zh-TW", "zh"),
        ((), "fr, en-GB;q=0.7, zh;q=0.8", "zh"),
        ((), "en;q=0, zh-Hant-HK", "zh"),
        ((), "en-US,en;q=0.9", "en"),
        ((), ";;q=x,,", "zh"),
        ((), "*", "zh"),
    ],
)
def test_the_language_is_chosen(wishes: tuple[str | None, ...], accept: str | None, chosen: str) -> None:
    assert choose_language(wishes, accept, "zh") == chosen


def test_figures_are_written_as_each_language_does() -> None:
    from datetime import UTC, date, datetime

    assert format_number(Decimal("1234567.50"), "zh") == "1,234,567.50"
    assert format_number(Decimal("12345678901234567890.123456789012345678"), "en").endswith(
        ".123456789012345678"
    )
    assert format_number(1234, "en", 2) == "1,234.00"
    assert format_currency(Decimal("1234.5"), "CNY", "zh") == "¥1,234.50"
    assert format_currency(Decimal("-3"), "USD", "en", 0) == "-$3"
    assert format_percent(Decimal("12.50"), "en") == "12.50%"
    assert format_date(date(2026, 1, 5), "zh") == "2026年1月5日"
    assert format_date(date(2026, 1, 5), "en") == "Jan 5, 2026"
    moment = datetime(2026, 1, 5, 20, 30, tzinfo=UTC)
    assert format_datetime(moment, "zh", "Asia/Shanghai") == "2026年1月6日 04:30"
    assert format_datetime(moment, "en", "UTC") == "Jan 5, 2026 20:30"
