"""What a file's columns are guessed to be: only what the write path takes, else text."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest

from tabwright.admin_ui.guessing import SELF, Guess, choices, guesses, labels_of, profiles
from tabwright.runtime.exchange import sources


def guess(table: str, encoding: str = "utf-8", known: dict[str, str] | None = None) -> dict[str, Guess]:
    """Header -> guess, of a file as somebody uploads it."""
    content = io.BytesIO(table.encode(encoding))
    form = sources.sniff(content, "f.csv")
    assert form.encoding == encoding
    rows: list[Sequence[str]] = []
    header = sources.outline(content, form, take=lambda number, cells: rows.append(cells)).header
    found = profiles(header, rows)

    def named(header: str, values: Sequence[str]) -> str | None:
        return (known or {}).get(header)

    return dict(zip(header, guesses(found, named), strict=True))


def one(header: str, *cells: str) -> Guess:
    quoted = ['"' + each.replace('"', '""') + '"' for each in cells]
    return guess("\n".join([f"row,{header}", *(f"r{at},{each}" for at, each in enumerate(quoted))]))[header]


CHINESE = """客户名称,城市,成立日期,员工数,年收入,联系电话,邮箱,是否上市,网址
华东机械,上海,2001年3月5日,1200,"1,100.04",13812345678,a@example.com,是,https://example.com
南方电子,深圳,2011/12/31,35,20.5,021-62345678,b@example.com,否,www.example.cn/x
北京云科,北京,1999-01-02,7,0.333,+86 139 1234 5678,c@example.com,是,http://example.org
武汉光谷,上海,20050607,88,9,13912345678,d@example.com,否,https://example.net
苏州精密,深圳,2003.4.5,12,7.5,0512-87654321,e@example.com,否,https://example.com/5
天津港务,北京,2004-4-5,99,8,13912345679,f@example.com,是,https://example.com/6
"""


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_chinese_file_in_either_encoding(encoding: str) -> None:
    found = guess(CHINESE, encoding)
    assert {name: each.type for name, each in found.items()} == {
        "客户名称": "text", "城市": "picklist", "成立日期": "date", "员工数": "integer", "年收入": "decimal",
        "联系电话": "phone", "邮箱": "email", "是否上市": "boolean", "网址": "url",
    }  # fmt: skip
    assert found["城市"].options["values"] == [
        {"code": "shang_hai", "label": {"zh": "上海"}},
        {"code": "shen_zhen", "label": {"zh": "深圳"}},
        {"code": "bei_jing", "label": {"zh": "北京"}},
    ]
    assert found["年收入"].options["scale"] == 3
    assert found["客户名称"].can_be_key and not found["客户名称"].is_key


@pytest.mark.parametrize(
    ("cells", "type"),
    [
        (("2017-10-20", "2017/3/1", "2017年3月1日", "20170301"), "date"),
        (("20.10.2017", "1.3.2017", "5.6.2018"), "date"),
        (("10/20/2017", "3/1/2017"), "date"),
        (("20/10/2017", "10/20/2017"), "text"),  # no one order reads both
        (("2017-10-20 12:30", "2017/3/1 8:05:01"), "datetime"),
        (("2017-10-20", "2017-10-21 08:00"), "datetime"),
        (("2017-02-30", "2017-03-01"), "text"),
        (("2017-03-01", "soon"), "text"),
        (("12345678", "87654321"), "integer"),
    ],
)
def test_days_in_the_forms_that_files_have(cells: tuple[str, ...], type: str) -> None:
    assert one("when", *cells).type == type


@pytest.mark.parametrize(
    ("header", "cells", "type"),
    [
        ("n", ("1", "-2", "3,000"), "integer"),
        ("n", ("1", "2.5"), "decimal"),
        ("n", ("1", "two"), "text"),
        ("n", ("007", "123"), "text"),  # a leading zero is part of it
        ("n", ("110101199003078888", "110101199003078896"), "text"),  # 18 digits: an identity card
        ("n", ("12345678901234567.25", "1"), "text"),  # more digits than a number keeps
        ("n", ("0", "1", "1"), "integer"),
        ("is_active", ("0", "1", "1"), "boolean"),
        ("price", ("¥1,200.50", "￥3"), "currency"),
        ("price", ("¥1,200.50", "$3"), "text"),  # two currencies
        ("share", ("50%", "12.5%"), "percent"),
        ("mail", ("a@example.com", "nobody"), "text"),
        ("web", ("example.com", "v1.2"), "text"),  # a point makes no address
        ("memo", ("x" * 256, "y"), "long_text"),
        ("memo", ("two\nlines", "y"), "long_text"),
        ("none", ("", "", ""), "text"),
    ],
)
def test_a_column_is_what_all_of_its_cells_are(header: str, cells: tuple[str, ...], type: str) -> None:
    assert one(header, *cells).type == type


def test_few_values_that_come_again_are_choices_and_many_are_text() -> None:
    few = guess("name,stage\n" + "".join(f"d{n},{'Won' if n % 2 else 'Lost'}\n" for n in range(6)))
    assert few["stage"].type == "picklist"
    many = guess("name,stage\n" + "".join(f"d{n},s{n % 31}\n" for n in range(310)))
    assert many["stage"].type == "text"


def test_no_code_of_a_choice_is_the_label_of_another() -> None:
    found = choices(["中", "zhong", "Zhong", "A+", "a"])
    labels = [next(iter(each["label"].values())) for each in found]
    assert labels == ["中", "zhong", "A+"]
    codes = [each["code"] for each in found]
    assert len(set(codes)) == 3 and codes[0] != "zhong"


def test_lookups_and_keys() -> None:
    rows = "".join(
        f"D-{n},{('Acme', 'Betasoloin')[n % 2]},单{n},{'' if n < 3 else '单1'}\n" for n in range(8)
    )
    found = guess("deal_code,account,名称,上级\n" + rows, known={"account": "account"})
    assert found["account"] == Guess("lookup", target="account")
    assert found["上级"] == Guess("lookup", target=SELF)
    assert found["deal_code"].can_be_key and found["deal_code"].is_key
    assert not found["account"].can_be_key


def test_headers_become_labels_without_harm() -> None:
    assert labels_of("year_established") == {"en": "Year established"}
    assert labels_of("成立 日期") == {"zh": "成立 日期"}
    assert labels_of("<b>x</b>") == {"en": "<b>x</b>"}
    assert len(labels_of("长" * 200)["zh"]) == 80
    assert labels_of("___")["en"]


def test_a_few_texts_of_another_kind_among_many_do_not_make_a_column_text() -> None:
    prices = [*(f"{90_000 + n}" for n in range(39)), "面议"]
    days = [*(f"2026-05-{1 + n % 28:02}" for n in range(39)), "下周"]
    found = guess("售价,到店\n" + "".join(f"{a},{b}\n" for a, b in zip(prices, days, strict=True)))
    assert (found["售价"].type, found["售价"].odd) == ("currency", ("面议",))
    assert (found["到店"].type, found["到店"].odd) == ("date", ("下周",))
    few = guess("售价\n1\n2\n3\n面议\n")
    assert few["售价"].type == "text", "one of four is no slip"


def test_a_number_of_which_one_stands_twice_is_still_a_key_and_the_name() -> None:
    vins = [*(f"LSV{n:014}" for n in range(38)), "LSV" + "0" * 14, ""]
    rows = "".join(f"{'红黑'[n % 2]}色,{each}\n" for n, each in enumerate(vins))
    found = guess("颜色,车架号\n" + rows)
    assert found["车架号"].can_be_key and found["车架号"].is_key and not found["颜色"].can_be_key
    again = one(
        "到店", *(f"2026-05-{1 + n % 28:02}" for n in range(80)), "下周"
    )  # as often as choices would come
    assert (again.type, again.odd) == ("date", ("下周",))
