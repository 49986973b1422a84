"""The frozen Model: one release of a tenant's metadata, compiled. What every request reads.

Everything here is immutable and holds names, types, labels and typed formulas; nothing physical
(columns, tables: runtime.storage) and nothing of a person (rights are applied by runtime.access).
Mappings are read-only views; tuples keep the admin's order.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from tabwright.formula.calendars import Calendar
from tabwright.formula.compiler import Formula
from tabwright.formula.datatypes import Type, reference, text
from tabwright.metadata import addresses, relations
from tabwright.metadata.fieldtypes import TYPES, ComputedKind
from tabwright.metadata.links import Link

# What an admin may make a field of, besides what is computed; system fields have other types too.
type_names = tuple(name for name, each in TYPES.items() if not each.system)

Labels = Mapping[str, str]  # {"zh": ..., "en": ...}; never empty
FieldRight = Literal["none", "read", "edit"]
Sharing = Literal["private", "read", "edit", "parent"]  # parent: as the record that ``master`` names
MasterAccess = Literal["parent", "parent_read", "none"]
ListWay = Literal["table", "cards", "board", "calendar"]


def label_in(labels: Labels, language: str) -> str:
    """The label in a language, else in English, else any."""
    return labels.get(language) or labels.get("en") or next(iter(labels.values()))


@dataclass(frozen=True, slots=True)
class PicklistValue:
    code: str
    labels: Labels
    colour: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class PicklistDef:
    """A global picklist, or a field's own one (then uid and name are the field's)."""

    uid: str
    name: str
    labels: Labels
    values: tuple[PicklistValue, ...]
    restricted: bool = True

    def value(self, code: str) -> PicklistValue | None:
        return next((value for value in self.values if value.code == code), None)


@dataclass(frozen=True)
class Computed:
    """Where the values of a computed field come from.

    ``formula`` is what other formulas use: not rounded, not cut. ``shown`` gives the value that people see,
    with an error where it is too big for the field; ``column`` gives the same in SQL, without that error.
    """

    kind: ComputedKind
    formula: Formula
    shown: Formula
    column: Formula
    stored: bool  # a column holds the values; else they are worked out when they are read
    path: str | None = None  # mirror: the way to what it shows

    @cached_property
    def pushable(self) -> bool:
        """Whether every database can work it out, so that lists can be narrowed and ordered by it."""
        return not any(self.column.pushable.values())


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A field that keeps what ``path`` led to when its reference, ``lookup``, was set or changed."""

    path: str
    lookup: str
    formula: Formula


