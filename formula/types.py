"""The same names as `tabwright.formula.datatypes`, under the name that the first callers know."""

from tabwright.formula.datatypes import (
    BOOLEAN,
    DATE,
    DATETIME,
    NULL,
    TEXT,
    Type,
    number,
    picklist,
    reference,
    text,
)

__all__ = ["BOOLEAN", "DATE", "DATETIME", "NULL", "TEXT", "Type", "number", "picklist", "reference", "text"]
