"""The author's draft as designers work on it: read components, change them, see at once what is wrong.

The one face of drafts inside Studio. Every designer reads and writes through it, so that the optimistic check
(nobody overwrites what they have not seen) and the checks of the compiler are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from tabwright.metadata.compiler import compile_tree
from tabwright.metadata.documents import Component
from tabwright.metadata.drafts import Change, Draft
from tabwright.metadata.model import Model, Use
from tabwright.metadata.references import uses
from tabwright.metadata.tree import Key, Tree
from tabwright.metadata.world import World
from tabwright.platform.errors import Conflict, Fault, Invalid, NotFound, Place
from tabwright.runtime.desk import Call
from tabwright.runtime.publishing.service import Publishing

Seen = Mapping[Key, str]
"""(kind, name) -> digest of the component that a form was made of; "" where there was none."""


@dataclass(frozen=True)
class Checked:
    """A tree and what the compiler says of it: a model, or every fault."""

    tree: Tree
    model: Model | None
    faults: tuple[Fault, ...] = ()

    def about(self, component: str) -> tuple[Fault, ...]:
        """The faults of one component, by its place ("field/deal.amount")."""
        return tuple(each for each in self.faults if each.place.component == component)

    @cached_property
    def world(self) -> World:
        """The components by name, also where the tree does not compile."""
        return World(self.tree)

    @cached_property
    def edges(self) -> tuple[Use, ...]:
        """Every edge of the where-used graph, also where the tree does not compile."""
        if self.model is not None:
            return self.model.uses
        return tuple(chain.from_iterable(uses(each, self.world) for each in self.tree))


class Drafting:
    """The draft of who asks. Looking needs no draft: without one it is the release in force."""

    def __init__(self, call: Call, publishing: Publishing) -> None:
        self.call = call
        self.publishing = publishing
        self._draft: Draft | None = None
        self._checked: Checked | None = None

    # ---- looking ---------------------------------------------------------------------------------

    @property
    def draft(self) -> Draft:
        """The draft as it stands, read once and after each change."""
        if self._draft is None:
            with self.call.tenant.store.read() as reader:
                self._draft = self.publishing.drafts.get(reader, self.call.principal.user_id)
        return self._draft

    @property
    def checked(self) -> Checked:
        """The draft's tree, compiled."""
        if self._checked is None:
            self._checked = self._check(self.draft.tree)
        return self._checked

    @property
    def world(self) -> World:
        return self.checked.world

    def find(self, kind: str, name: str) -> Component | None:
        """The component of that kind and name (or former name), or None."""
        return self.world.part(kind, name)

    def get(self, kind: str, name: str) -> Component:
        """The component of that kind and name. Raises NotFound."""
        found = self.find(kind, name)
        if found is None:
            place = Place(component=f"{kind}/{name}"[:160])
            raise NotFound.of("component.not_found", place, kind=kind[:60], name=name[:130])
        return found

    def all(self, kind: str, object: str | None = None) -> tuple[Component, ...]:
        """The components of a kind, of one object where it is given, in the order they were made."""
        source: Sequence[Component]
        if object is not None:
            source = self.draft.tree.parts_of_object(object)
        else:
            source = tuple(self.draft.tree)
        return tuple(sorted((each for each in source if each.kind == kind), key=lambda each: each.uid))

    def uses_of(self, kind: str, name: str) -> tuple[Use, ...]:
        """Where a component is named, each place once."""
        wanted = (kind, name)
        return tuple(each for each in self.checked.edges if (each.used_kind, each.used) == wanted)

    def state_of(self, component: Component) -> str:
        """ "added" or "changed" by this draft, or ""."""
        there = self.draft.current.by_uid(component.uid)
        return "added" if there is None else "" if there == component else "changed"

    # ---- changing --------------------------------------------------------------------------------

    def rehearse(self, *changes: Change) -> Checked:
        """What the draft would be with these changes; nothing is saved. Raises as ``change`` does."""
        return self._check(self.publishing.drafts.applied(self.draft.tree, changes))

    def change(self, *changes: Change, seen: Seen | None = None) -> Draft:
        """Save changes to the draft, all or none.

        Raises Denied without the right ``customise``, Conflict ``studio.changed_meanwhile`` where a component
        is not the one that was ``seen``, and what ``Drafts.patch`` raises (Invalid, Conflict, NotFound).
        """
        self.call.gate.require_right("customise")
        author = self.call.principal.user_id
        with self.call.tenant.store.write() as writer:
            if seen:
                _require_seen(self.publishing.drafts.get(writer, author).tree, seen)
            draft = self.publishing.drafts.patch(writer, author, changes, at=self.call.clock.now())
        return self._keep(draft)

    def revert(self, *uids: str) -> Draft:
        """Give up this draft's changes of some components."""
        self.call.gate.require_right("customise")
        with self.call.tenant.store.write() as writer:
            draft = self.publishing.drafts.revert(
                writer, self.call.principal.user_id, uids, at=self.call.clock.now()
            )
        return self._keep(draft)

    def keep_mine(self, *uids: str) -> Draft:
        """Settle clashes with other publishers in favour of this draft."""
        self.call.gate.require_right("customise")
        with self.call.tenant.store.write() as writer:
            draft = self.publishing.drafts.keep_mine(writer, self.call.principal.user_id, uids)
        return self._keep(draft)

    def discard(self) -> None:
        """Throw the draft away."""
        self.call.gate.require_right("customise")
        with self.call.tenant.store.write() as writer:
            self.publishing.drafts.discard(writer, self.call.principal.user_id)
        self._draft = self._checked = None

    def _keep(self, draft: Draft) -> Draft:
        self._draft, self._checked = draft, None
        return draft

    def _check(self, tree: Tree) -> Checked:
        now = self.call.model
        if tree.digest == now.digest:
            return Checked(tree, now)
        try:
            return Checked(tree, compile_tree(tree, release=now.release + 1, previous=now))
        except Invalid as error:
            return Checked(tree, None, error.faults)


def _require_seen(tree: Tree, seen: Seen) -> None:
    faults = []
    for (kind, name), digest in seen.items():
        there = tree.get(kind, name)
        if (there.digest if there is not None else "") != digest:
            place = Place(component=f"{kind}/{name}")
            faults.append(Fault("studio.changed_meanwhile", {"name": name}, place))
    if faults:
        raise Conflict(faults)
