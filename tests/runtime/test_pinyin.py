"""Readings of Han characters: what the library's dictionaries say, kept small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tabwright.formula.pinyin import all_syllables, syllables

ROOT = Path(__file__).parents[2]


def test_the_kept_readings_are_the_librarys() -> None:
    command = [sys.executable, str(ROOT / "tools" / "make_readings"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "name, said",
    [
        ("重庆银行", "chong qing yin hang"),
        ("行动", "xing dong"),
        ("女", "nv"),
        ("〇", "ling"),
        ("①", "①"),
        ("𠀀", "𠀀"),
    ],
)
def test_characters_of_several_readings_are_read_by_their_phrase(name: str, said: str) -> None:
    assert syllables(name) == tuple(said.split(" "))


def test_every_syllable_can_be_typed() -> None:
    assert len(all_syllables()) > 400 and all(each.isascii() for each in all_syllables())
