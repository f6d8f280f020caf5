"""Effects: what a rule does once it has decided. The vocabulary that workflows, approvals and reminders share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from metadata.drafts import World
from metadata.kinds.base import Reference, Wanted
from metadata.kinds.shape import (
    NAME,
    PATH,
    Defs,
    Json,
    Prop,
    Shape,
    duration,
    name,
    names,
    one,
    parts,
    path,
    rule,
    text,
    texts,
)
from metadata.kinds.values import parameter_texts, value_expressions, value_references, values
from metadata.kinds.who import WhoShape, as_list, who_expressions, who_references
from metadata.placeholders import paths_in
from metadata.places import Path
from rules.typing import BOOLEAN, Type

WORDS = ("set", "create", "link", "assign", "notify", "message", "webhook", "approval", "function", "wait")
Data = Mapping[str, Any]


class People(Prop):
    """Several people, or a single one."""

    def __init__(self, *, zh: str, en: str, required: bool = False) -> None:
        super().__init__(shape=WhoShape, container="list", zh=zh, en=en, required=required, expand=as_list)

    def json(self, defs: Defs, extend: bool) -> Json:
        single = WhoShape.reference(defs, False)
        return {"if": {"type": "array"}, "then": {"type": "array", "items": single, "minItems": 1}, "else": single}


class _OrPeople(Shape):
    """A shape that may be written as its people alone: `notify: owner`, `notify: {role: sales}`."""

    @classmethod
    def json(cls, defs: Defs, extend: bool, in_container: bool = False) -> Json:
        whole = cls.object_schema(defs, extend, in_container)
        known = [{"required": [key]} for key in cls.props()]
        people = cls.props()["to"].json(defs, False)
        return {"if": {"type": "object", "anyOf": known}, "then": whole, "else": people}

    @classmethod
    def canonical(cls, value: Any) -> Any:
        alone = value is not None and not (isinstance(value, dict) and set(value) & set(cls.props()))
        return super().canonical({"to": value} if alone else value)


class NotifyShape(_OrPeople):
    """A notice on the bell, by e-mail too where the person wants that."""

    to = People(required=True, zh="通知谁", en="who is told")
    subject = texts(zh="标题；{字段} 会替换为值", en="subject; {field} is filled in")
    body = texts(zh="内容；{字段} 会替换为值", en="text; {field} is filled in")


class MessageShape(Shape):
    """An e-mail."""

    to = People(zh="发给谁", en="people it goes to")
    address = path(zh="存放邮箱地址的字段", en="field or path that holds the address")
    subject = texts(required=True, zh="标题；{字段} 会替换为值", en="subject; {field} is filled in")
    body = texts(zh="内容；{字段} 会替换为值", en="text; {field} is filled in")


class WebhookShape(Shape):
    """A signed call of another program."""

    short = "url"
    url = text(required=True, zh="地址", en="address that is called", pattern=r"^https?://[^\s{}]+$")
    fields = names(zh="附带的字段", en="fields sent along", paths=True)
    key = name(
        zh="密钥的名称；不写则为规则名", en="name of the secret it is signed with; the rule's name where left out"
    )


class EffectShape(Shape):
    """One thing a rule does: exactly one of the words; or the name of an entity, which creates a record of it."""

    named_by = "name"
    further = {"type": "object", "propertyNames": {"pattern": NAME}}
    name_ = name(zh="名称", en="name; the word where left out")
    when = rule(zh="何时执行", en="done only when this holds")
    set_ = values(zh="给字段赋值", en="fields and their values")
    on = path(zh="改沿此链接的记录", en="path over links to the record that is changed instead")
    create = name(zh="新建记录", en="entity of which a record is created")
    with_ = values(zh="新记录的值，或函数的参数", en="values of the new record, or parameters of the function")
    link = values(zh="向多值字段添加", en="adds to fields that hold several")
    assign = one(WhoShape, zh="交给谁负责", en="who becomes its owner")
    notify = one(NotifyShape, zh="通知", en="tell people")
    message = one(MessageShape, zh="发邮件", en="send an e-mail")
    webhook = one(WebhookShape, zh="调用外部程序", en="call another program")
    approval = name(zh="发起审批", en="start an approval")
    function = name(zh="调用代码包的函数", en="call an effect function of a code package")
    wait = duration(zh="等待", en="go on after this long (workflows only)")
    unless = rule(zh="等待后成立则结束", en="with wait: the run ends here where this holds by then")

    @classmethod
    def canonical(cls, value: Any) -> Any:
        """`{visit: {subject: …}}` is `{create: visit, with: {subject: …}}`."""
        if isinstance(value, dict):
            further = _further(value)
            if len(further) == 1 and not any(word in value for word in WORDS) and "with" not in value:
                rest = {key: part for key, part in value.items() if key != further[0]}
                value = {**rest, "create": further[0], "with": value[further[0]], "name": rest.get("name", further[0])}
        return super().canonical(value)


def _further(item: Mapping[str, Any]) -> list[str]:
    """Keys that are none of the words: names of entities. Placing and hiding belongs to overlays."""
    return [key for key in item if key not in EffectShape.props() and key not in ("hide", "after", "before")]


def numbered(given: Any) -> Any:
    """Effects without a name get that of their word, counted where it stands more than once."""
    if not isinstance(given, list):
        return given
    seen: dict[str, int] = {}
    return [_named(item, seen) for item in given]


def _named(item: Any, seen: dict[str, int]) -> Any:
    if not isinstance(item, dict) or isinstance(item.get("name"), str):
        return item
    word = next((word for word in WORDS if word in item), None) or next(iter(_further(item)), "step")
    seen[word] = seen.get(word, 0) + 1
    return {"name": word if seen[word] == 1 else f"{word}_{seen[word]}", **item}


def effects(*, zh: str = "", en: str = "", required: bool = False) -> Prop:
    return parts(EffectShape, zh=zh or "执行", en=en or "what is done", required=required, expand=numbered)


# --- what they name and hold -------------------------------------------------------------------------------------


def target_of(item: Data, entity: str | None, world: World) -> str | None:
    """The entity of the record an effect writes: its own, the one it creates, or the one `on` leads to."""
    if isinstance(item.get("create"), str):
        return str(item["create"])
    if isinstance(item.get("on"), str) and entity is not None:
        found = world.field_at(entity, item["on"].split("."))
        return found.value_type.entity if found is not None else None
    return entity


def effect_references(given: Any, at: Path, entity: str | None, world: World) -> Iterable[Reference]:
    for item in given or ():
        here = (*at, item["name"])
        yield from _names(item, here, entity)
        target = target_of(item, entity, world)
        for key in ("set", "link", "with"):
            if isinstance(item.get(key), Mapping) and (key != "with" or "create" in item):
                yield from value_references(item[key], (*here, key), target, entity, world)
        if "function" in item and isinstance(item.get("with"), Mapping) and entity is not None:
            for name, found in parameter_texts(item["with"], item["function"]):
                yield Reference(path=(*here, "with", name), to="path", name=found, entity=entity)


def _names(item: Data, here: Path, entity: str | None) -> Iterable[Reference]:
    if isinstance(item.get("create"), str):
        yield Reference(path=(*here, "create"), to="entity", name=item["create"])
    if isinstance(item.get("approval"), str):
        yield Reference(path=(*here, "approval"), to="approval", name=item["approval"])
    if entity is None:
        return
    if isinstance(item.get("on"), str):
        yield Reference(path=(*here, "on"), to="path", name=item["on"], entity=entity)
    yield from who_references(item.get("assign"), (*here, "assign"), entity)
    for key in ("notify", "message"):
        given = item.get(key) or {}
        for index, who in enumerate(given.get("to") or ()):
            yield from who_references(who, (*here, key, "to", index), entity)
        for part in ("subject", "body"):
            for found in paths_in(given.get(part)):
                yield Reference(path=(*here, key, part), to="path", name=found, entity=entity)
        if isinstance(given.get("address"), str):
            yield Reference(path=(*here, key, "address"), to="path", name=given["address"], entity=entity)
    for found in (item.get("webhook") or {}).get("fields") or ():
        yield Reference(path=(*here, "webhook", "fields"), to="path", name=found, entity=entity)


def effect_expressions(
    given: Any,
    at: Path,
    entity: str | None,
    world: World,
    *,
    allow_old: bool = False,
    parameters: Mapping[str, Type] | None = None,
) -> Iterable[Wanted]:
    more: dict[str, Any] = {"allow_old": allow_old, "parameters": parameters}
    for item in given or ():
        here = (*at, item["name"])
        for key in ("when", "unless"):
            if isinstance(item.get(key), str):
                yield Wanted(path=(*here, key), text=item[key], entity=entity, expected=BOOLEAN, **more)
        yield from who_expressions(item.get("assign"), (*here, "assign"), entity, **more)
        for key in ("notify", "message"):
            for index, who in enumerate((item.get(key) or {}).get("to") or ()):
                yield from who_expressions(who, (*here, key, "to", index), entity, **more)
        target = target_of(item, entity, world)
        for key in ("set", "link", "with"):
            if isinstance(item.get(key), Mapping):
                called = item.get("function") if key == "with" else None
                yield from value_expressions(item[key], (*here, key), target, entity, world, called=called, **more)


__all__ = [
    "PATH",
    "WORDS",
    "EffectShape",
    "People",
    "effect_expressions",
    "effect_references",
    "effects",
    "target_of",
]
