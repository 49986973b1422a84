"""The words that stand in the search rows, known apart, so that a mistyped one finds them by an index.

Writers do not wait for it: the job that seals the journal learns what the sealed operations have written, in
their order, so nothing that commits late is missed. Words are kept by field, as tokens are: a word that
stands only in a field that somebody may not read gives them nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tabwright.platform.database import Prepared, Reader, Store, Writer, prepare
from tabwright.platform.tables import ids_value, in_ids, json_text
from tabwright.runtime.journal.tables import changes, operations
from tabwright.runtime.search.keeping import MARK_LETTERS
from tabwright.runtime.search.nearness import LONG, one_slip, remains, slips_between
from tabwright.runtime.search.tables import search_learnt, search_near, search_row, search_word
from tabwright.runtime.search.tokens import words_in

CHUNK = 250  # changes at most in one step, which keeps other writers of SQLite waiting
_LONG_ENOUGH = LONG - 2  # letters of a word that two slips make of a long one


def learn(writer: Writer) -> int:
    """Learn the words of the next records in the sealed journal; how many changes were looked at."""
    at = writer.execute(sa.select(search_learnt)).one_or_none()
    if at is None:
        writer.execute(sa.insert(search_learnt), {"position": 0, "record_id": None})
    position, record = (at.position, at.record_id) if at is not None else (0, None)
    place = operations.c.position
    further = place > position
    if record is not None:
        further |= sa.and_(place == position, changes.c.record_id > record)
    chosen = (
        sa.select(place, changes.c.record_id)
        .select_from(operations.join(changes, changes.c.operation_id == operations.c.id))
        .where(place >= position, further)
        .order_by(place, changes.c.record_id)
        .limit(CHUNK)
    )
    rows = writer.execute(chosen).all()
    if rows:
        learn_records(writer, {row.record_id for row in rows})
        writer.execute(
            sa.update(search_learnt).values(position=rows[-1].position, record_id=rows[-1].record_id)
        )
    return len(rows)


def learn_records(writer: Writer, ids: Collection[UUID]) -> None:
    """Learn the words of the search rows that some records have now."""
    if not ids:
        return
    dialect = writer.store.dialect
    tokens = sa.cast(search_row.c.tokens, sa.Text)
    found = writer.execute(
        sa.select(search_row.c.object_n, tokens).where(in_ids(dialect, search_row.c.record_id)),
        {"ids": ids_value(dialect, ids)},
    )
    words: dict[tuple[str, str], int] = {}
    for number, text in map(tuple, found):
        by_mark: dict[str, list[str]] = {}
        for token in text.replace("'", "").split():  # a tsvector is written with quotes
            by_mark.setdefault(token[:MARK_LETTERS], []).append(token[MARK_LETTERS:])
        for id, own in by_mark.items():
            words |= {(id, word): number for word in words_in(own)}
    _add(writer, words)


def _add(writer: Writer, words: dict[tuple[str, str], int]) -> None:
    if not words:
        return
    if writer.store.dialect == "postgresql":  # two who learn the same word would be in each other's way
        key = f"words {writer.store.key}"
        writer.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:key))"), {"key": key})
    known = _statements(writer.store).known
    given = _lists(
        writer.store, marks=sorted({id for id, _ in words}), words=sorted({word for _, word in words})
    )
    for id, word in writer.rows(known, given):
        words.pop((id, word), None)
    if not words:
        return
    statements = _statements(writer.store)
    rows = [{"mark": id, "word": word, "object_n": number} for (id, word), number in sorted(words.items())]
    writer.insert_many(statements.add, _in_order(statements.add, rows))
    near = [
        {"mark": id, "remains": rest, "word": word}
        for id, word in sorted(words)
        if len(word) >= _LONG_ENOUGH
        for rest in sorted(remains(word))
    ]
    writer.insert_many(statements.add_near, _in_order(statements.add_near, near))


def _in_order(statement: Prepared, rows: Iterable[Mapping[str, object]]) -> list[tuple[object, ...]]:
    return [tuple([row[name] for name in statement.names]) for row in rows]


def forget_words(writer: Writer, object_n: int, keep: Iterable[str] = ()) -> None:
    """Forget the words of an object, but for those of some fields."""
    gone = sa.select(search_word.c.mark).where(search_word.c.object_n == object_n).distinct()
    for id in set(writer.execute(gone).scalars()) - set(keep):
        writer.execute(sa.delete(search_word).where(search_word.c.mark == id))
        writer.execute(sa.delete(search_near).where(search_near.c.mark == id))


def near_words(reader: Reader, marks: Sequence[str], typed: str, most: int) -> list[str]:
    """The known words of some fields that are up to ``most`` (1 or 2) slips from one typed."""
    statements = _statements(reader.store)
    if most == 1:
        given = _lists(reader.store, marks=marks, words=sorted(one_slip(typed)))
        return sorted({word for _, word in reader.rows(statements.known, given)})
    given = _lists(reader.store, marks=marks, remains=sorted(remains(typed)))
    found = {word for (word,) in reader.rows(statements.near, given)}
    return sorted(word for word in found if 0 < slips_between(typed, word, most) <= most)


class _Statements:
    def __init__(self, store: Store) -> None:
        word, near = search_word.c, search_near.c
        self.add, self.add_near = (
            prepare(
                store, sa.insert(each).values({c.name: sa.bindparam(c.name, type_=c.type) for c in each.c})
            )
            for each in (search_word, search_near)
        )
        self.known: Prepared = self._among(
            store, (word.mark, word.word), {"marks": word.mark, "words": word.word}
        )
        self.near: Prepared = self._among(store, (near.word,), {"marks": near.mark, "remains": near.remains})

    @staticmethod
    def _among(
        store: Store,
        columns: Sequence[sa.ColumnElement[str]],
        lists: dict[str, sa.ColumnElement[str]],
    ) -> Prepared:
        """The rows of which each column is in its list: a look-up in the key for each pair."""
        chosen = sa.select(*columns)
        for name, column in lists.items():
            if store.dialect == "postgresql":
                given = sa.bindparam(name, type_=postgresql.ARRAY(sa.Text))
                chosen = chosen.where(column == sa.any_(given))
            else:
                each = sa.func.json_each(sa.bindparam(name, type_=sa.Text)).table_valued("value")
                chosen = chosen.where(column.in_(sa.select(each.c.value)))
        return prepare(store, chosen)


@lru_cache(maxsize=256)
def _statements(store: Store) -> _Statements:
    return _Statements(store)


def _lists(store: Store, **lists: Sequence[str]) -> dict[str, object]:
    if store.dialect == "postgresql":
        return {name: list(each) for name, each in lists.items()}
    return {name: json_text(list(each)) for name, each in lists.items()}
