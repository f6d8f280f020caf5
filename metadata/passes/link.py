"""link: names find what they name. Options first, then entities and their fields, then every other reference."""

from __future__ import annotations

from typing import Any

from metadata.drafts import EntityDraft, FieldDraft, OptionsDraft, Thing, World, suggestion
from metadata.fields.base import FieldType, field_types
from metadata.i18n import LANGUAGES
from metadata.kinds.base import Reference
from metadata.kinds.ledger import declare_balances
from metadata.names import is_name, reserved
from metadata.places import Path
from metadata.scoring import grade_choices, grade_options
from metadata.source import Document
from rules.typing import BOOLEAN, DATE, DATETIME, INTEGER, NOTHING, TEXT, Type, decimal, record

CHOICE_WORDS = {"label", "colour", "icon", "was", "retired"}
SYSTEM: tuple[tuple[str, str, Type], ...] = (
    ("id", "integer", INTEGER),
    ("created_at", "datetime", DATETIME),
    ("created_on", "date", DATE),
    ("created_by", "user", record("user")),
    ("updated_at", "datetime", DATETIME),
    ("updated_by", "user", record("user")),
    ("version", "integer", INTEGER),
    ("deleted_at", "datetime", DATETIME),
    ("deleted_by", "user", record("user")),
)


def run(world: World) -> None:
    for thing in world.of_kind("options"):
        world.options[thing.name] = options_draft(thing.name, thing, ("choices",), thing.data["choices"], world)
    for thing in world.of_kind("score"):
        if thing.data.get("grades"):
            name = grade_options(thing.name)
            world.options[name] = options_draft(name, thing, ("grades",), grade_choices(thing), world)
    declare_balances(world)
    for thing in world.of_kind("entity"):
        world.entities[thing.name] = EntityDraft(name=thing.name, thing=thing, fields={})
    for draft in world.entities.values():
        _fields(draft, world)
    for draft in world.entities.values():
        _line_parents(draft, world)
    _parent_cycles(world)
    for draft in world.entities.values():
        _backward(draft, world)
    for draft in world.entities.values():
        _lookups(draft, world)
    for thing in list(world.things.values()):
        for reference in thing.kind.references(thing, world):
            resolve(reference, thing, world)


# --- options


def options_draft(name: str, thing: Thing, path: Path, choices: dict[str, Any], world: World) -> OptionsDraft:
    """Choices with their labels gathered from `label`, `zh`, `en`, … and the rest as typed properties."""
    read: dict[str, dict[str, Any]] = {}
    types: dict[str, Type] = {}
    for choice, given in choices.items():
        labels = {k: v for k, v in given.items() if k in LANGUAGES and isinstance(v, str)}
        properties = {k: v for k, v in given.items() if k not in CHOICE_WORDS and k not in labels and k not in _SPECIAL}
        read[choice] = {**{k: given[k] for k in CHOICE_WORDS if k in given}, "properties": properties}
        if labels:
            read[choice]["label"] = labels
        if "color" in properties:
            params: dict[str, Any] = {"key": "color", "known": ", ".join(sorted(CHOICE_WORDS))}
            at = (*path, choice, "color")
            world.report("shape.unknown_key", thing, at, at_key=True, severity="warning", hint="colour", **params)
        if not is_name(choice):
            world.report("name.invalid", thing, (*path, choice), at_key=True, name=choice)
        for key, value in properties.items():
            _property_type(key, value, types, (*path, choice, key), thing, world)
    return OptionsDraft(name=name, thing=thing, path=path, choices=read, property_types=types)


_SPECIAL = {"hide", "after", "before"}


def _property_type(key: str, value: Any, types: dict[str, Type], path: Path, thing: Thing, world: World) -> None:
    found = _type_of(value)
    if found is None:
        return
    if key == "order" or not is_name(key):
        world.report("name.reserved" if key == "order" else "name.invalid", thing, path, at_key=True, name=key)
    elif key not in types or (types[key].numeric and found.numeric):
        types[key] = decimal() if key in types and found.kind != types[key].kind else found
    elif types[key].kind != found.kind:
        world.report("options.property_type", thing, path, key=key, first=types[key].kind, given=found.kind)


def _type_of(value: Any) -> Type | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int):
        return INTEGER
    return TEXT if isinstance(value, str) else decimal()


# --- fields


