"""New tenants and packages: documents onto the release in force, by the publishing that everybody uses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from tabwright import __version__
from tabwright.app import Site
from tabwright.metadata import checking, pulling, schema
from tabwright.metadata.documents import Component
from tabwright.metadata.drafts import Delete
from tabwright.metadata.packages import (
    Package,
    base_package,
    belonging,
    check_package,
    components_to_install,
    missing_requirements,
    read_documents,
    read_package,
)
from tabwright.metadata.pulling import Pulled
from tabwright.metadata.tree import Tree
from tabwright.people import people, system_call
from tabwright.platform.clock import Ids
from tabwright.platform.errors import Conflict, Fault, Invalid, NotFound, Place
from tabwright.platform.tenants import TenantLocation
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.exchange.samples import Removed, load_samples, remove_samples
from tabwright.runtime.publishing.engine import Published
from tabwright.runtime.publishing.service import Plan, Publishing, bootstrap

TEMPLATES = Path(__file__).parent / "templates"


def create_tenant(site: Site, slug: str, name: str) -> TenantLocation:
    """A new tenant with its first release, the built-in package. Raises Invalid, Conflict."""

    def first_release(location: TenantLocation) -> None:
        bootstrap(site.stores.tenant(location), site.jobs, site.clock, site.ids, site.releases.stored)

    return site.tenants.create(slug, name, first_release)


def publish_folder(site: Site, location: TenantLocation, folder: Path, note: str) -> Published | None:
    """Publish the documents of a folder on top of what is in force; None when nothing differs."""
    number, tree = _in_force(site, location)
    return _publish(site, location, number, tree, _differing(folder, tree), note)


def preview_folder(site: Site, location: TenantLocation, folder: Path) -> Plan:
    """What ``publish_folder`` would do. Raises Invalid, Conflict."""
    number, tree = _in_force(site, location)
    service = Publishing(site.tenancy.open(location), site.releases, site.clock, site.ids)
    return service.preview_tree(tree.changed(_differing(folder, tree)), number)


def _differing(folder: Path, tree: Tree) -> list[Component]:
    """The folder's components that the tree has not, or not so."""
    found = read_documents(folder)
    if not found:
        raise Invalid.of("cli.no_documents", Place(component=folder.name), folder=str(folder))
    return [each for each in (belonging(one, tree) for one in found) if tree.by_uid(each.uid) != each]


def pull(
    site: Site, location: TenantLocation, folder: Path, package: str | None, kinds: Collection[str]
) -> Pulled:
    """Write a tenant's components into a folder (see ``pulling.write``); ``kinds`` empty: all kinds.

    Raises NotFound, Invalid, Conflict as ``pulling`` does.
    """
    wanted = set(kinds or schema.kinds())
    package = pulling.package_of(folder, package)
    number, tree = _in_force(site, location)

    def gone(uids: Collection[str]) -> Collection[str]:
        found: set[str] = set()
        with site.tenancy.open(location).store.read_long() as reader:
            for earlier in range(number - 1, 0, -1):
                if found == set(uids):
                    break
                before = site.releases.stored.tree(reader, earlier)
                found |= {uid for uid in uids if before.by_uid(uid) is not None}
        return found

    return pulling.write(folder, pulling.chosen(tree, package, wanted), wanted, tree, gone)


def install_package(site: Site, location: TenantLocation, folder: Path) -> Published | None:
    """Install or upgrade a package; None when the tenant has it just so. Raises Invalid, Conflict."""
    package = read_package(folder)
    number, tree = _in_force(site, location)
    if missing := list(missing_requirements(package, tree, __version__)):
        raise Conflict(missing)
    check_package(package, tree)
    changed = components_to_install(package, tree)
    return _publish(site, location, number, tree, changed, f"{package.name} {package.version}")


def remove_package(site: Site, location: TenantLocation, name: str) -> Published:
    """Take every component of a package out of a tenant, as one release; its tables are kept for 30 days.

    Raises NotFound (``package.not_installed``), Conflict with every place where something else uses it.
    """
    number, tree = _in_force(site, location)
    lost = [each for each in tree if each.body.get("package") == name]
    if not lost or name == base_package().name:
        raise NotFound.of("package.not_installed", package=name)
    uids = {each.uid for each in lost}
    others = [
        Fault(
            "component.in_use",
            {"kind": "object", "name": each.name, "user_kind": part.kind, "user": part.name},
            Place(component=part.place),
        )
        for each in lost
        if each.kind == "object"
        for part in tree.parts_of_object(each.name)
        if part.uid not in uids
    ]
    if others:
        raise Conflict(others)
    service = Publishing(site.tenancy.open(location), site.releases, site.clock, site.ids)
    without = service.drafts.applied(tree, [Delete(each.kind, each.name) for each in lost])
    return service.publish_tree(Principal.system(), without, number, note=f"- {name}")


def load_samples_of(
    site: Site, location: TenantLocation, folder: Path, tell: Callable[[str, int], None]
) -> dict[str, int]:
    """Load the samples of a package that the tenant has; {object: how many}, or none of them.

    They are owned in turn by the users who may create records. Raises Conflict, Invalid.
    """
    package = read_package(folder)
    call = system_call(site, location).because("import")
    making = {
        each.name
        for each in call.model.permission_sets.values()
        if any("create" in rights for rights in each.objects.values())
    }
    owners = [each.id for each in people(site, location) if each.active and making & set(each.sets)]
    if not owners:
        raise Conflict.of("cli.no_owner")
    try:
        return load_samples(call, package.name, folder / "samples", package.samples, owners, tell)
    except Invalid:
        with suppress(NotFound):
            remove_samples(call, package.name)
        raise


def remove_samples_of(
    site: Site, location: TenantLocation, package: str, tell: Callable[[str, int], None]
) -> Removed:
    """Take the samples of a package back. Raises NotFound."""
    return remove_samples(system_call(site, location).because("import"), package, tell)


def check_folder(folder: Path, beside: Sequence[Path] = ()) -> Package:
    """The package in a folder, checked as an installation would. Raises NotFound, Invalid with all faults."""
    found = checking.check(folder, __version__, [*beside, folder.parent, TEMPLATES])
    if found.package is None:
        raise NotFound.of("package.not_found", Place(component=folder.name), folder=folder.name)
    return found.package


def validate_folder(folder: Path, beside: Sequence[Path] = ()) -> int:
    """Check a folder of components, a package's or loose ones; how many. Raises Invalid with all faults."""
    found = checking.check(folder, __version__, [*beside, folder.parent, TEMPLATES])
    if not found.components:
        raise Invalid.of("cli.no_documents", Place(component=folder.name), folder=str(folder))
    return len(found.components)


def fix_uids(folder: Path, ids: Ids) -> list[Path]:
    """Write a new uid into every component of a folder that has none; the files that were written."""
    found = checking.without_uid(folder)
    for path in found:
        checking.give_uid(path, ids.new().hex)
    return found


def _in_force(site: Site, location: TenantLocation) -> tuple[int, Tree]:
    with site.tenancy.open(location).store.read() as reader:
        number = site.releases.current(reader)
        return number, site.releases.stored.tree(reader, number)


def _publish(
    site: Site, location: TenantLocation, number: int, tree: Tree, changed: Iterable[Component], note: str
) -> Published | None:
    components = tuple(changed)
    if not components:
        return None
    service = Publishing(site.tenancy.open(location), site.releases, site.clock, site.ids)
    return service.publish_tree(Principal.system(), tree.changed(components), number, note=note)
