"""The words of Studio: every text is there in both languages, and none stands in a template."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tabwright.metadata import schema

ROOM = Path(__file__).resolve().parents[2] / "admin_ui"
FOUND: dict[str, dict[str, str]] = {}
for file in ROOM.rglob("messages.json"):
    FOUND.update(json.loads(file.read_text("utf-8")))
TEMPLATES = sorted((ROOM / "templates").rglob("*.html"))


def said() -> set[str]:
    """The codes that templates and modules say, as far as they are written out."""
    codes: set[str] = set()
    for path in TEMPLATES:
        codes |= set(re.findall(r"\bs\('([a-z_0-9.]+)'[,)]", path.read_text("utf-8")))
    for path in ROOM.rglob("*.py"):
        text = path.read_text("utf-8")
        codes |= set(re.findall(r'(?:\bs|flash|studio_text\(\w+,)\(?\s*"([a-z_0-9.]+)"[,)]', text))
        codes |= {
            each.removeprefix("studio.") for each in re.findall(r'"(studio\.[a-z_]+(?:\.[a-z_]+)?)"', text)
        }
    return {each for each in codes if not each.endswith((".", "_")) and each not in KEYS_NOT_TEXTS}


KEYS_NOT_TEXTS = {"nav", "replace", "replace_undo"}  # the starts of codes, and kinds of jobs


def test_every_text_is_there_in_both_languages_with_the_same_names() -> None:
    assert sorted(code for code in said() if f"studio.{code}" not in FOUND) == []
    for code, both in FOUND.items():
        names = [set(re.findall(r"{(\w+)}", both[language])) for language in ("zh", "en")]
        assert both["zh"] and both["en"] and names[0] == names[1], code
        assert not re.search(r"[\u4e00-\u9fff]", both["en"]), code


def test_every_kind_with_a_page_of_its_own_has_its_words() -> None:
    for kind in schema.kinds():
        if schema.is_part_of_object(kind) and kind in {"field", "layout", "list_view", "record_type"}:
            assert f"studio.parts.{kind}" in FOUND and f"studio.object.no_parts_{kind}" in FOUND


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda each: each.name)
def test_templates_hold_no_text_style_or_script_of_their_own(path: Path) -> None:
    text = re.sub(r"{[%{#].*?[%}#]}", "", path.read_text("utf-8"), flags=re.S)
    assert not re.search(r"[\u4e00-\u9fff]", text.replace(">中文<", "")), path.name
    assert not re.search(r'\sstyle=|\son[a-z]+="|<script>', text), path.name
