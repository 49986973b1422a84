"""The union of a principal's permission sets over one Model (decision 0014), computed once and memoised.

Inside a set the most specific word wins: object and field, object and "*", "*" and field, "*" and "*".
Sets are united: edit over read over none. A field that no set covers is not readable.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from functools import cached_property
from hashlib import sha256
from threading import Lock
from typing import Literal, get_args

from cachetools import LRUCache

from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import AppDef, FieldDef, FieldRight, Model, ObjectDef, PermissionSetDef, TabDef
from tabwright.runtime.access.principal import Principal, TokenScope

Operation = Literal[
    "create", "read", "edit", "delete", "view_all", "modify_all", "mass_edit", "share", "transfer",
    "import", "export", "print", "skip_rules",
]  # fmt: skip
OPERATIONS: tuple[Operation, ...] = get_args(Operation)

BASE = "base"  # the built-in package: rights on its objects are always named
NAMED_BY_ALL = ("user", "queue")  # everybody signed in may read id and name of these
WRITABLE_SYSTEM_FIELDS = ("owner", "record_type")
AUDIT_FIELDS = ("created_at", "created_by")
AUDIT_RIGHT = "set_audit_fields"  # to say of a new record when it was made and by whom
MAX_HOPS = 3  # lookups in one path

_implied: dict[str, tuple[str, ...]] = {
    "modify_all": ("view_all", "edit", "delete", "transfer"),
    "view_all": ("read",),
    "edit": ("read",),
    "delete": ("read",),
}
FIELD_ORDER: dict[FieldRight, int] = {"none": 0, "read": 1, "edit": 2}


def named_by_all(object: ObjectDef) -> bool:
    """Users and queues: their names are shown as owners, so everybody may read those."""
    return object.name in NAMED_BY_ALL and object.package == BASE


def with_implied(rights: Iterable[str]) -> frozenset[str]:
    """Edit implies read; modify-all implies view-all, edit, delete, transfer; and so on."""
    done: set[str] = set()
    todo = list(rights)
    while todo:
        right = todo.pop()
        if right not in done:
            done.add(right)
            todo.extend(_implied.get(right, ()))
    return frozenset(done)


def object_rights(each: PermissionSetDef, object: ObjectDef) -> frozenset[str]:
    """What one set allows with the object's records, implied rights included."""
    named = each.objects.get(object.name)
    if named is not None:
        return with_implied(named)
    if object.package == BASE and "manage_users" not in each.system:
        return frozenset()
    return with_implied(each.objects.get("*", frozenset()))


def field_right(each: PermissionSetDef, object: ObjectDef, field: FieldDef) -> FieldRight:
    """What one set says about a field, whatever it allows with the object.

    Where fields are granted by name (S18) no "*" covers one.
    """
    if object.names_fields:
        return each.fields.get(object.name, {}).get(field.name, "none")
    for key in (object.name, "*"):
        words = each.fields.get(key)
        if words is not None:
            for name in (field.name, "*"):
                if name in words:
                    return words[name]
    return "none"


