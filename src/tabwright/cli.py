"""The ``tabwright`` command: processes and tenants here, the other groups in ``cli_*``.

Rooms are imported inside the commands, so that ``tabwright --help`` is quick.
"""

from __future__ import annotations

import sys

import click

from tabwright import __version__, cli_documents, cli_formula, cli_people
from tabwright.terminal import (
    LATER,
    REFUSED,
    Said,
    check_commands,
    language,
    open_site,
    reaches,
    says,
    settings,
    tell,
)

__all__ = ["LATER", "REFUSED", "main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tabwright")
def main() -> None:
    """Tabwright: a low-code, configurable CRM platform. Settings come from TABWRIGHT_* variables."""


# ---- processes ----------------------------------------------------------------------------------------


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--threads", default=4, show_default=True, type=click.IntRange(1, 64))
@click.option("--worker/--no-worker", default=True, show_default=True, help="Run jobs in this process too.")
@click.option("--allow-remote", is_flag=True, help="Listen beyond this machine; needs TABWRIGHT_BASE_URL.")
@says
@reaches("installation")
def serve(host: str, port: int, threads: int, worker: bool, allow_remote: bool) -> None:
    """Serve pages and the API."""
    from tabwright import first, serving
    from tabwright.platform.settings import is_loopback

    serving.check_host(host, settings(), allow_remote)
    if not is_loopback(host):
        first.check_served(open_site())
    serving.with_few_arenas(sys.argv[1:])
    tell(serving.greeting(host, port, worker, settings(), language()))
    serving.serve(host, port, threads, worker)


@main.command()
@click.option("--threads", default=2, show_default=True, type=click.IntRange(1, 64))
@says
@reaches("installation")
def worker(threads: int) -> None:
    """Run jobs, in a process of their own."""
    from tabwright import serving

    serving.with_few_arenas(sys.argv[1:])
    tell(serving.working_greeting(threads, settings(), language()))
    serving.work(settings(), threads)


@main.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--template", default="crm", show_default=True)
@click.option("--serve/--no-serve", "serves", default=True, help="Only make the data.")
@says
@reaches("installation")
def demo(port: int, template: str, serves: bool) -> Said | None:
    """Make the demo tenant once and serve it on this machine."""
    from tabwright import demo as demos
    from tabwright import serving
    from tabwright.app import create_site

    site = create_site(settings())
    try:
        sign_ins = demos.prepare(site, template, tell)
    finally:
        site.close()
    address = f"http://127.0.0.1:{port}/"
    lines = [address, *(f"  {each.address:<32} {each.password}   {each.what}" for each in sign_ins)]
    data = {
        "address": address,
        "tenant": demos.SLUG,
        "users": [
            {"address": each.address, "password": each.password, "what": each.what} for each in sign_ins
        ],
    }
    if not serves:
        return Said(lines, data)
    click.echo("\n".join(lines))
    # A process that has made nothing yet, and so holds nothing.
    serving.become(["serve", "--port", str(port)])


# ---- tenants ------------------------------------------------------------------------------------------


@main.group()
def tenant() -> None:
    """Make, list and remove tenants."""


@tenant.command("create")
@click.argument("slug")
@click.option("--name", help="What people call it; else the slug.")
@says
@reaches("tenant")
def tenant_create(slug: str, name: str | None) -> Said:
    """Make a tenant with the built-in package as its first release."""
    from tabwright.installing import create_tenant

    location = create_tenant(open_site(), slug, name or slug)
    return Said([f"{slug} {location.id}"], {"slug": slug, "id": location.id.hex})


@tenant.command("list")
@says
@reaches("installation")
def tenant_list() -> Said:
    """Every tenant, deleted ones too."""
    found = open_site().tenants.list()
    lines = [f"{each.slug:<24} {each.state:<8} {each.name}" for each in found]
    data = [
        {
            "slug": each.slug,
            "id": each.id.hex,
            "name": each.name,
            "state": each.state,
            "created_at": each.created_at.isoformat(),
        }
        for each in found
    ]
    return Said(lines, data)


@tenant.command("delete")
@click.argument("slug")
@click.option("--now", is_flag=True, help="Remove everything at once, for good.")
@says
@reaches("tenant")
def tenant_delete(slug: str, now: bool) -> Said:
    """Make a tenant unreachable; its data are kept for a while (TABWRIGHT_LIMIT_TENANT_KEEP_DAYS)."""
    tenants = open_site().tenants
    if now:
        tenants.purge(slug)
        return Said([f"{slug}: removed"], {"slug": slug, "state": "removed"})
    until = tenants.delete(slug)
    return Said(
        [f"{slug}: deleted, kept until {until:%Y-%m-%d}"],
        {"slug": slug, "state": "deleted", "kept_until": until.isoformat()},
    )


@tenant.command("restore")
@click.argument("slug")
@says
@reaches("tenant")
def tenant_restore(slug: str) -> Said:
    """Bring a deleted tenant back."""
    open_site().tenants.restore(slug)
    return Said([f"{slug}: active"], {"slug": slug, "state": "active"})


@tenant.command("upgrade")
@click.argument("slug", required=False)
@says
@reaches("installation")
def tenant_upgrade(slug: str | None) -> Said:
    """Bring the stores to the version of this program: the control store, then one tenant or all."""
    from tabwright.app import create_site, on_connect
    from tabwright.platform import versions
    from tabwright.platform.clock import SystemClock, SystemIds
    from tabwright.platform.database import Stores
    from tabwright.platform.errors import NotFound
    from tabwright.platform.tenants import Tenants
    from tabwright.runtime.publishing.searching import reindex_all

    stores = Stores(settings(), on_connect)
    stores.make_control()
    taken = {"control": versions.upgrade(stores.control, "control")}
    clock = SystemClock()
    found = [each for each in Tenants(stores, clock, SystemIds(clock)).list() if slug in (None, each.slug)]
    if slug and not found:
        raise NotFound.of("tenant.not_found", tenant=slug)
    for each in found:
        taken[each.slug] = versions.upgrade(stores.tenant(each.location), "tenant")
    stores.close()
    site = create_site(settings())
    for each in found:
        if 2 in taken[each.slug]:  # which threw the old search rows away
            reindex_all(site.tenancy.open(each.location))
    site.close()
    lines = [f"{name}: {', '.join(map(str, steps)) or 'up to date'}" for name, steps in taken.items()]
    return Said(lines, taken)


@tenant.command("recompute")
@click.argument("slug")
@click.argument("field", required=False)
@says
@reaches("tenant")
def tenant_recompute(slug: str, field: str | None) -> Said:
    """Work out stored formulas and roll-ups again (FIELD: an object, or object.field) and say how many
    values differed.
    """
    from tabwright.runtime.publishing.recomputing import in_turn, recompute

    site = open_site()
    found = site.tenancy.open(site.tenants.get(slug))
    model = found.at_release()
    object, _, name = (field or "").partition(".")
    drifts = recompute(
        found, model, in_turn(model, object or None, name or None), site.clock.now(),
        lambda drift: tell(f"{drift.field.path}: {drift.differed} / {drift.records}"),
    )  # fmt: skip
    total = sum(each.differed for each in drifts)
    data = {each.field.path: {"records": each.records, "differed": each.differed} for each in drifts}
    return Said([f"{total} values differed"], data)


for group in (*cli_people.COMMANDS, *cli_documents.COMMANDS, cli_formula.formula):
    main.add_command(group)
check_commands(main)
