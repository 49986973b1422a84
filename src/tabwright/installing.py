"""New tenants and packages: documents onto the release in force, by the publishing that everybody uses."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tabwright.app import Site
from tabwright.metadata import documents
from tabwright.metadata.documents import Component
from tabwright.metadata.packages import (
    Package,
    base_package,
    check_package,
    components_to_install,
    read_package,
)
from tabwright.metadata.tree import Tree
from tabwright.platform.errors import Invalid, Place
from tabwright.platform.tenants import TenantLocation
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.publishing.engine import Published
from tabwright.runtime.publishing.service import Publishing, bootstrap

TEMPLATES = Path(__file__).parent / "templates"


def create_tenant(site: Site, slug: str, name: str) -> TenantLocation:
    """A new tenant with its first release, the built-in package. Raises Invalid, Conflict."""

    def first_release(location: TenantLocation) -> None:
        bootstrap(site.stores.tenant(location), site.jobs, site.clock, site.ids, site.releases.stored)

    return site.tenants.create(slug, name, first_release)


def publish_folder(site: Site, location: TenantLocation, folder: Path, note: str) -> Published | None:
    """Publish the documents of a folder on top of what is in force; None when nothing differs."""
    found, faults = documents.read_folder(folder)
    if faults:
        raise Invalid(faults)
    if not found:
        raise Invalid.of("cli.no_documents", Place(component=folder.name), folder=str(folder))
    number, tree = _in_force(site, location)
    return _publish(site, location, number, tree, [x for x in found if tree.by_uid(x.uid) != x], note)


def install_package(site: Site, location: TenantLocation, folder: Path) -> Published | None:
    """Install or upgrade a package; None when the tenant has it just so. Raises Invalid, Conflict."""
    package = read_package(folder)
    number, tree = _in_force(site, location)
    check_package(package, tree)
    changed = components_to_install(package, tree)
    return _publish(site, location, number, tree, changed, f"{package.name} {package.version}")


def check_folder(folder: Path) -> Package:
    """The package in a folder, checked on top of the built-in one. Raises NotFound, Invalid, Conflict."""
    package = read_package(folder)
    check_package(package, Tree.of(base_package().components))
    return package


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
