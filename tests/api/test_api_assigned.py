"""R4: a body decides nothing that its sender may not. Every write of every route gets every attribute that
decides about a record, a person or a right; whatever of them is found in any table afterwards was taken.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import models
from apisite import Person
from channels import API, READS, SKIPPED, Shot, shots
from halves import OBJECTS, Half, make_twins
from pagesite import Visitor
from snapshots import tables
from stores import DIALECTS

NUMBER, DAY, WORD = 7654321, "2001-02-03", "mallory"
# Everything that decides about a record, a person or a right, with values that would mean something.
ATTRIBUTES: Mapping[str, Any] = {
    "id": "{mallory}", "uid": "{mallory}", "owner": "{mallory}", "owner_kind": "queue",
    "owner_id": "{mallory}",
    "created_by": "{mallory}", "updated_by": "{mallory}", "deleted_by": "{mallory}", "user": "{mallory}",
    "user_id": "{mallory}", "identity": "{mallory}", "identity_id": "{mallory}", "principal_id": "{mallory}",
    "tenant": "{mallory}",
    "tenant_id": "{mallory}", "revision": NUMBER, "_revision": NUMBER, "release": NUMBER,
    "created_at": f"{DAY}T04:05:06Z", "updated_at": f"{DAY}T04:05:06Z",
    "deleted_at": f"{DAY}T04:05:06Z", "expires_at": f"{DAY}T04:05:06Z", "active": False,
    "is_admin": True, "admin": True, "role": "administrator", "kind": "system", "system": ["customise"],
    "permission_set": "{mallory}", "permission_sets": ["{mallory}"],
    "permissions": ["customise"], "rights": ["modify_all"], "scope": {},
    "token_scope": {}, "groups": ["{mallory}"],
    "sort_key": WORD, "name_sort": WORD, "search": WORD, "state": "done", "job_id": "{mallory}",
    "object_uid": WORD, "object_n": NUMBER, "password": WORD, "address": f"{WORD}@example.com",
}  # fmt: skip


# What an administrator may say, by the right to it, of the objects that the samples write.
RIGHTS = {
    "owner": "transfer",
    "created_by": "set_audit_fields",
    "created_at": "set_audit_fields",
    "user": "the field of an assignment",
    "permission_set": "the field of an assignment",
}
# Whatever is typed into a form is kept for its writer, until it is saved or thrown away.
KEPT = {"person_form"}


@pytest.fixture(scope="module", params=DIALECTS)
def half(request: pytest.FixtureRequest) -> Iterator[Half]:
    with tempfile.TemporaryDirectory() as folder, make_twins(request.param, Path(folder)) as (_, made):
        rights = ["create", "read", "edit", "delete", "view_all", "import", "export"]
        set = {
            "kind": "permission_set", "name": "edits", "label": {"en": "Edits"}, "objects": {"*": rights},
            "fields": {"*": {"*": "edit"}}, "tabs": ["*"], "apps": ["*"],
        }  # fmt: skip
        open_to_all = {**models.documents({"deal": OBJECTS["deal"]})[0], "sharing": "edit"}
        made.pages.publish({}, [set, open_to_all])
        yield made


def found(half: Half, mallory: UUID) -> dict[str, int]:
    """How often each table says one of the values, in the tenant's store and in the control store."""
    marks = (mallory.hex, str(mallory), repr(mallory.bytes)[2:-1], str(NUMBER), DAY, WORD)
    counts = {}
    for store in (half.tenant.store, half.site.stores.control):
        for table, rows in tables(store):
            text = repr([[bytes(x) if isinstance(x, memoryview) else x for x in row] for row in rows])
            counts[table] = sum(text.count(mark) for mark in marks)
    return counts


def sent(half: Half, shot: Shot, who: Visitor, api: Person, more: Mapping[str, Any]) -> Any:
    """The request with the attributes in its body and, in bulk, in each of its records."""
    given = shot
    if isinstance(shot.sample.json, dict) and "records" in shot.sample.json:
        body = {**shot.sample.json, "records": [{**more, **each} for each in shot.sample.json["records"]]}
        given = replace(shot, sample=replace(shot.sample, json=body))
        more = {}
    return given.send(who, api, half.ids, half.ids, more)


@pytest.mark.parametrize("role", ["edits", "administrator"])
def test_no_attribute_is_taken_from_a_body(half: Half, role: str) -> None:
    who = half.pages.person(f"sender-{role}", role, language="en")
    api = half.api_of(who)
    # Somebody who is there, so that a reference to them would be taken; told apart from all others by the id.
    mallory = UUID(half.create("user", name="Nobody", address=f"nobody-{role}@example.com"))
    ids = {"mallory": mallory.hex}
    attributes = {
        name: _filled(value, ids)
        for name, value in ATTRIBUTES.items()
        if role != "administrator" or name not in RIGHTS
    }
    before, taken, requests = found(half, mallory), [], 0
    for shot in shots(half.pages.app):
        if shot.sample.method in READS or shot.sample.route in SKIPPED:
            continue
        each_alone = shot.sample.rule.startswith(API) and shot.sample.json is not None
        for more in [{name: value} for name, value in attributes.items()] if each_alone else [attributes]:
            own = shot.sample.json or shot.sample.form or {}
            more = {name: value for name, value in more.items() if name not in own}
            answer = sent(half, shot, who, api, more)
            requests += 1
            assert answer.status_code < 500, (shot.sample.route, more, answer.text)
            if answer.status_code < 400:
                after = found(half, mallory)
                if said := [name for name in after if after[name] > before.get(name, 0) and name not in KEPT]:
                    taken.append((shot.sample.route, sorted(more)[:3], said))
                before = after
    assert taken == []
    assert requests > 400


def _filled(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_filled(each, ids) for each in value]
    return ids["mallory"] if value == "{mallory}" else value
