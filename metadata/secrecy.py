"""What a `secret` field may be used for: it is written, kept and replaced. No expression reads it, nothing sorts,
groups, searches or numbers by it, so that neither its value nor a comparison with it ever comes out."""

from __future__ import annotations

from typing import Any

from metadata.drafts import FieldDraft, Thing, World
from metadata.places import Path

SECRET = "secret"  # noqa: S105 - the name of a field type
_FREE = ("form", "role")  # kinds that may name a secret: a form takes it in, a role hides it
_REFUSED = ("unique", "index", "formula")


def check_secrets(world: World) -> None:
    """Reports every use of a secret but writing it."""
    if not any(_secret(member) for draft in world.entities.values() for member in draft.fields.values()):
        return
    for thing in world.things.values():
        _expressions(thing, world)
        if thing.kind.word not in _FREE:
            _references(thing, world)
    for draft in world.entities.values():
        for member in draft.fields.values():
            if _secret(member):
                for key in _REFUSED:
                    if member.spec.get(key):
                        _report(world, draft.thing, (*member.path, key), member.name)


def _secret(member: FieldDraft | None) -> bool:
    return member is not None and member.type_name == SECRET


def _expressions(thing: Thing, world: World) -> None:
    for path, expression in thing.expressions.items():
        for entity, name in sorted(expression.reads):
            draft = world.entities.get(entity)
            if draft is not None and _secret(draft.fields.get(name)):
                _report(world, thing, path, name)


def _references(thing: Thing, world: World) -> None:
    for found in thing.kind.references(thing, world):
        if found.to not in ("field", "path") or found.entity is None or found.path[0] == "checks":
            continue
        if _secret(world.field_at(found.entity, found.name.split("."))):
            _report(world, thing, found.path, found.name)
    for draft in world.entities.values():
        if draft.thing is thing:
            _lookups(draft.fields.values(), thing, world, draft.name)


def _lookups(members: Any, thing: Thing, world: World, entity: str) -> None:
    for member in members:
        of = member.spec.get("of")
        if isinstance(of, str) and member.path and _secret(world.field_at(entity, of.split("."))):
            _report(world, thing, (*member.path, "of"), of)


def _report(world: World, thing: Thing, path: Path, name: str) -> None:
    world.report("field.secret", thing, path, name=name)
