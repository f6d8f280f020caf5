"""Binds declared fields to a version, a set of roles, a language and a device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from metadata.fields import field_type
from metadata.fields.base import Coercion, FieldType
from metadata.model import Application, Entity, Field
from rules import tree
from runtime.errors import Forbidden, NotFound
from runtime.security.access import Access
from runtime.views.cache import kept

if TYPE_CHECKING:
    from runtime.site import Session

NUMBERS = frozenset({"number", "money", "percent", "rating", "progress"})
TONES = frozenset(
    [
        "blue",
        "azure",
        "indigo",
        "purple",
        "pink",
        "red",
        "orange",
        "yellow",
        "lime",
        "green",
        "teal",
        "cyan",
        "gray",
        "secondary",
        "dark",
        "primary",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundChoice:
    """`tone` is a colour the pages know, or "" for none."""

    name: str
    label: str
    tone: str = ""
    icon: str | None = None
    retired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundField:
    """A field as this kind of user sees it. `key` is its name in a form or its path in a list.

    `readonly` says it can never be edited here (computed, declared or by access); rules of the record come on top.
    """

    key: str
    name: str
    entity: str
    field: Field
    type: FieldType
    widget: str
    label: str
    help: str = ""
    placeholder: str = ""
    required: bool = False
    readonly: bool = False
    conditional: bool = False
    choices: tuple[BoundChoice, ...] = ()
    target: str | None = None
    span: int = 1
    show: str | None = None
    members: tuple[BoundField, ...] = ()
    sortable: bool = False
    limit: int = 0  # a figure from which on the value stands out
    depends: tuple[str, ...] = ()  # fields of the same record that its `where` reads: what may be picked follows them
    source: str = ""  # the address its look-up asks, where the field belongs to no entity
    mentions: bool = False  # people are named in it by "@"

    @property
    def numeric(self) -> bool:
        return self.widget in NUMBERS

    def choice(self, name: str) -> BoundChoice | None:
        return next((c for c in self.choices if c.name == name), None)


class Binder:
    """The person's side of every view: made once per request, cheap; what it binds is kept per kind of user."""

    def __init__(self, session: Session, device: str | None = None) -> None:
        self.session = session
        self.app: Application = session.app
        self.language = session.language
        self.device = device
        self.access = Access(session)

    @property
    def kind(self) -> tuple[Any, ...]:
        """Users of the same kind share bound views."""
        return (self.access.shape, self.language, self.device)

    def keep(self, name: str, *key: Any, bind: Any) -> Any:
        return kept(self.session, (name, *key, *self.kind), bind)

    def can(self, entity: str, operation: str) -> bool:
        return self.access.can(entity, operation)

    def entity(self, name: str, operation: str = "read", *, alone: bool = True) -> Entity:
        """The entity, if this user may read it and do `operation`; `alone`: and if it is no line of another.

        Raises `NotFound` (one that may not be read looks like one that is not there) and `Forbidden`.
        """
        found = self.app.entities.get(name)
        if found is None or found.retired or (alone and found.parent is not None) or not self.can(name, "read"):
            raise NotFound
        if not self.can(name, operation):
            raise Forbidden
        return found

    def visible(self, entity: str, name: str) -> bool:
        found = self.app.entities[entity].field(name)
        return found is not None and not found.retired and self.seen(entity, found)

    def seen(self, entity: str, field: Field) -> bool:
        """As `Access.visible`, but a secret has a place on the form: it can be set, never read."""
        if field.type == "secret":
            return field.name not in self.access.hidden(entity)
        return self.access.visible(entity, field.name)

    def label(self, entity: str, name: str) -> str:
        return self.app.entities[entity].fields[name].label.of(self.language)

    # --- fields ----------------------------------------------------------------------------------------------

    def field(self, entity: str, name: str, *, key: str | None = None, **changes: Any) -> BoundField | None:
        """The bound field, or None where this user may not see it."""
        if not self.visible(entity, name):
            return None
        bound: BoundField = self.keep("field", entity, name, bind=lambda: self._bind(entity, name))
        if key is not None:
            changes["key"] = key
        return replace(bound, **changes) if changes else bound

    def path(self, entity: str, path: Sequence[str], **changes: Any) -> BoundField | None:
        """The field a dotted path ends at, with the path as its key; None where a step is hidden or its end unread."""
        here: str | None = entity
        for name in path[:-1]:
            if not self._passes(entity, here) or not self.visible(here or "", name):
                return None
            step = self.app.entities[here or ""].fields[name]
            here = step.to or step.value_type.entity
        if here is None or not self._passes(entity, here):
            return None
        return self.field(here, path[-1], key=".".join(path), **changes)

    def _passes(self, start: str, here: str | None) -> bool:
        """Whether a path that begins at `start` may go on at `here`: as queries have it, else they refuse the path."""
        return here is not None and (here == start or self.can(here, "read"))

    def _bind(self, entity: str, name: str) -> BoundField:
        described = self.app.entities[entity]
        field = described.fields[name]
        real = self.shown_field(described, field)
        kind = field_type(real.type)
        text = self.language
        locked = name in self.access.read_only(entity)
        return BoundField(
            key=name,
            name=name,
            entity=entity,
            field=real,
            type=kind,
            widget=kind.widget,
            label=field.label.of(text),
            help=field.help.of(text) if field.help else "",
            placeholder=field.placeholder.of(text) if field.placeholder else "",
            required=field.required,
            limit=_limit(described, name),
            readonly=locked or not field.writable,
            conditional=any((field.visible_when, field.required_when, field.readonly_when)),
            choices=self.choices(real.options) if real.options else (),
            target=real.to or (real.value_type.entity if real.storage in ("link", "links") else None),
            depends=depends_on(real, entity),
            members=self._members(field),
            sortable=kind.sortable and field.storage not in ("children", "links", "choices"),
        )

    def shown_field(self, entity: Entity, field: Field) -> Field:
        """For a lookup: the field at the end of its path, which says how the value looks; else the field itself."""
        here = entity
        shown = field
        for name in field.of:
            shown = here.fields[name]
            nearby = shown.to or shown.value_type.entity
            if nearby is None:
                break
            here = self.app.entities[nearby]
        if shown is field:
            return field
        return self.shown_field(here, shown) if shown.of else shown

    def _members(self, field: Field) -> tuple[BoundField, ...]:
        """The columns of a grid of lines: those of the lines' own list where one is declared, else all fields."""
        if field.storage != "children" or field.entity is None:
            return ()
        child = self.app.entities[field.entity]
        skip = {"position", child.parent[1] if child.parent else field.by}
        names = [f.name for f in child.own_fields if f.name not in skip and f.storage not in ("children",)]
        declared = self.app.list_for(child.name, self.session.user.roles)
        if not declared.generated:
            names = [column.path[0] for column in declared.columns if len(column.path) == 1 and column.path[0] in names]
        bound = (self.field(child.name, name) for name in names if child.fields[name].type not in ("related", "json"))
        return tuple(b for b in bound if b is not None)

    def choices(self, options: str) -> tuple[BoundChoice, ...]:
        found = self.app.options.get(options)
        if found is None:
            return ()
        return tuple(
            BoundChoice(
                name=c.name,
                label=c.label.of(self.language),
                tone=c.colour if c.colour in TONES else {"grey": "gray"}.get(c.colour or "", ""),
                icon=c.icon,
                retired=c.retired,
            )
            for c in found.choices
        )

    # --- values ----------------------------------------------------------------------------------------------

    def coercion(self, currency: str | None = None, extra: Mapping[str, Any] | None = None) -> Coercion:
        """How values are written for this user. `currency` is the record's, else the site's."""
        session = self.session
        options = self.app.options
        language = self.language

        def label(name: str, choice: str) -> str:
            found = options[name].choice(choice) if name in options else None
            return found.label.of(language) if found else choice

        return Coercion(
            language=language,
            zone=session.zone,
            currency=currency or session.site.settings.currency,
            today=session.today,
            now=session.now,
            channel="form",
            label=label,
            scale_of_currency=_scale_of_currency,
            extra=extra or {},
        )


def _limit(entity: Entity, name: str) -> int:
    """From how many days on a record counts as idle, where the field holds them."""
    coming = entity.next_action
    return coming.idle_after if coming is not None and coming.idle == name else 0


def _scale_of_currency(code: str) -> int:
    return 0 if code in ("JPY", "KRW", "VND") else 2


def depends_on(field: Field, entity: str) -> tuple[str, ...]:
    """The fields of the record that a link's `where` reads by `this`."""
    if field.where is None:
        return ()
    nodes = (n for n in field.where.tree.walk() if isinstance(n, tree.Field) and isinstance(n.base, tree.Row))
    return tuple(dict.fromkeys(n.name for n in nodes if n.base.level > 0 and n.entity == entity))  # type: ignore[attr-defined]
