"""The commands for components as files: check, compare, publish and pull them, and packages of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tabwright.platform.language import say_fault
from tabwright.terminal import FOLDER, TENANT, Said, language, open_site, reaches, saying, says, tell

if TYPE_CHECKING:
    from tabwright.metadata.upgrading import Step
    from tabwright.runtime.publishing.engine import Published

SAME, DIFFERS, FAULT = 0, 1, 2
_MARKS = {"added": "+", "removed": "-", "changed": "~"}


@click.command()
@FOLDER
@TENANT
@click.option("--note", default="", help="What the release is for.")
@says
@reaches("tenant")
def publish(folder: Path, slug: str, note: str) -> Said:
    """Publish the documents of FOLDER (<kind>/<name>.json) on top of the release in force."""
    from tabwright.installing import publish_folder

    site = open_site()
    return _released(publish_folder(site, site.tenants.get(slug), folder, note or folder.name))


def _released(published: Published | None) -> Said:
    if published is None:
        return Said(["nothing differs"], {"release": None})
    if published.waiting is not None:
        line = f"release {published.release} stays until job {published.waiting} has prepared the next one"
        return Said([line], {"release": published.release, "waiting": published.waiting.hex})
    data = {"release": published.release, "jobs": [job.hex for job in published.jobs]}
    return Said([f"release {published.release}"], data)


@click.command("diff")
@FOLDER
@TENANT
@saying(refused=FAULT)
@reaches("tenant")
def diff_(folder: Path, slug: str) -> Said:
    """Say what publishing FOLDER would do. Ends with 0 nothing, 1 something, 2 it cannot be published."""
    from tabwright.installing import preview_folder
    from tabwright.people import system_call
    from tabwright.runtime.api.metadata import plan_json

    site = open_site()
    location = site.tenants.get(slug)
    plan = preview_folder(site, location, folder)
    data = plan_json(system_call(site, location, language()), plan)
    code = FAULT if not plan.publishable else DIFFERS if plan.differences else SAME
    return Said(list(_lines_of_plan(data)), data, code)


def _lines_of_plan(plan: dict[str, Any]) -> Iterator[str]:
    for each in plan["changes"]:
        yield f"{_MARKS[each['action']]} {each['kind']}/{each['name']}"
        for one in each.get("properties", ()):
            yield f"    {one['pointer']}: {_short(one, 'old')} -> {_short(one, 'new')}"
    if not plan["changes"]:
        yield "nothing differs"
    for each in plan["operations"]:
        yield f"* {each['message']}"
    for each in plan["consequences"]:
        yield f"! {each['message']}"
    for each in plan["rights"]:
        yield f"* {each['object']}, {each['right']}: +{each['gain']} -{each['lose']}"
    for each in plan["steps"]:
        yield f"* {each['kind']} {each['object']} {each['name']}: {each['rows']} rows, ~{each['seconds']} s"
    for each in plan["faults"]:
        yield f"!! {each.get('component', '')}{each.get('pointer', '')}: {each['message']}"


def _short(property: dict[str, Any], side: str) -> str:
    import json

    if side not in property:
        return "(none)"
    text = json.dumps(property[side], ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@TENANT
@click.option("--package", help="Only components of this package.")
@click.option("--kind", "kinds", multiple=True, help="Only components of this kind; may be repeated.")
@says
@reaches("tenant")
def pull(folder: Path, slug: str, package: str | None, kinds: tuple[str, ...]) -> Said:
    """Write the tenant's components to FOLDER (<kind>/<name>.json); files of those that are gone go too.

    In a package's folder it is that package's components.
    """
    from tabwright.installing import pull as pull_into
    from tabwright.metadata import schema

    if unknown := [each for each in kinds if each not in schema.kinds()]:
        raise click.BadParameter(f"{unknown[0]}: one of {', '.join(schema.kinds())}", param_hint="--kind")
    site = open_site()
    done = pull_into(site, site.tenants.get(slug), folder, package, kinds)

    def names(paths: tuple[Path, ...]) -> list[str]:
        return sorted(path.relative_to(folder).as_posix() for path in paths)

    data = {
        "components": done.count,
        "written": names(done.written),
        "removed": names(done.removed),
        "unknown": names(done.unknown),
    }
    lines = [f"{done.count} components: {len(done.written)} written, {len(done.removed)} removed"]
    lines += [f"- {each}" for each in names(done.removed)]
    lines += [f"? {each}: not in the tenant yet, kept" for each in names(done.unknown)]
    return Said(lines, data)


_WITH = click.option(
    "--with", "beside", multiple=True, type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of a package that this one requires; may be repeated.",
)  # fmt: skip
_FIX = click.option("--fix-uids", is_flag=True, help="Write a uid into files that have none.")


@click.command()
@FOLDER
@_WITH
@_FIX
@says
@reaches("nothing")
def validate(folder: Path, beside: tuple[Path, ...], fix_uids: bool) -> Said:
    """Check a folder of documents as a publish would, without a tenant; every fault is told."""
    from tabwright.installing import validate_folder

    fixed = _fixed(folder, fix_uids)
    count = validate_folder(folder, beside)
    return Said([f"{count} components, no fault"], {"components": count, "fixed": fixed})


def _fixed(folder: Path, wanted: bool) -> list[str]:
    """The files that were given a uid; told at once, as what follows may be refused."""
    from tabwright.installing import fix_uids
    from tabwright.platform.clock import SystemClock, SystemIds

    made = fix_uids(folder, SystemIds(SystemClock())) if wanted else []
    names = [path.relative_to(folder).as_posix() for path in made]
    for name in names:
        tell(f"{name}: uid written")
    return names


@click.group()
def package() -> None:
    """Packages of documents."""


@package.command("check")
@FOLDER
@_WITH
@_FIX
@says
@reaches("nothing")
def package_check(folder: Path, beside: tuple[Path, ...], fix_uids: bool) -> Said:
    """Check a package as an installation would, without a tenant; every fault is told."""
    from tabwright.installing import check_folder

    fixed = _fixed(folder, fix_uids)
    found = check_folder(folder, beside)
    count = len(found.components)
    data = {"name": found.name, "version": found.version, "components": count, "fixed": fixed}
    return Said([f"{found.name} {found.version}: {count} components, no fault"], data)


@package.command("install")
@FOLDER
@TENANT
@click.option("--samples", is_flag=True, help="Load the package's sample records too.")
@click.option(
    "--take", "taken", multiple=True, metavar="KIND/NAME",
    help="A component that the tenant changed: take the package's; may be repeated; * for all of them.",
)  # fmt: skip
@says
@reaches("tenant")
def package_install(folder: Path, slug: str, samples: bool, taken: tuple[str, ...]) -> Said:
    """Install or upgrade a package in a tenant, as one release.

    What the tenant changed of it stays, and is told.
    """
    from tabwright.installing import install_package, load_samples_of

    site = open_site()
    location = site.tenants.get(slug)
    done, found = install_package(site, location, folder, taken)
    said = _released(done)
    kept = [each for each in found.steps if each.outcome in ("kept", "clash") and not each.taken]
    if kept:
        data = [{"component": each.component.place, "properties": list(each.pointers)} for each in kept]
        said = Said([*said.lines, *map(_kept_line, kept)], {**said.data, "kept": data})
    if not samples or (done is not None and done.waiting is not None):
        return said
    counts = load_samples_of(site, location, folder, lambda name, count: tell(f"{name}: {count}"))
    loaded = ", ".join(f"{count} {name}" for name, count in counts.items())
    return Said([*said.lines, f"samples: {loaded}"], {**said.data, "samples": counts})


def _kept_line(step: Step) -> str:
    both = (
        f"; both changed {', '.join(each or 'all of it' for each in step.pointers)}" if step.pointers else ""
    )
    return f"= {step.component.place}: the tenant's is kept{both}"


@package.command("remove")
@click.argument("name")
@TENANT
@says
@reaches("tenant")
def package_remove(name: str, slug: str) -> Said:
    """Take a package's components out of a tenant; records of its objects are kept for 30 days."""
    from tabwright.installing import remove_package

    site = open_site()
    return _released(remove_package(site, site.tenants.get(slug), name))


@click.group()
def samples() -> None:
    """Sample records that came with a package."""


@samples.command("remove")
@TENANT
@click.option("--package", required=True, help="Whose samples.")
@says
@reaches("tenant")
def samples_remove(slug: str, package: str) -> Said:
    """Take a package's samples back into the recycle bin; records that were edited stay and are listed."""
    from tabwright.installing import remove_samples_of

    site = open_site()
    location = site.tenants.get(slug)
    done = remove_samples_of(site, location, package, lambda file, count: tell(f"{file}: {count}"))
    spoken = language()
    left = [
        {"code": each.code, "message": say_fault(each, spoken), **each.place.known()} for each in done.left
    ]
    lines = [f"{done.records} records removed, {len(left)} left", *(str(each["message"]) for each in left)]
    return Said(lines, {"imports": done.imports, "records": done.records, "left": left})


COMMANDS: tuple[click.Command, ...] = (validate, diff_, publish, pull, package, samples)
