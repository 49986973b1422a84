"""Installing, upgrading and removing packages: what becomes of each component, worked out on trees.

An upgrade looks at three sides: what the package brought last (``base``), what the tenant has made of it,
and what it brings now. What only one side changed is taken; what both changed differently is a clash, in
which the tenant's own stands until somebody chooses the package's. Pure: nothing is stored here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tabwright.metadata import documents
from tabwright.metadata.diff import Property, properties
from tabwright.metadata.documents import Component
from tabwright.metadata.drafts import Delete
from tabwright.metadata.packages import Package, base_package, base_tree, missing_requirements, overreaching
from tabwright.metadata.references import renamed
from tabwright.metadata.threeway import merged_document
from tabwright.metadata.tree import Tree
from tabwright.platform.errors import Conflict, Fault, NotFound, Place

Outcome = Literal["added", "changed", "removed", "kept", "clash"]
"""What becomes of a component. ``kept``: the tenant changed it, the package did not."""


@dataclass(frozen=True, slots=True)
class Step:
    """One component of an upgrade: its three sides, and what comes of them.

    ``pointers`` are the properties that tenant and package set to different values; "" is the whole of it.
    """

    outcome: Outcome
    base: Component | None
    mine: Component | None
    theirs: Component | None
    result: Component | None
    pointers: tuple[str, ...] = ()
    taken: bool = False

    @property
    def component(self) -> Component:
        found = self.mine or self.theirs or self.base
        assert found is not None
        return found

    @property
    def both(self) -> tuple[Property, ...]:
        """Where the tenant's and the package's documents differ: what is shown side by side."""
        if self.mine is None or self.theirs is None:
            return ()
        return tuple(properties(self.mine.document, self.theirs.document))


@dataclass(frozen=True)
class Upgrade:
    """What installing a package makes of a tree; with ``faults`` nothing, and ``tree`` is None."""

    package: Package
    steps: tuple[Step, ...]
    faults: tuple[Fault, ...]
    tree: Tree | None

    @property
    def clashes(self) -> tuple[Step, ...]:
        return tuple(each for each in self.steps if each.outcome == "clash")

    def require(self) -> Tree:
        """The tree. Raises Conflict with what stands in the way."""
        if self.tree is None:
            raise Conflict(self.faults)
        return self.tree


def upgrade(
    package: Package, tree: Tree, base: Tree | None, program: str, taken: Collection[str] = ()
) -> Upgrade:
    """What a package makes of ``tree``. ``base``: the components that it brought when it was installed last;
    None where that is not known: then all that differs was changed by both. ``taken``: uids of components
    of which the package's own document is wanted, whatever the tenant made of it.
    """
    faults = [*missing_requirements(package, tree, program), *overreaching(package, tree)]
    try:
        theirs = Tree.of(package.components)
    except Conflict as error:  # one uid twice
        faults += error.faults
    if faults:
        return Upgrade(package, (), tuple(faults), None)
    sides = _with_names_agreed(_Sides(tree, base, theirs), package.name)
    steps = tuple(_steps(sides, package.name, taken, known=base is not None))
    put = [each.result for each in steps if each.result is not None and each.result != each.mine]
    gone = [each.mine.uid for each in steps if each.mine is not None and each.result is None]
    shown = tuple(sorted(steps, key=lambda each: (each.component.kind, each.component.name)))
    try:
        return Upgrade(package, shown, (), sides.mine.changed(put, gone))
    except Conflict as error:
        return Upgrade(package, shown, error.faults, None)


@dataclass(frozen=True, slots=True)
class _Sides:
    mine: Tree
    base: Tree | None
    theirs: Tree

    def of(self, uid: str) -> tuple[Component | None, Component | None, Component | None]:
        base = self.base.by_uid(uid) if self.base is not None else None
        return base, self.mine.by_uid(uid), self.theirs.by_uid(uid)


def _steps(sides: _Sides, package: str, taken: Collection[str], *, known: bool) -> Iterator[Step]:
    uids = {each.uid for each in sides.theirs} | {
        each.uid for each in sides.mine if each.body.get("package") == package
    }
    if sides.base is not None:
        uids |= {each.uid for each in sides.base}
    for uid in sorted(uids):
        base, mine, theirs = sides.of(uid)
        if mine is not None and mine.body.get("package") != package:
            continue
        step = _step(base, mine, theirs, uid in taken, known)
        if step is not None:
            yield step


def _step(
    base: Component | None, mine: Component | None, theirs: Component | None, taken: bool, known: bool
) -> Step | None:
    """What becomes of one component; None where nothing does and there is nothing to say."""
    if mine == theirs:
        return None
    by_me = mine != base if known else mine is not None
    by_them = theirs != base if known else theirs is not None
    if not by_them:
        if taken:
            return Step(_verb(mine, theirs), base, mine, theirs, theirs, taken=True)
        return Step("kept", base, mine, theirs, mine)
    if not by_me:
        return Step(_verb(mine, theirs), base, mine, theirs, theirs)
    if mine is None or theirs is None:
        return Step("clash", base, mine, theirs, theirs if taken else mine, ("",), taken)
    merged, pointers = merged_document(base.document if base else {}, mine.document, theirs.document)
    if not pointers:
        both, faults = documents.check(merged)
        if both is not None and not faults:
            return Step("changed", base, mine, theirs, both)
        pointers = tuple(each.pointer for each in properties(mine.document, theirs.document))
        merged = mine.document  # each is right by itself, and both together are not
    kept, faults = documents.check(merged)
    if kept is None or faults:
        kept = mine
    return Step("clash", base, mine, theirs, theirs if taken else kept, pointers, taken)


def _verb(mine: Component | None, theirs: Component | None) -> Outcome:
    return "added" if mine is None else "removed" if theirs is None else "changed"


# ---- names -----------------------------------------------------------------------------------------


def _with_names_agreed(sides: _Sides, package: str) -> _Sides:
    """The three sides with one name for each component, so that what names it is no difference.

    A new name of the package's is taken over; where the tenant renamed a component, that name stands.
    """
    base = sides.base
    for kind in ("object", None):  # the parts of an object follow it
        for uid in [each.uid for each in sides.theirs if (each.kind == "object") == (kind == "object")]:
            was, mine, theirs = sides.of(uid)
            if mine is None or theirs is None or mine.body.get("package") != package:
                continue
            name = mine.name if was is None or was.name != mine.name else theirs.name
            base = _renamed(base, uid, name) if base is not None else None
            sides = _Sides(_renamed(sides.mine, uid, name), base, _renamed(sides.theirs, uid, name))
    return sides


def _renamed(tree: Tree, uid: str, name: str) -> Tree:
    there = tree.by_uid(uid)
    if there is None or there.name == name or tree.get(there.kind, name) is not None:
        return tree
    around = tree if any(each.body.get("package") == "base" for each in tree) else tree.changed(base_tree())
    inside = {each.uid for each in tree}
    return tree.changed(each for each in renamed(around, there, name) if each.uid in inside)


# ---- removing --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Removal:
    """What taking a package out means. ``ways``: what stands in the way; with any, nothing is taken."""

    components: tuple[Component, ...]
    ways: tuple[Fault, ...]
    tree: Tree | None


def removal(tree: Tree, name: str, applied: Callable[[Tree, Sequence[Delete]], Tree]) -> Removal:
    """The tree without a package's components. ``applied`` is ``Drafts.applied``, which looks at uses.

    Raises NotFound (``package.not_installed``) where the tree has nothing of it.
    """
    lost = tuple(each for each in tree if each.body.get("package") == name)
    if not lost or name == base_package().name:
        raise NotFound.of("package.not_installed", package=name)
    uids = {each.uid for each in lost}
    ways = [
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
    without = None
    try:
        without = applied(tree, [Delete(each.kind, each.name) for each in lost])
    except Conflict as error:
        known = {each.place.component for each in ways}
        ways += [each for each in error.faults if each.place.component not in known]
    return Removal(lost, tuple(ways), None if ways else without)
