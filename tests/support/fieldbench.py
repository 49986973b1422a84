"""A site with a field of every type, at which the matrix of types and paths is worked.

``bench`` is a fixture: one site for all tests of a module, on each database.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import models
from apisite import Person
from fieldsample import OTHER, SECOND, THIRD, UPLOAD, USER, Sample
from fieldsamples import SAMPLES
from filesamples import content_of, uploaded
from pagesite import PageSite, Visitor, make_pages
from stores import DIALECTS

BESIDE: models.Compact = {"other": {"name": "text required"}, "third": {"name": "text required"}}


def documents() -> models.Compact:
    """``thing`` has a field of each sample; ``need_x``, ``only_x``, ``preset_x`` have one that is required,
    unique, or has a default.
    """
    made: dict[str, dict[str, Any]] = {name: dict(fields) for name, fields in BESIDE.items()}
    for sample in SAMPLES:
        body = {"type": sample.type, **({"options": dict(sample.options)} if sample.options else {})}
        fields = made.setdefault(sample.on, {"name": "text(60) searchable sortable"})
        fields[field_of(sample)] = {**body, **sample.body}
        if sample.required:
            made[f"need_{sample.key}"] = {"name": "text", "v": {**body, "required": True}}
        if sample.unique:
            made[f"only_{sample.key}"] = {"name": "text", "v": {**body, "unique": True}}
        if sample.default is not None:
            made[f"preset_{sample.key}"] = {"name": "text", "v": {**body, "default": sample.default[0]}}
    return made


def field_of(sample: Sample) -> str:
    return f"f_{sample.key}"


@dataclass
class Bench:
    """A site with every type, an admin at its pages and at its API, and the jobs."""

    pages: PageSite
    visitor: Visitor
    other: UUID
    another: UUID
    third: UUID

    @cached_property
    def api(self) -> Person:
        assert self.visitor.user_id is not None
        token = self.pages.site.tokens.create(self.location.id, self.visitor.user_id, "test", scope=None)
        return Person(self.pages.app.test_client(), token, self.visitor.user_id)

    @cached_property
    def schemas(self) -> dict[str, Any]:
        """What the API says of itself."""
        found: dict[str, Any] = self.api.get("/openapi.json").json["components"]["schemas"]
        return found

    # What ``Importer`` asks of a site.
    @property
    def site(self) -> Any:
        return self.pages.site

    @property
    def location(self) -> Any:
        return self.pages.location

    @property
    def tenant(self) -> Any:
        return self.pages.site.tenancy.open(self.pages.location)

    @property
    def admin(self) -> Person:
        return self.api

    def meant(self, value: Any) -> Any:
        """A sample's value with the ids of this site; files are uploaded anew each time."""
        if isinstance(value, list):
            return [self.meant(each) for each in value]
        if isinstance(value, str) and value.startswith(UPLOAD):
            name = value.removeprefix(UPLOAD)
            return uploaded(self.api, name, content_of(name))["id"]
        if isinstance(value, dict):
            return {key: self.meant(each) for key, each in value.items()}
        if isinstance(value, str) and value in (OTHER, SECOND, THIRD):
            return {OTHER: self.other, SECOND: self.another, THIRD: self.third}[value].hex
        return self.api.id.hex if isinstance(value, str) and value == USER else value

    def wire(self, sample: Sample) -> Any:
        return self.meant(sample.value if sample.wire is None else sample.wire)

    def second(self, sample: Sample) -> Any:
        return self.meant(sample.second if sample.second_wire is None else sample.second_wire)

    def create(self, object: str, **values: Any) -> dict[str, Any]:
        answer = self.api.post(f"/objects/{object}/records", values)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json
        return found

    def made(self, sample: Sample, value: Any = ..., name: str = "made") -> dict[str, Any]:
        """A record with the sample's value (or another)."""
        given = self.meant(sample.value) if value is ... else value
        return self.create(sample.on, name=name, **({field_of(sample): given} if sample.given else {}))

    def get(self, id: str, object: str = "thing") -> dict[str, Any]:
        answer = self.api.get(f"/objects/{object}/records/{id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json
        return found


@pytest.fixture(scope="module", params=DIALECTS)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as pages:
        pages.publish(documents())
        visitor = pages.person("admin", "administrator", "standard_user")
        other = pages.records.create("other", {"name": "Northwind", "owner": str(visitor.user_id)}).id
        another = pages.records.create("other", {"name": "Zephyr", "owner": str(visitor.user_id)}).id
        third = pages.records.create("third", {"name": "Third", "owner": str(visitor.user_id)}).id
        yield Bench(pages, visitor, other, another, third)
