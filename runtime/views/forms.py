"""Forms and record pages: declared, then bound to a kind of user, then filled for one request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as default_of
from typing import Any

from metadata.model import Form, FormItem, Section, Tab
from rules.expression import Expression
from runtime.digits import number_in
from runtime.records.form import Reason
from runtime.views.binder import Binder, BoundField


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundSection:
    name: str
    label: str
    columns: int
    items: tuple[BoundField, ...]
    collapsed: bool = False
    visible_when: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundRelated:
    """A related list: `members` of entity `entity` whose field `by` points to the record."""

    name: str
    label: str
    entity: str
    by: str | None
    columns: tuple[BoundField, ...]
    through: bool = False  # a list of links: the members are named by the record itself


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundTab:
    name: str
    label: str
    sections: tuple[BoundSection, ...] = ()
    related: BoundRelated | None = None
    visible_when: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundForm:
    """`path` is the tracked select drawn as a row of steps; `fields` is every field of the sections, by name."""

    entity: str
    label: str
    plural: str
    icon: str | None
    tabs: tuple[BoundTab, ...]
    header: tuple[BoundField, ...]
    path: BoundField | None
    actions: tuple[str, ...]
    quick: tuple[BoundField, ...]
    side: tuple[str, ...] = ()
    touch: tuple[BoundField, ...] = ()
    fields: Mapping[str, BoundField] = default_of(default_factory=dict)

    @property
    def edited(self) -> tuple[BoundTab, ...]:
        """The tabs that have something to fill in."""
        return tuple(t for t in self.tabs if t.sections)

    @property
    def conditions(self) -> dict[str, Expression]:
        """When tabs (by name) and sections (`tab.section`) are shown, of those that say so."""
        found = {t.name: t.visible_when for t in self.tabs if t.visible_when is not None}
        for tab in self.tabs:
            found.update((f"{tab.name}.{s.name}", s.visible_when) for s in tab.sections if s.visible_when is not None)
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """Fields a record page reads."""
        shown = dict.fromkeys([*self.fields, *(f.name for f in self.header)])
        if self.path is not None:
            shown.setdefault(self.path.name)
        return tuple(shown)


def bind_form(binder: Binder, entity: str) -> BoundForm:
    """The form of `entity` for this kind of user, without what they may not see."""
    return binder.keep("form", entity, bind=lambda: _bind(binder, entity))


def _bind(binder: Binder, entity: str) -> BoundForm:
    described = binder.app.entities[entity]
    declared: Form = binder.app.form_for(entity, binder.session.user.roles, binder.device)
    tabs = tuple(t for t in (_tab(binder, entity, tab) for tab in declared.tabs) if t is not None)
    fields = {f.name: f for tab in tabs for section in tab.sections for f in section.items}
    return BoundForm(
        entity=entity,
        label=described.label.of(binder.language),
        plural=described.plural.of(binder.language),
        icon=described.icon,
        tabs=tabs,
        header=_bound(binder, entity, declared.header or _own_header(binder, entity)),
        path=_path(binder, entity),
        actions=declared.actions,
        quick=_bound(binder, entity, declared.quick or [n for n, f in fields.items() if f.required and not f.readonly]),
        side=declared.side,
        touch=_touch(binder, entity, declared),
        fields=fields,
    )


def _bound(binder: Binder, entity: str, names: Iterable[str]) -> tuple[BoundField, ...]:
    return tuple(b for b in (binder.field(entity, name) for name in names) if b is not None)


_TOUCHED = ("phone", "email")


def _touch(binder: Binder, entity: str, declared: Form) -> tuple[BoundField, ...]:
    """Where somebody is reached: the declared paths, else the record's own numbers and addresses."""
    own = (f for f in binder.app.entities[entity].own_fields if f.type in _TOUCHED and not f.retired)
    paths = declared.touch or tuple((f.name,) for f in own)
    return tuple(b for b in (binder.path(entity, path) for path in paths) if b is not None)


def _own_header(binder: Binder, entity: str) -> list[str]:
    """Key figures where none are declared: the owner and at most three amounts."""
    described = binder.app.entities[entity]
    amounts = [f.name for f in described.own_fields if f.type in ("money", "percent", "progress") and not f.retired]
    return [*([described.owner] if described.owner else []), *amounts[:3]]


def _path(binder: Binder, entity: str) -> BoundField | None:
    """The first tracked select: where the record stands on its way."""
    for f in binder.app.entities[entity].own_fields:
        if f.tracked and f.type == "select":
            bound = binder.field(entity, f.name)
            if bound is not None and len(bound.choices) > 1:
                return bound
    return None


def _tab(binder: Binder, entity: str, tab: Tab) -> BoundTab | None:
    label = tab.label.of(binder.language)
    if tab.related is not None:
        related = bind_related(binder, entity, tab.related, [c.path for c in tab.columns])
        return (
            BoundTab(name=tab.name, label=label, related=related, visible_when=tab.visible_when)
            if related is not None
            else None
        )
    sections = tuple(s for s in (_section(binder, entity, section) for section in tab.sections) if s.items)
    if not sections:
        return None
    return BoundTab(name=tab.name, label=label, sections=sections, visible_when=tab.visible_when)


