"""The icons that an object, an app or a tab may have, by what they show.

``icon_words.json`` says it in Chinese: the first word is what an icon is called, all of them find it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tabwright.admin_ui.names import finding
from tabwright.platform.language import Language
from tabwright.runtime.forms import marks


@dataclass(frozen=True, slots=True)
class Icon:
    """One icon of the sprite. ``find`` is what a search among them looks at."""

    value: str
    label: str
    find: str


@cache
def icons(language: Language) -> tuple[Icon, ...]:
    """Every icon, in the order of their names; found in both languages and by pinyin."""
    sprite = marks.SPRITE_FILE.read_text("utf-8")
    names = sorted(set(re.findall(r'<symbol[^>]*\bid="([a-z][a-z0-9-]*)"', sprite)))
    words: Mapping[str, str] = json.loads(Path(__file__).with_name("icon_words.json").read_text("utf-8"))
    made = []
    for name in names:
        english, chinese = name.replace("-", " "), words.get(name, "").split()
        label = chinese[0] if language == "zh" and chinese else english
        made.append(Icon(name, label, finding(*chinese, english, name)))
    return tuple(made)
