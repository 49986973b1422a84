"""Drafts on both databases: checked at once, rebased on what others publish, clashes shown and settled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from models import components, document
from tabwright.metadata.compiler import compile_tree
from tabwright.metadata.drafts import Delete, Draft, Drafts, Put, Rename
from tabwright.metadata.packages import base_tree
from tabwright.metadata.store import Releases, Trees
from tabwright.platform.clock import FixedIds
from tabwright.platform.database import Store, create_tables
from tabwright.platform.errors import Conflict, Invalid, NotFound, TabwrightError
from tabwright.platform.tables import TENANT

ANN, BEN = UUID(int=1), UUID(int=2)
AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
OBJECTS = {
    "account": {"name": "text", "amount": "integer"},
    "contact": {"name": "text", "account": "lookup(account)"},
}


class Desk:
    """A tenant's store with release 1 in it, and short words for what the tests do."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.releases = Releases()
        self.drafts = Drafts(self.releases, FixedIds())
        create_tables(store, TENANT)
        with store.write() as writer:
            tree = base_tree().changed(components(OBJECTS))
            self.releases.add(writer, tree, expected=0, author=None, at=AT, note="first")

    def patch(self, author: UUID, *changes: Any) -> Draft:
        with self.store.write() as writer:
            return self.drafts.patch(writer, author, changes, at=AT)

    def get(self, author: UUID) -> Draft:
        with self.store.read() as reader:
            return self.drafts.get(reader, author)

    def publish(self, author: UUID) -> int:
        with self.store.write() as writer:
            draft = self.drafts.get(writer, author)
            draft.require_mergeable()
            made = self.releases.add(writer, draft.tree, expected=draft.release, author=author, at=AT)
            self.drafts.discard(writer, author)
            return made.number

    def refused(self, author: UUID, *changes: Any) -> TabwrightError:
        before = self.get(author)
        with pytest.raises(TabwrightError) as caught:
            self.patch(author, *changes)
        assert self.get(author).tree == before.tree, "a refused change leaves the draft as it was"
        return caught.value


@pytest.fixture
def desk(store: Store) -> Iterator[Desk]:
    yield Desk(store)


def field(name: str, **body: Any) -> dict[str, Any]:
    made = document("field", name, **{"type": "text", **body})
    del made["uid"]
    return made


def changed(draft: Draft) -> dict[str, str]:
    return {f"{each.component.kind}/{each.component.name}": each.action for each in draft.differences}


def test_a_draft_is_its_differences(desk: Desk) -> None:
    assert desk.get(ANN).is_empty and desk.get(ANN).release == 1
    draft = desk.patch(ANN, Put(field("account.city")), Put(field("account.name", help={"en": "x"})))
    assert changed(draft) == {"field/account.city": "added", "field/account.name": "changed"}
    assert changed(desk.get(ANN)) == changed(draft)
    assert desk.get(BEN).is_empty
    city = draft.tree.get("field", "account.city")
    assert city is not None and len(city.uid) == 32
    again = desk.patch(ANN, Put(field("account.city", help={"en": "y"})))
    found = again.tree.get("field", "account.city")
    assert found is not None and found.uid == city.uid and again.revision == 2
    assert changed(desk.patch(ANN, Delete("field", "account.city"), Put(field("account.name")))) == {}


def test_many_components_in_one_breath(desk: Desk) -> None:
    """An object of five fields is one PATCH, in whatever order it is written."""
    fields = [field(f"deal.{name}") for name in ("name", "b", "a", "d", "c")]
    made = document("object", "deal", name_field="name")
    del made["uid"]
    draft = desk.patch(ANN, *[Put(each) for each in [*fields, made]])
    model = compile_tree(draft.tree, release=2)
    assert [each.name for each in model.objects["deal"].own_fields] == ["name", "b", "a", "d", "c"]


