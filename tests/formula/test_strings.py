"""Letters: the lists that all three engines share hold every letter with a case of its own."""

import sys

from tabwright.formula import strings


def test_the_lists_miss_no_letter() -> None:
    for method, (before, after) in (("upper", strings.TO_UPPER), ("lower", strings.TO_LOWER)):
        known = dict(zip(before, after, strict=True))
        for code in range(sys.maxunicode + 1):
            letter = chr(code)
            changed = getattr(letter, method)()
            expected = changed if len(changed) == 1 else letter
            assert known.get(letter, letter) == expected


def test_a_letter_without_one_capital_stays() -> None:
    assert strings.upper("straße ŉ ﬁ é") == "STRASSE ŉ ﬁ É"
    assert strings.lower("İI ÀΣ") == "i̇i àσ"
    assert strings.upper("plain") == "PLAIN"
