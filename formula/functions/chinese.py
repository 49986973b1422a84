"""Functions on what China writes and numbers in its own way."""

from tabwright.formula.datatypes import BOOLEAN, TEXT
from tabwright.formula.functions.registry import Example, Function, Signature, Use, Wrong
from tabwright.formula.typed import Node, literal, worked

_STYLES = ("syllables", "initials")


def _pinyin(use: Use) -> Node:
    style = use.args[1] if len(use.args) == 2 else literal(_STYLES[0], TEXT, use.at)
    if not style.literal:
        raise Wrong("FORMULA_NEEDS_LITERAL", use.written[1], function=use.at.function)
    if style.data not in _STYLES:
        raise Wrong("FORMULA_NOT_A_STYLE", use.written[1], known=", ".join(_STYLES))
    return worked("read_aloud", TEXT, use.args[0], style, at=use.at)


FUNCTIONS = (
    Function(
        "RMBUPPER",
        "text",
        "number",
        "人民币大写金额，四舍五入到分。",
        "The amount in Chinese capitals as on a cheque, rounded to the fen.",
        (Signature(("number",), lambda use: worked("capitals", TEXT, *use.args, at=use.at, size=200)),),
        (
            Example("RMBUPPER(1234.5)", "壹仟贰佰叁拾肆元伍角整"),
            Example("RMBUPPER(10080.07)", "壹万零捌拾元零柒分"),
            Example("RMBUPPER(0)", "零元整"),
        ),
    ),
    Function(
        "PINYIN",
        "text",
        "text, [style]",
        '汉字的拼音（不带声调），其他字符不变；style 为 "initials" 时取首字母。',
        'Han characters in pinyin without tones, all else as it is; "initials" gives first letters only.',
        (Signature(("text", "text"), _pinyin, optional=1),),
        (
            Example('PINYIN("重庆 Tower")', "chong qing Tower"),
            Example('PINYIN("上海客户", "initials")', "shkh"),
        ),
    ),
    Function(
        "IDCARDCHECK",
        "logic",
        "text",
        "是有效的 18 位居民身份证号（地区、生日和校验位都对）时为真。",
        "True for a valid number of a Chinese identity card: 18 characters with province, birthday and check "
        "digit.",
        (Signature(("text",), lambda use: worked("identity_card", BOOLEAN, *use.args, at=use.at)),),
        (
            Example('IDCARDCHECK("11010519491231002X")', True),
            Example('IDCARDCHECK("110105194912310021")', False),
        ),
    ),
    Function(
        "USCCCHECK",
        "logic",
        "text",
        "是有效的 18 位统一社会信用代码（校验位正确）时为真。",
        "True for a valid unified social credit code: 18 characters, the last of which checks the others.",
        (Signature(("text",), lambda use: worked("credit_code", BOOLEAN, *use.args, at=use.at)),),
        (
            Example('USCCCHECK("91350100M000100Y43")', True),
            Example('USCCCHECK("91350100M000100Y44")', False),
        ),
    ),
)