def test_all_faults_of_all_documents(desk: Desk) -> None:
    error = desk.refused(
        ANN, Put(field("account.x", type="txt")), Put(field("Account.y")), Put({"kind": "none"})
    )
    assert isinstance(error, Invalid)
    assert sorted(each.code for each in error.faults) == [
        "document.bad_part_name", "document.not_allowed", "document.unknown_kind",
    ]  # fmt: skip


def test_what_the_model_says_does_not_stop_a_put(desk: Desk) -> None:
    draft = desk.patch(ANN, Put(field("account.x", default="nothing_there")))
    with pytest.raises(Invalid):
        compile_tree(draft.tree, release=2)


def test_a_rename_is_part_of_the_draft(desk: Desk) -> None:
    rule = document("validation_rule", "account.r", condition="amount < 0", message={"en": "!"})
    draft = desk.patch(ANN, Put(rule), Rename("field", "account.amount", "account.total"))
    # Renames come first, so the rule put with them has to say the new name or the alias answers.
    assert draft.tree.get("field", "account.total") is not None
    later = desk.patch(ANN, Rename("field", "account.total", "account.sum"))
    found = later.tree.get("validation_rule", "account.r")
    assert found is not None and found.body["condition"] == "sum < 0"


def test_a_put_of_a_known_uid_under_another_name_is_a_rename(desk: Desk) -> None:
    rule = document("validation_rule", "account.r", condition="amount < 0", message={"en": "!"})
    draft = desk.patch(ANN, Put(rule))
    amount = draft.tree.get("field", "account.amount")
    assert amount is not None
    draft = desk.patch(ANN, Put({**amount.document, "name": "account.total"}))
    total = draft.tree.get("field", "account.total")
    assert total is not None and total.uid == amount.uid and total.body["aliases"] == ["account.amount"]
    followed = draft.tree.get("validation_rule", "account.r")
    assert followed is not None and followed.body["condition"] == "total < 0"
    assert draft.tree.get("field", "account.amount") is None


def test_a_used_component_is_not_deleted_and_every_use_is_named(desk: Desk) -> None:
    desk.patch(
        ANN,
        Put(
            document(
                "validation_rule", "account.r", condition="Amount < 0", message={"en": "!"}, field="amount"
            )
        ),
        Put(document("list_view", "contact.l", columns=["name", "account.amount"])),
    )
    error = desk.refused(ANN, Delete("field", "account.amount"))
    assert isinstance(error, Conflict)
    assert {(each.place.component, each.place.pointer, each.code) for each in error.faults} == {
        ("validation_rule/account.r", "/condition", "component.in_use"),
        ("validation_rule/account.r", "/field", "component.in_use"),
        ("list_view/contact.l", "/columns/1", "component.in_use"),
    }
    draft = desk.patch(
        ANN,
        Delete("field", "account.amount"),
        Delete("validation_rule", "account.r"),
        Put(document("list_view", "contact.l", columns=["name"])),
    )
    assert changed(draft) == {"field/account.amount": "removed", "list_view/contact.l": "added"}


def test_an_object_goes_with_its_parts_when_nobody_names_it(desk: Desk) -> None:
    error = desk.refused(ANN, Delete("object", "account"))
    assert [each.place.component for each in error.faults] == ["field/contact.account"]
    draft = desk.patch(ANN, Delete("object", "account"), Delete("field", "contact.account"))
    assert changed(draft) == {
        "object/account": "removed", "field/account.name": "removed", "field/account.amount": "removed",
        "field/contact.account": "removed",
    }  # fmt: skip


