"""Values that a rule gives to fields: plain data, "=" expressions, texts with placeholders, people, a time from now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from metadata.build.common import frozen
from metadata.build.entity import build_field, constants
from metadata.drafts import FieldDraft, Thing, World
from metadata.effect_functions import effect_functions
from metadata.fields.base import Rejection
from metadata.i18n import text_of
from metadata.kinds.base import Reference, Wanted
from metadata.kinds.shape import NAME, Prop
from metadata.kinds.who import WAYS, build_who, check_who, who_expressions, who_references
from metadata.models.effects import Value
from metadata.placeholders import paths_in
from metadata.places import Path
from rules.durations import parse_duration
from rules.typing import INTEGER, Type, record, select

_ITSELF = "id"  # as the value of a link: the record the rule looks at
_MOMENTS = ("date", "datetime")


def values(*, zh: str = "", en: str = "") -> Prop:
    schema = {"type": "object", "propertyNames": {"pattern": NAME}, "minProperties": 1}
    return Prop(schema=schema, zh=zh, en=en)


def is_rule(given: Any) -> bool:
    return isinstance(given, str) and given.startswith("=")


def is_people(given: Any, member: FieldDraft | None) -> bool:
    """Whether a map names people for a field that holds a user."""
    return isinstance(given, Mapping) and member is not None and member.value_type.entity == "user" and _keys(given)


def _keys(given: Mapping[str, Any]) -> bool:
    return bool(given) and set(given) <= {*WAYS, "level", "included"}


def is_within(given: Any, member: FieldDraft | None) -> bool:
    """`{within: 3wd}` for a date or a moment."""
    return isinstance(given, Mapping) and set(given) == {"within"} and _kind(member) in _MOMENTS


def _kind(member: FieldDraft | None) -> str | None:
    return member.value_type.kind if member is not None else None


def _field(target: str | None, name: str, world: World) -> FieldDraft | None:
    draft = world.entities.get(target) if target else None
    return draft.fields.get(name) if draft else None


def value_references(
    given: Mapping[str, Any], at: Path, target: str | None, entity: str | None, world: World
) -> Iterable[Reference]:
    """`target` has the fields that are given values; `entity` is the one the rule looks at."""
    for name, value in given.items():
        yield Reference(path=(*at, name), to="field", name=name, entity=target)
        member = _field(target, name, world)
        if is_people(value, member):
            yield from who_references(value, (*at, name), entity)
        elif _kind(member) == "text" and not is_rule(value) and entity is not None:
            for found in paths_in(value):
                yield Reference(path=(*at, name), to="path", name=found, entity=entity)


def parameter(called: Any, name: str) -> Type | None:
    """The type a parameter of an effect function takes."""
    function = effect_functions().get(called) if isinstance(called, str) else None
    return function.takes.get(name) if function is not None else None


def parameter_texts(given: Mapping[str, Any], called: Any) -> Iterable[tuple[str, str]]:
    """(parameter, path) of the places in the texts that a function is given."""
    for name, value in given.items():
        wanted = parameter(called, name)
        if wanted is not None and wanted.kind == "text" and not is_rule(value):
            yield from ((name, found) for found in paths_in(value))


def value_expressions(
    given: Mapping[str, Any],
    at: Path,
    target: str | None,
    entity: str | None,
    world: World,
    *,
    called: Any = None,
    **more: Any,
) -> Iterable[Wanted]:
    for name, value in given.items():
        path = (*at, name)
        member = None if called is not None else _field(target, name, world)
        if is_people(value, member):
            yield from who_expressions(value, path, entity, **more)
        elif is_rule(value):
            known = parameter(called, name) if called is not None else _wanted(value, member, entity)
            yield Wanted(path=path, text=value[1:], entity=entity, expected=known, skip=1, **more)


def _wanted(value: str, member: FieldDraft | None, entity: str | None) -> Type | None:
    """The type an expression must have for a field; one item where the field holds several."""
    if member is None:
        return None
    if member.value_type.entity == entity and value[1:].strip() == _ITSELF:
        return INTEGER
    if member.value_type.kind == "collection" and member.value_type.entity is not None:
        return record(member.value_type.entity)
    if member.value_type.kind == "multi_select" and member.value_type.options is not None:
        return select(member.value_type.options)
    return member.value_type


def check_values(
    given: Mapping[str, Any], at: Path, target: str | None, entity: str | None, thing: Thing, world: World
) -> None:
    """Each field can be written, and plain data can be its value."""
    for name, value in given.items():
        member = _field(target, name, world)
        if member is None:
            continue
        if member.system or member.spec.get("formula") or member.type_name in ("related", "lookup"):
            world.report("effect.not_writable", thing, (*at, name), name=name)
        elif is_people(value, member):
            check_who(value, (*at, name), entity, thing, world)
        elif is_within(value, member):
            if not isinstance(value["within"], str) or parse_duration(value["within"]) is None:
                world.report("duration.wrong", thing, (*at, name, "within"), given=str(value["within"])[:40])
        elif not is_rule(value) and value is not None:
            _check_constant(value, member, (*at, name), thing, world, str(target))


def _check_constant(value: Any, member: FieldDraft, at: Path, thing: Thing, world: World, target: str) -> None:
    if member.type is None or member.value_type.kind in ("record", "collection", "json"):
        return
    if member.value_type.kind == "text" and text_of(value, world.languages) is not None:
        return
    field = build_field(world.entities[target], member, world, set())
    try:
        member.type.coerce(value, field, constants(world))
    except Rejection as rejection:
        params: dict[str, Any] = {**rejection.params, "field": member.name, "reason": rejection.code}
        world.report("default.refused", thing, at, **params)


def build_values(given: Any, at: Path, target: str | None, entity: str | None, thing: Thing, world: World,
                 *, called: str | None = None) -> tuple[Value, ...] | None:  # fmt: skip
    """The values, or None where one lost its meaning to a problem; `called` is the function that takes them."""
    made: list[Value] = []
    for name, value in (given or {}).items():
        member = None if called is not None else _field(target, name, world)
        if member is None and called is None:
            return None
        found = _value(name, value, (*at, name), member, parameter(called, name), thing, world)
        if found is None:
            return None
        made.append(found)
    return tuple(made)


def _value(
    name: str, given: Any, path: Path, member: FieldDraft | None, takes: Type | None, thing: Thing, world: World
) -> Value | None:
    if is_rule(given):
        expression = thing.expression(path)
        return None if expression is None else Value(field=name, expression=expression)
    if is_people(given, member):
        who = build_who(given, path, thing)
        return None if who is None else Value(field=name, who=who)
    if is_within(given, member):
        within = parse_duration(str(given["within"]))
        return None if within is None else Value(field=name, within=within)
    if "text" in (_kind(member), takes and takes.kind) and isinstance(given, str | Mapping):
        plain = given[1:] if isinstance(given, str) and given.startswith("'=") else given
        text = text_of(dict(plain) if isinstance(plain, Mapping) else plain, world.languages)
        if text is not None:
            return Value(field=name, text=text)
    return Value(field=name, constant=frozen(given))
