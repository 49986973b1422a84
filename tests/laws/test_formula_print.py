"""Law: what is printed is read as the same tree; what is renamed to itself stays the same text."""

from hypothesis import given
from hypothesis import strategies as st

from formulas import Writer
from tabwright.formula.parser import Dialect, parse
from tabwright.formula.printer import print_formula
from tabwright.formula.rewrite import references, rewrite

leaves = st.sampled_from(
    ["a", "b.c", "$user.id", "1", "2.50", ".5", '"x\\n"', "'it''", "TRUE", "null", "F()", "客户.名"]
).map(lambda text: "'it\\''" if text == "'it''" else text)
operators = st.sampled_from("|| && = <> < >= + - & * / ^".split())


def extended(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, operators, inner).map(lambda parts: " ".join(parts)),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"-{text}"),
        inner.map(lambda text: f"NOT {text}"),
        st.lists(inner, min_size=1, max_size=3).map(lambda args: f"Fn({', '.join(args)})"),
        inner.map(lambda text: f"/* c */ {text}"),
    )


texts = st.recursive(leaves, extended, max_leaves=20)


@given(texts)
def test_print_is_the_inverse_of_parse(text: str) -> None:
    tree = parse(text)
    printed = print_formula(tree)
    assert parse(printed) == tree
    assert print_formula(parse(printed)) == printed


@given(texts, st.just("sf"))
def test_a_formula_of_the_other_dialect_is_printed_in_ours(text: str, dialect: Dialect) -> None:
    tree = parse(text, dialect)
    assert parse(print_formula(tree)) == tree


@given(st.randoms(use_true_random=False))
def test_real_formulas_too(choices: object) -> None:
    text = Writer(choices).formula(3)  # type: ignore[arg-type]
    assert parse(print_formula(parse(text))) == parse(text)


@given(texts)
def test_renaming_nothing_changes_nothing_and_there_and_back_is_the_text(text: str) -> None:
    assert rewrite(text, lambda path: None) == text
    there = rewrite(text, lambda path: (*path, "tail"))
    assert len(references(there)) == len(references(text))
    assert rewrite(there, lambda path: path[:-1]).lower() == text.lower()
