"""Every code that this room gives has its text in both languages, and no text is for nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import tabwright.metadata.schema as schema_module

ROOM = Path(schema_module.__file__).resolve().parent
MESSAGES: dict[str, dict[str, str]] = json.loads((ROOM / "messages.json").read_text("utf-8"))
AREAS = {code.partition(".")[0] for code in MESSAGES}


def codes_in_source() -> set[str]:
    sources = [*ROOM.glob("*.py"), *ROOM.glob("kinds/*.py"), *ROOM.glob("schemas/*.json")]
    found = {
        code
        for path in sources
        for code in re.findall(r'"([a-z_]+\.[a-z_0-9]+)"', path.read_text("utf-8"))
        if code.partition(".")[0] in AREAS
    }
    return found - {"package.json"}


def test_every_code_has_a_text_and_every_text_a_code() -> None:
    assert codes_in_source() == set(MESSAGES)


def test_texts_are_in_both_languages_and_take_the_same_parameters() -> None:
    for code, texts in MESSAGES.items():
        assert set(texts) == {"zh", "en"}, code
        named = [set(re.findall(r"(?<!\{)\{(\w+)\}(?!\})", text)) for text in texts.values()]
        assert named[0] == named[1], code
        assert texts["zh"] != texts["en"] and not texts["zh"].isascii()
