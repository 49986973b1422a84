"""A block that a spreadsheet puts on the clipboard is read as it was: every cell, every row, nothing lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tabwright.runtime.pages.lines.pasting import cells, heads

CELL = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12)
BLOCK = st.integers(1, 5).flatmap(
    lambda wide: st.lists(st.lists(CELL, min_size=wide, max_size=wide), min_size=1, max_size=6)
)


def clipboard(block: list[list[str]], end: str) -> str:
    """As spreadsheets write it: quoted where a cell holds a tab, a line end or begins with a quote."""

    def written(cell: str) -> str:
        if "\t" in cell or "\n" in cell or cell.startswith('"'):
            return '"' + cell.replace('"', '""') + '"'
        return cell

    return end.join("\t".join(map(written, row)) for row in block) + end


@given(BLOCK, st.sampled_from(["\n", "\r\n"]))
def test_what_a_spreadsheet_wrote_is_read_again(block: list[list[str]], end: str) -> None:
    assert cells(clipboard(block, end)) == block


@given(CELL.filter(lambda cell: "\t" not in cell and "\n" not in cell and not cell.endswith('"')))
def test_a_quote_that_is_never_closed_is_a_character(cell: str) -> None:
    assert cells(f'"{cell}\t5') == [[f'"{cell}', "5"]]


@given(st.text(max_size=60))
def test_no_text_loses_a_character_that_is_no_mark(text: str) -> None:
    found = "".join(each for row in cells(text) for each in row)
    marks = '\t\r\n"'
    assert [c for c in found if c not in marks] == [c for c in text if c not in marks]


@given(st.lists(CELL, min_size=1, max_size=5, unique=True))
def test_labels_name_their_columns_in_any_order(labels: list[str]) -> None:
    wanted = ["产品", "数量", "单价"]
    assert heads(["数量", "", "产 品"], wanted, 0) == [1, -1, 0]
    if not all(label in wanted or not label.strip() for label in labels):
        found = heads(labels, wanted, 0)
        assert found is None or all(at < len(wanted) for at in found)
