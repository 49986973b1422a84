"""The gate: how permission sets unite, and that what may not be read is as if it were not there."""

from dataclasses import replace
from uuid import uuid4

import pytest

from models import model as compiled
from tabwright.metadata.model import Model
from tabwright.platform.errors import Denied, Invalid, NotFound
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.principal import Principal, TokenScope
from tabwright.runtime.access.tables import FULL, READ

OBJECTS = {
    "account": {"name": "text required", "industry": "text", "revenue": "currency(16,2)", "secret": "text"},
    "deal": {
        "name": "text",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "number": "auto_number(D-{000})",
    },
    "vault": {"name": "text", "code": "text"},
}


def permission_set(name: str, **body: object) -> dict[str, object]:
    return {"kind": "permission_set", "name": name, **body}


SETS = [
    permission_set(
        "reader", objects={"account": ["read"]}, fields={"account": {"*": "read", "secret": "none"}}
    ),
    permission_set(
        "writer", objects={"account": ["create", "edit"]}, fields={"account": {"revenue": "edit"}}
    ),
    permission_set("star", objects={"account": ["read"], "deal": ["read"]}, fields={"*": {"*": "read"}}),
    permission_set(
        "dealer", objects={"deal": ["modify_all"]}, fields={"deal": {"*": "edit", "amount": "read"}}
    ),
    permission_set("sharer", objects={"deal": ["edit", "transfer"]}, fields={"deal": {"*": "edit"}}),
    permission_set("people", system=["manage_users"], objects={"*": ["read"]}, fields={"*": {"*": "read"}}),
    permission_set("tabs", tabs=["deal"], apps=["*"], objects={"account": ["read"]}),
]


@pytest.fixture(scope="module")
def model() -> Model:
    return compiled(OBJECTS, SETS)


def principal_of(model: Model, *names: str, scope: TokenScope | None = None) -> Principal:
    uids = {each.name: each.uid for each in model.permission_sets.values()}
    return Principal(
        uuid4(), "somebody", permission_sets=tuple(sorted(uids[name] for name in names)), token_scope=scope
    )


def gate_of(model: Model, *names: str, scope: TokenScope | None = None) -> Gate:
    return Gate(model, principal_of(model, *names, scope=scope))


def names(fields: tuple[object, ...]) -> set[str]:
    return {field.name for field in fields if not field.system}  # type: ignore[attr-defined]


def test_nobody_may_anything_without_a_set(model: Model) -> None:
    gate = gate_of(model)
    assert {each.name for each in gate.objects()} == {"user", "queue"}
    assert names(gate.readable(model.objects["account"])) == set()
    assert not gate.has("customise") and gate.tabs() == () and gate.apps() == ()


def test_sets_unite_and_the_most_specific_word_wins_inside_one(model: Model) -> None:
    account = model.objects["account"]
    assert names(gate_of(model, "reader").readable(account)) == {"name", "industry", "revenue"}
    both = gate_of(model, "reader", "writer")
    assert names(both.readable(account)) == {"name", "industry", "revenue"}
    assert names(both.editable(account)) == {"revenue"}
    assert both.operations(account) == ("create", "edit", "read")
    # "star" says read for everything: united, the secret of "reader" is readable.
    assert "secret" in names(gate_of(model, "reader", "star").readable(account))


def test_a_right_on_fields_is_nothing_without_the_object(model: Model) -> None:
    gate = gate_of(model, "star")
    assert not gate.may(model.objects["vault"], "read")
    assert gate.readable(model.objects["vault"]) == ()
    assert names(gate_of(model, "writer").editable(model.objects["account"])) == {"revenue"}


def test_a_star_gives_nothing_on_built_in_objects_but_to_who_manages_users(model: Model) -> None:
    assignment = model.objects["permission_assignment"]
    assert not gate_of(model, "star").may(assignment, "read")
    assert gate_of(model, "people").may(assignment, "read")


def test_everybody_reads_names_of_users_and_queues_and_no_more(model: Model) -> None:
    gate = gate_of(model)
    for name in ("user", "queue"):
        assert {field.name for field in gate.readable(model.objects[name])} == {"id", "name"}
        assert gate.rule(model.objects[name], "read").everything
        assert gate.rule(model.objects[name], "edit").nothing


def test_rights_imply_others(model: Model) -> None:
    deal = model.objects["deal"]
    gate = gate_of(model, "dealer")
    assert set(gate.operations(deal)) == {"modify_all", "view_all", "edit", "delete", "read", "transfer"}
    assert names(gate.editable(deal)) == {"name", "account"}  # amount is read only, the number its own
    assert all(gate.rule(deal, level).everything for level in ("read", "edit", "delete", "transfer"))


def test_an_owner_may_give_a_record_away_and_others_only_with_transfer(model: Model) -> None:
    deal = model.objects["deal"]
    who = principal_of(model, "sharer")
    gate = Gate(model, who)
    assert gate.rule(deal, "transfer").at_once(who.user_id) is True
    assert gate.rule(deal, "transfer").at_once(uuid4()) is not True
    open_deal = replace(deal, sharing="edit")
    open_model = replace(model, objects={**model.objects, "deal": open_deal}, digest="open")
    assert Gate(open_model, who).rule(open_deal, "transfer").everything
    assert Gate(open_model, who).rule(open_deal, "delete").at_once(uuid4()) is not True


