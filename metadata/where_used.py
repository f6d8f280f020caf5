"""Where-used: everything in an application that reads, shows or depends on a field, an entity or an option set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from metadata.model import (
    Application,
    Column,
    Dependency,
    Entity,
    Field,
    Filter,
    Form,
    FormItem,
    Grant,
    Group,
    MenuItem,
    Origin,
    Sort,
    Tab,
)
from rules.expression import Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One use: `what` it is (form, list, formula, check, …), in which thing, where declared."""

    what: str
    kind: str
    name: str
    path: str
    origin: Origin


def uses(application: Application, target: str) -> list[Use]:
    """The uses of `entity.field`, of an `entity`, or of an option set, in declared order, each once."""
    entity, _, field = target.partition(".")
    found: dict[Use, None] = {}
    for kind, owner, thing in _things(application):
        for use in _Walk(application, entity, field or None, kind, owner).walk(thing):
            found.setdefault(use)
    return list(found)


def _things(application: Application) -> Iterator[tuple[str, str, Any]]:
    for kind, group in (
        ("entity", application.entities),
        ("segment", application.segments),
        ("report", application.reports),
        ("role", application.roles),
    ):
        for name, thing in group.items():
            yield kind, name, thing
    for kind, layouts in (("form", application.forms), ("list", application.lists)):
        for several in layouts.values():
            yield from ((kind, thing.name, thing) for thing in several if not thing.generated)
    for menu in application.menus:
        yield "menu", menu.name, menu


class _Walk:
    """Goes through one thing and answers what in it uses the target."""

    def __init__(self, application: Application, entity: str, field: str | None, kind: str, name: str) -> None:
        self.application, self.entity, self.field = application, entity, field
        self.kind, self.name = kind, name

    def walk(self, thing: Any) -> Iterator[Use]:
        entity = thing.name if isinstance(thing, Entity) else getattr(thing, "entity", None)
        yield from self._into(thing, "", entity, thing.origin)

    def _into(self, value: Any, path: str, entity: str | None, origin: Origin) -> Iterator[Use]:
        if isinstance(value, Expression):
            if self._reads(value):
                yield self._use(path.rpartition(".")[2] or "expression", path, origin)
        elif is_dataclass(value) and not isinstance(value, type | Origin | Dependency):
            origin = getattr(value, "origin", origin)
            inner = value.entity if isinstance(value, Grant | Form) else entity
            yield from self._part(value, path, inner, origin)
            below = self._members(value, inner)
            for member in fields(value):
                if member.name not in ("origin", "value_type", "label"):
                    at = f"{path}.{member.name}" if path else member.name
                    yield from self._into(getattr(value, member.name), at, below, origin)
        elif isinstance(value, Mapping):
            for key, part in value.items():
                yield from self._into(part, f"{path}.{key}" if path else str(key), entity, origin)
        elif isinstance(value, tuple) and value and is_dataclass(value[0]):
            for part in value:
                name = getattr(part, "name", None) or getattr(part, "field", None) or ""
                yield from self._into(part, f"{path}.{name}" if name else path, entity, origin)

    def _members(self, value: Any, entity: str | None) -> str | None:
        """Columns of a related tab are those of the members."""
        if isinstance(value, Tab) and value.related and entity:
            found = self.application.entities[entity].fields.get(value.related)
            return found.value_type.entity if found else None
        return entity

    def _reads(self, expression: Expression) -> bool:
        if self.field is None:
            return any(entity == self.entity for entity, _ in expression.reads)
        return (self.entity, self.field) in expression.reads

    def _part(self, value: Any, path: str, entity: str | None, origin: Origin) -> Iterator[Use]:
        if isinstance(value, Column | Sort | Filter | Group):
            if self._on_path(entity, value.path):
                yield self._use(type(value).__name__.lower(), path, origin)
        elif isinstance(value, FormItem):
            if self._on_path(entity, (value.field,)):
                yield self._use("form field", path, origin)
        elif isinstance(value, Form):
            for key in ("header", "quick"):
                if any(self._on_path(entity, (name,)) for name in getattr(value, key)):
                    yield self._use(key, key, origin)
        elif isinstance(value, Tab):
            if value.related and self._on_path(entity, (value.related,)):
                yield self._use("related list", path, origin)
        elif isinstance(value, Grant):
            yield from self._grant(value, path, origin)
        elif isinstance(value, MenuItem):
            if self.field is None and value.entity == self.entity:
                yield self._use("menu item", path, origin)
        elif isinstance(value, Entity):
            yield from self._entity(value, origin)
        elif isinstance(value, Field):
            yield from self._field(value, path, entity, origin)

    def _grant(self, grant: Grant, path: str, origin: Origin) -> Iterator[Use]:
        if grant.entity != self.entity:
            return
        if self.field is None or self.field in grant.hide | grant.read_only | grant.show:
            yield self._use("grant", path, origin)

    def _entity(self, entity: Entity, origin: Origin) -> Iterator[Use]:
        if entity.name != self.entity or self.field is None:
            return
        for key in ("title", "owner", "unit", "tree", "currency"):
            if getattr(entity, key) == self.field:
                yield self._use(key, key, origin)
        if entity.number is not None and entity.number.field == self.field:
            yield self._use("number", "number", origin)
        if any(path.split(".")[0] == self.field for path in entity.search):
            yield self._use("search", "search", origin)
        if self.field in entity.second_line:
            yield self._use("second_line", "second_line", origin)
        if any(self.field in group for group in entity.unique):
            yield self._use("unique", "unique", origin)

    def _field(self, field: Field, path: str, entity: str | None, origin: Origin) -> Iterator[Use]:
        if self.field is None:
            if self.entity in (field.to, field.entity, field.through) and not field.system:
                yield self._use(field.type, path, origin)
            if field.options == self.entity:
                yield self._use("options", path, origin)
        elif field.of and self._on_path(entity, field.of):
            yield self._use("lookup", path, origin)
        elif field.entity == self.entity and field.by == self.field:
            yield self._use("back link", path, origin)

    def _on_path(self, entity: str | None, path: Iterable[str]) -> bool:
        """Whether the target lies on a path of field names."""
        here = entity
        for part in path:
            holder = self.application.entities.get(here) if here else None
            found = holder.fields.get(part) if holder else None
            if self.field is not None and here == self.entity and part == self.field:
                return True
            if found is None:
                return False
            here = found.value_type.entity
            if self.field is None and here == self.entity:
                return True
        return False

    def _use(self, what: str, path: str, origin: Origin) -> Use:
        return Use(what=what, kind=self.kind, name=self.name, path=path, origin=origin)