@dataclass(frozen=True, slots=True)
class FieldDef:
    """One field of an object, system fields included (``system=True``, uid ``sys:<name>``).

    ``type`` is one of ``type_names``, or "id", "owner", "record_type", "revision" on system fields
    ("created_by" has type "user", "created_at" type "datetime"). ``value_type`` is what a formula sees.
    """

    uid: str
    object: str
    name: str
    labels: Labels
    type: str
    value_type: Type
    help: Labels = field(default_factory=dict)
    placeholder: Labels = field(default_factory=dict)
    required: bool = False
    unique: Literal[False, True, "ignore_case"] = False
    unique_within: str | None = None  # a reference: values are unique among the records that share it
    external_key: bool = False
    read_only: bool = False
    read_only_after_create: bool = False
    required_when: Formula | None = None  # of the record as it is to be saved
    read_only_when: Formula | None = None  # of the record as it was saved last
    offered_when: Mapping[str, Formula] = field(default_factory=dict)  # picklist: code -> when it is offered
    searchable: bool = False
    sortable: bool = False
    system: bool = False  # every object has it; not to be mixed up with ``locked``
    locked: bool = False  # built in: part of a component that admins may label, not change
    default: Formula | None = None
    active: bool = True  # False: retired, its data kept
    copy_button: bool = False
    min_length: int | None = None
    max_length: int | None = None
    mask: str | None = None  # what everybody sees of a value: a preset of runtime.masks
    rich_text: bool = False  # long_text: HTML of a few tags
    max_items: int | None = None  # multi_picklist, file, image
    max_size: int | None = None  # file, image: megabytes of one
    accept: tuple[str, ...] = ()  # file: kinds that it takes (runtime.filing.kinds); none: all
    extensions: tuple[str, ...] = ()  # file: ends of names that it takes besides
    precision: int | None = None
    scale: int | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    currency: str | None = None
    pattern: str | None = None
    pattern_message: Labels = field(default_factory=dict)
    picklist: PicklistDef | None = None
    default_code: str | None = None  # picklist: the value marked default
    controlled_by: str | None = None  # picklist: the field whose value decides what can be chosen
    matrix: Mapping[str, frozenset[str]] = field(default_factory=dict)  # its code -> codes that go with it
    target: str | None = None  # lookup, master_detail, user: object name; owner: "user" (queue is the other)
    kinds: Mapping[str, str] = field(default_factory=dict)  # polymorphic: uid -> name of each target
    on_delete: Literal["set_null", "restrict", "cascade"] = "set_null"
    tree: bool = False  # lookup to the own object: its records hang on each other, never in a ring
    into_tree: bool = False  # link: the records it names hang on each other
    master_access: MasterAccess | None = None  # master_detail: what the parent decides
    lookup_filter: Formula | None = None
    number_pattern: str | None = None  # auto_number
    number_start: int = 1
    number_restart: Literal["never", "year", "month", "day"] | None = None  # None: by the pattern
    number_per: str | None = None  # a lookup: each of its records has a counter
    country: str | None = None  # phone
    aliases: tuple[str, ...] = ()
    computed: Computed | None = None  # read-only: the value is worked out
    snapshot: Snapshot | None = None  # filled by the pipeline when its reference is chosen
    declassifies: frozenset[str] = frozenset()  # what it may show to who may not read it: "account.revenue"

    @property
    def is_stored(self) -> bool:
        """Whether a column holds its values."""
        return self.computed is None or self.computed.stored

    @property
    def in_database(self) -> bool:
        """Whether every database has its value or can work it out: for conditions, orders and groups."""
        return self.computed is None or self.computed.stored or self.computed.pushable

    @property
    def path(self) -> str:
        return f"{self.object}.{self.name}"

    @property
    def is_reference(self) -> bool:
        return self.type in ("user", "owner") or TYPES[self.type].links or bool(self.kinds)

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the objects that a reference may name: an owner is a user or a queue."""
        if self.type == "owner":
            return ("user", "queue")
        return tuple(self.kinds.values()) or ((self.target,) if self.target else ())

    def target_of(self, value: Any) -> str:
        """The name of the object that a value of a reference names a record of; "" where nobody knows it."""
        if self.kinds:
            return self.kinds.get(value.kind, "") if isinstance(value, Link) else ""
        return self.target or "user"

    def narrowed(self, target: ObjectDef) -> FieldDef:
        """A polymorphic field as a lookup to one of its targets: blank where it names another kind."""
        labels = {
            language: f"{label_in(self.labels, language)} › {label_in(target.labels, language)}"
            for language in ("zh", "en")
        }
        return dataclasses.replace(
            self, name=f"{self.name}.{target.name}", type="lookup", labels=labels, kinds={},
            target=target.name, value_type=reference(target.name), into_tree=target.tree is not None,
        )  # fmt: skip

    def part(self, name: str) -> FieldDef:
        """A part of an address, as a text that is only read."""
        labels = {
            language: f"{label_in(self.labels, language)} › {addresses.LABELS[name][language]}"
            for language in ("zh", "en")
        }
        return dataclasses.replace(
            self, name=f"{self.name}.{name}", type="text", labels=labels, read_only=True, required=False,
            max_length=addresses.LONGEST[name], value_type=text(addresses.LONGEST[name]), copy_button=False,
            searchable=False,
        )  # fmt: skip

    def called(self) -> FieldDef:
        """The name of the record that a polymorphic field names, whatever its kind."""
        return dataclasses.replace(
            self, name="name", type="text", labels={"zh": "名称", "en": "Name"}, kinds={}, max_length=255,
            value_type=text(255), system=True, read_only=True,
        )  # fmt: skip

    @property
    def holds_files(self) -> bool:
        return TYPES[self.type].holds_files

    @property
    def is_number(self) -> bool:
        return TYPES[self.type].number


@dataclass(frozen=True, slots=True)
class RecordTypeDef:
    uid: str
    name: str  # without the object's name
    labels: Labels
    active: bool
    picklists: Mapping[str, tuple[str, ...]]  # field name -> allowed codes
    defaults: Mapping[str, Formula]
    layout: str | None  # without the object's name


@dataclass(frozen=True, slots=True)
class LayoutField:
    field: str
    span: int = 1
    required: bool = False
    read_only: bool = False
    visible: Formula | None = None
    required_when: Formula | None = None  # these three are as a field's own of the same name
    read_only_when: Formula | None = None
    offered_when: Mapping[str, Formula] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LinesDef:
    """A table of records of ``object`` whose ``field`` names the record, edited in the record's form."""

    object: str
    field: str
    columns: tuple[LayoutField, ...]
    position: str | None = None  # the field that keeps the order; None: as they were made
    minimum: int = 0
    maximum: int = 200
    totals: tuple[str, ...] = ()
    visible: Formula | None = None

    @property
    def relation(self) -> str:
        return f"{self.object}.{self.field}"