def test_queues_own_for_their_members(model: Model) -> None:
    queue, looked_at = uuid4(), uuid4()
    who = principal_of(model, "sharer")
    who = replace(who, groups=(who.user_id, queue), queues=((queue, FULL), (looked_at, READ)))
    deal = model.objects["deal"]
    gate = Gate(model, who)
    assert gate.rule(deal, "edit").at_once(queue) and gate.rule(deal, "read").at_once(looked_at)
    assert gate.rule(deal, "edit").at_once(looked_at) is not True
    owners = [name for name in gate.viewer() if name.startswith("viewer_own1_")]
    assert len(owners) == 4, "padded to a power of two: few shapes of statements"


def test_a_token_narrows_and_never_widens(model: Model) -> None:
    account, deal = model.objects["account"], model.objects["deal"]
    scope = TokenScope.parse({"objects": {"account": ["edit"], "vault": ["read"]}})
    gate = gate_of(model, "reader", "dealer", scope=scope)
    assert gate.may(account, "read") and not gate.may(account, "edit")
    assert not gate.may(deal, "read") and not gate.may(model.objects["vault"], "read")
    assert not gate_of(model, "people", scope=scope).has("manage_users")
    assert TokenScope.parse(None) is None


@pytest.mark.parametrize("hidden", ["secret", "nothing_like_it"])
def test_unknown_and_hidden_fields_get_one_answer(model: Model, hidden: str) -> None:
    gate = gate_of(model, "reader")
    with pytest.raises(Invalid) as caught:
        gate.resolve(model.objects["account"], hidden)
    fault = caught.value.faults[0]
    assert (fault.code, dict(fault.params)) == ("field.unknown", {"path": hidden})


def test_suggestions_are_readable_names_only(model: Model) -> None:
    account = model.objects["account"]
    with pytest.raises(Invalid) as caught:
        gate_of(model, "reader").resolve(account, "secrets")
    assert caught.value.faults[0].code == "field.unknown"
    with pytest.raises(Invalid) as caught:
        gate_of(model, "star").resolve(account, "secrets")
    assert caught.value.faults[0].params["near"] == "secret"


@pytest.mark.parametrize("name", ["vault", "no_such_thing"])
def test_unknown_and_hidden_objects_get_one_answer(model: Model, name: str) -> None:
    with pytest.raises(NotFound) as caught:
        gate_of(model, "reader").object(name)
    assert caught.value.faults[0].code == "object.unknown"
    assert dict(caught.value.faults[0].params) == {"object": name}


def test_denied_says_only_what_the_asker_may_know(model: Model) -> None:
    gate = gate_of(model, "reader")
    with pytest.raises(Denied):
        gate.require(model.objects["account"], "edit")
    with pytest.raises(NotFound):
        gate.require(model.objects["deal"], "edit")
    with pytest.raises(Denied):
        gate.require_right("customise")


def test_a_path_walks_readable_lookups(model: Model) -> None:
    deal = model.objects["deal"]
    found = gate_of(model, "reader", "dealer").resolve(deal, "Account.Industry")
    assert (found.text, found.prefix, found.is_name) == ("account.industry", ("account",), False)
    assert gate_of(model, "reader", "dealer").resolve(deal, "account.name").is_name
    gate = gate_of(model, "dealer")  # may not read accounts at all
    for path in ("account.industry", "account.name", "account.zzz", "name.zzz", "zzz.zzz"):
        with pytest.raises(Invalid) as caught:
            gate.resolve(deal, path)
        assert caught.value.faults[0].code.startswith("field.unknown")
        assert "industry" not in str(caught.value.faults[0].params.get("near"))
    with pytest.raises(Invalid) as caught:
        gate.resolve(deal, "owner.manager.manager.manager.name")
    assert caught.value.faults[0].code == "field.too_many_hops"


def test_every_unknown_path_is_told_at_once(model: Model) -> None:
    with pytest.raises(Invalid) as caught:
        gate_of(model, "reader").resolve_all(model.objects["account"], ("name", "no", "secret"))
    assert [fault.place.field for fault in caught.value.faults] == ["no", "secret"]


def test_tabs_need_the_grant_and_the_object(model: Model) -> None:
    assert gate_of(model, "tabs").tabs() == ()  # the tab is granted, its object is not
    assert [tab.name for tab in gate_of(model, "tabs", "dealer").tabs()] == ["deal"]


def test_footprints_are_equal_for_equal_rights_and_differ_with_what_may_be_named(model: Model) -> None:
    deal = model.objects["deal"]
    one, same = gate_of(model, "dealer", "reader"), gate_of(model, "dealer", "reader")
    assert one.footprint(deal) == same.footprint(deal)
    assert one.footprint(deal) != gate_of(model, "dealer").footprint(deal)  # account over the lookup
    assert one.footprint(deal) == gate_of(model, "dealer", "reader", "tabs").footprint(deal)


def test_the_platform_itself_may_everything(model: Model) -> None:
    gate = Gate.system(model)
    vault = model.objects["vault"]
    assert gate.may(vault, "delete") and gate.has("customise") and gate.rule(vault, "edit").everything
    assert names(gate.editable(vault)) == {"name", "code"}
