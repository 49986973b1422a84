"""What people keep for themselves: settings and saved views."""

from collections.abc import Callable

import pytest

from tabwright.platform.errors import Conflict, Denied, Invalid, LimitReached, NotFound
from tabwright.runtime.personal.settings import Key, Personal, is_strings
from tabwright.runtime.personal.views import SavedViews
from world import World, field_doc, object_doc

FAVOURITES = Key("favourites", [], lambda value: is_strings(value, 3))
DOCUMENTS = [
    object_doc("deal"),
    field_doc("deal.name", "text"),
    {
        "kind": "permission_set", "name": "sales", "label": {"en": "Sales"},
        "objects": {"deal": ["read"]}, "fields": {"deal": {"*": "read"}},
    },
    {
        "kind": "permission_set", "name": "admin", "label": {"en": "Admin"}, "system": ["customise"],
        "objects": {"deal": ["read"]}, "fields": {"deal": {"*": "read"}},
    },
    {"kind": "permission_set", "name": "nothing", "label": {"en": "Nothing"}},
]  # fmt: skip


def test_a_setting_is_of_one_person_and_of_its_kind(world: Callable[..., World]) -> None:
    here = world(DOCUMENTS)
    ann, bob = (Personal(here.call_as(here.user(name, "sales"))) for name in ("ann", "bob"))
    assert ann.get(FAVOURITES) == []
    ann.put(FAVOURITES, ["deal/1", "客户"])
    ann.put(FAVOURITES, ["客户"])
    ann.put(FAVOURITES, ["x"], about="board")
    assert ann.get(FAVOURITES) == ["客户"]
    assert ann.get(FAVOURITES, "board") == ["x"]
    assert bob.get(FAVOURITES) == []
    with pytest.raises(Invalid):
        ann.put(FAVOURITES, ["1", "2", "3", "4"])
    with pytest.raises(LimitReached):
        ann.put(Key("big", "", lambda value: True), "x" * 20_000)
    with pytest.raises(Invalid):
        ann.put(FAVOURITES, ["a\0b"])
    # What no longer fits reads as the default.
    assert ann.get(Key("favourites", {}, lambda value: isinstance(value, dict))) == {}


def test_views_are_saved_shared_changed_and_removed(world: Callable[..., World]) -> None:
    here = world(DOCUMENTS)
    deal = here.model.objects["deal"]
    ann, bob, admin = (
        SavedViews(here.call_as(here.user(name, set)), deal)
        for name, set in (("ann", "sales"), ("bob", "sales"), ("root", "admin"))
    )
    mine = ann.create("  我的  商机 ", "table", {"where": 'name = "x"'})
    assert (mine.name, mine.shared, mine.is_own) == ("我的 商机", False, True)
    assert [each.name for each in ann.all()] == ["我的 商机"]
    assert bob.all() == []
    with pytest.raises(NotFound):
        bob.get(mine.id)
    with pytest.raises(Denied):
        ann.update(mine, shared=True)
    team = admin.create("Team", "board", {"by": "stage"}, shared=True)
    assert [(each.name, each.is_own) for each in ann.all()] == [("我的 商机", True), ("Team", False)]
    with pytest.raises(Denied):
        bob.update(bob.get(team.id), name="Mine")
    with pytest.raises(Denied):
        bob.delete(bob.get(team.id))
    changed = ann.update(mine, name="赢单", body={"where": ""})
    assert (changed.name, changed.body, changed.revision) == ("赢单", {"where": ""}, 2)
    with pytest.raises(Conflict):
        ann.update(mine, name="late")
    ann.delete(changed)
    assert [each.name for each in ann.all()] == ["Team"]


def test_what_a_view_may_not_be(world: Callable[..., World]) -> None:
    here = world(DOCUMENTS)
    deal = here.model.objects["deal"]
    ann = SavedViews(here.call_as(here.user("ann", "sales")), deal)
    for name in ("", " ", "x" * 81, "a\x00b"):
        with pytest.raises(Invalid):
            ann.create(name, "table", {})
    with pytest.raises(Invalid):
        ann.create("x", "pie", {})  # type: ignore[arg-type]
    with pytest.raises(LimitReached):
        ann.create("x", "table", {"where": "x" * 20_000})
    with pytest.raises(Invalid):
        ann.create("x", "table", {"where": "\0"})
    with pytest.raises((Denied, NotFound)):
        SavedViews(here.call_as(here.user("eve", "nothing")), deal)


def test_a_person_opens_an_object_with_the_view_of_their_choice(world: Callable[..., World]) -> None:
    here = world(DOCUMENTS)
    deal = here.model.objects["deal"]
    ann, bob = (SavedViews(here.call_as(here.user(name, "sales")), deal) for name in ("ann", "bob"))
    view = ann.create("Mine", "table", {})
    assert ann.opening().preferred == ""
    ann.open_with(view.id.hex)
    opened = ann.opening()
    assert (opened.views, opened.preferred) == ([view], view.id.hex)
    assert (bob.opening().views, bob.opening().preferred) == ([], "")