def test_deleted_and_made_again_in_one_breath_is_a_new_component(desk: Desk) -> None:
    before = desk.get(ANN).tree.get("field", "account.amount")
    draft = desk.patch(ANN, Delete("field", "account.amount"), Put(field("account.amount", type="date")))
    after = draft.tree.get("field", "account.amount")
    assert before and after and before.uid != after.uid


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ([Delete("field", "user.address")], {"component.in_use", "component.locked"}),
        ([Delete("unique_rule", "group_member.once")], set()),
        ([Rename("object", "user", "person")], {"component.locked"}),
        ([Rename("field", "user.manager", "user.boss")], {"component.locked"}),
        ([Put({**field("account.x"), "system": True})], {"component.system_reserved"}),
        ([Delete("field", "user.phone")], {"component.in_use"}),
    ],
)
def test_what_is_built_in_is_locked(desk: Desk, changes: list[Any], codes: set[str]) -> None:
    if not codes:
        assert not desk.patch(ANN, *changes).is_empty
        return
    error = desk.refused(ANN, *changes)
    assert {each.code for each in error.faults} & codes and {each.code for each in error.faults} <= codes


def test_built_in_components_may_be_labelled_and_extended(desk: Desk) -> None:
    user = desk.get(ANN).tree.get("object", "user")
    manager = desk.get(ANN).tree.get("field", "user.manager")
    assert user and manager
    label = {"zh": "同事", "en": "Colleague"}
    draft = desk.patch(
        ANN,
        Put({**user.document, "label": label}),
        Put({**manager.document, "label": label}),
        Put(field("user.badge")),
    )
    assert set(changed(draft).values()) == {"changed", "added"}
    error = desk.refused(ANN, Put({**manager.document, "required": True}))
    assert [(each.code, each.place.pointer) for each in error.faults] == [("component.locked", "/required")]


def test_names_are_unique_within_a_kind(desk: Desk) -> None:
    other = {**field("account.amount"), "uid": "f" * 32}
    error = desk.refused(ANN, Put(other))
    assert isinstance(error, Conflict) and error.code == "component.name_taken"
    assert desk.refused(ANN, Rename("field", "account.amount", "account.name")).code == "component.name_taken"


@pytest.mark.parametrize(
    "change",
    [Delete("field", "account.none"), Rename("tab", "x", "y"), Delete("nothing", "x"), Delete("field", "")],
)
def test_what_is_not_there(desk: Desk, change: Any) -> None:
    assert isinstance(desk.refused(ANN, change), NotFound)


def test_disjoint_drafts_are_both_published(desk: Desk) -> None:
    desk.patch(ANN, Put(field("account.a")))
    desk.patch(BEN, Put(field("account.b")), Put(field("contact.name", help={"en": "b"})))
    assert desk.publish(BEN) == 2
    draft = desk.get(ANN)
    assert draft.release == 2 and not draft.clashes and changed(draft) == {"field/account.a": "added"}
    assert desk.publish(ANN) == 3
    with desk.store.read() as reader:
        tree = desk.releases.tree(reader, 3)
    assert tree.get("field", "account.a") and tree.get("field", "account.b")


def test_a_clash_shows_three_ways_and_can_be_settled(desk: Desk) -> None:
    desk.patch(ANN, Put(field("account.name", help={"en": "ann"}, sortable=True)))
    desk.patch(BEN, Put(field("account.name", help={"en": "ben"}, searchable=True)))
    desk.publish(BEN)
    draft = desk.get(ANN)
    (clash,) = draft.clashes
    assert clash.pointers == ("/help/en",) or clash.pointers == ("/help",)
    assert clash.base and clash.current and clash.draft
    assert "help" not in clash.base.body and clash.current.body["help"] == {"en": "ben"}
    with pytest.raises(Conflict) as caught:
        desk.publish(ANN)
    assert (
        caught.value.code == "draft.clash" and caught.value.faults[0].place.component == "field/account.name"
    )
    with desk.store.write() as writer:
        settled = desk.drafts.keep_mine(writer, ANN, [clash.component.uid])
    assert not settled.clashes and changed(settled) == {"field/account.name": "changed"}
    assert desk.publish(ANN) == 3


