"""Global search: Chinese inside words, pinyin, initials, parts of numbers, and nothing that is hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from stores import DIALECTS, open_stores, settings_for
from tabwright.platform.errors import NotFound
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.journal import sealer
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.service import Records
from tabwright.runtime.search.keeping import index_of
from tabwright.runtime.search.learning import learn, near_words
from tabwright.runtime.search.nearness import one_slip, remains, slips_between
from tabwright.runtime.search.querying import search
from tabwright.runtime.search.tables import search_word
from tabwright.runtime.search.tokens import needs_of, tokens_of
from world import World, field_doc, language_functions, make_world, object_doc

Make = Callable[..., World]

NAMES = [
    "重庆长安汽车股份有限公司",
    "中国工商银行上海分行",
    "Straße & Söhne GmbH",
    "Acme Widgets 4090",
    "王小明",
    "ＡＢＣ科技",
    "𠀀𠀁商行",
]


def right(sets: str, **fields: str) -> dict[str, object]:
    return {
        "kind": "permission_set",
        "name": sets,
        "label": {"en": sets},
        "objects": {
            "account": ["create", "read", "edit", "delete", "view_all"],
            "own": ["create", "read", "edit"],
        },
        "fields": {"account": {"*": "edit", **fields}, "own": {"*": "edit"}},
    }


DOCUMENTS = [
    object_doc("account", sharing="private"),
    field_doc("account.name", "text"),
    field_doc("account.phone", "phone", searchable=True),
    field_doc("account.secret", "text", searchable=True),
    field_doc("account.notes", "long_text", searchable=True),
    field_doc("account.plain", "text"),
    object_doc("own", sharing="private"),
    field_doc("own.name", "text"),
    right("all"),
    right("blind", secret="none", phone="none"),
]


def found(w: World, text: str, principal: Principal | None = None) -> list[str]:
    call = w.call if principal is None else w.call_as(principal)
    return [hit.name for hit in search(call, text, ["account"])]


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("长安", NAMES[0]),
        ("安汽", NAMES[0]),
        ("庆", NAMES[0]),
        ("公司", NAMES[0]),
        ("重庆 汽车", NAMES[0]),
        ("chongqing", NAMES[0]),
        ("changan", NAMES[0]),
        ("ChangAnQi", NAMES[0]),
        ("cqca", NAMES[0]),
        ("caqc", NAMES[0]),
        ("gongshangyinhang", NAMES[1]),
        ("gsyh", NAMES[1]),
        ("strasse", NAMES[2]),
        ("söhn", NAMES[2]),
        ("SOHNE", NAMES[2]),
        ("widg acme", NAMES[3]),
        ("4090", NAMES[3]),
        ("409", NAMES[3]),
        ("xiaoming", NAMES[4]),
        ("wxm", NAMES[4]),
        ("abc", NAMES[5]),
        ("ａｂｃ", NAMES[5]),
        ("𠀀𠀁", NAMES[6]),
    ],
)
def test_what_people_type_meets_what_stands_there(asked: str, name: str) -> None:
    """The rule of both engines, in Python: each need is met by a token, whole or by its beginning."""
    tokens = tokens_of((), [name])
    assert all(any(need.met_by(each) for each in tokens) for need in needs_of(asked))
    assert needs_of(asked)


def test_records_are_found_by_parts_of_their_texts(world: Make) -> None:
    w = world(DOCUMENTS)
    ids = {name: w.records.create("account", {"name": name, "plain": "无关字段"}).id for name in NAMES}
    w.records.update(
        "account", ids[NAMES[4]], {"phone": "138 1234 5678", "notes": "喜欢喝茶", "secret": "tiger"}
    )
    assert found(w, "长安") == [NAMES[0]] and found(w, "cqca") == [NAMES[0]] == found(w, "changan")
    assert found(w, "gsyh") == [NAMES[1]] and found(w, "strasse") == [NAMES[2]]
    for part in ("3812", "123456", "5678", "678", "138 1234", "+86 138-1234-5678", "喝茶", "tig"):
        assert found(w, part) == [NAMES[4]], part
    for nothing in ("无关", "9999", "安长", "zzz", "", "!?", "'; DROP", '" OR 1', "*", "tiger AND NOT x"):
        assert found(w, nothing) == [], nothing
    w.records.update("account", ids[NAMES[4]], {"name": "李大力", "phone": None})
    assert found(w, "5678") == [] == found(w, "小明") and found(w, "大力") == ["李大力"] == found(w, "tiger")
    w.records.delete("account", ids[NAMES[0]])
    assert found(w, "长安") == []
    w.records.restore("account", ids[NAMES[0]])
    assert found(w, "长安") == [NAMES[0]]


def test_the_best_name_comes_first(world: Make) -> None:
    w = world(DOCUMENTS)
    for name in ("大长安贸易", "长安", "长安贸易", "其他"):
        w.records.create("account", {"name": name, "notes": "长安" if name == "其他" else None})
    assert found(w, "长安") == ["长安", "长安贸易", "大长安贸易", "其他"]


def test_nobody_finds_by_a_field_or_a_record_that_is_hidden(world: Make) -> None:
    w = world(DOCUMENTS)
    wide, blind = w.user("wide", "all"), w.user("blind", "blind")
    Records(w.call_as(wide)).create("account", {"name": "Acme", "secret": "tiger", "phone": "13812345678"})
    assert found(w, "tiger", wide) == ["Acme"] == found(w, "3812", wide)
    assert found(w, "tiger", blind) == [] == found(w, "3812", blind)
    assert found(w, "acme", blind) == ["Acme"]
    nobody = w.user("nobody")
    with pytest.raises(NotFound):
        search(w.call_as(nobody), "acme", ["account"])
    assert [hit.object for hit in search(w.call_as(nobody), "acme")] == []
    Records(w.call_as(wide)).create("own", {"name": "private pot"})
    assert [hit.name for hit in search(w.call_as(wide), "pot", ["own"])] == ["private pot"]
    assert search(w.call_as(blind), "pot", ["own"]) == []


def learn_all(w: World) -> None:
    """What the sealer's job does after commits."""
    with w.store.write() as writer:
        while sealer.seal(writer, w.clock.now()):
            pass
        while learn(writer):
            pass


