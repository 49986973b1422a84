"""The one place that knows every room: what an installation is made of, and its Flask application."""

from __future__ import annotations

import atexit
import gc
import os
import threading
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from flask import Flask, Response

from tabwright import __version__, first, logs
from tabwright.admin_ui import replacing
from tabwright.admin_ui import views as studio
from tabwright.admin_ui.packages import sampling
from tabwright.formula import pinyin
from tabwright.formula import sqlite as formula_sqlite
from tabwright.metadata.compiler import compile_tree
from tabwright.metadata.model import Model
from tabwright.platform import versions
from tabwright.platform.clock import Clock, Ids, SystemClock, SystemIds
from tabwright.platform.database import Stores
from tabwright.platform.factors import SecondFactors
from tabwright.platform.identities import Identities
from tabwright.platform.jobs import Jobs
from tabwright.platform.mail import Post, post_of
from tabwright.platform.memberships import Memberships
from tabwright.platform.runner import Runner
from tabwright.platform.settings import Settings
from tabwright.platform.signin import Sessions, Tokens
from tabwright.platform.static_files import static_files
from tabwright.platform.tables import DialectName
from tabwright.platform.tenants import TenantLocation, Tenants
from tabwright.platform.tickets import Tickets
from tabwright.platform.web import Web, check_policies, policy
from tabwright.runtime import api
from tabwright.runtime.access import members, people, share_rows
from tabwright.runtime.bulk import working as bulk
from tabwright.runtime.comments import keeping as comments
from tabwright.runtime.desk import Tenancy
from tabwright.runtime.exchange.imports import register as register_imports
from tabwright.runtime.exporting import service as exporting
from tabwright.runtime.filing import sweeping
from tabwright.runtime.grants import warning
from tabwright.runtime.journal import sealer
from tabwright.runtime.pages import imports as import_pages
from tabwright.runtime.pages import views as pages
from tabwright.runtime.pages.world import Desk
from tabwright.runtime.people import letters
from tabwright.runtime.personal import telling
from tabwright.runtime.publishing import recomputing
from tabwright.runtime.publishing.releases import CompiledReleases
from tabwright.runtime.publishing.service import Publishing, bootstrap, register_jobs
from tabwright.runtime.records import recycling

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"


@dataclass(frozen=True, slots=True)
class Site:
    """One installation in this process: everything that rooms may ask the doorway for."""

    settings: Settings
    clock: Clock
    ids: Ids
    stores: Stores
    tenants: Tenants
    identities: Identities
    memberships: Memberships
    sessions: Sessions
    tokens: Tokens
    tickets: Tickets
    factors: SecondFactors
    post: Post | None  # what sends mail; None: nothing does
    jobs: Jobs
    runner: Runner
    releases: CompiledReleases
    tenancy: Tenancy
    program: str = __version__
    templates: Path = TEMPLATES

    def make_tenant(self, slug: str, name: str) -> TenantLocation:
        """A new tenant with its first release, the built-in package. Raises Invalid, Conflict."""

        def first_release(location: TenantLocation) -> None:
            store = self.stores.tenant(location)
            bootstrap(store, self.jobs, self.clock, self.ids, self.releases.stored)

        return self.tenants.create(slug, name, first_release)

    def close(self) -> None:
        """Give every connection back."""
        self.runner.close()
        self.stores.close()


