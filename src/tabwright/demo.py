"""``make demo``: one tenant from a template with its sample data and a person for every permission set."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from tabwright.app import Site
from tabwright.installing import TEMPLATES, create_tenant, install_package
from tabwright.metadata.model import label_in
from tabwright.metadata.packages import read_package
from tabwright.people import add_person, system_call
from tabwright.platform.errors import Conflict, NotFound
from tabwright.platform.tenants import TenantLocation
from tabwright.runtime.exchange.samples import load_samples

SLUG = "demo"
NAMES = {"zh": "示例企业", "en": "Example company"}
USERS_FILE = "demo-users.txt"
_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that looks like another


@dataclass(frozen=True, slots=True)
class SignIn:
    """One who can sign in to the demo."""

    address: str
    password: str
    what: str  # what the person may do, in words


def prepare(site: Site, template: str, tell: Callable[[str], None]) -> list[SignIn]:
    """The sign-ins of the demo tenant, which is made when it is not there yet.

    A making that was cut off is thrown away and begun again: the file of sign-ins is written last.
    """
    file = site.settings.home / USERS_FILE
    try:
        site.tenants.get(SLUG)
        if file.is_file():
            return _read(file)
        site.tenants.purge(SLUG)
    except NotFound:
        pass
    folder = TEMPLATES / template
    package = read_package(folder)
    tell(f"making tenant {SLUG}: {package.name} {package.version}")
    location = create_tenant(site, SLUG, NAMES[site.settings.language])
    install_package(site, location, folder)
    sign_ins, owners = _people(site, location)
    call = system_call(site, location).because("import")
    counts = load_samples(call, folder / "samples", package.samples, owners)
    tell(", ".join(f"{count} {name}" for name, count in counts.items()))
    _write(file, sign_ins)
    return sign_ins


def _people(site: Site, location: TenantLocation) -> tuple[list[SignIn], list[UUID]]:
    """A person for every permission set of the release; those who may make records will own the samples."""
    call = system_call(site, location)
    sign_ins, owners = [], []
    for each in sorted(call.model.permission_sets.values(), key=lambda found: found.name):
        label = label_in(each.labels, site.settings.language)
        password = "".join(secrets.choice(_ALPHABET) for _ in range(14))
        address = f"{each.name.replace('_', '.')}@example.com"
        try:
            # Left over from a tenant that was thrown away: nobody knows its password any more.
            identity = site.identities.find(address)
            site.identities.set_password(identity.id, password)
        except NotFound:
            pass
        user = add_person(
            site,
            location,
            name=label,
            address=address,
            password=password,
            sets=(each.name,),
            values={"language": site.settings.language},
        )
        if any("create" in rights for rights in each.objects.values()):
            owners.append(user)
        sign_ins.append(SignIn(address, password, label))
    if not owners:
        raise Conflict.of("cli.no_owner")
    return sign_ins, owners


def _write(file: Path, sign_ins: list[SignIn]) -> None:
    text = "".join(f"{each.address}\t{each.password}\t{each.what}\n" for each in sign_ins)
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    part.rename(file)


def _read(file: Path) -> list[SignIn]:
    return [SignIn(*line.split("\t")) for line in file.read_text("utf-8").splitlines() if line]