def _fields(draft: EntityDraft, world: World) -> None:
    declared = draft.thing.data.get("fields") or {}
    draft.lost |= _lost_fields(draft.thing.document, declared)
    for name, spec in declared.items():
        if reserved(name, "field") or not is_name(name):
            code = "name.reserved" if is_name(name) else "name.invalid"
            world.report(code, draft.thing, ("fields", name), at_key=True, name=name)
            draft.lost.add(name)
            continue
        found = _field(draft, name, spec, world)
        if found is None:
            draft.lost.add(name)
        else:
            draft.fields[name] = found
    for name, type_name, value_type in SYSTEM:
        draft.fields[name] = FieldDraft(
            name=name,
            type_name=type_name,
            spec={},
            type=field_types().get(type_name),
            value_type=value_type,
            path=(),
            system=True,
        )


def _lost_fields(document: Document, declared: dict[str, Any]) -> set[str]:
    given = document.data.get("fields")
    return set(given) - set(declared) if isinstance(given, dict) else set()


def _field(draft: EntityDraft, name: str, spec: dict[str, Any], world: World) -> FieldDraft | None:
    """The field with its option set and targets found, or None where it cannot have a type."""
    path: Path = ("fields", name)
    kind = field_types()[spec["type"]]
    spec = dict(spec)
    if isinstance(spec.get("options"), dict):
        spec["options"] = _inline_options(draft, name, spec["options"], world)
    elif "options" in spec and not _known("options", spec["options"], draft.thing, (*path, "options"), world):
        return None
    for key in ("to", "entity", "through"):
        if isinstance(spec.get(key), str) and not _known("entity", spec[key], draft.thing, (*path, key), world):
            return None
        if isinstance(spec.get(key), list):
            for index, target in enumerate(spec[key]):
                _known("entity", target, draft.thing, (*path, key, index), world)
    if "score" in kind.properties and not _scored(draft, spec, path, world):
        return None
    return FieldDraft(
        name=name,
        type_name=spec["type"],
        spec=spec,
        type=kind,
        value_type=_value_type(kind, spec),
        path=path,
        live=isinstance(spec.get("through"), str),
        sensitive=spec.get("sensitive") is True,
        retired=spec.get("retired") is True or spec.get("hide") is True,
    )


def _scored(draft: EntityDraft, spec: dict[str, Any], path: Path, world: World) -> bool:
    """Whether the score that the field names is there; a grade takes its choices from it."""
    if not _known("score", spec["score"], draft.thing, (*path, "score"), world):
        return False
    if spec["type"] == "grade":
        spec["options"] = grade_options(spec["score"])
        if spec["options"] not in world.options:
            world.report("grade.none", draft.thing, (*path, "score"), name=spec["score"])
            return False
    return True


def _value_type(kind: FieldType, spec: dict[str, Any]) -> Type:
    return kind.value_type(spec)


def _inline_options(draft: EntityDraft, field: str, choices: dict[str, Any], world: World) -> str:
    """Choices written in the field: an option set of its own, under a name nobody can declare."""
    name = f"{draft.name}__{field}"
    path = ("fields", field, "options")
    world.options[name] = options_draft(name, draft.thing, path, choices, world)
    return name


def _known(word: str, name: str, thing: Thing, path: Path, world: World) -> bool:
    known = world.entities if word == "entity" else world.options if word == "options" else world.names_of(word)
    if name in known:
        return True
    if world.had_enough(thing):
        return False
    if not world.is_broken(word, name) and (word, name) not in world.hidden:
        hint = world.suggest(word, name, known)
        at_key = path[-1:] == (name,)
        world.report("name.unknown", thing, path, at_key=at_key, hint=hint, kind=word, name=name[:60])
    return False


# --- the other end


def _line_parents(draft: EntityDraft, world: World) -> None:
    for member in list(draft.fields.values()):  # lines of itself gain a field meanwhile
        if member.type_name == "lines":
            _line_parent(draft, member, world)


def _line_parent(draft: EntityDraft, member: FieldDraft, world: World) -> None:
    child = world.entities[member.spec["entity"]]
    by = _back_link(draft, member, child, world)
    if by is None:
        return
    if child.parent is not None and child.parent != (draft.name, by):
        other = world.entities[child.parent[0]]
        related = [other.thing.place(("fields", child.parent_field or ""))]
        world.report("lines.two_parents", draft.thing, member.path, related=related, entity=child.name)
        return
    child.parent, child.parent_field = (draft.name, by), member.name
    taken = child.fields.get("position")
    if taken is not None and not taken.system:
        world.report("name.reserved", child.thing, taken.path, at_key=True, name="position")
    if taken is None or not taken.system:
        child.fields["position"] = FieldDraft(
            name="position",
            type_name="integer",
            spec={},
            type=field_types().get("integer"),
            value_type=INTEGER,
            path=(),
            system=True,
        )


