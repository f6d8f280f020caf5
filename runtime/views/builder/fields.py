"""What a condition can speak of: the fields of an entity, of what it links to, and its collections; as one may see."""

from __future__ import annotations

from dataclasses import dataclass

from rules.typing import NUMERIC
from runtime.views.binder import Binder, BoundChoice, BoundField

DEEPEST = 5  # steps of a path
_NEVER = frozenset({"secret", "file", "image", "json"})
_HIDDEN = frozenset({"deleted_at", "deleted_by"})
_AROUND = frozenset({"user", "unit"})  # links to these have operators of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The end of a path. `kind` decides the operators; `members` is the entity of a collection's members, `target` that
    of a link; `field` is None for a property of a choice."""

    kind: str
    label: str
    field: BoundField | None = None
    members: str | None = None
    target: str | None = None
    choices: tuple[BoundChoice, ...] = ()

    @property
    def numeric(self) -> bool:
        return self.kind in NUMERIC


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One choice on the way along a path. `itself`: the path may end before this step."""

    chosen: str
    fields: tuple[tuple[str, str], ...]
    collections: tuple[tuple[str, str], ...] = ()
    system: tuple[tuple[str, str], ...] = ()
    itself: bool = False


def place_of(binder: Binder, entity: str, path: str) -> Place | None:
    """What `path` ends at; None for what is unknown or not for this person to see."""
    names = tuple(path.split("."))
    if not path or len(names) > DEEPEST + 1:
        return None
    found: Place | None = binder.keep("place", entity, path, bind=lambda: _place(binder, entity, names))
    return found


def _place(binder: Binder, entity: str, names: tuple[str, ...]) -> Place | None:
    bound = binder.path(entity, names) if _known(binder, entity, names) else None
    if bound is not None:
        return _end(binder, bound)
    above = binder.path(entity, names[:-1]) if len(names) > 1 and _known(binder, entity, names[:-1]) else None
    kind = _properties(binder, above).get(names[-1]) if above is not None else None
    return None if kind is None else Place(kind=kind, label=_humanised(names[-1]))


def _known(binder: Binder, entity: str, names: tuple[str, ...]) -> bool:
    """Whether every step is a field, links up to the last."""
    here: str | None = entity
    for name in names:
        described = binder.app.entities.get(here or "")
        field = described.fields.get(name) if described else None
        if field is None or field.retired:
            return False
        here = field.to or field.value_type.entity if field.value_type.kind == "record" else None
    return True


def _end(binder: Binder, bound: BoundField) -> Place | None:
    if bound.widget in _NEVER:
        return None
    kind = bound.field.value_type.kind
    entity = bound.field.value_type.entity or bound.target
    if kind == "collection":
        readable = entity is not None and binder.can(entity, "read")
        return Place(kind=kind, label=bound.label, field=bound, members=entity) if readable else None
    if kind == "record":
        word = entity if entity in _AROUND else "record"
        return Place(kind=str(word), label=bound.label, field=bound, target=entity)
    if bound.field.type == "tags":
        kind = "multi_select"
    return Place(kind=kind, label=bound.label, field=bound, choices=bound.choices)


def _properties(binder: Binder, bound: BoundField) -> dict[str, str]:
    """The properties of the choices of a field, each with the kind of its values."""
    options = binder.app.options.get(bound.field.options or "")
    if bound.field.value_type.kind != "select" or options is None:
        return {}
    return {name: type_.kind for name, type_ in options.property_types.items() if name != "order"}


def steps_of(binder: Binder, entity: str, path: str, *, numbers: bool = False) -> tuple[Step, ...]:
    """The choices that lead along `path`, and one more where it can go on. `numbers`: only fields with a number."""
    found = [_first(binder, entity, path.split(".")[0], numbers)]
    names = path.split(".") if path else []
    for count in range(1, len(names) + 1):
        above = ".".join(names[:count])
        further = binder.keep("further", entity, above, bind=lambda a=above: _further(binder, entity, a))
        if not further or count >= DEEPEST or numbers:
            break
        fields, collections = further
        chosen = names[count] if count < len(names) else ""
        found.append(Step(chosen=chosen, fields=fields, collections=collections, itself=True))
    return tuple(found)


def _first(binder: Binder, entity: str, chosen: str, numbers: bool) -> Step:
    own, collections, system = binder.keep("own steps", entity, bind=lambda: _own(binder, entity))
    if numbers:
        fitting = [(n, label) for n, label in own if (p := place_of(binder, entity, n)) is not None and p.numeric]
        return Step(chosen=chosen, fields=tuple(fitting))
    return Step(chosen=chosen, fields=own, collections=collections, system=system)


Choices = tuple[tuple[str, str], ...]


def _own(binder: Binder, entity: str) -> tuple[Choices, Choices, Choices]:
    own: list[tuple[str, str]] = []
    collections: list[tuple[str, str]] = []
    system: list[tuple[str, str]] = []
    for field in binder.app.entities[entity].fields.values():
        place = None if field.retired or field.name in _HIDDEN else place_of(binder, entity, field.name)
        if place is None:
            continue
        into = collections if place.members else system if field.system else own
        into.append((field.name, place.label))
    return tuple(own), tuple(collections), tuple(system)


def _further(binder: Binder, entity: str, path: str) -> tuple[Choices, Choices] | None:
    """What may follow `path`: fields of the record it links to, or properties of the choice."""
    place = place_of(binder, entity, path)
    if place is None or place.field is None:
        return None
    if place.target is not None:
        if not binder.can(place.target, "read"):
            return None
        own, collections, _ = _own(binder, place.target)
        return own, collections
    properties = tuple((name, _humanised(name)) for name in _properties(binder, place.field))
    return (properties, ()) if properties else None


def _humanised(name: str) -> str:
    return name.replace("_", " ").capitalize()
