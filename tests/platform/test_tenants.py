"""Tenants: made whole or not at all, deleted softly, kept apart, refused with a store of another version."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tabwright.platform import versions
from tabwright.platform.clock import FixedClock, FixedIds
from tabwright.platform.database import Store, Stores, TenantLocation, Writer
from tabwright.platform.errors import Conflict, Invalid, NotFound, Unavailable
from tabwright.platform.tenants import Tenants


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def tenants(stores: Stores, clock: FixedClock) -> Tenants:
    versions.open_control(stores)
    return Tenants(stores, clock, FixedIds())


def test_a_tenant_is_made_found_and_listed(stores: Stores, tenants: Tenants) -> None:
    seen: list[TenantLocation] = []
    location = tenants.create("north-wind", " 北风 ", seen.append)
    assert tenants.get("north-wind") == tenants.by_id(location.id) == location
    assert [(each.slug, each.name, each.state) for each in tenants.list()] == [
        ("north-wind", "北风", "active")
    ]
    assert seen == [location]
    versions.check(stores.tenant(location), "tenant")


@pytest.mark.parametrize("slug", ["", "A", "1a", "a_b", "a--b", "a-", "../x", 'a"b', "a" * 41, "a\n"])
def test_a_slug_that_cannot_be_a_name_is_refused(tenants: Tenants, slug: str) -> None:
    with pytest.raises(Invalid, match="tenant.slug"):
        tenants.create(slug, "x")


def test_a_slug_is_taken_once(tenants: Tenants) -> None:
    tenants.create("a", "A")
    with pytest.raises(Conflict, match="tenant.exists"):
        tenants.create("a", "again")


def test_a_making_that_fails_leaves_nothing(stores: Stores, tenants: Tenants) -> None:
    def fail(location: TenantLocation) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tenants.create("a", "A", fail)
    assert tenants.list() == []
    tenants.create("a", "A")


def test_a_making_that_was_cut_off_is_cleared_away_later(tenants: Tenants, clock: FixedClock) -> None:
    location = tenants.create("a", "A")
    tenants._set(location.id, state="making")  # as kill -9 leaves it
    with pytest.raises(NotFound):
        tenants.get("a")
    with pytest.raises(Conflict):
        tenants.create("a", "A")
    clock.advance(timedelta(minutes=11))
    assert tenants.create("a", "A").id != location.id


def test_delete_is_soft_then_real(stores: Stores, tenants: Tenants, clock: FixedClock) -> None:
    location = tenants.create("a", "A")
    assert tenants.delete("a") == clock.now() + timedelta(days=30)
    with pytest.raises(NotFound):
        tenants.by_id(location.id)
    clock.advance(timedelta(days=29))
    assert tenants.purge_due() == 0
    tenants.restore("a")
    assert tenants.get("a") == location
    tenants.delete("a")
    clock.advance(timedelta(days=30, seconds=1))
    assert tenants.purge_due() == 1 and tenants.list() == []
    if location.file:
        assert not list((stores.settings.home / "tenants").iterdir())
    else:
        with stores.control.read() as reader:
            query = "SELECT count(*) FROM pg_roles WHERE rolname = %s"
            assert reader.connection.exec_driver_sql(query, (location.schema,)).scalar_one() == 0


def test_a_store_of_another_version_is_refused_with_the_command(
    stores: Stores, tenants: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = tenants.create("a", "A")
    store = stores.tenant(location)
    ran: list[str | None] = []
    step: Callable[[Writer], None] = lambda writer: ran.append(writer.store.schema)  # noqa: E731
    now = versions.VERSIONS["tenant"]
    monkeypatch.setitem(versions.VERSIONS, "tenant", now + 1)
    monkeypatch.setitem(versions.STEPS["tenant"], now + 1, step)
    other = Tenants(stores, FixedClock(), FixedIds(2))
    with pytest.raises(Unavailable, match="store.older"):
        other.get("a")
    assert versions.upgrade(store, "tenant") == (now + 1,) and ran == [store.schema]
    assert versions.upgrade(store, "tenant") == ()
    other.get("a")
    monkeypatch.setitem(versions.VERSIONS, "tenant", now)
    with pytest.raises(Unavailable, match="store.newer"):
        Tenants(stores, FixedClock(), FixedIds(3)).get("a")


def test_an_empty_store_is_refused(store: Store) -> None:
    with pytest.raises(Unavailable, match="store.empty"):
        versions.check(store, "tenant")


def test_control_is_made_once(stores: Stores) -> None:
    for _ in range(2):
        store = versions.open_control(stores)
    with store.read() as reader:
        assert sa.inspect(reader.connection).has_table("tenant", schema=store.schema)
