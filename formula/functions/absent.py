"""Functions that people know from elsewhere: those that make no sense here, and those of another name."""

from collections.abc import Mapping
from typing import Final

# Function -> what to use in its place; said by the message "absent.<function>".
ABSENT: Final = frozenset(
    "GETSESSIONID VLOOKUP PREDICT LINKTO URLFOR IMAGEPROXYURL GETRECORDIDS PARENTGROUPVAL PREVGROUPVAL"
    " CURRENCYRATE GETDATE REQUIRESCRIPT INCLUDE".split()
)
# What a function is called elsewhere -> what it is called here.
OTHER_NAMES: Final[Mapping[str, str]] = {
    "SEARCH": "FIND", "REPLACE": "SUBSTITUTE", "LENGTH": "LEN", "ISEMPTY": "ISBLANK", "IFNULL": "BLANKVALUE",
    "NVL": "BLANKVALUE", "IFBLANK": "BLANKVALUE", "CEIL": "CEILING", "TOUPPER": "UPPER", "UCASE": "UPPER",
    "TOLOWER": "LOWER", "LCASE": "LOWER", "STARTSWITH": "BEGINS", "ENDSWITH": "ENDS", "AVERAGE": "AVG",
    "NUMBERVALUE": "VALUE", "TONUMBER": "VALUE", "TOTEXT": "TEXT", "STR": "TEXT", "CONCATENATE": "JOIN",
    "CONCAT": "JOIN", "TEXTJOIN": "JOIN", "EDATE": "ADDMONTHS", "DATEADD": "ADDDAYS", "SUBSTRING": "SUBSTR",
    "NETWORKDAYS": "WORKDAYDIFF", "DATETIMEDIFF": "DATEDIFF", "CHAR": "CHR", "REPEAT": "REPT",
    "REGEXMATCH": "REGEX", "REGEXREPLACE": "REGEX_REPLACE", "REGEXEXTRACT": "REGEX_EXTRACT", "POW": "POWER",
}  # fmt: skip
