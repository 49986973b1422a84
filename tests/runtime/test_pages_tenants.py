"""Signing in where there are many tenants: hints say where to look, the user's own record who comes in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from pagesite import PASSWORD, PageSite, Visitor, make_pages, readable
from stores import DIALECTS
from tabwright.installing import create_tenant
from tabwright.people import add_person, find_person, set_active, system_call
from tabwright.platform.database import observe
from tabwright.platform.memberships import MEMBERSHIP
from tabwright.platform.tables import CONTROL
from tabwright.platform.tenants import TENANT_ROWS, TenantLocation
from tabwright.runtime.access import members

MANY = 200
ADDRESS = "anna@example.com"


@pytest.fixture(params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        add_person(made.site, made.location, name="anna", address=ADDRESS, password=PASSWORD)
        yield made


def identity(site: PageSite) -> UUID:
    return site.site.identities.find(ADDRESS).id


def come_in(site: PageSite, **more: str) -> tuple[Visitor, str, int]:
    """Somebody signs in: the words of the answer, and the statements that it took."""
    visitor = site.stranger()
    visitor.get("/sign-in")
    told: list[str] = []
    with observe(lambda how, text, rows: told.append(text)):
        answer = visitor.post("/sign-in", {"address": ADDRESS, "password": PASSWORD, "next": "/", **more})
    return visitor, f"{answer.status_code} {readable(answer)}", len(told)


def forget(site: PageSite) -> None:
    with site.site.stores.control.write() as writer:
        writer.execute(sa.delete(MEMBERSHIP))


def second(site: PageSite) -> TenantLocation:
    location = create_tenant(site.site, "second", "Second")
    add_person(site.site, location, name="anna", address=ADDRESS, password=PASSWORD)
    return location


def test_how_many_tenants_there_are_costs_no_statement(site: PageSite) -> None:
    come_in(site)
    _, said, alone = come_in(site)
    assert said.startswith("303")
    # Tenants whose stores do not even exist: nobody looks into them.
    rows = [
        {
            "id": site.site.ids.new(), "slug": f"t{n}", "name": f"T{n}", "state": "active",
            "schema": f"nowhere_{n}", "file": f"nowhere_{n}", "created_at": site.site.clock.now(),
        }
        for n in range(MANY)
    ]  # fmt: skip
    with site.site.stores.control.write() as writer:
        writer.execute(sa.insert(TENANT_ROWS).values(rows))
    _, said, among_many = come_in(site)
    assert said.startswith("303") and among_many == alone


def test_a_hint_lets_nobody_in(site: PageSite) -> None:
    other = create_tenant(site.site, "other", "Other")
    site.site.memberships.add(identity(site), other.id)
    visitor, said, _ = come_in(site, tenant="other")
    assert said.startswith("303") and "Other" not in readable(visitor.get("/"))
    set_active(site.site, site.location, find_person(site.site, site.location, "anna"), False)
    assert come_in(site)[1].startswith("403")


def test_what_is_not_hinted_is_found(site: PageSite) -> None:
    location = second(site)
    assert site.site.memberships.of(identity(site)) == {site.location.id, location.id}
    forget(site)  # as after an upgrade
    assert "Second" in come_in(site)[1]
    assert site.site.memberships.of(identity(site)) == {site.location.id, location.id}
    # A tenant that came back from a backup, and that the browser opened before.
    with site.site.stores.control.write() as writer:
        writer.execute(sa.delete(MEMBERSHIP).where(MEMBERSHIP.c.tenant_id == location.id))
    visitor, said, _ = come_in(site, tenant="second")
    assert said.startswith("303") and "Second" in readable(visitor.get("/"))


def test_the_sweep_puts_the_hints_right(site: PageSite) -> None:
    stale = site.site.ids.new()
    site.site.memberships.add(stale, site.location.id)
    tenant = site.site.tenancy.open(site.location)
    assert set(members.identities_of(tenant)) == {identity(site)}
    with tenant.store.write() as writer:
        due = site.site.clock.now() - timedelta(seconds=1)
        site.site.jobs.add(writer, members.KIND, {}, due_at=due)
    site.site.runner.run_due(site.location)
    assert site.site.memberships.of(stale) == frozenset()
    assert site.site.memberships.of(identity(site)) == {site.location.id}
    site.records.update("user", find_person(site.site, site.location, "anna").id, {"title": "Chief"})
    assert system_call(site.site, site.location).model.objects["user"]


def test_a_tenant_that_is_purged_takes_its_hints_along(site: PageSite) -> None:
    location = second(site)
    site.site.tenants.purge("second")
    assert location.id not in site.site.memberships.of(identity(site))
    assert "tenant_id" in CONTROL.tables["membership"].columns