@dataclass(frozen=True, slots=True)
class LayoutSection:
    labels: Labels
    columns: int
    fields: tuple[LayoutField, ...]
    collapsed: bool = False  # only its heading shows until it is opened
    lines: LinesDef | None = None  # below the fields


@dataclass(frozen=True, slots=True)
class RelatedList:
    """A list of records of ``object`` whose lookup ``field`` names this record. Columns may be paths."""

    object: str
    field: str
    columns: tuple[str, ...]
    order: tuple[tuple[str, Literal["asc", "desc"]], ...]
    labels: Labels = dataclasses.field(default_factory=dict)  # the heading; a compiled one is never empty
    rows: int = 5


@dataclass(frozen=True, slots=True)
class LayoutDef:
    uid: str | None  # None: generated, not a document
    name: str
    labels: Labels
    sections: tuple[LayoutSection, ...]
    related: tuple[RelatedList, ...]
    attachments: bool = True  # the record page has the part in which files are attached

    @property
    def lines(self) -> tuple[LinesDef, ...]:
        """The tables of lines, from top to bottom."""
        return tuple(section.lines for section in self.sections if section.lines is not None)


@dataclass(frozen=True, slots=True)
class LayoutRule:
    """People of a permission set see this layout, on records of a type or (None) on all. Names are local."""

    permission_set: str
    record_type: str | None
    layout: str


@dataclass(frozen=True, slots=True)
class ListColumn:
    path: str
    width: int | None = None


@dataclass(frozen=True, slots=True)
class ColourRule:
    """Records for which ``when`` is true stand out in a colour; ``path``: only that column of them does."""

    when: Formula
    colour: str
    labels: Labels
    path: str | None = None


@dataclass(frozen=True, slots=True)
class ListViewDef:
    """A list view of the release. ``shown_to``: names of permission sets; None for everybody."""

    uid: str | None
    name: str
    labels: Labels
    columns: tuple[ListColumn, ...]
    where: Formula | None
    order: tuple[tuple[str, Literal["asc", "desc"]], ...]
    colours: tuple[ColourRule, ...] = ()
    way: ListWay = "table"
    by: str | None = None  # board: the picklist of its columns
    sum: str | None = None  # board: the number that each column adds up
    start: str | None = None  # calendar: the date that places records
    end: str | None = None
    mode: Literal["month", "week"] = "month"
    cards: tuple[str, ...] = ()  # fields on cards; empty: the highlights
    density: Literal["comfortable", "compact"] | None = None
    shown_to: tuple[str, ...] | None = None
    is_default: bool = False
    place: int = 100  # among the views of its object, which stand in this order


@dataclass(frozen=True, slots=True)
class ValidationRuleDef:
    uid: str
    name: str
    condition: Formula  # true = the record is refused, or warned of
    message: Labels
    field: str | None
    severity: Literal["error", "warning"] = "error"


@dataclass(frozen=True, slots=True)
class UniqueRuleDef:
    uid: str
    name: str
    fields: tuple[str, ...]
    ignore_case: bool
    needs: str | None = None  # a field: records without it clash with none


@dataclass(frozen=True, slots=True)
class Grantee:
    """People whom a sharing rule names. ``key``: a code, a user's address, or an id; "" for everybody."""

    kind: Literal["everyone", "group", "position", "department", "queue", "user"]
    key: str = ""
    below: bool = False


