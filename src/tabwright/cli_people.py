"""The commands ``tabwright user`` and ``tabwright token``."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from tabwright.terminal import TENANT, Said, open_site, reaches, says

if TYPE_CHECKING:
    from tabwright.people import Person


@click.group()
def user() -> None:
    """Make, list and switch off users of a tenant."""


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
@TENANT
@click.option("--name", help="What colleagues call the person; else the address.")
@click.option("--set", "sets", multiple=True, help="A permission set, by name; may be repeated.")
@click.option("--language", "spoken", type=click.Choice(["zh", "en"]))
@_PASSWORD
@says
@reaches("tenant")
def user_create(
    address: str, slug: str, name: str | None, sets: tuple[str, ...], spoken: str | None, password_stdin: bool
) -> Said:
    """Make a user who signs in with ADDRESS."""
    from tabwright.people import add_person

    site = open_site()
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
@TENANT
@says
@reaches("tenant")
def user_list(slug: str) -> Said:
    """Every user of a tenant with the permission sets held."""
    from tabwright.people import people

    site = open_site()
    found = people(site, site.tenants.get(slug))
    lines = [
        f"{each.address:<36} {'' if each.active else '(off) '}{each.name}  {', '.join(each.sets)}"
        for each in found
    ]
    return Said(lines, [_person(each) for each in found])


@user.command("password")
@click.argument("user_name", metavar="USER")
@TENANT
@_PASSWORD
@says
@reaches("tenant")
def user_password(user_name: str, slug: str, password_stdin: bool) -> Said:
    """Give a user (address or name) a new password; every session ends."""
    from tabwright.people import find_person, set_password

    site = open_site()
    person = find_person(site, site.tenants.get(slug), user_name)
    password, made = _password(password_stdin)
    set_password(site, person, password)
    data = {"address": person.address, **({"password": password} if made else {})}
    return Said([f"{person.address} {password}" if made else person.address], data)


def _switch(user_name: str, slug: str, active: bool) -> Said:
    from tabwright.people import find_person, set_active

    site = open_site()
    location = site.tenants.get(slug)
    person = find_person(site, location, user_name)
    set_active(site, location, person, active)
    word = "active" if active else "off"
    return Said([f"{person.address}: {word}"], {"address": person.address, "active": active})


@user.command("deactivate")
@click.argument("user_name", metavar="USER")
@TENANT
@says
@reaches("tenant")
def user_deactivate(user_name: str, slug: str) -> Said:
    """Switch a user off in a tenant: sessions and tokens stop with the next request."""
    return _switch(user_name, slug, False)


@user.command("activate")
@click.argument("user_name", metavar="USER")
@TENANT
@says
@reaches("tenant")
def user_activate(user_name: str, slug: str) -> Said:
    """Switch a user on again."""
    return _switch(user_name, slug, True)


@click.group()
def token() -> None:
    """API tokens of users."""


@token.command("create")
@TENANT
@click.option("--user", "user_name", required=True, help="Address or name of the user.")
@click.option("--name", default="command line", show_default=True, help="What the token is for.")
@click.option("--days", type=click.IntRange(1, 3650), help="How long it lives; else as long as allowed.")
@click.option("--scope", help='JSON that narrows it: {"objects": {"account": ["read"]}}')
@says
@reaches("tenant")
def token_create(slug: str, user_name: str, name: str, days: int | None, scope: str | None) -> Said:
    """Make a token; its secret is shown this once."""
    from datetime import timedelta

    from tabwright.people import find_person

    site = open_site()
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
@TENANT
@says
@reaches("tenant")
def token_list(slug: str) -> Said:
    """The tokens of a tenant, without their secrets."""
    from tabwright.people import people

    site = open_site()
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
@TENANT
@says
@reaches("tenant")
def token_revoke(id: Any, slug: str) -> Said:
    """End a token now."""
    site = open_site()
    site.tokens.revoke(site.tenants.get(slug).id, id)
    return Said([f"{id.hex}: revoked"], {"id": id.hex, "state": "revoked"})


COMMANDS: tuple[click.Command, ...] = (user, token)
