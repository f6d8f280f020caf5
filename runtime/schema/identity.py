"""Which declared element is which element of the registry: by `was:` where that is news, else by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from metadata.model import Application, Entity, Field
from runtime.schema.registry import ARCHIVED, LIVING, RETIRED, Element, Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """`old` and `new` are names of entities, or `entity.field` with the entity's new name."""

    old: str
    new: str


class Identities:
    """Matches an application with the registry, and changes names and states in the registry accordingly."""

    def __init__(self, registry: Registry, old: Application | None, new: Application, version: int) -> None:
        self.registry, self.old, self.new, self.version = registry, old, new, version
        self.entities: dict[str, Element] = {}
        self.fields: dict[tuple[str, str], Element] = {}
        self.renamed: list[Renamed] = []
        self.retired: list[tuple[str, str]] = []  # (entity, field), field "" for the entity itself
        self.match_entities()
        self.match_fields()

    def published_field(self, entity: str, member: Field) -> Field | None:
        """The field as it was published, whatever it was called then."""
        renamed = next((r.old for r in self.renamed if r.new == f"{entity}.{member.name}"), "")
        return self.old_field(entity, renamed.rsplit(".", 1)[-1] or member.name)

    def match_entities(self) -> None:
        """Every declared entity gets its element: by `was:` where that is news, else by name, else a new one."""
        living = [entity for entity in self.new.entities.values() if not entity.retired]
        earlier = {entity.name: found for entity in living if (found := self._earlier_entity(entity))}
        claimed = {found.id for found in earlier.values()}
        for entity in living:
            found = earlier.get(entity.name) or self.registry.entity(entity.name)
            if found is None or (found.id in claimed and entity.name not in earlier):
                found = self._new_element("entity", entity.name, "")
            claimed.add(found.id)
            self.entities[entity.name] = found
        for name, element in self.entities.items():
            if element.entity != name:
                self.renamed.append(Renamed(old=element.entity, new=name))
        self._retire(e for e in self.registry.elements if e.kind == "entity" and e.id not in claimed)
        renames = {e.entity: name for name, e in self.entities.items() if e.entity != name}
        for element in self.registry.elements:  # the fields follow their entity
            if element.kind == "field" and element.entity in renames:
                element.entity = renames[element.entity]
        self.registry.renamed()
        for name, element in self.entities.items():
            element.entity, element.state = name, LIVING

    def _earlier_entity(self, entity: Entity) -> Element | None:
        """The element an entity had under a name that `was:` tells for the first time."""
        before = self.old.entities.get(entity.name) if self.old else None
        for name in entity.was:
            found = self.registry.entity(name)
            if found is not None and (before is None or name not in before.was):
                return found
        return None

    def match_fields(self) -> None:
        for entity in self.new.entities.values():
            if entity.retired:
                continue
            living = [member for member in entity.fields.values() if not member.retired]
            earlier = {m.name: found for m in living if (found := self._earlier_field(entity, m))}
            claimed = {found.id for found in earlier.values()}
            pairs: list[tuple[Field, Element]] = []
            for member in living:
                found = earlier.get(member.name) or self.registry.field(entity.name, member.name)
                if found is None or (found.id in claimed and member.name not in earlier):
                    found = self._new_element("field", entity.name, member.name)
                claimed.add(found.id)
                pairs.append((member, found))
            known = list(self.registry.fields(entity.name))
            self._retire(e for e in known if e.state != ARCHIVED and e.id not in claimed)
            for member, element in pairs:
                if element.field != member.name:
                    old, new = f"{entity.name}.{element.field}", f"{entity.name}.{member.name}"
                    self.renamed.append(Renamed(old=old, new=new))
                    for archive in self.registry.archives(entity.name, element.field):
                        archive.field = member.name
                self.fields[entity.name, member.name] = element
            for member, element in pairs:
                element.field = member.name

    def _earlier_field(self, entity: Entity, member: Field) -> Element | None:
        before = self.old_field(entity.name, member.name)
        for name in member.was:
            found = self.registry.field(entity.name, name)
            if found is not None and (before is None or name not in before.was):
                return found
        return None

    def old_field(self, entity: str, name: str) -> Field | None:
        """The field as it was published, of the entity now called `entity`."""
        if self.old is None:
            return None
        earlier = next((r.old for r in self.renamed if r.new == entity), entity)
        found = self.old.entities.get(earlier)
        return found.fields.get(name) if found else None

    def _new_element(self, kind: str, entity: str, name: str) -> Element:
        return self.registry.add(Element(id=0, kind=kind, entity=entity, field=name, since=self.version))

    def _retire(self, elements: Iterable[Element]) -> None:
        for element in elements:
            if element.state == LIVING:
                element.state = RETIRED
                if element.kind == "entity" or self._has_data(element):
                    self.retired.append((element.entity, element.field))

    @staticmethod
    def _has_data(element: Element) -> bool:
        return bool(element.table_name)