class Rights:
    """What some permission sets and groups (``sets``, uids), narrowed by a token's scope, allow. Nothing here
    is of one person.
    """

    def __init__(self, model: Model, sets: Iterable[str], scope: TokenScope | None, all: bool) -> None:
        self._model = model
        self.all = all  # the platform itself: everything is open
        self.sets = model.sets_of(sets)
        self._scope = scope
        granted = frozenset(right for each in self.sets for right in each.system)
        self.system: frozenset[str] = granted if scope is None else granted & scope.system
        self._operations: dict[str, frozenset[str]] = {}
        self._fields: dict[str, dict[str, FieldRight]] = {}
        self._readable: dict[str, tuple[FieldDef, ...]] = {}
        self._editable: dict[str, tuple[FieldDef, ...]] = {}
        self._footprints: dict[str, tuple[str, tuple[ObjectDef, ...]]] = {}

    def may(self, object: ObjectDef, operation: str) -> bool:
        """Whether the operation is allowed on the object at all."""
        if self.all or operation in self.operations(object):
            return True
        return operation == "read" and named_by_all(object)

    def operations(self, object: ObjectDef) -> frozenset[str]:
        """The operations granted on the object, implied ones included."""
        found = self._operations.get(object.name)
        if found is None:
            found = frozenset(right for each in self.sets for right in object_rights(each, object))
            if self._scope is not None:
                found &= with_implied(self._scope.operations(object.name))
            self._operations[object.name] = found
        return found

    def export_rows(self, object: ObjectDef) -> int | None:
        """Most rows of one export of the object's records; None where no set that lets export says so."""
        said = [each.export_rows for each in self.sets if "export" in object_rights(each, object)]
        numbers = [each for each in said if each is not None]
        return max(numbers) if said and len(numbers) == len(said) and not self.all else None

    @property
    def administers(self) -> bool:
        """Whether all is theirs to arrange: they customise, manage users, and may change every record."""
        everywhere = any("modify_all" in each.objects.get("*", ()) for each in self.sets)
        if self._scope is not None:
            everywhere = everywhere and "modify_all" in self._scope.operations("*") and not self._scope.fields
        return self.all or (everywhere and {"customise", "manage_users"} <= self.system)

    def readable(self, object: ObjectDef) -> tuple[FieldDef, ...]:
        """The fields that may be read, in the Model's order."""
        found = self._readable.get(object.name)
        if found is None:
            rights = self.fields(object)
            found = tuple(field for field in object.fields.values() if rights[field.name] != "none")
            self._readable[object.name] = found
        return found

    def editable(self, object: ObjectDef) -> tuple[FieldDef, ...]:
        """The fields for which a value may be given, in the Model's order."""
        found = self._editable.get(object.name)
        if found is None:
            rights = self.fields(object)
            found = tuple(field for field in object.fields.values() if rights[field.name] == "edit")
            self._editable[object.name] = found
        return found

    def fields(self, object: ObjectDef) -> dict[str, FieldRight]:
        """Field name -> right, for every field of the object; what may not be read is "none"."""
        found = self._fields.get(object.name)
        if found is None:
            operations = self.operations(object)
            writes = bool(operations & {"create", "edit"})
            found = {
                name: self._right(object, field, operations, writes) for name, field in object.fields.items()
            }
            self._fields[object.name] = found
        return found

    def _right(
        self, object: ObjectDef, field: FieldDef, operations: frozenset[str], writes: bool
    ) -> FieldRight:
        if self._scope is not None and not self._scope.knows(object.name, field.name):
            return "none"
        if self.all:
            written = field.computed is None if not field.system else field.name in WRITABLE_SYSTEM_FIELDS
            return "edit" if written else "read"
        floor: FieldRight = "none"
        if named_by_all(object) and field.name in ("id", object.name_field):
            floor = "read"
        if not operations & {"read", "create"}:
            return floor
        if field.system:
            right: FieldRight = "edit" if field.name in WRITABLE_SYSTEM_FIELDS else "read"
        else:
            right = max(
                (field_right(each, object, field) for each in self.sets),
                key=FIELD_ORDER.__getitem__,
                default="none",
            )
            if object.names_fields and self.administers:
                right = "edit"
        inherited = field.name == "owner" and object.master is not None
        if right == "edit" and (not writes or inherited or field.read_only or field.type == "auto_number"):
            right = "read"
        if right == "read" and "read" not in operations:
            right = "none"
        shown = field.computed.path if field.computed is not None else None
        if right != "none" and shown is not None and not self._reaches(object, shown):
            right = "none"  # what may not be read at the other end is not shown here
        return max(right, floor, key=FIELD_ORDER.__getitem__)

    def _reaches(self, object: ObjectDef, path: str) -> bool:
        """Whether everything on a mirror's path from an object may be read."""
        return all(
            field is not None
            and (here is object or self.may(here, "read"))
            and self._right(here, field, self.operations(here), False) != "none"
            for here, field in self._way(object, path)
        )

    def _way(self, object: ObjectDef, path: str) -> Iterator[tuple[ObjectDef, FieldDef | None]]:
        """The objects that a path passes, each with the field by which it goes on; None: there is none."""
        names = path.split(".")
        here: ObjectDef | None = object
        while names:
            field = here.find(names.pop(0)) if here is not None else None
            yield here or object, field
            if field is None or TYPES[field.type].parts:
                return
            here = self._model.objects.get(field.target or "")
            if field.kinds and names:
                here = self._model.find(names.pop(0))

    def footprint(self, object: ObjectDef) -> str:
        """A digest of all that may be named from the object: its fields, and those behind lookups.

        Two principals with the same footprint may share what was compiled from a text that names fields,
        where the rules about the records of ``within`` are of the same shape as well.
        """
        return self._walked(object)[0]

    def within(self, object: ObjectDef) -> tuple[ObjectDef, ...]:
        """The objects that may be named from the object, itself first."""
        return self._walked(object)[1]

    def _walked(self, object: ObjectDef) -> tuple[str, tuple[ObjectDef, ...]]:
        found = self._footprints.get(object.name)
        if found is None:
            objects: list[ObjectDef] = []
            facts: list[tuple[str, str, bool, tuple[str, ...]]] = []
            facts.append(("unmask", "", "unmask" in self.system, ()))
            seen: set[str] = set()
            level = [object]
            for _ in range(MAX_HOPS + 1):
                following: list[ObjectDef] = []
                for each in level:
                    if each.name in seen:
                        continue
                    seen.add(each.name)
                    objects.append(each)
                    readable = self.readable(each) if self.may(each, "read") else ()
                    wide = self.all or bool(self.operations(each) & {"view_all", "modify_all"})
                    facts.append((each.uid, each.digest, wide, tuple(field.uid for field in readable)))
                    facts += self._above(each)
                    for field in readable:
                        for name in field.targets:
                            if (target := self._model.objects.get(name)) is not None:
                                following.append(target)
                        if field.computed is not None and field.computed.path is not None:
                            # Behind the last lookup of a path a mirror goes on by lookups of its own.
                            level += (here for here, _ in self._way(each, field.computed.path))
                level = following
            digest = sha256(repr(facts).encode()).hexdigest()
            found = self._footprints[object.name] = (digest, tuple(objects))
        return found

    def _above(self, object: ObjectDef) -> Iterable[tuple[str, str, bool, tuple[str, ...]]]:
        """What decides about access to a part: the parents, one above the other."""
        while object.master is not None:
            object = self._model.objects[object.fields[object.master].target or ""]
            rights = self.operations(object)
            wide = self.all or bool(rights & {"view_all", "modify_all"})
            yield object.uid, object.digest, wide, tuple(sorted(rights))

    @cached_property
    def objects(self) -> tuple[ObjectDef, ...]:
        """Every object that may be read, in the Model's order."""
        return tuple(each for each in self._model.objects.values() if self.may(each, "read"))

    @cached_property
    def tabs(self) -> tuple[TabDef, ...]:
        """The tabs that show: granted, and of an object that may be read; in the Model's order."""
        granted = {name for each in self.sets for name in each.tabs}
        return tuple(
            tab
            for tab in self._model.tabs.values()
            if (self.all or "*" in granted or tab.name in granted) and self._opens(tab)
        )

    def _opens(self, tab: TabDef) -> bool:
        if tab.object is None:
            return True
        object = self._model.find(tab.object)
        return object is not None and self.may(object, "read")

    @cached_property
    def apps(self) -> tuple[AppDef, ...]:
        """The apps that show: granted, with at least one tab that shows; in the Model's order."""
        granted = {name for each in self.sets for name in each.apps}
        shown = {tab.name for tab in self.tabs}
        return tuple(
            app
            for app in self._model.apps.values()
            if (self.all or "*" in granted or app.name in granted) and shown.intersection(app.tabs)
        )

    def record_types(self, object: str) -> frozenset[str]:
        """Names of the record types with which a record may be made; may hold "*"."""
        return frozenset(
            name
            for each in self.sets
            for name in each.record_types.get(object, each.record_types.get("*", ()))
        )


_memo: LRUCache[Hashable, Rights] = LRUCache(maxsize=512)
_lock = Lock()


def rights_of(model: Model, principal: Principal) -> Rights:
    """The principal's rights under this Model, from the memo when the same grants were asked for before."""
    everything = principal.kind == "system"
    key = (model.digest, model.release, everything, principal.permission_sets, principal.token_scope)
    with _lock:
        found = _memo.get(key)
        if found is None:
            found = Rights(model, principal.permission_sets, principal.token_scope, everything)
            _memo[key] = found
    return found
