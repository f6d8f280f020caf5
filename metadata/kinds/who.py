"""Who: people as rules name them, by role, team, unit, field, line of managers, or expression."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from metadata.drafts import Thing, World
from metadata.kinds.base import Reference, Wanted
from metadata.kinds.shape import Defs, Json, Prop, Shape, flag, name, number, one, parts, path, rule, text
from metadata.models.who import Who
from metadata.places import Path
from rules.typing import record

WAYS = ("role", "team", "unit", "user", "field", "manager_of", "unit_head", "expression")
_PATHS = ("field", "manager_of", "unit_head")


class WhoShape(Shape):
    """People: exactly one way of naming them. A bare word is a field of the record."""

    short = "field"
    role = name(zh="角色", en="everybody who has the role")
    included = flag(
        zh="也算因其他角色包含而具有该角色的人；挑选或统计做事的人时默认只算直接授予的",
        en="also those who have the role only by another that includes it; false unless said where people who do the "
        "work are picked or counted (`from` of an assignment, `count.of` of a reminder)",
        default="true",
    )
    team = text(zh="团队编码", en="the members of the team of this code")
    unit = text(zh="机构编码", en="the people of the unit of this code")
    user = text(zh="登录名", en="the person of this login")
    field = path(zh="指向用户的字段", en="a field that names a user, or a path to one")
    manager_of = path(zh="某人的上级", en="the manager of the user at this field or path")
    unit_head = path(zh="部门负责人", en="the head of the unit at this field, or of the unit of the user there")
    level = number(1, 20, zh="第几级上级", en="which manager upwards: 1 is the direct one", default="1")
    expression = rule(zh="结果为用户的表达式", en="an expression that gives a user")

    @classmethod
    def json(cls, defs: Defs, extend: bool, in_container: bool = False) -> Json:
        found = super().json(defs, extend, in_container)
        if not extend:
            found["else"]["anyOf"] = [{"required": [way]} for way in WAYS]
        return found


def who(*, zh: str = "", en: str = "", required: bool = False) -> Prop:
    return one(WhoShape, zh=zh or "人员", en=en or "people", required=required)


def whos(*, zh: str = "", en: str = "", required: bool = False) -> Prop:
    """Several, or a single one."""
    return parts(WhoShape, zh=zh or "人员", en=en or "people", required=required, expand=as_list, alone={})


def as_list(value: Any) -> Any:
    return value if isinstance(value, list) or value is None else [value]


def who_references(data: Any, at: Path, entity: str | None) -> Iterable[Reference]:
    """The names one `Who` needs; `data` is its canonical map at `at`."""
    if not isinstance(data, Mapping):
        return
    if isinstance(data.get("role"), str):
        yield Reference(path=(*at, "role"), to="role", name=data["role"])
    for key in _PATHS:
        if isinstance(data.get(key), str):
            yield Reference(path=(*at, key), to="path", name=data[key], entity=entity)


def who_expressions(
    data: Any,
    at: Path,
    entity: str | None,
    *,
    allow_old: bool = False,
    parameters: Mapping[str, Any] | None = None,
) -> Iterable[Wanted]:
    if isinstance(data, Mapping) and isinstance(data.get("expression"), str):
        yield Wanted(
            path=(*at, "expression"),
            text=data["expression"],
            entity=entity,
            expected=record("user"),
            allow_old=allow_old,
            parameters=parameters,
        )


def check_who(data: Any, at: Path, entity: str | None, thing: Thing, world: World) -> None:
    """One way is taken, and its path leads to a user (that of a head also to a unit)."""
    if not isinstance(data, Mapping) or entity is None:
        return
    given = [way for way in WAYS if data.get(way) is not None]
    if len(given) > 1:
        world.report("who.one_way", thing, at, given=", ".join(given))
    if "included" in data and data.get("role") is None:
        world.report("who.included", thing, (*at, "included"))
    for key in _PATHS:
        path = data.get(key)
        found = world.field_at(entity, path.split(".")) if isinstance(path, str) else None
        if found is None:
            continue
        fitting = ("unit", "user") if key == "unit_head" else ("user",)
        if found.value_type.entity not in fitting:
            world.report("who.not_a_person", thing, (*at, key), name=path, wanted=" / ".join(fitting))


def build_who(data: Any, at: Path, thing: Thing, *, included: bool = True) -> Who | None:
    """The model; None where its expression could not be read. `included` is what a role means where nothing is said."""
    if not isinstance(data, Mapping):
        return None
    expression = thing.expression((*at, "expression"))
    if "expression" in data and expression is None:
        return None
    paths = {key: tuple(data[key].split(".")) for key in _PATHS if isinstance(data.get(key), str)}
    return Who(
        role=data.get("role"),
        included=data.get("included", included),
        team=data.get("team"),
        unit=data.get("unit"),
        user=data.get("user"),
        level=data.get("level", 1),
        expression=expression,
        **paths,
    )