def test_a_clash_can_be_settled_for_the_other_side(desk: Desk) -> None:
    desk.patch(ANN, Put(field("account.name", help={"en": "ann"})), Put(field("account.a")))
    desk.patch(BEN, Put(field("account.name", help={"en": "ben"})))
    desk.publish(BEN)
    uid = desk.get(ANN).clashes[0].component.uid
    with desk.store.write() as writer:
        settled = desk.drafts.revert(writer, ANN, [uid], at=AT)
    assert not settled.clashes and changed(settled) == {"field/account.a": "added"}


def test_the_same_change_on_both_sides_is_no_clash(desk: Desk) -> None:
    for author in (ANN, BEN):
        desk.patch(author, Put(field("account.name", help={"en": "same"})))
    desk.publish(BEN)
    assert desk.get(ANN).clashes == () and desk.get(ANN).is_empty


def test_a_change_of_what_another_deleted_is_a_clash(desk: Desk) -> None:
    desk.patch(ANN, Put(field("account.amount", type="integer", help={"en": "x"})))
    desk.patch(BEN, Delete("field", "account.amount"))
    desk.publish(BEN)
    (clash,) = desk.get(ANN).clashes
    assert clash.current is None and clash.draft is not None


def test_a_name_that_another_took_is_a_fault_of_the_draft(desk: Desk) -> None:
    desk.patch(ANN, Put(field("account.same")))
    desk.patch(BEN, Put(field("account.same", type="date")))
    desk.publish(BEN)
    draft = desk.get(ANN)
    assert [each.code for each in draft.faults] == ["component.name_taken"]
    with pytest.raises(Conflict):
        desk.publish(ANN)


def test_discard_leaves_nothing(desk: Desk) -> None:
    desk.patch(ANN, Put(field("account.a")))
    desk.patch(BEN, Put(field("account.b")))
    with desk.store.write() as writer:
        assert set(desk.drafts.authors(writer)) == {ANN, BEN}
        desk.drafts.discard(writer, ANN)
    assert desk.get(ANN).is_empty and desk.get(ANN).revision == 0 and not desk.get(BEN).is_empty


def test_a_draft_can_want_a_whole_tree(desk: Desk) -> None:
    desk.patch(ANN, Put(field("account.a")))
    desk.publish(ANN)
    with desk.store.write() as writer:
        first = desk.releases.tree(writer, 1)
        draft = desk.drafts.replace(writer, ANN, first, at=AT)
    assert changed(draft) == {"field/account.a": "removed"} and draft.tree == first


def test_trees_come_back_from_the_store(desk: Desk) -> None:
    desk.patch(ANN, Put(field("account.a", label={"zh": "{{7*7}}", "en": "\u202e<script>"})))
    number = desk.publish(ANN)
    fresh = Releases(Trees())
    with desk.store.read() as reader:
        assert fresh.tree(reader, number).digest == desk.releases.tree(reader, number).digest
        loaded = fresh.tree(reader, number).get("field", "account.a")
        assert loaded and loaded.body["label"] == {"zh": "{{7*7}}", "en": "\u202e<script>"}
        assert [each.number for each in fresh.list(reader)] == [2, 1]
        assert [each.component.name for each in fresh.diff(reader, 1, 2)] == ["account.a"]
        assert fresh.tree(reader, 0).digest != fresh.tree(reader, 1).digest
        with pytest.raises(NotFound):
            fresh.tree(reader, 9)


def test_only_one_release_follows_another(desk: Desk) -> None:
    with desk.store.write() as writer:
        with pytest.raises(Conflict) as caught:
            desk.releases.add(writer, base_tree(), expected=0, author=None, at=AT)
    assert caught.value.code == "release.moved"
    with desk.store.write() as writer:
        made = desk.releases.add(
            writer,
            base_tree(),
            expected=1,
            author=ANN,
            at=AT,
            note="n",
            base=1,
            building={"i3": {"state": "building"}},
        )
        desk.releases.set_building(writer, made.number, {})
    with desk.store.read() as reader:
        found = desk.releases.get(reader, 2)
    assert (found.author, found.at, found.note, found.base, found.building) == (ANN, AT, "n", 1, {})