@dataclass(frozen=True, slots=True)
class SharingRuleDef:
    """Opens records to people: those that ``when`` is true of, or whose owner is one of ``owned_by``."""

    uid: str
    name: str
    labels: Labels
    to: tuple[Grantee, ...]
    access: Literal["read", "edit"]
    when: Formula | None = None
    owned_by: tuple[Grantee, ...] = ()


@dataclass(frozen=True, slots=True)
class RestrictionRuleDef:
    """Closes all records but those that ``condition`` is true of to holders of some permission sets, by name;
    None: to everybody.
    """

    uid: str
    name: str
    labels: Labels
    condition: Formula
    applies_to: tuple[str, ...] | None = None


@dataclass(frozen=True)
class ObjectDef:
    """One object with everything that hangs on it. ``digest`` keys what runtime compiles from it (0010)."""

    uid: str
    name: str
    labels: Labels
    plural: Labels
    icon: str
    colour: str
    name_field: str
    sharing: Sharing
    searchable: bool
    highlights: tuple[str, ...]
    fields: Mapping[str, FieldDef]  # by name, admin's order, then system fields
    record_types: Mapping[str, RecordTypeDef]
    layouts: Mapping[str, LayoutDef]  # by name without the object's; never empty
    list_views: Mapping[str, ListViewDef]  # the same
    validation_rules: tuple[ValidationRuleDef, ...]
    unique_rules: tuple[UniqueRuleDef, ...]  # a field's own `unique` is here too, uid "<field uid>:unique"
    package: str | None
    digest: str
    aliases: tuple[str, ...] = ()
    field_aliases: Mapping[str, str] = field(default_factory=dict)
    locked: bool = False  # built in
    master: str | None = None  # the master_detail field whose record decides about access to this one's
    layout_rules: tuple[LayoutRule, ...] = ()  # the first that fits wins over the record type's layout
    watermark: frozenset[str] = frozenset()  # "files", "screens"
    hierarchy: Literal["off", "read", "edit"] = "edit"  # what superiors of an owner may do with the records
    sharing_rules: tuple[SharingRuleDef, ...] = ()
    restriction_rules: tuple[RestrictionRuleDef, ...] = ()
    names_fields: bool = False  # fields are hidden until a permission set grants them by name

    def find(self, name: str) -> FieldDef | None:
        """The field of that name or alias (lower case), or None."""
        found = self.fields.get(name)
        if found is None and name in self.field_aliases:
            found = self.fields.get(self.field_aliases[name])
        return found

    @cached_property
    def tree(self) -> FieldDef | None:
        """The lookup by which records hang on others of their kind."""
        return next((each for each in self.fields.values() if each.tree), None)

    @cached_property
    def own_fields(self) -> tuple[FieldDef, ...]:
        return tuple(each for each in self.fields.values() if not each.system)

    @cached_property
    def stored_fields(self) -> tuple[FieldDef, ...]:
        """Own fields that have a column."""
        return tuple(each for each in self.own_fields if each.is_stored)


@dataclass(frozen=True, slots=True)
class TabDef:
    uid: str | None
    name: str
    labels: Labels
    icon: str
    object: str | None
    list_view: str | None  # without the object's name
    url: str | None = None


@dataclass(frozen=True, slots=True)
class AppDef:
    uid: str | None
    name: str
    labels: Labels
    icon: str
    tabs: tuple[str, ...]
    colour: str = "blue"
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class PermissionSetDef:
    """Rights as the document says them; runtime.access unites the sets of a principal."""

    uid: str
    name: str
    labels: Labels
    system: frozenset[str]
    objects: Mapping[str, frozenset[str]]  # object name or "*"
    fields: Mapping[str, Mapping[str, FieldRight]]  # object name or "*" -> field name or "*"
    tabs: tuple[str, ...]
    apps: tuple[str, ...]
    record_types: Mapping[str, tuple[str, ...]]
    emergency_hours: int | None = None  # who may break the glass takes it for so long; None: nobody does
    export_rows: int | None = None  # most rows of one export of what the set lets export; None: no such limit
    second_factor: bool = False  # a restriction: its holders sign in with a code too