def create_site(
    settings: Settings,
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    hasher: PasswordHasher | None = None,
    post: Post | None = None,
) -> Site:
    """Open an installation; at the first start its control store is made.

    Tests give a clock, ids, a quick hasher and what takes mail.
    """
    clock = clock or SystemClock()
    ids = ids or SystemIds(clock)
    limits = settings.limits
    stores = Stores(settings, on_connect)
    control = versions.open_control(stores)
    tenants = Tenants(stores, clock, ids)
    jobs = Jobs(clock, ids, timedelta(seconds=limits.lease_seconds))
    releases = CompiledReleases()
    tenancy = Tenancy(stores, releases, jobs)
    site = Site(
        settings=settings,
        clock=clock,
        ids=ids,
        stores=stores,
        tenants=tenants,
        identities=Identities(control, clock, ids, limits, hasher),
        memberships=Memberships(control),
        sessions=Sessions(control, clock, limits),
        tokens=Tokens(control, clock, ids, limits),
        tickets=Tickets(control, clock, ids, settings.secret),
        factors=SecondFactors(control, clock, limits, tenancy.keys),
        post=post or post_of(settings, clock),
        jobs=jobs,
        runner=Runner(jobs, stores, tenants, clock),
        releases=releases,
        tenancy=tenancy,
    )
    sealer.register(jobs, clock)
    register_jobs(site.tenancy, releases, clock, ids)
    recomputing.register(jobs, site.tenancy, clock, ids)
    recycling.register(jobs, site.tenancy, clock, ids)
    comments.register(site.tenancy)
    replacing.register_jobs(jobs, site.tenancy, clock, ids)
    sampling.register_jobs(jobs, site.tenancy, releases, clock, ids)
    exporting.register(jobs, site.tenancy, clock, ids)
    bulk.register(jobs, site.tenancy, clock, ids)
    members.register(jobs, site.tenancy, site.memberships, clock)
    letters.register(jobs, site)
    warning.register(jobs, site.tenancy, clock)
    telling.register(jobs, site.tenancy, clock, limits.notice_days)
    people.register(site.tenancy.hooks)
    share_rows.register(site.tenancy.hooks)
    sweeping.register(jobs, site.tenancy, clock)
    register_imports(jobs, site.tenancy, clock, ids, settings.limits.import_file_days)
    return site


def on_connect(connection: Any, dialect: DialectName) -> None:
    """What each new connection needs: the functions of formulas on SQLite."""
    if dialect == "sqlite":
        formula_sqlite.register(connection)


def create_app(site: Site) -> Flask:
    """The WSGI application of a site. Raises RuntimeError for a route without a policy."""
    app = Flask(__name__, static_folder=None)
    Web(app, site.settings, site.ids, site.sessions, site.tokens)
    static_files(app, "/static/pages", HERE / "runtime" / "pages" / "static")
    static_files(app, "/static", HERE / "platform" / "static")

    @app.get("/health")
    @policy("public")
    def health() -> Response:
        versions.check(site.stores.control, "control")
        return Response(f'{{"status":"ok","version":"{__version__}"}}', content_type="application/json")

    api.register(app, site)
    pages.register(app, site, lambda desk: _draft_of(site, desk))
    import_pages.register(app, site)
    studio.register(app, site)
    first.register(app, site)
    check_policies(app)
    return app


def _draft_of(site: Site, desk: Desk) -> Model | None:
    """The compiled model of a person's draft; None when it changes nothing. Raises Invalid, Conflict."""
    tenant, author = desk.call.tenant, desk.call.principal.user_id
    with tenant.store.read() as reader:
        draft = Publishing(tenant, site.releases, site.clock, site.ids).drafts.get(reader, author)
    if draft.is_empty:
        return None
    draft.require_mergeable()
    return compile_tree(draft.tree, release=draft.release, previous=desk.call.model)


def application() -> Flask:
    """What a WSGI server calls: the application, by the environment."""
    return create_app(_started())


def application_with_worker() -> Flask:
    """The same, with a thread that runs the jobs: the embedded default."""
    site = _started()
    stop = threading.Event()
    thread = threading.Thread(
        target=site.runner.run_forever, args=(stop,), name="tabwright-jobs", daemon=True
    )
    thread.start()

    def end() -> None:
        stop.set()
        site.runner.ring()
        thread.join(timeout=10)

    atexit.register(end)
    return create_app(site)


def _started() -> Site:
    logs.configure()
    site = create_site(Settings.from_env(os.environ))
    first.prepare(site)
    # What stands now stands until the end: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    threading.Thread(target=pinyin.warm, name="tabwright-pinyin", daemon=True).start()
    return site
