"""New tenants and packages: documents onto the release in force, by the publishing that everybody uses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from tabwright import __version__
from tabwright.app import TEMPLATES, Site
from tabwright.metadata import checking, pulling, schema
from tabwright.metadata.documents import Component
from tabwright.metadata.packages import (
    Package,
    belonging,
    files_in,
    package_of,
    read_documents,
    samples_of,
)
from tabwright.metadata.pulling import Pulled
from tabwright.metadata.tree import Tree
from tabwright.metadata.upgrading import Upgrade
from tabwright.people import system_call
from tabwright.platform.clock import Ids
from tabwright.platform.errors import Invalid, NotFound, Place
from tabwright.platform.tenants import TenantLocation
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.exchange.samples import Removed, load_all, remove_samples
from tabwright.runtime.publishing.engine import Published
from tabwright.runtime.publishing.packaging import Packaging
from tabwright.runtime.publishing.service import Plan, Publishing


def create_tenant(site: Site, slug: str, name: str) -> TenantLocation:
    """A new tenant with its first release, the built-in package. Raises Invalid, Conflict."""
    return site.make_tenant(slug, name)


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


def install_package(
    site: Site, location: TenantLocation, folder: Path, taken: Collection[str] = ()
) -> tuple[Published | None, Upgrade]:
    """Install or upgrade a package, and what became of each component; None when nothing differs.

    What the tenant changed stays but for components ``taken`` ("field/account.name", or "*"), of which the
    package's own documents are wanted. Raises NotFound, Invalid, Conflict.
    """
    packaging = packaging_of(site, location)
    id = packaging.offer(Principal.system(), files_in(folder))
    steps = packaging.propose(id).upgrade.steps
    known = {each.component.place: each.component.uid for each in steps}
    if unknown := sorted(set(taken) - {"*", *known}):
        raise NotFound.of("package.not_in_question", Place(component=unknown[0]), name=unknown[0])
    uids = {uid for place, uid in known.items() if "*" in taken or place in taken}
    found = packaging.propose(id, uids).upgrade
    return packaging.publish(Principal.system(), id, uids), found


def remove_package(site: Site, location: TenantLocation, name: str) -> Published:
    """Take every component of a package out of a tenant, as one release; its tables are kept for 30 days.

    Raises NotFound (``package.not_installed``), Conflict with every place where something else uses it.
    """
    return packaging_of(site, location).remove(Principal.system(), name)


def packaging_of(site: Site, location: TenantLocation) -> Packaging:
    """The packages of a tenant."""
    service = Publishing(site.tenancy.open(location), site.releases, site.clock, site.ids)
    return Packaging(service, site.clock, site.ids, site.program)


def load_samples_of(
    site: Site, location: TenantLocation, folder: Path, tell: Callable[[str, int], None]
) -> dict[str, int]:
    """Load the samples of a package that the tenant has; {object: how many}, or none of them.

    Raises Conflict, Invalid.
    """
    files = files_in(folder)
    package = package_of(files)
    call = system_call(site, location).because("import")
    return load_all(call, package.name, samples_of(package, files), tell)


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
