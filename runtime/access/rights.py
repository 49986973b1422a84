"""The union of a principal's permission sets over one Model (decision 0014), computed once and memoised.

Inside a set the most specific word wins: object and field, object and "*", "*" and field, "*" and "*".
Sets are united: edit over read over none. A field that no set covers is not readable.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock
from typing import Literal

from cachetools import LRUCache

from tabwright.metadata.model import FieldDef, FieldRight, Model, ObjectDef, PermissionSetDef
from tabwright.runtime.access.principal import Principal, TokenScope

Operation = Literal[
    "create", "read", "edit", "delete", "view_all", "modify_all", "transfer", "import", "export"
]

BASE = "base"  # the built-in package: rights on its objects are always named
NAMED_BY_ALL = ("user", "queue")  # everybody signed in may read id and name of these
WRITABLE_SYSTEM_FIELDS = ("owner", "record_type")

_implied: dict[str, tuple[str, ...]] = {
    "modify_all": ("view_all", "edit", "delete", "transfer"),
    "view_all": ("read",),
    "edit": ("read",),
    "delete": ("read",),
}
_order: dict[FieldRight, int] = {"none": 0, "read": 1, "edit": 2}


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


def _object_rights(each: PermissionSetDef, object: ObjectDef) -> frozenset[str]:
    named = each.objects.get(object.name)
    if named is not None:
        return with_implied(named)
    if object.package == BASE and "manage_users" not in each.system:
        return frozenset()
    return with_implied(each.objects.get("*", frozenset()))


def _field_right(each: PermissionSetDef, field: FieldDef) -> FieldRight:
    for object in (field.object, "*"):
        words = each.fields.get(object)
        if words is not None:
            for name in (field.name, "*"):
                if name in words:
                    return words[name]
    return "none"


class Rights:
    """What some permission sets, narrowed by a token's scope, allow. Nothing here is of one person."""

    def __init__(self, model: Model, sets: Iterable[str], scope: TokenScope | None) -> None:
        self._sets = tuple(model.permission_sets[uid] for uid in sets if uid in model.permission_sets)
        self._scope = scope
        granted = frozenset(right for each in self._sets for right in each.system)
        self.system: frozenset[str] = granted if scope is None else granted & scope.system
        self._operations: dict[str, frozenset[str]] = {}
        self._fields: dict[str, dict[str, FieldRight]] = {}

    def operations(self, object: ObjectDef) -> frozenset[str]:
        """The operations granted on the object, implied ones included."""
        found = self._operations.get(object.name)
        if found is None:
            found = frozenset(right for each in self._sets for right in _object_rights(each, object))
            if self._scope is not None:
                found &= with_implied(self._scope.operations(object.name))
            self._operations[object.name] = found
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
        floor: FieldRight = "none"
        if object.name in NAMED_BY_ALL and object.package == BASE and field.name in ("id", object.name_field):
            floor = "read"
        if not operations & {"read", "create"}:
            return floor
        if field.system:
            right: FieldRight = "edit" if field.name in WRITABLE_SYSTEM_FIELDS else "read"
        else:
            right = max(
                (_field_right(each, field) for each in self._sets), key=_order.__getitem__, default="none"
            )
        if right == "edit" and (not writes or field.read_only or field.type == "auto_number"):
            right = "read"
        if right == "read" and "read" not in operations:
            right = "none"
        return max(right, floor, key=_order.__getitem__)

    def tabs(self) -> frozenset[str]:
        return frozenset(name for each in self._sets for name in each.tabs)

    def apps(self) -> frozenset[str]:
        return frozenset(name for each in self._sets for name in each.apps)

    def record_types(self, object: str) -> frozenset[str]:
        """Names of the record types with which a record may be made; may hold "*"."""
        return frozenset(
            name
            for each in self._sets
            for name in each.record_types.get(object, each.record_types.get("*", ()))
        )


_memo: LRUCache[tuple[object, ...], Rights] = LRUCache(maxsize=512)
_lock = Lock()


def rights_of(model: Model, principal: Principal) -> Rights:
    """The principal's rights under this Model, from the memo when the same grants were asked for before."""
    key = (model.digest, model.release, principal.permission_sets, principal.token_scope)
    with _lock:
        found = _memo.get(key)
        if found is None:
            found = _memo[key] = Rights(model, principal.permission_sets, principal.token_scope)
    return found