@dataclass(frozen=True, slots=True)
class PermissionSetGroupDef:
    """Permission sets (uids) that are given together: whoever is given the group holds them all."""

    uid: str
    name: str
    labels: Labels
    sets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CalendarDef:
    """A business calendar. ``zone`` None: that of the person who asks. ``fiscal``: the months that lead
    from a date to the day whose calendar year and quarter are its fiscal ones.
    """

    uid: str
    name: str
    labels: Labels
    is_default: bool
    zone: str | None
    hours: Calendar
    fiscal: int = 0


@dataclass(frozen=True, slots=True)
class CustomLabelDef:
    """A text in each language that formulas name."""

    uid: str
    name: str
    labels: Labels
    text: Labels


@dataclass(frozen=True, slots=True)
class Use:
    """One edge of the where-used graph: component ``user`` names component ``used`` at ``pointer``."""

    user_kind: str
    user: str
    used_kind: str
    used: str
    pointer: str


@dataclass(frozen=True, slots=True)
class CompiledPart:
    """What the next compile needs to know to take a piece over: its source, and what it looked at."""

    source: str  # digest of its documents
    seen: Mapping[tuple[str, ...], str]  # question about the rest of the tree -> signature of the answer
    piece: Any
    uses: tuple[Use, ...]


@dataclass(frozen=True, slots=True)
class Model:
    release: int
    digest: str
    objects: Mapping[str, ObjectDef]
    object_aliases: Mapping[str, str]
    picklists: Mapping[str, PicklistDef]
    tabs: Mapping[str, TabDef]  # documents, then generated ones
    apps: Mapping[str, AppDef]
    permission_sets: Mapping[str, PermissionSetDef]  # by uid
    uses: tuple[Use, ...]
    permission_set_groups: Mapping[str, PermissionSetGroupDef] = field(default_factory=dict)  # by uid
    calendars: Mapping[str, CalendarDef] = field(default_factory=dict)
    custom_labels: Mapping[str, CustomLabelDef] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, CompiledPart] = field(default_factory=dict, repr=False, compare=False)

    def find(self, name: str) -> ObjectDef | None:
        """The object of that name or alias (lower case), or None."""
        found = self.objects.get(name)
        if found is None and name in self.object_aliases:
            found = self.objects.get(self.object_aliases[name])
        return found

    @property
    def grantable(self) -> Mapping[str, PermissionSetDef | PermissionSetGroupDef]:
        """What a person may be given, by uid: permission sets and groups of them."""
        return {**self.permission_sets, **self.permission_set_groups}

    @property
    def grantable_uids(self) -> Mapping[str, str]:
        """Name -> uid of what a person may be given; of one name, the set is meant."""
        groups = {each.name: each.uid for each in self.permission_set_groups.values()}
        return groups | {each.name: each.uid for each in self.permission_sets.values()}

    def sets_of(self, uids: Iterable[str]) -> tuple[PermissionSetDef, ...]:
        """The permission sets that some uids of sets and of groups come to, each once."""
        found: dict[str, PermissionSetDef] = {}
        for uid in uids:
            group = self.permission_set_groups.get(uid)
            for each in group.sets if group is not None else (uid,):
                if each in self.permission_sets:
                    found[each] = self.permission_sets[each]
        return tuple(found.values())

    def relation(self, object: ObjectDef, path: tuple[str, ...]) -> FieldDef | None:
        """The lookup of other records that a path stands for in a formula about ``object``."""
        return relations.chosen(path, self.kin(object.name), lambda name: object.find(name) is not None)

    def kin(self, object: str) -> tuple[FieldDef, ...]:
        """The lookups that make relations of an object: ``children``, and of people what they own."""
        found = self.children(object)
        if object != "user":
            return found
        return (*found, *(each.fields[relations.BY_OWNER] for each in self.objects.values()))

    def texts(self, language: str) -> Mapping[str, str]:
        """The custom labels in a language, by name: what ``$Label`` names."""
        return {name: label_in(each.text, language) for name, each in self.custom_labels.items()}

    @property
    def calendar(self) -> CalendarDef | None:
        """The organisation's business calendar."""
        return next((each for each in self.calendars.values() if each.is_default), None)

    def children(self, object: str) -> tuple[FieldDef, ...]:
        """Every lookup field, of any object, that names ``object``."""
        return tuple(
            each
            for other in self.objects.values()
            for each in other.fields.values()
            if not each.system and each.computed is None and object in each.targets
        )
