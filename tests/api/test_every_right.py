"""Every right that a permission set can give decides something: whoever has all but this one is refused."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import models
from apisite import Person
from desks import Desk, desk_of
from importing import Importer, call_of
from pagesite import Visitor, make_pages
from tabwright.metadata import schema
from tabwright.platform.errors import Denied
from tabwright.runtime.access.rights import OPERATIONS, with_implied
from tabwright.runtime.desk import Call
from tabwright.runtime.exporting.service import Asked, Exports

OBJECTS: models.Compact = {
    "deal": {"name": "text(80) required", "amount": "currency(16,2)"},
    "card": {"name": "text(80) required", "mobile": {"type": "phone", "options": {"mask": "phone"}}},
    "note": {"name": "text(80) required"},
}
RULE = {
    "kind": "validation_rule", "name": "deal.big", "label": {"en": "Big"}, "condition": "amount > 100",
    "message": {"en": "Too big"},
}  # fmt: skip
OPEN = {**models.documents({"note": OBJECTS["note"]})[0], "sharing": "edit"}
PICKS = models.document("picklist", "sizes", values=[{"code": "s"}])
SYSTEM = tuple(schema.schema_of("permission_set")["properties"]["system"]["items"]["enum"])


BRINGS = {"customise": "view_setup"}  # who may change may look


def all_but(right: str) -> list[str]:
    """Every operation but this one and those that bring it along."""
    return [each for each in OPERATIONS if right not in with_implied([each])]


def sets() -> Iterator[dict[str, Any]]:
    every = {"fields": {"*": {"*": "edit"}}, "tabs": ["*"], "apps": ["*"], "label": {"en": "Set"}}
    kind = {"kind": "permission_set", **every}
    yield {**kind, "name": "all", "objects": {"*": list(OPERATIONS)}, "system": list(SYSTEM)}
    yield {**kind, "name": "glass", "emergency_hours": 2}
    for right in OPERATIONS:
        yield {**kind, "name": f"but_{right}", "objects": {"*": all_but(right)}, "system": list(SYSTEM)}
    for right in SYSTEM:
        rest = [each for each in SYSTEM if each != right and BRINGS.get(each) != right]
        yield {**kind, "name": f"without_{right}", "objects": {"*": list(OPERATIONS)}, "system": rest}


@pytest.fixture(scope="module")
def site() -> Iterator[Desk]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS, [RULE, *sets()])
        made.publish({}, [OPEN])
        yield desk_of(made)


Probe = Callable[[Desk, Person, Visitor], int]  # an HTTP status


def _made(site: Desk, object: str, owner: Person | None = None, **values: Any) -> str:
    given = {"name": "x", **values, **({"owner": owner.id.hex} if owner is not None else {})}
    return f"/objects/{object}/records/{site.pages.records.create(object, given).id}"


def _with(site: Desk) -> dict[str, Any]:
    assert site.admin.user_id is not None
    return {"with": {"kind": "user", "id": site.admin.user_id.hex}, "level": "read"}


def _printed(site: Desk, person: Person) -> str:
    id = UUID(_made(site, "deal", person).rpartition("/")[2])
    return f"/o/deal/{id}/print"


def _mass_edited(site: Desk, visitor: Visitor) -> int:
    visitor.get("/o/deal")
    id = _made(site, "deal", site.api_of(visitor)).rpartition("/")[2]
    answer = visitor.post("/o/deal/bulk", {"do": "edit", "id": id})
    return 200 if answer.status_code == 303 else answer.status_code


def _took(site: Desk, visitor: Visitor) -> int:
    visitor.get("/rights")
    sets = {each.name: each.uid for each in site.pages.call.model.permission_sets.values()}
    given = {"set": sets["glass"], "hours": "1", "reason": "the server is down"}
    answer = visitor.post("/rights/emergency", given)
    return 200 if answer.status_code == 303 else answer.status_code


def _importer(site: Desk, person: Person) -> Importer:
    return Importer(site, person)  # type: ignore[arg-type]


def _call(site: Desk, person: Person) -> Call:
    return call_of(site, person)  # type: ignore[arg-type]


def _raises(verb: Callable[[], Any]) -> int:
    try:
        verb()
    except Denied:
        return 403
    return 200


PROBES: dict[str, Probe] = {
    "create": lambda s, p, v: p.post("/objects/deal/records", {"name": "x"}).status_code,
    "read": lambda s, p, v: p.get(_made(s, "deal", p)).status_code,
    "edit": lambda s, p, v: p.patch(_made(s, "deal", p), {"name": "y"}).status_code,
    "delete": lambda s, p, v: p.delete(_made(s, "deal", p)).status_code,
    "view_all": lambda s, p, v: p.get(_made(s, "deal")).status_code,
    "modify_all": lambda s, p, v: p.patch(_made(s, "deal"), {"name": "y"}).status_code,
    "transfer": lambda s, p, v: p.patch(_made(s, "note"), {"owner": p.id.hex}).status_code,
    "import": lambda s, p, v: _raises(lambda: _importer(s, p).start("deal", "name\na\n")),
    "export": lambda s, p, v: _raises(lambda: Exports(_call(s, p)).start(Asked("deal", ("name",)))),
    "mass_edit": lambda s, p, v: _mass_edited(s, v),
    "share": lambda s, p, v: p.post(_made(s, "deal", p) + "/shares", _with(s)).status_code,
    "print": lambda s, p, v: v.get(_printed(s, p)).status_code,
    "skip_rules": lambda s, p, v: p.post("/objects/deal/records", {"name": "x", "amount": 200}).status_code,
    "system customise": lambda s, p, v: p.patch("/metadata/draft", {"put": [PICKS]}).status_code,
    "system view_setup": lambda s, p, v: v.get("/studio").status_code,
    "system manage_users": lambda s, p, v: p.get("/objects/permission_assignment/records").status_code,
    "system import": lambda s, p, v: _raises(lambda: _importer(s, p).start("deal", "name\na\n")),
    "system set_audit_fields": lambda s, p, v: (
        p.post(
            "/objects/deal/records", {"name": "x", "created_at": datetime(2020, 1, 1, tzinfo=UTC).isoformat()}
        ).status_code
    ),
    "system view_exports": lambda s, p, v: v.get("/exports").status_code,
    "system explain_access": lambda s, p, v: v.get("/studio/holders").status_code,
    "system break_glass": lambda s, p, v: _took(s, v),
    "system unmask": lambda s, p, v: (
        p.get(_made(s, "card", p, mobile="13800138000"), unmask="mobile").status_code
    ),
}


# Rights that all the others together make needless: tests/api/test_every_setting.py names their proof.
ELSEWHERE = {"system delegate"}


def test_every_right_has_a_probe() -> None:
    assert set(PROBES) | ELSEWHERE == {*OPERATIONS, *(f"system {each}" for each in SYSTEM)}


@pytest.mark.parametrize("right", PROBES)
def test_who_has_all_rights_but_one_is_refused_what_it_is_for(site: Desk, right: str) -> None:
    system = right.removeprefix("system ")
    name = f"without_{system}" if right.startswith("system ") else f"but_{right}"
    for set, allowed in (("all", True), (name, False)):
        visitor = site.pages.person(f"{set}-{name}", set)
        status = PROBES[right](site, site.api_of(visitor), visitor)
        assert (status < 300) if allowed else (status in (403, 404, 422)), (set, status)
