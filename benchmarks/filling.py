"""A tenant for a benchmark: documents published, somebody signed in, dropped from PostgreSQL after it."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.app import Site, create_site
from tabwright.installing import create_tenant, publish_folder
from tabwright.people import add_person, system_call
from tabwright.platform.settings import Settings
from tabwright.runtime.access import principals
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.desk import Call

POSTGRES = os.environ.get("TABWRIGHT_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/test")
PASSWORD = "benchmark password 1"
ADDRESS = "bench@example.com"


class Tenant:
    """One tenant on one database. ``env`` is what ``tabwright serve`` is started with, ``floor_url`` a
    database of the same kind for the floor, ``token`` and ``cookie`` are those of an administrator.
    """

    def __init__(self, database: str, home: Path, documents: Iterable[Mapping[str, Any]]) -> None:
        self.env = {"TABWRIGHT_HOME": str(home)}
        self.floor_url = f"sqlite:///{home / 'floor.db'}"
        if database == "postgresql":
            self.env |= {"TABWRIGHT_DATABASE_URL": POSTGRES, "TABWRIGHT_SCHEMA_PREFIX": "bench_"}
            self.floor_url = _sqlalchemy(POSTGRES)
        folder = home / "documents"
        for document in documents:
            path = folder / document["kind"] / f"{document['name']}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(document), "utf-8")
        self.site: Site = create_site(Settings.from_env(self.env))
        self.location = create_tenant(self.site, "bench", "Benchmark")
        publish_folder(self.site, self.location, folder, "benchmark")
        self.user = add_person(self.site, self.location, name="Bench", address=ADDRESS, password=PASSWORD,
                               sets=["administrator"], values={"language": "en"})  # fmt: skip
        self.token = self.site.tokens.create(self.location.id, self.user, "benchmark")
        identity = self.site.identities.find(ADDRESS)
        self.cookie = f"tw_session={self.site.sessions.start(identity, self.location.id, self.user)}"

    @property
    def call(self) -> Call:
        """The platform's own call."""
        return system_call(self.site, self.location)

    def call_of(self, user: UUID) -> Call:
        """A person's call."""
        tenant, site = self.site.tenancy.open(self.location), self.site
        with tenant.store.read() as reader:
            model, who = principals.arrive(tenant, reader, user, site.clock.now())
        return replace(self.call, principal=who, model=model, gate=Gate(model, who), cause="form")

    def close(self) -> None:
        """Do what is left to be done, and let go of the stores."""
        while self.site.runner.run_due(self.location):
            pass
        self.site.close()


@contextmanager
def home_for(database: str, floor: sa.MetaData) -> Iterator[Path]:
    """A folder for an installation; with it goes what was made on PostgreSQL, the floor's tables as well."""
    with tempfile.TemporaryDirectory() as home:
        try:
            yield Path(home)
        finally:
            if database == "postgresql":
                engine = sa.create_engine(_sqlalchemy(POSTGRES))
                floor.drop_all(engine)
                with engine.begin() as connection:
                    made = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'bench\\_%'"
                    for (name,) in connection.execute(sa.text(made)).all():
                        connection.execute(sa.schema.DropSchema(name, cascade=True))
                engine.dispose()


def hash_of(secret: str) -> str:
    """A token as the floor keeps it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _sqlalchemy(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://")
