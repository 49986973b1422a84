"""Stores for tests: an SQLite file, or a PostgreSQL schema that is dropped at the end.

Fixtures ``stores`` (control store and places for tenants) and ``store`` (one tenant's, empty) run each test
on
both databases; the functions below are for tests that need a store of their own.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services import url_of
from tabwright.formula import sqlite as formula_sqlite
from tabwright.platform.database import Store, Stores, create_tables
from tabwright.platform.settings import Limits, Settings
from tabwright.platform.tables import TENANT, DialectName

OnConnect = Callable[[Any, DialectName], None]


def with_formulas(raw: Any, dialect: DialectName) -> None:
    """What the product does to each connection: the functions of formulas on SQLite."""
    if dialect == "sqlite":
        formula_sqlite.register(raw)


def settings_for(dialect: str, home: Path, limits: Limits | None = None) -> Settings:
    """Settings of a fresh installation; on PostgreSQL with a prefix of its own."""
    return Settings(
        home=home,
        secret=secrets.token_urlsafe(48),
        database_url=url_of("postgres") if dialect == "postgresql" else None,
        schema_prefix=f"x{secrets.token_hex(5)}_" if dialect == "postgresql" else "",
        language="en",
        zone="Asia/Shanghai",
        limits=limits or Limits(),
    )


@contextmanager
def open_stores(settings: Settings, on_connect: OnConnect = with_formulas) -> Iterator[Stores]:
    """Stores with an empty control place; at the end everything of this installation is dropped."""
    stores = Stores(settings, on_connect)
    stores.make_control()
    try:
        yield stores
    finally:
        drop_everything(stores)
        stores.close()


def drop_everything(stores: Stores) -> None:
    """Drop every schema and role of an installation on PostgreSQL (files go with their folder)."""
    prefix = stores.settings.schema_prefix
    if stores.dialect != "postgresql" or not prefix:
        return
    with stores.control.maintain() as reader:
        execute = reader.connection.exec_driver_sql
        named = "starts_with({}, %s)"
        schemas = execute(f"SELECT nspname FROM pg_namespace WHERE {named.format('nspname')}", (prefix,))
        for (name,) in schemas.all():
            execute(f'DROP SCHEMA "{name}" CASCADE')
        roles = execute(f"SELECT rolname FROM pg_roles WHERE {named.format('rolname')}", (prefix,))
        for (name,) in roles.all():
            execute(f'DROP ROLE "{name}"')


def new_tenant_store(stores: Stores, slug: str | None = None, tables: bool = False) -> Store:
    """The empty store of a new tenant; with ``tables`` the fixed tables of every imported room are in it."""
    location = stores.place(uuid4(), slug or f"s{secrets.token_hex(4)}")
    stores.make(location)
    store = stores.tenant(location)
    if tables:
        create_tables(store, TENANT)
    return store


DIALECTS = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgresql", id="postgresql", marks=pytest.mark.postgres),
]


@pytest.fixture(params=DIALECTS)
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    """Stores on each database."""
    with tempfile.TemporaryDirectory() as folder:
        with open_stores(settings_for(request.param, Path(folder))) as made:
            yield made


@pytest.fixture
def store(stores: Stores) -> Store:
    """One tenant's store on each database, without tables."""
    return new_tenant_store(stores)
