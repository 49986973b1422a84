"""``make demo``: one tenant from a template with its sample data and a person for every permission set."""

from __future__ import annotations

import csv
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from tabwright.app import TEMPLATES, Site
from tabwright.installing import create_tenant, install_package
from tabwright.metadata.model import PermissionSetDef, label_in
from tabwright.metadata.packages import files_in, read_package, samples_of
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
    sign_ins, owners = _people(site, location, folder / "samples")
    call = system_call(site, location).because("import")
    counts = load_samples(call, package.name, samples_of(package, files_in(folder)), owners)
    tell(", ".join(f"{count} {name}" for name, count in counts.items()))
    _write(file, sign_ins)
    return sign_ins


@dataclass(frozen=True, slots=True)
class Sample:
    """A person of the template's ``samples/people.csv``."""

    name: str
    address: str
    language: str
    permission_set: str


def _people(site: Site, location: TenantLocation, folder: Path) -> tuple[list[SignIn], list[UUID]]:
    """The template's people, and one for every permission set that none of them holds.

    Those who may make records will own the samples.
    """
    call = system_call(site, location)
    sets = {each.name: each for each in call.model.permission_sets.values()}
    sign_ins, owners = [], []
    for person in _samples(folder / "people.csv", sets, site.settings.language):
        held = sets[person.permission_set]
        password = "".join(secrets.choice(_ALPHABET) for _ in range(14))
        try:
            # Left over from a tenant that was thrown away: nobody knows its password any more.
            identity = site.identities.find(person.address)
            site.identities.set_password(identity.id, password)
        except NotFound:
            pass
        user = add_person(
            site,
            location,
            name=person.name,
            address=person.address,
            password=password,
            sets=(held.name,),
            values={"language": person.language},
        )
        if any("create" in rights for rights in held.objects.values()):
            owners.append(user)
        what = label_in(held.labels, site.settings.language)
        sign_ins.append(SignIn(person.address, password, f"{person.name}, {what}"))
    if not owners:
        raise Conflict.of("cli.no_owner")
    return sign_ins, owners


def _samples(file: Path, sets: Mapping[str, PermissionSetDef], language: str) -> list[Sample]:
    found = []
    if file.is_file():
        with file.open(encoding="utf-8", newline="") as rows:
            found = [Sample(**row) for row in csv.DictReader(rows)]
    missing = sorted(sets.keys() - {each.permission_set for each in found})
    return found + [
        Sample(label_in(sets[name].labels, language), f"{name.replace('_', '.')}@example.com", language, name)
        for name in missing
    ]


def _write(file: Path, sign_ins: list[SignIn]) -> None:
    text = "".join(f"{each.address}\t{each.password}\t{each.what}\n" for each in sign_ins)
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    part.rename(file)


def _read(file: Path) -> list[SignIn]:
    return [SignIn(*line.split("\t")) for line in file.read_text("utf-8").splitlines() if line]