def test_words_of_one_query_meet_in_one_record_whatever_fields_they_stand_in(world: Make) -> None:
    """``secret`` and ``phone`` have other readers than the name."""
    w = world(DOCUMENTS)
    wide, blind = w.user("wide", "all"), w.user("blind", "blind")
    records = Records(w.call_as(wide))
    records.create("account", {"name": "长安汽车", "secret": "tiger", "phone": "13812345678"})
    records.create("account", {"name": "长安贸易", "secret": "lion", "notes": "tiger"})
    assert found(w, "长安 tiger", wide) == ["长安贸易", "长安汽车"]
    assert found(w, "长安汽车 tiger 3812", wide) == ["长安汽车"] == found(w, "caqc tig 138", wide)
    assert found(w, "长安 tiger", blind) == ["长安贸易"]  # there it stands in a field that may be read
    assert found(w, "长安 3812", blind) == [] == found(w, "lion 贸易", blind)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("acem", "Acme"),  # two letters the wrong way round
        ("amce", "Acme"),
        ("acmee", "Acme"),
        ("microsft", "Microsoft Deutschland"),
        ("mcirosotf", "Microsoft Deutschland"),  # two slips
        ("deutchlnd", "Microsoft Deutschland"),
        ("acm microsoft", None),
        ("chognqing", "重庆长安汽车"),
        ("chonqing", "重庆长安汽车"),
        ("changna", "重庆长安汽车"),
        ("hcognqing", "重庆长安汽车"),  # two slips
        ("chognqing tiegr", "重庆长安汽车"),
        ("acxxe", None),  # two slips in a short word
        ("miixoxoft", None),  # three in a long one
        ("axm", None),
    ],
)
def test_a_slip_of_the_finger_is_forgiven(mistyped: World, typed: str, name: str | None) -> None:
    assert found(mistyped, typed) == ([name] if name else [])


@pytest.fixture(scope="module", params=DIALECTS)
def mistyped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("search")
    with open_stores(settings_for(request.param, home), language_functions) as stores:
        w = make_world(stores, DOCUMENTS)
        w.records.create("account", {"name": "重庆长安汽车", "secret": "tiger"})
        w.records.create("account", {"name": "Acme"})
        w.records.create("account", {"name": "Microsoft Deutschland"})
        learn_all(w)
        yield w


