"""Nobody grants what they do not hold (R5): what a publish, an assignment or a membership gives, against who
does it.

Rights are compared by uid, so a rename gives nothing, and word by word, not as they come out for one set: a
word about a field gives something only together with a right on the object, which may stand in another set.
Who administers (``Rights.administers``) may give everything, or a tenant could lock itself out for good.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from math import inf
from uuid import UUID

from tabwright.metadata.model import FieldDef, Model, ObjectDef, PermissionSetDef
from tabwright.platform.errors import Denied, Said
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.access.rights import BASE, FIELD_ORDER, field_right, object_rights, rights_of

_SHOWN = 5  # names in a message
_sharing = {"private": (), "read": ("view_all",), "edit": ("view_all", "modify_all")}

# ("system", right), ("object", uid, operation), ("field", uid, word), ("type", uid),
# ("export_rows", uid, number or "" for as many as there are)
Right = tuple[str, ...]


def check_publish(principal: Principal, old: Model, new: Model, dropped: Collection[str] = ()) -> None:
    """Raises Denied where the release ``new`` changes rights on what ``old`` has, and this person may not.

    Any change of them needs ``manage_users``; what is given must be the person's own under ``old``. What is
    new holds nothing yet, so rights on it are free; ``dropped`` are the uids whose data is still kept.
    """
    mine = rights_of(old, principal)
    if mine.administers:
        return
    given, changed = _difference(old, new, frozenset(dropped))
    if changed and "manage_users" not in mine.system:
        raise Denied.of("access.system_right", right=Said("access.right.manage_users"))
    _require(principal, old, given, new)


def check_assignment(principal: Principal, model: Model, uids: Iterable[str]) -> None:
    """Raises Denied where one of the permission sets or groups holds a right that this person does not."""
    mine = rights_of(model, principal)
    if mine.administers:
        return
    for uid in uids:
        _require(principal, model, _all_words(uid, model), model)


def check_membership(principal: Principal, model: Model, queue: UUID) -> None:
    """Raises Denied where this person may not let others into the queue: its records are open to its members,
    so only a member gives nothing new, or who may change every record anyway.
    """
    mine = rights_of(model, principal)
    if mine.administers:
        return
    own = [object for object in model.objects.values() if object.package != BASE]
    if queue in principal.groups and principal.token_scope is None:
        return
    # A token that was narrowed is no member: what its person sees it may not see.
    narrowed = principal.token_scope is not None and principal.token_scope.fields
    if narrowed or not all("modify_all" in mine.operations(object) for object in own):
        raise Denied.of("access.grant_membership")


def _difference(old: Model, new: Model, dropped: frozenset[str]) -> tuple[set[Right], bool]:
    """The rights that ``new`` gives over ``old``, and whether any changed, on things that both know of."""
    kept = _uids(new) & (_uids(old) | dropped)
    given: set[Right] = set()
    changed = False
    for uid in old.grantable.keys() | new.grantable.keys():
        before, after = _all_words(uid, old), _all_words(uid, new)
        after = {each for each in after if each[0] == "system" or each[1] in kept}
        before = {each for each in before if each[0] == "system" or each[1] in kept}
        given |= _beyond(after, before)
        if _emergency(uid, new) > _emergency(uid, old):
            given |= after  # to whoever may take it in an emergency
        changed = changed or after != before or _is_restricted(old, uid) != _is_restricted(new, uid)
    was = {each.uid: each for each in old.objects.values()}
    for object in new.objects.values():
        if object.uid in was:
            opened = _opened(object, new, was[object.uid], old)
            given |= {("object", object.uid, right) for right in opened}
    return given, changed or bool(given)


def _is_restricted(model: Model, uid: str) -> bool:
    found = model.permission_sets.get(uid)
    return found is not None and found.second_factor


def _emergency(uid: str, model: Model) -> int:
    """The hours for which a set may be taken in an emergency, 0 for not at all."""
    found = model.permission_sets.get(uid)
    return (found.emergency_hours or 0) if found is not None else 0


def _opened(object: ObjectDef, new: Model, was: ObjectDef, old: Model) -> set[str]:
    """The rights that the new sharing gives to everybody."""
    if object.master is not None and _master_uid(object) != _master_uid(was):
        return {"view_all", "modify_all"}  # whoever may see or change a parent
    return _open(object, new) - _open(was, old)


def _open(object: ObjectDef, model: Model) -> set[str]:
    if object.master is None:
        return set(_sharing[object.sharing])
    master = object.fields[object.master]
    found = _open(model.objects[master.target or ""], model)
    return {"view_all", "modify_all"} if found and master.master_access == "parent_read" else found


def _master_uid(object: ObjectDef) -> str | None:
    return object.fields[object.master].uid if object.master else None


def _uids(model: Model) -> set[str]:
    found = {each.uid for each in model.objects.values()}
    for object in model.objects.values():
        found |= {field.uid for field in object.own_fields}
        found |= {each.uid for each in object.record_types.values()}
    return found


def words_held(model: Model, uids: Iterable[str]) -> frozenset[Right]:
    """Everything that some sets and groups say: what may be compared of two people, or of two moments."""
    return frozenset(word for uid in uids for word in _all_words(uid, model))


def _all_words(uid: str, model: Model) -> set[Right]:
    """Everything that a set says, or that the sets of a group say."""
    return {word for each in model.sets_of((uid,)) for word in _words(each, model)}


def _words(each: PermissionSetDef, model: Model) -> Iterator[Right]:
    """Everything that a set says, implied rights included."""
    for right in each.system:
        yield ("system", right)
    for object in model.objects.values():
        for operation in object_rights(each, object):
            yield ("object", object.uid, operation)
        if "export" in object_rights(each, object):
            yield ("export_rows", object.uid, str(each.export_rows or ""))
        for field in object.own_fields:
            word = field_right(each, object, field)
            for lower, rank in FIELD_ORDER.items():
                if 0 < rank <= FIELD_ORDER[word]:
                    yield ("field", field.uid, lower)
        types = each.record_types.get(object.name, each.record_types.get("*", ()))
        for kind in object.record_types.values():
            if "*" in types or kind.name in types:
                yield ("type", kind.uid)


def _require(principal: Principal, model: Model, given: Collection[Right], named: Model) -> None:
    mine = rights_of(model, principal)
    held: set[Right] = {("system", right) for right in mine.system}
    held |= {word for each in mine.sets for word in _words(each, model) if word[0] in ("field", "type")}
    for object in model.objects.values():
        operations = mine.operations(object)
        held |= {("object", object.uid, operation) for operation in operations}
        if "export" in operations:
            held.add(("export_rows", object.uid, str(mine.export_rows(object) or "")))
        if principal.token_scope is not None and not operations:  # the token keeps out of it
            own = {each.uid for each in object.own_fields}
            own |= {each.uid for each in object.record_types.values()}
            held = {word for word in held if word[1] not in own}
        elif principal.token_scope is not None:  # it keeps out of fields
            scope = principal.token_scope
            own = {each.uid for each in object.own_fields if not scope.knows(object.name, each.name)}
            held = {word for word in held if word[1] not in own}
    beyond = sorted(_said(word, named) for word in _beyond(given, held))
    if beyond:
        raise Denied.of("access.grant_beyond", rights=", ".join(beyond[:_SHOWN]), count=len(beyond))


def _beyond(given: Collection[Right], held: Collection[Right]) -> set[Right]:
    """What is given and not held; who may export so many rows may let others export as many or fewer."""
    most: dict[str, float] = {}
    for word in held:
        if word[0] == "export_rows":
            most[word[1]] = max(most.get(word[1], 0), _rows(word))
    return {
        word
        for word in given
        if (_rows(word) > most.get(word[1], 0) if word[0] == "export_rows" else word not in held)
    }


def _rows(word: Right) -> float:
    return float(word[2]) if word[2] else inf


def _said(word: Right, model: Model) -> str:
    if word[0] == "system":
        return word[1]
    found: dict[str, ObjectDef | FieldDef] = {each.uid: each for each in model.objects.values()}
    for object in model.objects.values():
        found |= {field.uid: field for field in object.own_fields}
        if any(kind.uid == word[1] for kind in object.record_types.values()):
            return f"{object.name}: record type"
    thing = found[word[1]]
    name = thing.path if isinstance(thing, FieldDef) else thing.name
    if word[0] == "export_rows":
        return f"{name}: export_rows {word[2] or '∞'}"
    return f"{name}: {word[-1]}"
