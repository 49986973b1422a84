"""A tenant's components as files, so that git sees what changed: writing them again changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from tabwright.metadata import documents
from tabwright.metadata.documents import Component
from tabwright.metadata.packages import base_tree, is_package, read_head, without_package
from tabwright.metadata.tree import Tree
from tabwright.platform.errors import Conflict, NotFound, Place


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull did to a folder. ``unknown``: components in it that the tenant never had; they stay."""

    count: int
    written: tuple[Path, ...]
    removed: tuple[Path, ...]
    unknown: tuple[Path, ...]


def package_of(folder: Path, package: str | None) -> str | None:
    """Which package's components belong into a folder; None: all.

    Raises Conflict where the folder is another package's, Invalid where its head is broken.
    """
    if not is_package(folder):
        return package
    name: str = read_head(folder)["name"]
    if package not in (None, name):
        raise Conflict.of("package.other_folder", Place(component="package.json"), package=name)
    return name


def chosen(tree: Tree, package: str | None, kinds: Collection[str]) -> tuple[Component, ...]:
    """The components of a tree that a pull writes; built-in ones only where the tenant changed them.

    Raises NotFound where the tenant has nothing of the package.
    """
    if package is not None and not any(each.body.get("package") == package for each in tree):
        raise NotFound.of("package.not_installed", package=package)
    base = base_tree()
    return tuple(
        each
        for each in tree
        if each.kind in kinds
        and (package is None or each.body.get("package") == package)
        and base.by_uid(each.uid) != each
    )


def write(
    folder: Path,
    components: Iterable[Component],
    kinds: Collection[str],
    tree: Tree,
    gone: Callable[[Collection[str]], Collection[str]],
) -> Pulled:
    """Make the files of a folder say what these components are.

    Removed are files of components that are ``gone`` (uids of those that an earlier release had) or stand in
    another file now; what was never in the tenant stays, and so does every file that holds no component.
    """
    written_ones = list(components)
    marked = not is_package(folder)
    plain = [each if marked else without_package(each) for each in written_ones]
    paths = {folder / each.kind / f"{each.name}.json" for each in plain}
    others = {path: each for path, each in documents.files_of(folder, kinds).items() if path not in paths}
    here = {each.uid for each in plain}
    unsure = {each.uid for each in others.values()} - here
    unsure = {uid for uid in unsure if tree.by_uid(uid) is None}
    lost = set(gone(unsure)) if unsure else set()
    removed = [path for path, each in others.items() if each.uid in here or each.uid in lost]
    written = documents.write_folder(folder, plain)
    for path in removed:
        path.unlink()
    unknown = [path for path, each in others.items() if each.uid in unsure - lost]
    return Pulled(len(plain), tuple(written), tuple(removed), tuple(unknown))
