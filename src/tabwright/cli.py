"""The ``tabwright`` command: ``--json`` everywhere; it ends with 0 done, 1 refused, 2 wrong usage, 3 later.

Rooms are imported inside the commands, so that ``tabwright --help`` is quick.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tabwright import __version__
from tabwright.platform.errors import StorageFull, TabwrightError, Unavailable
from tabwright.platform.language import Language, choose_language, register_messages, say_fault
from tabwright.platform.settings import Settings

if TYPE_CHECKING:
    from tabwright.app import Site
    from tabwright.people import Person
    from tabwright.runtime.publishing.engine import Published

register_messages(Path(__file__).with_name("messages.json"))

REFUSED, LATER = 1, 3


@dataclass(frozen=True, slots=True)
class Said:
    """What a command has to say: lines for a person, a value for ``--json``."""

    lines: Sequence[str]
    data: Any


def language() -> Language:
    """The language of the terminal."""
    return choose_language((os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG")), None, "en")


def says(command: Callable[..., Said | None]) -> Callable[..., None]:
    """Give a command ``--json``, print what it says, and turn our errors into words and exit codes."""

    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @wraps(command)
    def run(*args: Any, as_json: bool, **kwargs: Any) -> None:
        try:
            said = command(*args, **kwargs)
        except TabwrightError as error:
            _tell_error(error, as_json)
            sys.exit(LATER if isinstance(error, (Unavailable, StorageFull)) else REFUSED)
        if said is None:
            return
        if as_json:
            click.echo(json.dumps(said.data, ensure_ascii=False, indent=2, default=str))
        else:
            for line in said.lines:
                click.echo(line)

    return run


def _tell_error(error: TabwrightError, as_json: bool) -> None:
    spoken = language()
    faults = [
        {"code": each.code, "message": say_fault(each, spoken), **each.place.known()} for each in error.faults
    ]
    if as_json:
        click.echo(json.dumps({"error": error.code, "faults": faults}, ensure_ascii=False, indent=2))
        return
    for fault in faults:
        place = ", ".join(f"{k} {v}" for k, v in fault.items() if k not in ("code", "message"))
        click.echo(f"{fault['message']}" + (f" [{place}]" if place else ""), err=True)


def _settings() -> Settings:
    return Settings.from_env(os.environ)


def _site() -> Site:
    from tabwright.app import create_site

    site = create_site(_settings())
    click.get_current_context().call_on_close(site.close)
    return site


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
def serve(host: str, port: int, threads: int, worker: bool, allow_remote: bool) -> None:
    """Serve pages and the API."""
    from tabwright import serving

    serving.check_host(host, _settings(), allow_remote)
    serving.with_few_arenas(sys.argv[1:])
    serving.serve(host, port, threads, worker)


@main.command()
@click.option("--threads", default=2, show_default=True, type=click.IntRange(1, 64))
@says
def worker(threads: int) -> None:
    """Run jobs, in a process of their own."""
    from tabwright import serving

    serving.with_few_arenas(sys.argv[1:])
    serving.work(_settings(), threads)


@main.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--template", default="crm", show_default=True)
@click.option("--serve/--no-serve", "serves", default=True, help="Only make the data.")
@says
def demo(port: int, template: str, serves: bool) -> Said | None:
    """Make the demo tenant once and serve it on this machine."""
    from tabwright import demo as demos
    from tabwright import serving
    from tabwright.app import create_site

    site = create_site(_settings())
    try:
        sign_ins = demos.prepare(site, template, lambda line: click.echo(line, err=True))
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
def tenant_create(slug: str, name: str | None) -> Said:
    """Make a tenant with the built-in package as its first release."""
    from tabwright.installing import create_tenant

    location = create_tenant(_site(), slug, name or slug)
    return Said([f"{slug} {location.id}"], {"slug": slug, "id": location.id.hex})


@tenant.command("list")
@says
def tenant_list() -> Said:
    """Every tenant, deleted ones too."""
    found = _site().tenants.list()
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
def tenant_delete(slug: str, now: bool) -> Said:
    """Make a tenant unreachable; its data are kept for a while (TABWRIGHT_LIMIT_TENANT_KEEP_DAYS)."""
    tenants = _site().tenants
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
def tenant_restore(slug: str) -> Said:
    """Bring a deleted tenant back."""
    _site().tenants.restore(slug)
    return Said([f"{slug}: active"], {"slug": slug, "state": "active"})


@tenant.command("upgrade")
@click.argument("slug", required=False)
@says
def tenant_upgrade(slug: str | None) -> Said:
    """Bring the stores to the version of this program: the control store, then one tenant or all."""
    from tabwright.platform import versions
    from tabwright.platform.clock import SystemClock, SystemIds
    from tabwright.platform.database import Stores
    from tabwright.platform.errors import NotFound
    from tabwright.platform.tenants import Tenants

    stores = Stores(_settings())
    stores.make_control()
    taken = {"control": versions.upgrade(stores.control, "control")}
    clock = SystemClock()
    found = [each for each in Tenants(stores, clock, SystemIds(clock)).list() if slug in (None, each.slug)]
    if slug and not found:
        raise NotFound.of("tenant.not_found", tenant=slug)
    for each in found:
        taken[each.slug] = versions.upgrade(stores.tenant(each.location), "tenant")
    stores.close()
    lines = [f"{name}: {', '.join(map(str, steps)) or 'up to date'}" for name, steps in taken.items()]
    return Said(lines, taken)


# ---- people -------------------------------------------------------------------------------------------


@main.group()
def user() -> None:
    """Make, list and switch off users of a tenant."""


_TENANT = click.option("--tenant", "slug", required=True, help="The tenant's slug.")
_PASSWORD = click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from standard input; else one is made and shown.",
)


def _password(from_stdin: bool) -> tuple[str, bool]:
    import secrets

    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n"), False
    return secrets.token_urlsafe(12), True


def _person(each: Person) -> dict[str, Any]:
    return {
        "id": each.id.hex,
        "name": each.name,
        "address": each.address,
        "active": each.active,
        "permission_sets": list(each.sets),
    }


@user.command("create")
@click.argument("address")
@_TENANT
@click.option("--name", help="What colleagues call the person; else the address.")
@click.option("--set", "sets", multiple=True, help="A permission set, by name; may be repeated.")
@click.option("--language", "spoken", type=click.Choice(["zh", "en"]))
@_PASSWORD
@says
def user_create(
    address: str, slug: str, name: str | None, sets: tuple[str, ...], spoken: str | None, password_stdin: bool
) -> Said:
    """Make a user who signs in with ADDRESS."""
    from tabwright.people import add_person

    site = _site()
    password, made = _password(password_stdin)
    values = {"language": spoken} if spoken else {}
    location = site.tenants.get(slug)
    id = add_person(
        site, location, name=name or address, address=address, password=password, sets=sets, values=values
    )
    data: dict[str, Any] = {"id": id.hex, "address": address, "permission_sets": list(sets)}
    if made:
        data["password"] = password
    return Said([f"{address} {password}" if made else address], data)


@user.command("list")
@_TENANT
@says
def user_list(slug: str) -> Said:
    """Every user of a tenant with the permission sets held."""
    from tabwright.people import people

    site = _site()
    found = people(site, site.tenants.get(slug))
    lines = [
        f"{each.address:<36} {'' if each.active else '(off) '}{each.name}  {', '.join(each.sets)}"
        for each in found
    ]
    return Said(lines, [_person(each) for each in found])


@user.command("password")
@click.argument("user_name", metavar="USER")
@_TENANT
@_PASSWORD
@says
def user_password(user_name: str, slug: str, password_stdin: bool) -> Said:
    """Give a user (address or name) a new password; every session ends."""
    from tabwright.people import find_person, set_password

    site = _site()
    person = find_person(site, site.tenants.get(slug), user_name)
    password, made = _password(password_stdin)
    set_password(site, person, password)
    data = {"address": person.address, **({"password": password} if made else {})}
    return Said([f"{person.address} {password}" if made else person.address], data)


def _switch(user_name: str, slug: str, active: bool) -> Said:
    from tabwright.people import find_person, set_active

    site = _site()
    location = site.tenants.get(slug)
    person = find_person(site, location, user_name)
    set_active(site, location, person, active)
    word = "active" if active else "off"
    return Said([f"{person.address}: {word}"], {"address": person.address, "active": active})


@user.command("deactivate")
@click.argument("user_name", metavar="USER")
@_TENANT
@says
def user_deactivate(user_name: str, slug: str) -> Said:
    """Switch a user off in a tenant: sessions and tokens stop with the next request."""
    return _switch(user_name, slug, False)


@user.command("activate")
@click.argument("user_name", metavar="USER")
@_TENANT
@says
def user_activate(user_name: str, slug: str) -> Said:
    """Switch a user on again."""
    return _switch(user_name, slug, True)


@main.group()
def token() -> None:
    """API tokens of users."""


@token.command("create")
@_TENANT
@click.option("--user", "user_name", required=True, help="Address or name of the user.")
@click.option("--name", default="command line", show_default=True, help="What the token is for.")
@click.option("--days", type=click.IntRange(1, 3650), help="How long it lives; else as long as allowed.")
@click.option("--scope", help='JSON that narrows it: {"objects": {"account": ["read"]}}')
@says
def token_create(slug: str, user_name: str, name: str, days: int | None, scope: str | None) -> Said:
    """Make a token; its secret is shown this once."""
    from datetime import timedelta

    from tabwright.people import find_person

    site = _site()
    location = site.tenants.get(slug)
    person = find_person(site, location, user_name)
    expires: datetime | None = site.clock.now() + timedelta(days=days) if days else None
    secret = site.tokens.create(location.id, person.id, name, expires, _scope(scope))
    return Said([secret], {"token": secret, "name": name, "user": person.address})


def _scope(text: str | None) -> Any:
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--scope") from error
    if not isinstance(value, dict) or not set(value) <= {"objects", "system"}:
        raise click.BadParameter('{"objects": {...}, "system": [...]}', param_hint="--scope")
    return value


@token.command("list")
@_TENANT
@says
def token_list(slug: str) -> Said:
    """The tokens of a tenant, without their secrets."""
    from tabwright.people import people

    site = _site()
    location = site.tenants.get(slug)
    names = {each.id: each.address for each in people(site, location)}
    now = site.clock.now()
    rows = []
    for each in site.tokens.list(location.id):
        state = "revoked" if each.revoked_at else "expired" if each.expires_at <= now else "live"
        rows.append(
            {
                "id": each.id.hex,
                "name": each.name,
                "user": names.get(each.user_id, each.user_id.hex),
                "state": state,
                "expires_at": each.expires_at.isoformat(timespec="seconds"),
                "scope": each.scope,
            }
        )
    return Said([f"{r['id']} {r['state']:<8} {r['user']:<32} {r['name']}" for r in rows], rows)


@token.command("revoke")
@click.argument("id", type=click.UUID)
@_TENANT
@says
def token_revoke(id: Any, slug: str) -> Said:
    """End a token now."""
    site = _site()
    site.tokens.revoke(site.tenants.get(slug).id, id)
    return Said([f"{id.hex}: revoked"], {"id": id.hex, "state": "revoked"})


# ---- documents ----------------------------------------------------------------------------------------

_FOLDER = click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))


@main.command()
@_FOLDER
@_TENANT
@click.option("--note", default="", help="What the release is for.")
@says
def publish(folder: Path, slug: str, note: str) -> Said:
    """Publish the documents of FOLDER (<kind>/<name>.json) on top of the release in force."""
    from tabwright.installing import publish_folder

    site = _site()
    return _released(publish_folder(site, site.tenants.get(slug), folder, note or folder.name))


def _released(published: Published | None) -> Said:
    if published is None:
        return Said(["nothing differs"], {"release": None})
    if published.waiting is not None:
        line = f"release {published.release} stays until job {published.waiting} has prepared the next one"
        return Said([line], {"release": published.release, "waiting": published.waiting.hex})
    data = {"release": published.release, "jobs": [job.hex for job in published.jobs]}
    return Said([f"release {published.release}"], data)


@main.group()
def package() -> None:
    """Packages of documents."""


@package.command("check")
@_FOLDER
@says
def package_check(folder: Path) -> Said:
    """Read a package and compile it with the built-in one; every fault is told."""
    from tabwright.installing import check_folder

    found = check_folder(folder)
    count = len(found.components)
    data = {"name": found.name, "version": found.version, "components": count}
    return Said([f"{found.name} {found.version}: {count} components, no fault"], data)


@package.command("install")
@_FOLDER
@_TENANT
@says
def package_install(folder: Path, slug: str) -> Said:
    """Install or upgrade a package in a tenant, as one release."""
    from tabwright.installing import install_package

    site = _site()
    return _released(install_package(site, site.tenants.get(slug), folder))
