"""A running API for tests: an installation on each database, a tenant, people with tokens, a client.

``api(documents)`` is a fixture; ``make_api`` is for scripts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

import models
from stores import DIALECTS, drop_everything, settings_for
from tabwright.app import Site, create_site
from tabwright.platform.database import TenantLocation
from tabwright.platform.settings import Limits
from tabwright.platform.web import Web, check_policies
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.api import register
from tabwright.runtime.desk import Call
from tabwright.runtime.publishing.service import bootstrap
from tabwright.runtime.records.service import Records


class Person:
    """Somebody with a token; ``get``, ``post``... are relative to /api/v1 and take JSON values."""

    def __init__(self, client: FlaskClient, token: str, id: UUID) -> None:
        self._client = client
        self.id = id
        self.token = token

    def send(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, **query: Any
    ) -> Any:
        """One request; ``body`` is any value, or bytes as they stand."""
        data = body if isinstance(body, bytes) or body is None else msgspec.json.encode(body)
        given = {"Authorization": f"Bearer {self.token}", "Accept-Language": "en", **(headers or {})}
        if data is not None:
            given.setdefault("Content-Type", "application/json")
        return self._client.open(
            "/api/v1" + path, method=method, data=data, headers=given, query_string=query or None
        )

    def get(self, path: str, headers: Mapping[str, str] | None = None, **query: Any) -> Any:
        return self.send("GET", path, None, headers, **query)

    def post(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        return self.send("POST", path, body, headers)

    def patch(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Any:
        return self.send("PATCH", path, body, headers)

    def put(self, path: str, body: Any) -> Any:
        return self.send("PUT", path, body)

    def delete(self, path: str, headers: Mapping[str, str] | None = None) -> Any:
        return self.send("DELETE", path, None, headers)


class ApiSite:
    """One tenant behind the API. ``admin`` holds the set administrator."""

    def __init__(self, site: Site) -> None:
        self.site = site

        def after(location: TenantLocation) -> None:
            bootstrap(site.stores.tenant(location), site.jobs, site.clock, site.ids, site.releases.stored)

        self.location = site.tenants.create("test", "Test", after)
        self.tenant = site.tenancy.open(self.location)
        self.app = Flask("test", static_folder=None)
        Web(self.app, site.settings, site.ids, site.sessions, site.tokens)
        self.api = register(self.app, site)
        check_policies(self.app)
        self.client = self.app.test_client()
        self.admin = self.person("admin", "administrator")

    @property
    def call(self) -> Call:
        """The platform's own call."""
        model, site = self.tenant.at_release(), self.site
        return Call(
            self.tenant,
            Principal.system(),
            model,
            Gate.system(model),
            site.clock,
            site.ids,
            "en",
            "UTC",
            "test",
            "system",
        )

    def person(self, name: str, *sets: str, scope: Any = None) -> Person:
        """A new user with permission sets (by name) and a token."""
        records = Records(self.call)
        user = records.create("user", {"name": name, "address": f"{name}@example.com", "language": "en"}).id
        model = self.tenant.at_release()
        for uid in [each.uid for each in model.permission_sets.values() if each.name in sets]:
            records.create("permission_assignment", {"user": user.hex, "permission_set": uid})
        token = self.site.tokens.create(self.location.id, user, "test", scope=scope)
        return Person(self.client, token, user)

    def publish(self, objects: models.Compact, extra: Iterable[Mapping[str, Any]] = ()) -> None:
        """Put these into the admin's draft in one request, and publish it in another; what the release shows
        to people who may not know it is accepted in between.
        """
        changed = self.admin.patch("/metadata/draft", {"put": models.documents(objects, extra)})
        assert changed.status_code == 200, changed.text
        for each in self.admin.get("/metadata/draft/plan").json["consequences"]:
            if "accepts" in each:
                at = f"/metadata/draft/field/{each['accepts']['field']}"
                document = self.admin.get(at).json
                document["declassifies"] = [*document.get("declassifies", ()), each["accepts"]["input"]]
                accepted = self.admin.put(at, document)
                assert accepted.status_code == 200, accepted.text
        published = self.admin.post("/metadata/publish", {})
        assert published.status_code == 200, published.text


@contextmanager
def make_api(dialect: str, home: Path, limits: Limits | None = None, **settings: Any) -> Iterator[ApiSite]:
    """An installation with one tenant; dropped at the end. ``settings`` are those that it has otherwise."""
    given = replace(settings_for(dialect, home, limits), **settings)
    site = create_site(given, hasher=PasswordHasher(1, 8, 1))
    try:
        yield ApiSite(site)
    finally:
        drop_everything(site.stores)
        site.close()


@pytest.fixture(params=DIALECTS)
def api(request: pytest.FixtureRequest) -> Iterator[ApiSite]:
    """The API on each database."""
    with tempfile.TemporaryDirectory() as folder, make_api(request.param, Path(folder)) as made:
        yield made