def _section(binder: Binder, entity: str, section: Section) -> BoundSection:
    items = (_item(binder, entity, item, section.columns) for item in section.items)
    return BoundSection(
        name=section.name,
        label=section.label.of(binder.language),
        columns=section.columns,
        items=tuple(i for i in items if i is not None),
        collapsed=section.collapsed,
        visible_when=section.visible_when,
    )


_WIDE = frozenset({"lines", "textarea", "json", "rich_text"})


def _item(binder: Binder, entity: str, item: FormItem, columns: int) -> BoundField | None:
    bound = binder.field(entity, item.field)
    if bound is None or bound.widget == "related":
        return None
    span = columns if bound.widget in _WIDE else min(item.span, columns)
    changes: dict[str, Any] = {"span": span}
    if item.widget:
        changes["widget"] = item.widget
    return binder.field(entity, item.field, **changes)


def bind_related(
    binder: Binder, entity: str, name: str, columns: Sequence[tuple[str, ...]] = ()
) -> BoundRelated | None:
    """A related (or links) field as a list with its own columns; None where the members may not be read."""
    bound = binder.field(entity, name)
    if bound is None:
        return None
    target = bound.field.entity or bound.field.to
    if target is None or not binder.can(target, "read"):
        return None
    paths = list(columns) or [c.path for c in binder.app.list_for(target, binder.session.user.roles).columns][:6]
    shown = (binder.path(target, path) for path in paths if path != (bound.field.by,))
    return BoundRelated(
        name=name,
        label=bound.label,
        entity=target,
        by=bound.field.by,
        columns=tuple(c for c in shown if c is not None and c.widget not in ("lines", "related")),
        through=bound.field.storage == "links",
    )


# --- filled for one request ---------------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class Input:
    """One field on a page that is filled in. `raw` is what the element holds, `text` what a person reads."""

    field: BoundField
    name: str
    raw: Any = None
    value: Any = None
    title: Any = None
    text: str = ""
    problems: list[str] = default_of(default_factory=list)
    visible: bool = True
    required: bool = False
    readonly: bool = False
    why: Reason | None = None
    reason: str = ""  # `why` as a sentence
    rows: list[list[Input]] = default_of(default_factory=list)
    row_ids: list[str] = default_of(default_factory=list)
    blank: list[Input] = default_of(default_factory=list)
    within: str = "f"  # tells its element from that of another form on the page

    @property
    def id(self) -> str:
        return f"{self.within}-{self.name.replace('.', '-')}"


def read_form(form: BoundForm, given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The raw values of a submitted form, by field name: only fields of the form that may be written.

    `given` maps an element's name to its texts in document order. A field without an element is left alone.
    """
    values: dict[str, Any] = {}
    for name, bound in form.fields.items():
        if bound.readonly:
            continue
        if bound.widget == "lines":
            if f"{name}.__rows" in given:
                values[name] = [row for _, row in read_lines(bound, given)]
        elif name in given:
            raw = read_one(bound, given[name])
            if not (bound.widget == "secret" and raw is None):
                values[name] = raw
    return values


def read_one(bound: BoundField, texts: Sequence[str]) -> Any:
    """The raw value of one field from the texts of its elements."""
    if bound.widget in ("checkboxes", "lookup_many", "tags"):
        return [t for t in texts if t != ""]
    last = texts[-1] if texts else ""
    return last if last != "" else None


def read_lines(bound: BoundField, given: Mapping[str, Sequence[str]]) -> list[tuple[str, dict[str, Any]]]:
    """The rows of a grid that say something, each with its number in the names of its elements.

    What a new line leaves empty takes its default, which may follow from what else the line says.
    """
    prefix = bound.name + "."
    members = {m.name: m for m in bound.members}
    rows: dict[str, dict[str, Any]] = {}
    for key, texts in given.items():
        if not key.startswith(prefix):
            continue
        number, _, name = key[len(prefix) :].partition(".")
        if number_in(number) is None:
            continue
        row = rows.setdefault(number, {})
        if name == "id" and (found := number_in(texts[-1])) is not None:
            row["id"] = found
        elif name in members and not members[name].readonly:
            row[name] = read_one(members[name], texts)
    kept = [(n, row) for n, row in rows.items() if "id" in row or _says_something(row, members)]
    return [(n, row if "id" in row else _with_defaults_open(row, members)) for n, row in kept]


def _says_something(row: Mapping[str, Any], members: Mapping[str, BoundField]) -> bool:
    """A line that holds nothing but what it began with was not filled in."""
    return any(v not in (None, [], "false") and v != str(members[n].field.default) for n, v in row.items())


def _with_defaults_open(row: Mapping[str, Any], members: Mapping[str, BoundField]) -> dict[str, Any]:
    return {n: v for n, v in row.items() if v is not None or members[n].field.default is None}
