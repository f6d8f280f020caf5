"""The compiled application: immutable, picklable, one instance per published version. Nothing here reads files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from metadata.access import Grant as Grant
from metadata.access import NamedScope as NamedScope
from metadata.access import Role as Role
from metadata.access import Scope as Scope
from metadata.frozen import FrozenMap
from metadata.models.activity import Activity as Activity
from metadata.models.activity import NextAction as NextAction
from metadata.models.activity import TimelinePart as TimelinePart
from metadata.models.ledger import Ledger as Ledger
from metadata.models.menu import Menu as Menu
from metadata.models.menu import MenuItem as MenuItem
from metadata.models.revisions import Revisions as Revisions
from metadata.texts import Origin as Origin
from metadata.texts import Text as Text
from rules.expression import Expression
from rules.typing import FieldInfo, Type

Storage = Literal[
    "text",  # str
    "integer",  # int
    "decimal",  # Decimal; also percent and money amounts
    "boolean",
    "date",
    "datetime",  # aware UTC datetime, milliseconds
    "time",
    "json",  # any JSON value
    "link",  # int id of a record, foreign key
    "any_link",  # (entity, id): two columns, no foreign key
    "choices",  # tuple of choice names, a join table
    "links",  # tuple of ids, a join table
    "children",  # `lines`: records of a table of their own
    "none",  # nothing stored: related, lookup, live formula
]
Computed = Literal["no", "stored", "live"]
Operation = Literal["read", "create", "edit", "delete", "export", "import", "assign", "share", "report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    name: str
    label: Text
    colour: str | None = None
    icon: str | None = None
    order: int = 0
    was: tuple[str, ...] = ()
    retired: bool = False
    properties: FrozenMap[Any] = field(default_factory=FrozenMap)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    name: str
    label: Text
    choices: tuple[Choice, ...]
    open: bool = False
    property_types: FrozenMap[Type] = field(default_factory=FrozenMap)
    origin: Origin

    def choice(self, name: str) -> Choice | None:
        return next((c for c in self.choices if c.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of an entity, system fields included (`system=True`).

    `type` names the field type (a file of `metadata/fields/`); `storage` its storage kind; `value_type` its static
    type in expressions. `column` is the physical name of its column (None where nothing is stored in the own table).
    A property that may be a rule holds either a plain value or an Expression.
    """

    name: str
    type: str
    label: Text
    storage: Storage
    value_type: Type
    column: str | None = None
    help: Text | None = None
    placeholder: Text | None = None
    system: bool = False
    required: bool = False
    unique: bool = False
    readonly: bool = False
    default: Any = None  # a coerced value, an Expression, or None
    formula: Expression | None = None
    computed: Computed = "no"
    keep: str | None = None  # "daily": a live formula stored each night
    index: bool = False
    sensitive: bool = False
    audit: bool = True
    tracked: bool = False
    translated: bool = False
    copy: bool = True
    retired: bool = False
    was: tuple[str, ...] = ()
    sort_key: bool = False  # text with a stored pinyin sort key in column "<column>__sort"
    visible_when: Expression | None = None
    required_when: Expression | None = None
    readonly_when: Expression | None = None
    # by type
    max: Any = None  # text: characters; numbers: greatest value
    min: Any = None
    scale: int = 0
    digits: int = 0
    pattern: str | None = None
    to: str | None = None  # link, links, user: target entity
    on_delete: Literal["refuse", "clear", "cascade"] = "refuse"
    where: Expression | None = None  # link: which targets may be picked
    options: str | None = None  # select, multi_select: name of the option set
    entity: str | None = None  # lines, related: entity of the members
    by: str | None = None  # lines, related: field of the members that points back
    through: str | None = None  # links: the entity of the pair
    of: tuple[str, ...] = ()  # lookup: path of field names, e.g. ("customer", "region")
    settings: FrozenMap[Any] = field(default_factory=FrozenMap)  # whatever else the type declares
    origin: Origin

    @property
    def stored(self) -> bool:
        """A value of its own in the entity's table or a join table."""
        return self.storage not in ("none", "children") and self.computed != "live"

    @property
    def writable(self) -> bool:
        return (
            not self.system and not self.readonly and self.computed == "no" and self.type not in ("related", "lookup")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    name: str
    must: Expression
    message: Text
    fields: tuple[str, ...]  # fields the problem is shown at; empty = the record
    when: Expression | None = None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbering:
    """`pattern` such as `KH{yyyy}{seq:5}`; the counter restarts with every distinct prefix before `{seq}`."""

    name: str
    pattern: str
    field: str | None = None
    gapless: bool = False
    start: int = 1
    check: str | None = None  # algorithm of {check}, see rules.digits
    skip: tuple[str, ...] = ()  # patterns of sequences never given
    reserved: tuple[str, ...] = ()  # patterns of sequences given by hand alone
    granted_by: tuple[str, ...] = ()  # roles that may do so, besides administrators
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    name: str
    label: Text
    plural: Text
    table: str  # physical table name
    title: str  # field shown for a record; "id" where none is declared
    fields: FrozenMap[Field]  # declared order, then system fields
    help: Text | None = None
    icon: str | None = None
    platform: bool = False
    number: Numbering | None = None
    owner: str | None = None
    unit: str | None = None  # the link to an organisation unit that unit scopes use, besides the owner's
    tree: str | None = None
    currency: str | None = None  # field holding the record's currency code; None = the site's
    ledger: Ledger | None = None  # entries are only added
    balances_of: str | None = None  # the ledger whose balances these records are: written by the platform alone
    revisions: Revisions | None = None  # a record in force changes by revisions
    activity: Activity | None = None  # its records are things that happen
    timeline: tuple[TimelinePart, ...] = ()  # related fields whose records stand in the timeline
    next_action: NextAction | None = None
    files: bool = False  # files can be kept with a record
    parent: tuple[str, str] | None = None  # lines: (parent entity, field of this entity pointing to it)
    parent_field: str | None = None  # lines: the `lines` field of the parent
    search: tuple[str, ...] = ()
    second_line: tuple[str, ...] = ()  # fields that tell records of the same title apart
    unique: tuple[tuple[str, ...], ...] = ()
    checks: tuple[Check, ...] = ()
    history: bool = False
    retired: bool = False
    was: tuple[str, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()  # field names, derived from declared lists, links, uniques
    origin: Origin

    def field(self, name: str) -> Field | None:
        return self.fields.get(name)

    @property
    def own_fields(self) -> tuple[Field, ...]:
        return tuple(f for f in self.fields.values() if not f.system)


# --- layouts -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FormItem:
    """A field placed in a section; `span` in columns; several in a `group` share one cell row."""

    field: str
    span: int = 1
    group: int | None = None
    widget: str | None = None
    visible_when: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    name: str
    label: Text
    columns: int = 2
    items: tuple[FormItem, ...] = ()
    collapsed: bool = False
    visible_when: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """Either sections of fields, or a related list (`related` names a related/lines field)."""

    name: str
    label: Text
    sections: tuple[Section, ...] = ()
    related: str | None = None
    columns: tuple[Column, ...] = ()
    visible_when: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A list column: a path of field names from the entity (`("owner", "name")` follows a link)."""

    path: tuple[str, ...]
    label: Text | None = None
    show: str | None = None  # bar, tag, …; None = the type's own
    total: str | None = None  # sum, avg, count …
    width: int | None = None

    @property
    def key(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    name: str
    entity: str
    tabs: tuple[Tab, ...]
    header: tuple[str, ...] = ()  # key figures shown in the record's header
    side: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()  # fields of the quick-create form
    touch: tuple[tuple[str, ...], ...] = ()  # paths to phone numbers and addresses one reaches somebody by
    for_role: str | None = None
    on: str | None = None  # "phone"
    generated: bool = False
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    path: tuple[str, ...]
    descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    path: tuple[str, ...]
    range: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A declared view of a list; `where` None = all rows one may see."""

    name: str
    label: Text
    where: Expression | None = None
    sort: tuple[Sort, ...] = ()
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Highlight:
    when: Expression
    style: str  # success, warning, danger, info, muted


@dataclass(frozen=True, slots=True, kw_only=True)
class List:
    name: str
    entity: str
    columns: tuple[Column, ...]
    sort: tuple[Sort, ...] = ()
    filters: tuple[Filter, ...] = ()
    views: tuple[View, ...] = ()
    highlight: tuple[Highlight, ...] = ()
    page_size: int = 50
    where: Expression | None = None
    for_role: str | None = None
    on: str | None = None
    generated: bool = False
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    name: str
    entity: str
    label: Text
    where: Expression
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    name: str
    type: Type
    field_type: str
    label: Text
    default: Any = None  # a value, or the name of a relative period such as "this_quarter"
    optional: bool = False
    options: str | None = None
    to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """`path` of field names; `bucket` day, week, month, quarter, year for dates."""

    name: str
    path: tuple[str, ...]
    label: Text
    bucket: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    name: str
    label: Text
    expression: Expression
    format: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    name: str
    entity: str
    label: Text
    where: Expression | None = None
    parameters: tuple[Parameter, ...] = ()
    groups: tuple[Group, ...] = ()
    measures: tuple[Measure, ...] = ()
    columns: tuple[Column, ...] = ()  # a list report, where there are no groups
    sort: tuple[Sort, ...] = ()  # paths are group or measure names
    limit: int = 1000
    drill: str | None = None
    chart: FrozenMap[Any] = field(default_factory=FrozenMap)
    origin: Origin


# --- the whole ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageInfo:
    name: str
    version: str
    label: Text
    code: bool = False
    requires: FrozenMap[str] = field(default_factory=FrozenMap)  # package → range of versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """`entity.field` (computed, stored) reads `reads`: pairs (entity, field) over which it must be kept right."""

    entity: str
    field: str
    reads: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Everything published, resolved and typed. Also the `Schema` that expressions are checked against."""

    entities: FrozenMap[Entity]
    options: FrozenMap[Options]
    forms: FrozenMap[tuple[Form, ...]]  # by entity; the most specific match is `form_for`
    lists: FrozenMap[tuple[List, ...]]  # by entity
    menus: tuple[Menu, ...]
    segments: FrozenMap[Segment]
    roles: FrozenMap[Role]
    reports: FrozenMap[Report]
    declared: FrozenMap[FrozenMap[Any]] = field(default_factory=FrozenMap)  # rules that decide: word → name → model
    packages: tuple[PackageInfo, ...] = ()
    dependencies: tuple[Dependency, ...] = ()  # in recomputation order
    languages: tuple[str, ...] = ("zh", "en")
    storage_fingerprint: str = ""
    display_fingerprint: str = ""

    def entity(self, name: str) -> Entity:
        return self.entities[name]

    def form_for(self, entity: str, roles: Iterable[str] = (), device: str | None = None) -> Form:
        return _most_specific(self.forms[entity], set(roles), device)

    def list_for(self, entity: str, roles: Iterable[str] = (), device: str | None = None) -> List:
        return _most_specific(self.lists[entity], set(roles), device)

    def of(self, word: str) -> Mapping[str, Any]:
        """The declared things of a kind by name, such as `of("score")`; models are in `metadata.models`."""
        return self.declared.get(word, _NONE)

    def rules_of(self, entity: str, word: str) -> tuple[Any, ...]:
        """Those of a kind that are about an entity, in the order of their names."""
        return tuple(found for _, found in sorted(self.of(word).items()) if found.entity == entity)

    # Schema of rules.typing

    def entity_names(self) -> Iterable[str]:
        return self.entities

    def field_info(self, entity: str, name: str) -> FieldInfo | None:
        found = self.entities.get(entity)
        member = found.fields.get(name) if found else None
        if member is None or member.retired:
            return None
        live = member.computed == "live" and self._depends_on_time(entity, member)
        return FieldInfo(name=name, type=member.value_type, live=live, sensitive=member.sensitive)

    def _depends_on_time(self, entity: str, member: Field) -> bool:
        """A live formula does; a lookup where the field it shows does."""
        if member.type != "lookup":
            return True
        here: str | None = entity
        shown: Field | None = None
        for part in member.of:
            holder = self.entities.get(here) if here else None
            shown = holder.fields.get(part) if holder else None
            here = shown.value_type.entity if shown else None
        info = self.field_info(self._holder(entity, member.of), shown.name) if shown else None
        return info is not None and info.live

    def _holder(self, entity: str, path: tuple[str, ...]) -> str:
        for part in path[:-1]:
            entity = self.entities[entity].fields[part].value_type.entity or entity
        return entity

    def field_names(self, entity: str) -> Iterable[str]:
        found = self.entities.get(entity)
        return [f.name for f in found.fields.values() if not f.retired] if found else []

    def choices(self, options: str) -> tuple[str, ...]:
        return tuple(c.name for c in self.options[options].choices)

    def choice_properties(self, options: str) -> Mapping[str, Type]:
        return self.options[options].property_types

    def choice_value(self, options: str, choice: str, prop: str) -> object:
        found = self.options[options].choice(choice)
        if found is None:
            return None
        return found.order if prop == "order" else found.properties.get(prop)

    def title_field(self, entity: str) -> str | None:
        found = self.entities.get(entity)
        return found.title if found else None

    def currency_field(self, entity: str) -> str | None:
        found = self.entities.get(entity)
        return found.currency if found else None

    def open_options(self, options: str) -> bool:
        return self.options[options].open


_NONE: FrozenMap[Any] = FrozenMap()


def _most_specific(candidates: tuple[Any, ...], roles: set[str], device: str | None) -> Any:
    """The candidate for (role, device) that names most of both; ties go to the later layer, which comes last."""
    fitting = [c for c in candidates if c.for_role in roles | {None} and c.on in {device, None}]
    return max(reversed(fitting), key=lambda c: (c.on is not None) + 2 * (c.for_role is not None))
