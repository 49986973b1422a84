"""The access gate: what this principal may do under this Model. Every read and write passes it.

A field that may not be read may not be named: ``resolve`` answers an unknown and an unreadable name with
the same fault, and takes its suggestions from readable names only. The same holds for objects.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa
from cachetools import LRUCache

from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import (
    AppDef,
    FieldDef,
    LayoutDef,
    ListViewDef,
    Model,
    ObjectDef,
    RecordTypeDef,
    TabDef,
    label_in,
)
from tabwright.platform.errors import Denied, Fault, Invalid, NotFound, Place, Said
from tabwright.platform.language import register_messages
from tabwright.platform.tables import Ids
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.access.record_rule import (
    EVERYTHING,
    NOTHING,
    VIEWER,
    Beneath,
    ByRule,
    Column,
    OfParent,
    Owned,
    RecordRule,
    Shared,
    Way,
    Where,
)
from tabwright.runtime.access.rights import (
    AUDIT_FIELDS,
    AUDIT_RIGHT,
    BASE,
    MAX_HOPS,
    OPERATIONS,
    named_by_all,
    rights_of,
)
from tabwright.runtime.access.tables import FULL, LEVELS, key_of_grantee, under

if TYPE_CHECKING:
    from tabwright.runtime.storage.tables import Tables

Level = Literal["read", "edit", "delete", "transfer", "share"]

CALLED = "name"  # behind a polymorphic field: the name of its record, of whatever kind

HIERARCHY = {"off": 0, "read": 1, "edit": 2}  # the levels that superiors have at most

register_messages(Path(__file__).with_name("messages.json"))


@dataclass(frozen=True, slots=True)
class ResolvedPath:
    """A path that this principal may read, e.g. ``account.owner.name``.

    ``hops`` are the reference fields walked (empty for a field of the object itself), ``field`` the last one,
    ``object`` the object that has it, ``text`` the path in canonical names.
    """

    text: str
    hops: tuple[FieldDef, ...]
    object: ObjectDef
    field: FieldDef

    @property
    def prefix(self) -> tuple[str, ...]:
        return tuple(hop.name for hop in self.hops)

    @property
    def is_called(self) -> bool:
        """The name of what a polymorphic field names, whatever its kind."""
        return bool(self.hops) and bool(self.hops[-1].kinds)

    @property
    def is_name(self) -> bool:
        """The name of a related record: shown even where the record itself is hidden."""
        return bool(self.hops) and self.field.name == self.object.name_field


_prints: LRUCache[Hashable, dict[str, str]] = LRUCache(maxsize=4096)
_lock = Lock()


def _prints_of(model: Model, who: Principal, whose: str) -> dict[str, str]:
    """Footprints by object, kept from request to request: nobody's change while these facts are the same."""
    levels = tuple(level for _, level in who.queues)
    key = (
        model.digest, model.release, who.kind, who.permission_sets, who.token_scope, who.keys, levels,
        bool(who.groups), whose,
    )  # fmt: skip
    with _lock:
        found = _prints.get(key)
        if found is None:
            found = _prints[key] = {}
        return found