def test_what_was_typed_comes_before_what_may_have_been_meant(world: Make) -> None:
    w = world(DOCUMENTS)
    for name in ("Marten", "Martin", "Martina", "Mxxtin"):
        w.records.create("account", {"name": name})
    learn_all(w)
    assert found(w, "martin") == ["Martin", "Martina", "Marten"]
    for n in range(4):
        w.records.create("account", {"name": f"Martin {n}"})
    assert "Marten" not in found(w, "martin")  # enough was found


def test_a_word_in_a_hidden_field_corrects_nothing(world: Make) -> None:
    w = world(DOCUMENTS)
    wide, blind = w.user("wide", "all"), w.user("blind", "blind")
    records = Records(w.call_as(wide))
    records.create("account", {"name": "Acme", "secret": "panther"})
    records.create("account", {"name": "Other", "notes": "panthers"})
    learn_all(w)
    assert found(w, "pantehr", wide) == ["Acme"]
    assert found(w, "pantherx", wide) == ["Other", "Acme"]
    assert found(w, "pantehr", blind) == []
    assert found(w, "pantherx", blind) == ["Other"]
    with w.store.read() as reader:
        call = w.call_as(blind)
        index = index_of(call, w.model.objects["account"])
        assert index is not None
        fields = w.model.objects["account"].fields
        marks = [mark for mark, name in index.marks.items() if call.gate.can_read(fields[name])]
        assert near_words(reader, marks, "panthrr", 1) == []
        assert near_words(reader, list(index.marks), "panthrr", 1) == ["panther"]


def test_words_are_learnt_once_however_often_they_are_written(world: Make) -> None:
    w = world(DOCUMENTS)
    for n in range(3):
        w.records.create("account", {"name": f"Solarwind {n}"})
        learn_all(w)
    id = w.records.create("account", {"name": "Lunar"}).id
    w.records.update("account", id, {"name": "Nebular"})
    w.records.delete("account", w.records.create("account", {"name": "Comet"}).id)
    learn_all(w)
    with w.store.read() as reader:
        words = reader.execute(sa.select(search_word.c.word)).scalars().all()
    assert sorted(words) == ["nebular", "solarwind"]
    assert found(w, "solrawind") == ["Solarwind 2", "Solarwind 1", "Solarwind 0"]


SPELLING = st.text(alphabet="abcdeg", min_size=4, max_size=12)


@given(SPELLING, st.data())
def test_near_words_are_those_of_few_slips(word: str, data: st.DataObject) -> None:
    """The two ways to look for near words find all of them, by the plain definition of a slip."""
    once = data.draw(st.sampled_from(sorted(one_slip(word))))
    assert slips_between(word, once, 1) == 1 == slips_between(once, word, 2)
    twice = data.draw(st.sampled_from(sorted(one_slip(once))))
    if slips_between(word, twice, 2) <= 2 and min(len(word), len(twice)) >= 6:
        assert remains(word) & remains(twice)


def test_a_thousand_rows_are_kept_like_one(world: Make) -> None:
    w = world(DOCUMENTS)
    done = w.records.apply(
        "account", [Intent("create", values={"name": f"公司{n:04d}号"}) for n in range(1000)]
    )
    assert found(w, "0777") == ["公司0777号"]
    assert len(search(w.call, "公司", ["account"], limit=50)) == 50
    w.records.apply("account", [Intent("delete", row.id) for row in done.rows[:900]])
    assert found(w, "0777") == [] and found(w, "0950") == ["公司0950号"]


@given(st.text(max_size=80))
def test_tokens_are_plain_ascii_whatever_the_text(text: str) -> None:
    for token in tokens_of([text], [text]):
        assert token.isascii() and token.isalnum() and token == token.lower() and len(token) <= 42
    for need in needs_of(text):
        assert all(token.isascii() and token.isalnum() for token in (*need.starts, *need.wholes))


@given(
    st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=2, max_size=12),
    st.data(),
)
def test_any_part_of_a_chinese_name_finds_it(name: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(name) - 1))
    part = name[start : data.draw(st.integers(start + 1, len(name)))]
    tokens = tokens_of((), [name])
    for need in needs_of(part):
        assert any(need.met_by(each) for each in tokens)
