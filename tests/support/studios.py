"""What the tests of Studio share: a small tenant, who only looks, and the draft as it stands."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import models
from htmlforms import posted
from pagesite import PageSite, Visitor, make_pages, readable
from tabwright.metadata.documents import Component
from tabwright.metadata.drafts import Draft

OBJECTS: models.Compact = {
    "account": {"name": "text(120) required sortable searchable"},
    "deal": {
        "name": "text(120) required",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "stage": "picklist(open,won,lost)",
    },
}
LOOKER = {
    "kind": "permission_set",
    "name": "looker",
    "label": {"zh": "查看者", "en": "Looker"},
    "system": ["view_setup"],
    "objects": {"*": ["read"]},
    "fields": {"*": {"*": "read"}},
    "tabs": ["*"],
}
HOSTILE = "\"><img src=x onerror=alert(1)>{{ 7*7 }}'"


@contextmanager
def studio_site(dialect: str, *more: Mapping[str, Any]) -> Iterator[PageSite]:
    """A tenant with OBJECTS, LOOKER and further documents; dropped at the end."""
    with tempfile.TemporaryDirectory() as folder, make_pages(dialect, Path(folder)) as made:
        made.publish(OBJECTS, [*more, LOOKER])
        yield made


def me(visitor: Visitor) -> UUID:
    """The id of who is signed in."""
    assert visitor.user_id is not None
    return visitor.user_id


def draft_of(site: PageSite, visitor: Visitor) -> Draft:
    """A person's draft."""
    with site.call.tenant.store.read() as reader:
        return site.publishing.drafts.get(reader, me(visitor))


def in_draft(site: PageSite, visitor: Visitor, kind: str, name: str) -> Component | None:
    """A component as a person's draft has it."""
    return draft_of(site, visitor).tree.get(kind, name)


def release(site: PageSite) -> int:
    """The number of the release in force."""
    with site.call.tenant.store.read() as reader:
        return site.site.releases.current(reader)


def make_field(admin: Visitor, object: str, type: str, zh: str, **more: str) -> None:
    """A new field by Studio's form."""
    admin.get(f"/studio/objects/{object}/new-field?type={type}")
    form = posted(admin.last, "field-form")
    form["/label/zh"] = zh
    for name, value in more.items():
        form[name] = value
    answer = admin.client.post(
        f"/studio/objects/{object}/new-field", data=form, headers={"Accept": "text/html"}
    )
    assert answer.status_code == 303, readable(answer.text)
