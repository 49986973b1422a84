"""Users made from outside a tenant: an identity in the control store, then a record in the tenant's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tabwright.platform.errors import Conflict, Fault, Invalid, NotFound, Place
from tabwright.platform.language import Language
from tabwright.platform.tenants import TenantLocation
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.desk import Call
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.service import Records

if TYPE_CHECKING:
    from tabwright.app import Site


@dataclass(frozen=True, slots=True)
class Person:
    """A user of a tenant. ``sets`` are names of permission sets."""

    id: UUID
    name: str
    address: str
    active: bool
    identity_id: UUID | None
    sets: tuple[str, ...]


def system_call(site: Site, location: TenantLocation, language: Language = "en") -> Call:
    """The platform's own call in a tenant: what the command line and the installer act as."""
    tenant = site.tenancy.open(location)
    model = tenant.at_release()
    return Call(
        tenant=tenant,
        principal=Principal.system(language, site.settings.zone),
        model=model,
        gate=Gate.system(model),
        clock=site.clock,
        ids=site.ids,
        language=language,
        zone=site.settings.zone,
        request_id=site.ids.new().hex,
        cause="system",
    )


def add_person(
    site: Site,
    location: TenantLocation,
    *,
    name: str,
    address: str,
    password: str,
    sets: Iterable[str] = (),
    values: Mapping[str, Any] | None = None,
) -> UUID:
    """A new user who signs in with ``address``; its id.

    An identity that exists already (a user of another tenant) is taken as it is, password and all; so is a
    user's record that nobody signs in as yet.
    Raises Invalid (identity, record, unknown permission set), Conflict where the address is a user's here.
    """
    call = system_call(site, location)
    uids = _uids_of(call, sets)
    try:
        identity_id = site.identities.create(address, password)
    except Conflict:
        identity_id = site.identities.find(address).id
    records = Records(call)
    given = {"name": name, "identity_id": identity_id.hex, **(values or {})}
    known = [each for each in people(site, location) if each.address.casefold() == address.strip().casefold()]
    if known and known[0].identity_id is None:  # made as a record, by an admin or an import
        user_id = known[0].id
        records.update("user", user_id, given)
    else:
        user_id = records.create("user", {"address": address, **given}).id
    for uid in uids:
        records.create("permission_assignment", {"user": str(user_id), "permission_set": uid})
    return user_id


def _uids_of(call: Call, sets: Iterable[str]) -> list[str]:
    by_name = call.model.grantable_uids
    unknown = [name for name in sets if name not in by_name]
    if unknown:
        raise Invalid(
            Fault("cli.permission_set", {"name": name, "known": ", ".join(sorted(by_name))})
            for name in unknown
        )
    return [by_name[name] for name in sets]


def people(site: Site, location: TenantLocation) -> list[Person]:
    """Every user of a tenant, by name."""
    call = system_call(site, location)
    names = {uid: each.name for uid, each in call.model.grantable.items()}
    held: dict[UUID, list[str]] = {}
    for row in _all(call, Query("permission_assignment", fields=("user", "permission_set"))):
        held.setdefault(row["user"], []).append(names.get(row["permission_set"], row["permission_set"]))
    fields = ("id", "name", "address", "active", "identity_id")
    return [
        Person(
            row["id"],
            row["name"] or "",
            row["address"] or "",
            bool(row["active"]),
            UUID(row["identity_id"]) if row["identity_id"] else None,
            tuple(sorted(held.get(row["id"], ()))),
        )
        for row in _all(call, Query("user", fields=fields, order=(("name", "asc"),)))
    ]


def _all(call: Call, query: Query) -> Iterable[Mapping[str, Any]]:
    reads = Reads(call)
    while True:
        page = reads.list(query)
        yield from page.rows
        if page.next_cursor is None:
            return
        query = replace(query, cursor=page.next_cursor)


def find_person(site: Site, location: TenantLocation, said: str) -> Person:
    """The user of that address, or of that name where only one has it. Raises NotFound, Conflict."""
    everybody = people(site, location)
    wanted = said.strip().casefold()
    found = [each for each in everybody if each.address.casefold() == wanted]
    found = found or [each for each in everybody if each.name.casefold() == wanted]
    if not found:
        raise NotFound.of("cli.no_user", Place(object="user"), user=said)
    if len(found) > 1:
        raise Conflict.of("cli.many_users", Place(object="user"), user=said)
    return found[0]


def set_password(site: Site, person: Person, password: str) -> None:
    """A new password; every session of the person ends. Raises Invalid, NotFound."""
    identity = _identity_of(person)
    site.identities.set_password(identity, password)
    site.sessions.end_all(identity)


def set_active(site: Site, location: TenantLocation, person: Person, active: bool) -> None:
    """Let a user into this tenant, or no more: sessions and tokens of theirs stop with the next request."""
    Records(system_call(site, location)).update("user", person.id, {"active": active})


def _identity_of(person: Person) -> UUID:
    if person.identity_id is None:
        raise NotFound.of("cli.no_identity", Place(object="user"), user=person.address or person.name)
    return person.identity_id
