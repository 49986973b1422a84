"""Names in a text, found and changed in place."""

import pytest

from tabwright.formula.faults import FormulaError
from tabwright.formula.rewrite import Path, Reference, references, rewrite


def test_names_are_found_and_functions_are_not() -> None:
    text = "IF(Account.Owner = $User.Id, /* Amount */ amount, 'name') + len (Name) + NULL"
    assert references(text) == [
        Reference(3, 16, ("account", "owner")),
        Reference(19, 27, ("$user", "id")),
        Reference(42, 48, ("amount",)),
        Reference(65, 69, ("name",)),
    ]


def test_a_text_that_is_not_finished_is_read_all_the_same() -> None:
    assert [found.path for found in references("IF(amount >")] == [("amount",)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Amount*2", "total*2"),
        ("/* Amount */  amount  +AMOUNT", "/* Amount */  total  +total"),
        ("Account.Amount + 'amount'", "Account.Amount + 'amount'"),
        ("ACCOUNT.Owner.Name", "ACCOUNT.boss.Name"),
        ("amount(1)", "amount(1)"),
    ],
)
def test_only_the_step_that_changes_changes(before: str, after: str) -> None:
    def rename(path: Path) -> Path | None:
        if path == ("amount",):
            return ("total",)
        return ("account", "boss", *path[2:]) if path[:2] == ("account", "owner") else None

    assert rewrite(before, rename) == after


def test_a_text_without_tokens_is_refused() -> None:
    with pytest.raises(FormulaError):
        rewrite("amount + “", lambda path: ("x",))
