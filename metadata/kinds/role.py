"""role: what people of it may do, with which records and fields."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, get_args

from metadata.drafts import Thing, World, suggestion
from metadata.kinds.base import Kind, Reference, Wanted, register
from metadata.kinds.shape import Prop, Shape, flag, named, names, texts
from metadata.model import NamedScope, Operation
from rules.typing import BOOLEAN

OPERATIONS: tuple[str, ...] = get_args(Operation)
SCOPES: tuple[str, ...] = get_args(NamedScope)
_DEEPEST = 200
_WORD = re.compile(r"[a-z_]+")
_SCOPE = {
    "type": ["boolean", "string", "array"],
    "if": {"type": "array"},
    "then": {"items": {"type": "string", "minLength": 1}, "maxItems": 50},
}


def scopes(given: Any) -> Any:
    """`true` is all, `false` is none, a text is a list of one."""
    if isinstance(given, bool):
        return ["all"] if given else []
    return [given] if isinstance(given, str) else given


def _scope(zh: str, en: str) -> Prop:
    return Prop(schema=_SCOPE, expand=scopes, zh=zh, en=en)


class GrantShape(Shape):
    """What a role may do with one entity. A scope: own, team, unit, subordinates, shared, all, or "=expression"."""

    all = _scope("所有操作", "every operation")
    read = _scope("查看", "read")
    create = _scope("新建", "create")
    edit = _scope("修改", "edit")
    delete = _scope("删除", "delete")
    export = _scope("导出", "export")
    import_ = _scope("导入", "import")
    assign = _scope("分派", "change the owner")
    share = _scope("共享", "share")
    report = _scope("统计", "use in reports")
    hide = names(zh="不可见的字段", en="fields not seen")
    read_only = names(zh="只读的字段", en="fields not changed")
    show = names(zh="可见的敏感字段", en="sensitive fields seen")


@register
class Role(Kind):
    word = "role"
    folder = "rules"
    called = {"zh": "角色", "en": "Role"}
    about = {
        "zh": "角色对每个实体可做的操作、记录范围与字段权限。一人多角色取并集。",
        "en": "What people of the role may do with each entity, in which scope, and with which fields. "
        "Several roles add up.",
    }
    example = """
role: visitor
label: {zh: 拜访员, en: Visitor}
grants:
  visit: {read: unit, create: all, edit: [own, "=created_by == user"], hide: [hours]}
"""
    label = texts(zh="名称", en="label")
    help = texts(zh="说明", en="help")
    admin = flag(zh="可管理站点", en="may administer the site: people, metadata, jobs")
    includes = names(zh="包含的角色", en="roles whose grants it has too")
    grants = named(
        GrantShape,
        keys=r"^(\*|[a-z][a-z0-9_]{0,40})$",
        zh="按实体授权，* 为其余所有",
        en="entity → grant; * is each it does not name",
    )

    @classmethod
    def references(cls, thing: Thing, world: World) -> Iterable[Reference]:
        for index, found in enumerate(thing.data.get("includes") or ()):
            yield Reference(path=("includes", index), to="role", name=found)
        for entity, grant in (thing.data.get("grants") or {}).items():
            if entity == "*":
                continue
            yield Reference(path=("grants", entity), to="entity", name=entity)
            for key in ("hide", "read_only", "show"):
                for found in grant.get(key) or ():
                    yield Reference(path=("grants", entity, key, found), to="field", name=found, entity=entity)

    @classmethod
    def expressions(cls, thing: Thing, world: World) -> Iterable[Wanted]:
        for entity, grant in (thing.data.get("grants") or {}).items():
            if entity in world.entities:
                yield from _scope_rules(entity, grant)

    @classmethod
    def check(cls, thing: Thing, world: World) -> None:
        _check_includes(thing, world)
        for entity, grant in (thing.data.get("grants") or {}).items():
            for operation in ("all", *OPERATIONS):
                for scope in grant.get(operation) or ():
                    _check_scope(scope, entity, operation, thing, world)


def _scope_rules(entity: str, grant: dict[str, Any]) -> Iterable[Wanted]:
    for operation in ("all", *OPERATIONS):
        for scope in grant.get(operation) or ():
            if scope not in SCOPES and not _WORD.fullmatch(scope):
                skip = 1 if scope.startswith("=") else 0
                path = ("grants", entity, operation, scope)
                yield Wanted(path=path, text=scope[skip:], entity=entity, expected=BOOLEAN, skip=skip)


def _check_scope(scope: str, entity: str, operation: str, thing: Thing, world: World) -> None:
    path = ("grants", entity, operation, scope)
    if scope not in SCOPES:
        if _WORD.fullmatch(scope):
            hint = suggestion(scope, SCOPES) or f"={scope}"
            world.report("role.scope", thing, path, hint=hint, name=scope, known=", ".join(SCOPES))
        elif entity == "*":
            world.report("role.rule_for_all", thing, path)
        return
    draft = world.entities.get(entity)
    if draft is None or scope in ("all", "shared") or operation == "create":
        return
    needed = ("owner",) if scope in ("own", "subordinates", "team") else ("owner", "unit")
    inherits = draft.parent is not None
    if not inherits and not any(isinstance(draft.thing.data.get(n), str) for n in needed):
        world.report("role.no_owner", thing, path, severity="warning", scope=scope, entity=entity)


def _check_includes(thing: Thing, world: World) -> None:
    by_name = {t.name: t for t in world.of_kind("role")}
    trail, here = [thing.name], list(thing.data.get("includes") or ())
    seen = set(here)
    while here and len(seen) < _DEEPEST:
        found = by_name.get(here.pop())
        further = set(found.data.get("includes") or ()) if found else set()
        if thing.name in further or (found is thing):
            world.report("role.cycle", thing, ("includes",), names=" → ".join([*trail, found.name if found else ""]))
            return
        here.extend(further - seen)
        seen |= further