class Gate:
    """Asks the rights of one principal about the objects of one Model. Cheap to make, safe to share."""

    def __init__(self, model: Model, principal: Principal, whose: str = VIEWER) -> None:
        """``whose`` begins the names of parameters: two people's rules may stand in one statement."""
        self.model = model
        self.principal = principal
        self._whose = whose
        self._rights = rights_of(model, principal)
        self._all = self._rights.all
        self._rules: dict[tuple[str, Level], RecordRule] = {}
        self._values: Mapping[str, Any] | None = None
        self._prints = _prints_of(model, principal, whose)

    @staticmethod
    def system(model: Model) -> Gate:
        """The gate of the platform itself: everything is open."""
        return Gate(model, Principal.system())

    # ---- system rights -----------------------------------------------------------------------------

    def has(self, right: str) -> bool:
        """Whether the principal has a system right, such as ``customise``."""
        return self._all or right in self._rights.system

    def require_right(self, right: str) -> None:
        """Raises Denied without that system right."""
        if not self.has(right):
            raise Denied.of("access.system_right", right=Said(f"access.right.{right}"))

    # ---- objects -----------------------------------------------------------------------------------

    def may(self, object: ObjectDef, operation: str) -> bool:
        """Whether the operation is allowed on the object at all (single records: ``allows``)."""
        return self._rights.may(object, operation)

    def object(self, name: str) -> ObjectDef:
        """The object of that name or alias. NotFound if there is none, or none that may be known."""
        found = self.model.find(name.lower())
        if found is None or not (self.may(found, "read") or self.may(found, "create")):
            raise NotFound.of("object.unknown", Place(object=name), object=name)
        return found

    def require(self, object: ObjectDef, operation: str) -> None:
        """Raises NotFound where the object may not be known, Denied where only the operation is refused."""
        if self.may(object, operation):
            return
        if not (self.may(object, "read") or self.may(object, "create")):
            raise NotFound.of("object.unknown", Place(object=object.name), object=object.name)
        raise self.denied(object, operation)

    def denied(self, object: ObjectDef, operation: str) -> Denied:
        """The refusal of an operation on an object that may be known, in words that people use."""
        label = label_in(object.labels, "zh" if self.principal.language == "zh" else "en")
        said = Said(f"access.to.{operation}")
        return Denied.of("access.operation", Place(object=object.name), object=label, operation=said)

    def objects(self) -> tuple[ObjectDef, ...]:
        """Every object that may be read, in the Model's order."""
        return self._rights.objects

    def operations(self, object: ObjectDef) -> tuple[str, ...]:
        """The operations allowed on the object, sorted: what describe says."""
        return tuple(sorted(each for each in OPERATIONS if self.may(object, each)))

    def export_rows(self, object: ObjectDef) -> int | None:
        """Most rows of one export of the object, as the permission sets say; None: they name no number."""
        return self._rights.export_rows(object)

    def skips_rules(self, object: ObjectDef) -> bool:
        """Whether validation rules do not hold for what this principal writes. The platform keeps to them."""
        return not self._all and self.may(object, "skip_rules")

    @property
    def is_system(self) -> bool:
        """Whether this is the platform itself: nobody who has a layout, and nobody who could be asked."""
        return self._all

    # ---- fields ------------------------------------------------------------------------------------

    def can_read(self, field: FieldDef) -> bool:
        object = self.model.objects.get(field.object)
        return object is not None and self._rights.fields(object).get(field.name, "none") != "none"

    def can_edit(self, field: FieldDef) -> bool:
        """Whether a value may be given for the field; an owner also asks ``allows(.., "transfer", ..)``."""
        object = self.model.objects.get(field.object)
        return object is not None and self._rights.fields(object).get(field.name) == "edit"

    def readable(self, object: ObjectDef) -> tuple[FieldDef, ...]:
        """The fields that may be read, in the Model's order."""
        return self._rights.readable(object)

    def editable(self, object: ObjectDef) -> tuple[FieldDef, ...]:
        """The fields for which a value may be given, in the Model's order."""
        return self._rights.editable(object)

    def settable(self, object: ObjectDef) -> tuple[FieldDef, ...]:
        """The fields for which a value may be given when a record is made, in the Model's order: the editable
        ones, and with the right to it when the record was made and by whom.
        """
        audit = AUDIT_FIELDS if self.has(AUDIT_RIGHT) and self.may(object, "create") else ()
        return tuple(
            field
            for field in object.fields.values()
            if self.can_edit(field) or (field.name in audit and self.can_read(field))
        )

    def find(self, object: ObjectDef, name: str) -> FieldDef | None:
        """The readable field of that name or alias, or None."""
        field = object.find(name.lower())
        return field if field is not None and self.can_read(field) else None

    def resolve(self, object: ObjectDef, path: str) -> ResolvedPath:
        """A field, or a field over lookups (``account.owner.name``), that may be read.

        Raises Invalid ``field.unknown``, the same whether the name does not exist or may not be known.
        """
        names = path.lower().split(".")
        if len(names) > MAX_HOPS + 1:
            raise Invalid.of(
                "field.too_many_hops", Place(object=object.name, field=path), path=path, limit=MAX_HOPS
            )
        hops: list[FieldDef] = []
        here, at = object, 0
        while True:
            found, used = self._step(here, names[at:])
            if found is None:
                raise self._unknown(object, path, here, names[at])
            at += used
            if at == len(names):
                return ResolvedPath(".".join(each.name for each in (*hops, found)), tuple(hops), here, found)
            hops.append(found)
            if found.kinds:
                # Only the name stands behind a link that is not narrowed to one kind.
                if names[at:] == [CALLED]:
                    return ResolvedPath(
                        f"{'.'.join(each.name for each in hops)}.{CALLED}", tuple(hops), here, found.called()
                    )
                raise self._unknown(object, path, here, names[at])
            target = self.model.objects.get(found.target or "")
            if target is None or not self.may(target, "read"):
                raise self._unknown(object, path, here, names[at - 1])
            here = target

    def _step(self, here: ObjectDef, names: Sequence[str]) -> tuple[FieldDef | None, int]:
        """The field that the names begin with, and how many of them say so: a polymorphic field and the
        object to which the next name narrows it are one step, and an address and its part.
        """
        found = self.find(here, names[0])
        if found is not None and len(names) > 1 and names[1] in TYPES[found.type].parts:
            return found.part(names[1]), 2
        if found is not None and found.kinds and len(names) > 1:
            target = self.model.find(names[1])
            if target is not None and target.uid in found.kinds and self.may(target, "read"):
                return found.narrowed(target), 2
        return found, 1

    def resolve_all(self, object: ObjectDef, paths: tuple[str, ...]) -> tuple[ResolvedPath, ...]:
        """Every path resolved; one Invalid with the faults of all that are unknown."""
        done: list[ResolvedPath] = []
        faults: list[Fault] = []
        for path in paths:
            try:
                done.append(self.resolve(object, path))
            except Invalid as error:
                faults.extend(error.faults)
        if faults:
            raise Invalid(faults)
        return tuple(done)

    def _unknown(self, object: ObjectDef, path: str, here: ObjectDef, name: str) -> Invalid:
        close = get_close_matches(name, [field.name for field in self.readable(here)], n=3, cutoff=0.6)
        place = Place(object=object.name, field=path)
        if close:
            return Invalid.of("field.unknown_near", place, path=path, near=", ".join(close))
        return Invalid.of("field.unknown", place, path=path)

    def footprint(self, object: ObjectDef) -> str:
        """What keys a statement compiled for this principal: see ``Rights.footprint``; no ids are in it."""
        found = self._prints.get(object.name)
        if found is None:
            shapes = (self.rule(each, "read").shape for each in self._rights.within(object))
            made = sha256("\n".join((self._rights.footprint(object), *shapes)).encode()).hexdigest()
            found = self._prints[object.name] = made
        return found

    @property
    def whole_footprint(self) -> tuple[Hashable, ...]:
        """What keys a statement that may look at any object: equal only for equal rights in a model."""
        found = self._prints.get("")
        if found is None:
            shapes = (self.rule(each, "read").shape for each in self.model.objects.values())
            found = self._prints[""] = sha256("\n".join(shapes).encode()).hexdigest()
        who = self.principal
        return who.kind, who.permission_sets, who.token_scope, found, self.model.digest

    def name_shown(self, target: ObjectDef) -> bool:
        """Whether names of the object's records may be shown where a lookup names one, hidden or not."""
        return self.find(target, target.name_field) is not None

    # ---- records -----------------------------------------------------------------------------------

    def rule(self, object: ObjectDef, level: Level) -> RecordRule:
        """Which records the principal may read, edit, delete or give to another owner."""
        key = (object.name, level)
        found = self._rules.get(key)
        if found is None:
            found = self._rules[key] = self._rule(object, level)
        return found

    def _rule(self, object: ObjectDef, level: Level) -> RecordRule:
        if self._all:
            return EVERYTHING
        if self.may(object, "modify_all"):
            return EVERYTHING if level != "share" or self.may(object, "share") else NOTHING
        if object.master is not None:
            return self._rule_of_part(object, level)
        if level == "transfer":
            if not self.may(object, "edit"):
                return NOTHING
            return self.rule(object, "edit") if self.may(object, "transfer") else self._open(object, FULL)
        if not self.may(object, level):
            return NOTHING
        if level in ("delete", "share"):
            return self._open(object, FULL)
        # Names of users and queues are shown to everybody, so hiding their records would only confuse.
        wide = level == "read" and (named_by_all(object) or self.may(object, "view_all"))
        if wide or object.sharing == "edit" or (object.sharing == "read" and level == "read"):
            return self._closed(object, RecordRule(wide=True))
        return self._open(object, LEVELS[level])

    def _open(self, object: ObjectDef, level: int) -> RecordRule:
        """The records that something opens to this principal, to read, to edit, or for everything."""
        who, name = self.principal, self._whose
        queues = (id for id, given in who.queues if given >= level)
        ways: list[Way] = [Owned((who.user_id, *queues), f"{name}_own{level}_")]
        if level <= HIERARCHY[object.hierarchy] and who.positions:
            ways.append(Beneath(tuple(map(under, who.positions)), f"{name}_under"))
        for rule in object.sharing_rules:
            if level <= LEVELS[rule.access] and any(key_of_grantee(each) in who.keys for each in rule.to):
                ways.append(ByRule(rule))
        if object.package != BASE:
            ways.append(Shared(who.groups, level, who.loaded_at, f"{name}_groups"))
        return self._closed(object, RecordRule(ways=tuple(ways)))

    def _closed(self, object: ObjectDef, rule: RecordRule) -> RecordRule:
        """The rule without what restrictions close to this principal."""
        held = set(self.set_names)
        found = tuple(
            each
            for each in object.restriction_rules
            if each.applies_to is None or held.intersection(each.applies_to)
        )
        if not found:
            return rule
        return replace(rule, restrictions=found, viewer=self.principal.user_id, whose=self._whose)

    def _unclosed(self, object: ObjectDef) -> RecordRule:
        """The records that no restriction closes, whatever opens them: of parts, those of their parents."""
        if self.may(object, "modify_all"):
            return EVERYTHING
        if object.master is None:
            return self._closed(object, RecordRule(wide=True))
        parent = self._unclosed(self.parent_of(object, "read")[0])
        return EVERYTHING if parent.everything else RecordRule(ways=(OfParent(object.master, parent),))

    def _rule_of_part(self, object: ObjectDef, level: Level) -> RecordRule:
        """A record with a parent has the parent's access: its owner, and what else opens or closes the parent
        (decision 0021).
        """
        if level in ("transfer", "share") or not self.may(object, level):
            return NOTHING
        if level == "read" and self.may(object, "view_all"):
            return self._unclosed(object)
        parent, field = self.parent_rule(object, level), object.master or ""
        if parent.everything or parent.nothing:
            return EVERYTHING if parent.everything else NOTHING
        if parent.wide or parent.restrictions:
            return RecordRule(ways=(OfParent(field, parent),))
        # A part holds its parent's owner, so what looks at the owner needs no look at the parent.
        by_owner = tuple(each for each in parent.ways if each.of_owner)
        others = tuple(each for each in parent.ways if not each.of_owner)
        above = (OfParent(field, replace(parent, ways=others)),) if others else ()
        return replace(parent, ways=(*by_owner, *above))

    def parent_rule(self, object: ObjectDef, level: Level) -> RecordRule:
        """The rule about parents that decides whether parts of them may be read, or else changed, made,
        deleted.
        """
        return self.rule(*self.parent_of(object, level))

    def parent_of(self, object: ObjectDef, level: Level) -> tuple[ObjectDef, Level]:
        """The object that decides about access to parts, and what must be allowed with its record."""
        master = object.fields[object.master or ""]
        reads = level == "read" or master.master_access == "parent_read"
        return self.model.objects[master.target or ""], "read" if reads else "edit"

    def viewer(self) -> Mapping[str, Any]:
        """Values of the parameters that the rules of every object name."""
        if self._values is None:
            self._values = {} if self._all else self._made_values()
        return self._values

    def _made_values(self) -> Mapping[str, Any]:
        who, name = self.principal, self._whose
        given: dict[str, Any] = {
            f"{name}_id": who.user_id,
            f"{name}_under": Ids(map(under, who.positions)),
            f"{name}_groups": Ids(who.groups),
            f"{name}_groups_at": who.loaded_at,
        }
        for level in LEVELS.values():
            queues = (id for id, held in who.queues if held >= level)
            given.update(Owned((who.user_id, *queues), f"{name}_own{level}_").parameters())
        return given

    def predicate(
        self, object: ObjectDef, level: Level, tables: Tables, main: sa.FromClause | None = None
    ) -> Column | None:
        """``rule`` as SQL on the object's table, or on ``main``, an alias of it; None when it leaves nothing
        out. Its values: ``viewer()``.
        """
        where = Where.of(object, tables, self.model)
        return self.rule(object, level).sql(where if main is None else replace(where, main=main))

    def by_ids(self, object: ObjectDef, tables: Tables, main: sa.FromClause) -> Column | None:
        """``predicate`` for reading living records, in the form that is quick where few are open."""
        return self.rule(object, "read").narrow(replace(Where.of(object, tables, self.model), main=main))

    # ---- what is shown -----------------------------------------------------------------------------

    def tabs(self) -> tuple[TabDef, ...]:
        """The tabs that show: granted, and of an object that may be read."""
        return self._rights.tabs

    def apps(self) -> tuple[AppDef, ...]:
        """The apps that show: granted, with at least one tab that shows."""
        return self._rights.apps

    @property
    def set_names(self) -> tuple[str, ...]:
        """The names of the permission sets that the principal holds, sorted."""
        return tuple(sorted(each.name for each in self._rights.sets))

    def list_views(self, object: ObjectDef) -> tuple[ListViewDef, ...]:
        """The published list views of the object that show: those for everybody or for a set held here.

        Who may customise sees them all, or nobody could take back a view that is shown to nobody.
        """
        held = set(self.set_names)
        return tuple(
            each
            for each in object.list_views.values()
            if each.shown_to is None or self.has("customise") or held.intersection(each.shown_to)
        )

    def layout(self, object: ObjectDef, record_type: RecordTypeDef | None) -> LayoutDef:
        """The layout by which this principal sees and edits a record of that type."""
        held, kind = set(self.set_names), record_type.name if record_type is not None else None
        for rule in object.layout_rules:
            fits = rule.record_type is None or rule.record_type == kind
            if fits and rule.permission_set in held and rule.layout in object.layouts:
                return object.layouts[rule.layout]
        own = object.layouts.get(record_type.layout or "") if record_type is not None else None
        return own or next(iter(object.layouts.values()))

    def record_types(self, object: ObjectDef) -> tuple[RecordTypeDef, ...]:
        """The active record types with which this principal may make a record of the object."""
        granted = self._rights.record_types(object.name)
        return tuple(
            each
            for each in object.record_types.values()
            if each.active and (self._all or "*" in granted or each.name in granted)
        )
