"""Functions on text."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from tabwright.formula.budget import TEXT_RESULT
from tabwright.formula.datatypes import BOOLEAN, TEXT, number
from tabwright.formula.functions.registry import Build, Example, Function, Signature, Use, Wrong
from tabwright.formula.functions.rules import as_text
from tabwright.formula.scope import EVERYWHERE, ONLY_SQL
from tabwright.formula.strings import pattern
from tabwright.formula.typed import Node, literal, make, worked

_D = Decimal
_LINK = '<a href="https://a.cn/?q=1" target="_blank">A &amp; B</a>'


def _left(use: Use) -> Node:
    node = make("left", *use.args, at=use.at)
    count = use.args[1]
    if count.literal and count.data is not None:
        return replace(node, length=min(node.length, max(int(min(count.data, _D(32_000))), 0)))
    return node


def _text(use: Use) -> Node:
    return as_text(use.args[0], use.at, use.written[0])


def _regex(use: Use) -> Node:
    if use.args[1].literal:
        _literal_pattern(use)
    return make("matches", *use.args, at=use.at)


def _substituted(use: Use) -> Node:
    found = make("substitute", *use.args, at=use.at)
    if use.compat:  # there nothing is left when what to replace is blank
        return make("if", make("blank", use.args[1], at=use.at), literal("", TEXT, use.at), found, at=use.at)
    return found


def _literal_pattern(use: Use) -> Any:
    """The pattern that stands as the second argument, made ready. Raises Wrong."""
    if not use.args[1].literal:
        raise Wrong("FORMULA_NEEDS_LITERAL", use.written[1], function=use.at.function)
    try:
        return pattern(use.args[1].data)
    except ValueError as error:
        raise Wrong("FORMULA_BAD_PATTERN", use.written[1], reason=str(error)) from None


def _made(op: str, *, size: int | None = None) -> Build:
    """A text made by an operation of the process."""
    return lambda use: worked(op, TEXT, *use.args, at=use.at, size=size)


def _cased(op: str) -> Build:
    """UPPER and LOWER: of one language, when that is written."""

    def build(use: Use) -> Node:
        if len(use.args) == 1:
            return make(op, *use.args, at=use.at)
        return worked(f"{op}_in", TEXT, *use.args, at=use.at, size=use.args[0].length)

    return build


def _padded(op: str) -> Build:
    def build(use: Use) -> Node:
        padding = use.args[2] if len(use.args) == 3 else literal(" ", TEXT, use.at)
        return worked(op, TEXT, *use.args[:2], padding, at=use.at)

    return build


def _part(use: Use) -> Node:
    count = use.args[2] if len(use.args) == 3 else literal(_D(TEXT_RESULT), number(), use.at)
    return worked("substr", TEXT, *use.args[:2], count, at=use.at, size=use.args[0].length)


def _same_length(op: str) -> Build:
    return lambda use: worked(op, TEXT, *use.args, at=use.at, size=use.args[0].length)


def _test(op: str) -> Build:
    return lambda use: worked(op, BOOLEAN, *use.args, at=use.at)


def _replace(use: Use) -> Node:
    _literal_pattern(use)
    return worked("replaced", TEXT, *use.args, at=use.at)


def _extract(use: Use) -> Node:
    groups = _literal_pattern(use).groups
    group = use.args[2] if len(use.args) == 3 else literal(_D(min(groups, 1)), number(), use.at)
    if not group.literal or group.data is None or not 0 <= group.data <= groups:
        raise Wrong("FORMULA_BAD_GROUP", use.written[2], groups=str(groups))
    return worked("extracted", TEXT, *use.args[:2], group, at=use.at, size=use.args[0].length)


def _filled(use: Use) -> Node:
    values = [as_text(arg, use.at, where) for arg, where in zip(use.args[1:], use.written[1:], strict=True)]
    return worked("filled", TEXT, use.args[0], *values, at=use.at)


def _joined(use: Use) -> Node:
    values = [as_text(arg, use.at, where) for arg, where in zip(use.args[1:], use.written[1:], strict=True)]
    return worked("joined", TEXT, use.args[0], *values, at=use.at)


def _encoded(*ops: str) -> Build:
    def build(use: Use) -> Node:
        node = use.args[0]
        for op in ops:
            node = worked(op, TEXT, node, at=use.at)
        return node

    return build


def _element(use: Use, *parts: str | Node) -> Node:
    """HTML written of texts and nodes."""
    nodes = [literal(part, TEXT, use.at) if isinstance(part, str) else part for part in parts]
    return make("concat", *nodes, at=use.at)


def _link(use: Use) -> Node:
    url, label, *target = use.args
    where = target[0] if target else literal("_blank", TEXT, use.at)
    address, shown = worked("address", TEXT, url, at=use.at), worked("html", TEXT, label, at=use.at)
    frame = worked("html", TEXT, where, at=use.at)
    return _element(use, '<a href="', address, '" target="', frame, '">', shown, "</a>")


def _image(use: Use) -> Node:
    url, said, *size = use.args
    if len(size) == 1:
        size.append(literal(None, number(0), use.at))
    address, alt = worked("address", TEXT, url, at=use.at), worked("html", TEXT, said, at=use.at)
    parts: list[str | Node] = ['<img src="', address, '" alt="', alt, '"']
    for name, node in zip(("height", "width"), size, strict=False):
        written = _element(use, f' {name}="', make("number_text", node, at=use.at), '"')
        missing = make("blank", node, at=use.at)
        parts.append(make("if", missing, literal("", TEXT, use.at), written, at=use.at))
    return _element(use, *parts, ">")


def _constant_text(value: str) -> Signature:
    return Signature((), lambda use: literal(value, TEXT, use.at))


FUNCTIONS = (
    Function(
        "LEN",
        "text",
        "text",
        "文本的字符数，空白为 0。",
        "The number of characters; 0 of a blank text.",
        (Signature(("text",), "len"),),
        (Example('LEN("客户")', _D(2)), Example('LEN("")', _D(0))),
    ),
    Function(
        "LEFT",
        "text",
        "text, count",
        "文本开头的若干个字符。",
        "The first characters of the text.",
        (Signature(("text", "number"), _left),),
        (Example('LEFT("abcdef", 2)', "ab"), Example('LEFT("abc", -1)', None)),
    ),
    Function(
        "RIGHT",
        "text",
        "text, count",
        "文本末尾的若干个字符。",
        "The last characters of the text.",
        (Signature(("text", "number"), "right"),),
        (Example('RIGHT("abcdef", 2)', "ef"), Example('RIGHT("abc", 9)', "abc")),
    ),
    Function(
        "MID",
        "text",
        "text, start, count",
        "从第 start 个字符起的若干个字符，位置从 1 数起。",
        "Characters from the place `start`, counted from 1.",
        (Signature(("text", "number", "number"), "mid"),),
        (Example('MID("abcdef", 2, 3)', "bcd"), Example('MID("abc", 0, 2)', "ab")),
    ),
    Function(
        "TRIM",
        "text",
        "text",
        "去掉两端的空格（含全角空格）、制表符和换行。",
        "The text without spaces (the full-width one, too), tabs and line breaks at its ends.",
        (Signature(("text",), "trim"),),
        (Example('TRIM("  a b  ")', "a b"),),
    ),
    Function(
        "CONTAINS",
        "text",
        "text, part",
        "文本中含有该部分时为真；空白的部分总是含有。",
        "True when the part stands in the text; a blank part always does.",
        (Signature(("text", "text"), "contains"),),
        (
            Example('CONTAINS("quarter", "art")', True),
            Example('CONTAINS("", "a")', False),
            Example('CONTAINS("a", "")', True),
        ),
    ),
    Function(
        "BEGINS",
        "text",
        "text, part",
        "文本以该部分开头时为真。",
        "True when the text begins with the part.",
        (Signature(("text", "text"), "begins"),),
        (Example('BEGINS("quarter", "qu")', True), Example('BEGINS("a", "b")', False)),
    ),
    Function(
        "ENDS",
        "text",
        "text, part",
        "文本以该部分结尾时为真。",
        "True when the text ends with the part.",
        (Signature(("text", "text"), "ends"),),
        (Example('ENDS("quarter", "er")', True), Example('ENDS("a", "ba")', False)),
    ),
    Function(
        "FIND",
        "text",
        "part, text, [start]",
        "部分在文本中的位置，从 1 数起；找不到为 0。",
        "The place of the part in the text, counted from 1; 0 when it is not there.",
        (
            Signature(
                ("text", "text"), lambda use: make("find", *use.args, literal(_D(1), number()), at=use.at)
            ),
            Signature(("text", "text", "number"), "find"),
        ),
        (
            Example('FIND("b", "abcb")', _D(2)),
            Example('FIND("b", "abcb", 3)', _D(4)),
            Example('FIND("x", "abc")', _D(0)),
        ),
    ),
    Function(
        "SUBSTITUTE",
        "text",
        "text, old, new",
        "把文本中的旧文字全部换成新文字。",
        "The text with every `old` replaced by `new`.",
        (Signature(("text", "text", "text"), _substituted),),
        (Example('SUBSTITUTE("a-b-c", "-", "")', "abc"), Example('SUBSTITUTE("aaa", "aa", "b")', "ba")),
    ),
    Function(
        "UPPER",
        "text",
        "text, [language]",
        "逐字换成大写；ß 换成 SS，其他没有单个大写字母的字符不变。",
        "In capitals, letter by letter; ß becomes SS, other letters without one capital of their own stay.",
        (Signature(("text", "text"), _cased("upper"), optional=1),),
        (Example('UPPER("straße é")', "STRASSE É"), Example('UPPER("i", "tr")', "İ")),
    ),
    Function(
        "LOWER",
        "text",
        "text, [language]",
        "逐字换成小写。",
        "In small letters, letter by letter.",
        (Signature(("text", "text"), _cased("lower"), optional=1),),
        (Example('LOWER("ÀB")', "àb"),),
    ),
    Function(
        "TEXT",
        "text",
        "value",
        "数字、日期、时间或选项的文字形式：数字不带多余的零，日期为 yyyy-mm-dd，时间为 UTC。",
        "A number without spare zeros, a date as yyyy-mm-dd, a datetime in UTC, the code of a picklist.",
        (Signature(("any",), _text),),
        (
            Example("TEXT(1.50)", "1.5"),
            Example("TEXT(DATE(2024, 2, 9))", "2024-02-09"),
            Example('TEXT(DATETIMEVALUE("2024-02-09 01:02:03"))', "2024-02-09 01:02:03Z"),
            Example("TEXT(1000000 * 1000000)", "1000000000000"),
        ),
    ),
    Function(
        "VALUE",
        "text",
        "text",
        "文本所写的数字；不是数字时出错，空白仍为空白。",
        "The number that the text writes; an error when it is none, blank when it is blank.",
        (Signature(("text",), "text_number"),),
        (Example('VALUE("-1.5e2")', _D(-150)), Example('VALUE("")', None)),
    ),
    Function(
        "BR",
        "text",
        "",
        "换行。",
        "A line break.",
        (_constant_text("\n"),),
        (Example('"a" & BR() & "b"', "a\nb"),),
    ),
    Function(
        "REGEX",
        "text",
        "text, pattern",
        "整个文本符合给定的模式（RE2 语法）时为真；不能用于列表筛选等由数据库执行的地方。",
        "True when the whole text fits the pattern (RE2 syntax). Not where the database runs the formula.",
        (Signature(("text", "text"), _regex),),
        (Example('REGEX("a12", "[a-z][0-9]+")', True), Example('REGEX("a12b", "[a-z][0-9]+")', False)),
        places=EVERYWHERE - ONLY_SQL,
    ),
    Function(
        "SUBSTR",
        "text",
        "text, start, [count]",
        "从第 start 个字符起的若干个字符，省略个数时直到末尾；start 为负时从末尾数起。",
        "Characters from the place `start` to the end, or so many; a negative start counts from the end.",
        (Signature(("text", "number", "number"), _part, optional=1),),
        (
            Example('SUBSTR("abcdef", 3)', "cdef"),
            Example('SUBSTR("abcdef", 2, 3)', "bcd"),
            Example('SUBSTR("abcdef", -2)', "ef"),
        ),
    ),
    Function(
        "LPAD",
        "text",
        "text, count, [padding]",
        "在左边补足到 count 个字符（默认补空格），过长时截断；空白仍为空白。",
        "Filled up on the left to `count` characters (with spaces unless said), or cut to them; blank stays "
        "blank.",
        (Signature(("text", "number", "text"), _padded("lpad"), optional=1),),
        (
            Example('LPAD("7", 3, "0")', "007"),
            Example('LPAD("abcdef", 3)', "abc"),
            Example('LPAD("", 3)', None),
        ),
    ),
    Function(
        "RPAD",
        "text",
        "text, count, [padding]",
        "在右边补足到 count 个字符（默认补空格），过长时截断；空白仍为空白。",
        "Filled up on the right to `count` characters (with spaces unless said), or cut to them; blank stays "
        "blank.",
        (Signature(("text", "number", "text"), _padded("rpad"), optional=1),),
        (Example('RPAD("ab", 5, "xy")', "abxyx"),),
    ),
    Function(
        "REPT",
        "text",
        "text, count",
        "文本重复若干次。",
        "The text so many times.",
        (Signature(("text", "number"), _made("repeat")),),
        (Example('REPT("ab", 3)', "ababab"), Example('REPT("★", 2.9)', "★★")),
    ),
    Function(
        "REVERSE",
        "text",
        "text",
        "字符倒过来的文本。",
        "The characters from the last to the first.",
        (Signature(("text",), _same_length("reverse")),),
        (Example('REVERSE("abc")', "cba"),),
    ),
    *(
        Function(
            name,
            "text",
            "text",
            "每个单词首字母大写，其余小写。",
            "Each word with a capital and then small letters.",
            (Signature(("text",), _same_length("proper")),),
            (Example(f'{name}("aCME sales-team 2b")', "Acme Sales-Team 2b"),),
        )
        for name in ("PROPER", "INITCAP")
    ),
    Function(
        "ASCII",
        "text",
        "text",
        "第一个字符的 Unicode 编码，空白为空白。",
        "The number of the first character in Unicode; blank when there is none.",
        (
            Signature(
                ("text",), lambda use: worked("code_of", number(0), *use.args, at=use.at, size=0x10FFFF)
            ),
        ),
        (Example('ASCII("A")', _D(65)), Example('ASCII("客户")', _D(0x5BA2)), Example('ASCII("")', None)),
    ),
    Function(
        "CHR",
        "text",
        "number",
        "Unicode 编码对应的字符，没有时为空白。",
        "The character of a number in Unicode; blank where there is none.",
        (Signature(("number",), _made("character", size=1)),),
        (Example("CHR(65)", "A"), Example("CHR(0)", None)),
    ),
    Function(
        "ISNUMBER",
        "logic",
        "text",
        "文本写的是数字（VALUE 能读出）时为真。",
        "True when the text writes a number that VALUE gives.",
        (Signature(("text",), _test("is_number")),),
        (
            Example('ISNUMBER("-1.5e2")', True),
            Example('ISNUMBER("12a")', False),
            Example('ISNUMBER("")', False),
        ),
    ),
    Function(
        "LIKE",
        "logic",
        "text, pattern",
        "整个文本符合模式时为真：% 代表任意多个字符，_ 代表一个字符，\\ 使后一个字符代表自己；区分大小写。",
        "True when the whole text fits: % stands for any characters, _ for one, \\ makes the next one mean "
        "itself; capitals count.",
        (Signature(("text", "text"), _test("fits")),),
        (Example('LIKE("quarter", "qu%r")', True), Example('LIKE("a_b", "a\\\\_c")', False)),
    ),
    Function(
        "REGEX_REPLACE",
        "text",
        "text, pattern, replacement",
        "文本中符合模式（RE2 语法）的部分全部换成新文字，\\1 是第一组。",
        "The text with all that fits the pattern (RE2 syntax) replaced; \\1 in the replacement is the first "
        "group.",
        (Signature(("text", "text", "text"), _replace),),
        (
            Example('REGEX_REPLACE("a1b22", "[0-9]+", "#")', "a#b#"),
            Example('REGEX_REPLACE("2024-02", "(\\\\d+)-(\\\\d+)", "\\\\2/\\\\1")', "02/2024"),
        ),
    ),
    Function(
        "REGEX_EXTRACT",
        "text",
        "text, pattern, [group]",
        "文本中第一处符合模式的部分，或其中的一组（模式有组时默认第一组）；没有时为空白。",
        "The first part that fits the pattern, or one group of it (the first unless said, where there are "
        "groups); blank when nothing fits.",
        (Signature(("text", "text", "number"), _extract, optional=1),),
        (
            Example('REGEX_EXTRACT("SO-2024-17", "[0-9]+")', "2024"),
            Example('REGEX_EXTRACT("li@acme.cn", "@(.+)")', "acme.cn"),
        ),
    ),
    Function(
        "SPLIT",
        "text",
        "text, separator, number",
        "文本按分隔符分开后的第几段，负数从末尾数起；没有时为空白。",
        "The piece of that number between separators; a negative number counts from the end; blank when "
        "there is none.",
        (Signature(("text", "text", "number"), _same_length("piece")),),
        (Example('SPLIT("a/b/c", "/", 2)', "b"), Example('SPLIT("a/b/c", "/", -1)', "c")),
    ),
    Function(
        "JOIN",
        "text",
        "separator, value, ...",
        "不为空白的值用分隔符连接起来。",
        "The values that are not blank, with the separator between them.",
        (Signature(("text", "any"), _joined, repeats=1),),
        (Example('JOIN(", ", "a", "", 2)', "a, 2"),),
    ),
    Function(
        "FORMAT",
        "text",
        "pattern, value, ...",
        "模式中的 {0}、{1} 依次换成后面的值；单引号中的花括号是其本身。",
        "The pattern with {0}, {1} ... replaced by the values; in single quotes braces mean themselves.",
        (Signature(("text", "any"), _filled, optional=1, repeats=1),),
        (Example('FORMAT("{0} of {1}", 2, "ten")', "2 of ten"),),
    ),
    Function(
        "FORMATCURRENCY",
        "text",
        "code, amount",
        "带币种的金额，有千位分隔，小数位数按币种。",
        "An amount with its currency: digits in groups, as many places as the currency has.",
        (Signature(("text", "number"), _made("money", size=60)),),
        (
            Example('FORMATCURRENCY("USD", 1234.5)', "USD 1,234.50"),
            Example('FORMATCURRENCY("JPY", 1234.5)', "JPY 1,235"),
        ),
    ),
    Function(
        "HTMLENCODE",
        "text",
        "text",
        "可放入 HTML 的文本：< > & 和引号换成实体。",
        "The text as it stands in HTML: < > & and quotes become entities.",
        (Signature(("text",), _encoded("html")),),
        (Example('HTMLENCODE("a < b & c")', "a &lt; b &amp; c"),),
    ),
    Function(
        "JSENCODE",
        "text",
        "text",
        "可放入 JavaScript 引号中的文本。",
        "The text as it stands between quotes of JavaScript.",
        (Signature(("text",), _encoded("script")),),
        (Example('JSENCODE("it\'s")', "it\\'s"),),
    ),
    Function(
        "JSINHTMLENCODE",
        "text",
        "text",
        "可放入 HTML 内 JavaScript 引号中的文本。",
        "The text as it stands between quotes of JavaScript inside of HTML.",
        (Signature(("text",), _encoded("html", "script")),),
        (Example('JSINHTMLENCODE("a\\nb<c")', "a\\nb&lt;c"),),
    ),
    Function(
        "URLENCODE",
        "text",
        "text",
        "可放入网址参数的文本。",
        "The text as the value of a parameter of an address.",
        (Signature(("text",), _encoded("url_part")),),
        (Example('URLENCODE("a b&客")', "a+b%26%E5%AE%A2"),),
    ),
    Function(
        "HYPERLINK",
        "text",
        "address, label, [target]",
        "链接的 HTML；网址必须是 http、https、mailto、tel 或本站的，否则没有网址。",
        "A link as HTML; an address that is not http, https, mailto, tel or of this site is left out.",
        (Signature(("text", "text", "text"), _link, optional=1),),
        (
            Example('HYPERLINK("https://a.cn/?q=1", "A & B")', _LINK),
            Example('HYPERLINK("javascript:x", "a", "_self")', '<a href="" target="_self">a</a>'),
        ),
    ),
    Function(
        "IMAGE",
        "text",
        "address, text, [height, width]",
        "图片的 HTML，text 是看不到图片时的文字。",
        "A picture as HTML; `text` is what is said in its place.",
        (
            Signature(("text", "text"), _image),
            Signature(("text", "text", "number", "number"), _image),
        ),
        (
            Example('IMAGE("/a.png", "logo")', '<img src="/a.png" alt="logo">'),
            Example('IMAGE("/a.png", "", 20, 30)', '<img src="/a.png" alt="" height="20" width="30">'),
        ),
    ),
    Function(
        "CASESAFEID",
        "text",
        "id",
        "Salesforce 的 15 位 ID 变为 18 位；其他值不变（本系统的标识不分大小写）。",
        "An id of Salesforce with 15 characters becomes the one with 18; all else stays (our ids know no "
        "capitals).",
        (Signature(("text",), _made("case_safe")), Signature(("reference",), lambda use: use.args[0])),
        (
            Example('CASESAFEID("001A0000006Vm9r")', "001A0000006Vm9rIAC"),
            Example('CASESAFEID("abc")', "abc"),
        ),
    ),
    *(
        Function(
            name,
            "text",
            "text, path",
            "JSON 文本中某个路径（a.b[0]）的值，成为文本；没有时为空白，不是 JSON 时出错。",
            "What stands at a path (a.b[0]) of a text in JSON, as a text; blank when nothing does, an error "
            "when the text is no JSON.",
            (Signature(("text", "text"), _made("json_value")),),
            (Example(name + '(\'{"a": [1.50, "x"]}\', "a[1]")', "x"),),
        )
        for name in ("JSONVALUE", "JSONPATHVALUE")
    ),
)