def _parent_cycles(world: World) -> None:
    """Lines may not, over any number of steps, belong to themselves."""
    for draft in world.entities.values():
        seen = [draft.name]
        here = draft
        while here.parent is not None and here.parent[0] in world.entities:
            here = world.entities[here.parent[0]]
            if here.name in seen:
                names = " → ".join([*seen, here.name])
                world.report("lines.cycle", draft.thing, ("entity",), names=names)
                draft.parent = draft.parent_field = None
                break
            seen.append(here.name)


def _backward(draft: EntityDraft, world: World) -> None:
    for member in draft.fields.values():
        if member.type_name == "related":
            _back_link(draft, member, world.entities[member.spec["entity"]], world)


def _back_link(draft: EntityDraft, member: FieldDraft, child: EntityDraft, world: World) -> str | None:
    """The field of the members that points back: declared, or the only link there is."""
    links = [
        f.name
        for f in child.fields.values()
        if not f.system
        and not f.retired
        and f.value_type.entity == draft.name
        and f.type_name != "lines"
        and f.value_type.kind in ("record", "collection")
        and f.type_name != "related"
    ]
    declared = member.spec.get("by")
    if declared is None and len(links) == 1:
        member.spec["by"] = links[0]
        return links[0]
    if declared in links:
        return str(declared)
    if world.untrusted(child.name):
        return None
    params: dict[str, Any] = {"entity": child.name, "target": draft.name}
    if declared is not None:
        hint = suggestion(declared, links) or (links[0] if links else None)
        world.report("related.by", draft.thing, (*member.path, "by"), hint=hint, name=str(declared), **params)
    else:
        code = "related.several" if links else "related.none"
        world.report(code, draft.thing, member.path, links=", ".join(links), **params)
    draft.lost.add(member.name)
    return None


def _lookups(draft: EntityDraft, world: World) -> None:
    for member in draft.fields.values():
        if member.type_name == "lookup":
            path = member.spec["of"].split(".")
            target = _lookup_target(draft.name, path, world, ())
            if target is not None:
                member.value_type = target.value_type
            else:
                _unknown_path(draft, member, path, world)


def _lookup_target(entity: str, path: list[str], world: World, seen: tuple[tuple[str, str], ...]) -> FieldDraft | None:
    found = world.field_at(entity, path)
    if found is None or found.type_name != "lookup":
        return found
    holder = world.field_at(entity, path[:-1])
    here = holder.value_type.entity if holder else None
    if here is None or (here, found.name) in seen:
        return None
    return _lookup_target(here, found.spec["of"].split("."), world, (*seen, (here, found.name)))


def _unknown_path(draft: EntityDraft, member: FieldDraft, path: list[str], world: World) -> None:
    reference = Reference(path=(*member.path, "of"), to="path", name=".".join(path), entity=draft.name)
    if resolve(reference, draft.thing, world):
        world.report("formula.cycle", draft.thing, (*member.path, "of"), fields=f"{draft.name}.{member.name}")
    member.value_type = NOTHING
    draft.lost.add(member.name)


# --- references


def resolve(reference: Reference, thing: Thing, world: World) -> bool:
    """Whether the name is there; reports it where it is not and nothing earlier explains that."""
    if reference.to not in ("field", "path"):
        return _known(reference.to, reference.name, thing, reference.path, world)
    here = reference.entity
    if here is None or here not in world.entities:
        return False
    offset = 0
    parts = reference.name.split(".")
    for index, part in enumerate(parts):
        draft = world.entities.get(here) if here else None
        if draft is None:
            _not_a_link(reference, thing, world, parts[index - 1], offset)
            return False
        found = draft.fields.get(part)
        if found is None or found.retired:
            _unknown_field(part, draft, reference, thing, world, offset)
            return False
        world.used.add((draft.name, part))
        last = index == len(parts) - 1
        here = found.value_type.entity if found.value_type.kind == "record" and not last else None
        offset += len(part) + 1
    return True


def _not_a_link(reference: Reference, thing: Thing, world: World, part: str, offset: int) -> None:
    world.report("path.not_a_link", thing, reference.path, offset=max(offset - len(part) - 1, 0), name=part)


def _unknown_field(
    part: str, draft: EntityDraft, reference: Reference, thing: Thing, world: World, offset: int
) -> None:
    if (
        world.had_enough(thing)
        or part in draft.lost
        or world.untrusted(draft.name)
        or (draft.name, part) in world.hidden_fields
    ):
        return
    hint = suggestion(part, world.field_names(draft.name))
    world.report(
        "name.unknown_field", thing, reference.path, offset=offset, hint=hint, entity=draft.name, name=part[:60]
    )
