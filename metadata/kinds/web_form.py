"""web_form: a form for people outside, on a page of its own or within a web site."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from metadata.build.common import label, origin, text
from metadata.drafts import EntityDraft, FieldDraft, Thing, World
from metadata.effect_checks import needed
from metadata.kinds.base import Kind, Reference, Wanted, register
from metadata.kinds.shape import Prop, Shape, flag, name, number, one, parts, texts
from metadata.kinds.shape import text as text_of
from metadata.kinds.values import build_values, check_values, value_expressions, value_references, values
from metadata.models.web_form import Consent, WebField
from metadata.models.web_form import WebForm as Model
from metadata.places import Path

ORIGIN = r"^https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?$"
ADDRESS = r"^https?://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?(?:/[!-~]*)?$"
PARAMETER = r"^[A-Za-z][A-Za-z0-9_.-]{0,60}$"
TYPES = (
    "text", "long_text", "email", "phone", "url", "integer", "decimal", "money", "percent", "boolean", "date", "time",
    "datetime", "select", "multi_select", "country", "language", "link",
)  # fmt: skip
_RESERVED = re.compile(r"^(lang|theme|embed)$")  # parameters of the page itself


class WebFieldShape(Shape):
    """A field that is filled in."""

    short = "field"
    named_by = "field"
    field = name(required=True, zh="字段", en="field")
    label = texts(zh="标签；省略时用字段的", en="label; the field's own where left out")
    help = texts(zh="说明", en="help")
    placeholder = texts(zh="占位文字", en="placeholder")
    required = flag(zh="必填", en="must be filled in here, even where the field may be empty")


class ParameterShape(Shape):
    """A field that the address of the page fills."""

    short = "field"
    named_by = "field"
    field = name(required=True, zh="字段", en="field")
    parameter = text_of(
        zh="地址参数；省略时同字段名", en="the parameter; the field's name where left out", pattern=PARAMETER
    )


class ConsentShape(Shape):
    """What people have to agree to."""

    short = "text"
    text = texts(required=True, zh="同意内容", en="what is agreed to")
    field = name(zh="记录同意的布尔字段", en="a boolean field that keeps it")
    link = text_of(zh="全文地址", en="address of the whole text", pattern=ADDRESS)


class LimitShape(Shape):
    """How often it may be sent."""

    address = number(1, 100_000, zh="每个网络地址每小时", en="from one address in an hour", default="20")
    all = number(1, 1_000_000, zh="总共每小时", en="from all of them in an hour", default="1000")
    seconds = number(
        0, 600, zh="打开后最短几秒", en="what is sent sooner after it was opened is asked for again", default="3"
    )


_ORIGINS = Prop(
    schema={"type": "array", "items": {"type": "string", "pattern": ORIGIN}, "uniqueItems": True, "maxItems": 50},
    zh="可嵌入和提交的网站，如 https://www.example.com",
    en="web sites that may show and send it, such as https://www.example.com",
)


@register
class WebForm(Kind):
    word = "web_form"
    folder = "layouts"
    declared = True
    called = {"zh": "网站表单", "en": "Web form"}
    about = {
        "zh": "给外部访客填写的表单：独立页面 /f/名称，也可嵌入所列网站。以专用角色的权限写入，只写声明的字段；"
        "带防机器人陷阱、限流、同意条款，写入后按 `on: [web]` 分配。",
        "en": "A form for people outside, on a page of its own (/f/<name>) and within web sites it names. It writes "
        "with the rights of a role of its own, and only what it declares; with a trap for machines, limits, consent; "
        "assignments `on: [web]` take what comes in.",
    }
    example = """
role: passer_by
label: {zh: 网站访客, en: Visitor of the web site}
grants:
  visit: {create: all}
---
web_form: visit_request
label: {zh: 预约拜访, en: Ask for a visit}
entity: visit
as: passer_by
fields: [subject, {field: visited_on, label: {zh: 希望日期, en: Day you would like}, required: true}]
consent: {text: {zh: 我同意贵司保存以上信息, en: I agree that you keep what I have entered}}
thanks: {zh: 谢谢，我们会联系您。, en: Thank you. We will be in touch.}
origins: [https://www.example.com]
limit: {address: 10, all: 200}
"""
    label = texts(zh="标题", en="title")
    help = texts(zh="标题下的说明", en="what is said below the title")
    entity = name(required=True, zh="实体", en="entity")
    as_ = name(required=True, zh="以哪个角色写入", en="the role it writes with; give it no more than it needs")
    fields = parts(WebFieldShape, zh="填写的字段", en="fields people fill in", required=True)
    set = values(zh="表单自己给的值", en='values the form gives: field → value or "=rule"')
    query = parts(
        ParameterShape, zh="由地址参数填的字段，如 utm_source", en="fields the address fills, such as utm_source"
    )
    consent = one(ConsentShape, zh="须同意的内容", en="what must be agreed to")
    button = texts(zh="按钮文字", en="words of the button")
    thanks = texts(zh="提交后的话", en="what is said once it was sent")
    redirect = text_of(zh="提交后转到的地址", en="the address it leads to once it was sent", pattern=ADDRESS)
    origins = _ORIGINS
    limit = one(LimitShape, zh="限制", en="limits")
    enabled = flag(zh="启用", en="open", default="true")

    @classmethod
    def references(cls, thing: Thing, world: World) -> Iterable[Reference]:
        data, entity = thing.data, thing.data["entity"]
        yield Reference(path=("entity",), to="entity", name=entity)
        yield Reference(path=("as",), to="role", name=data["as"])
        for at, found in (*_parts(data, "fields"), *_parts(data, "query")):
            yield Reference(path=(*at, "field"), to="field", name=found["field"], entity=entity)
        consent = data.get("consent") or {}
        if isinstance(consent.get("field"), str):
            yield Reference(path=("consent", "field"), to="field", name=consent["field"], entity=entity)
        yield from value_references(data.get("set") or {}, ("set",), entity, None, world)

    @classmethod
    def expressions(cls, thing: Thing, world: World) -> Iterable[Wanted]:
        yield from value_expressions(thing.data.get("set") or {}, ("set",), thing.data["entity"], None, world)

    @classmethod
    def check(cls, thing: Thing, world: World) -> None:
        draft = world.entities.get(thing.data["entity"])
        if draft is None:
            return
        if draft.parent is not None or draft.thing.document.layer == "platform":
            world.report("webform.entity", thing, ("entity",), entity=draft.name)
            return
        _check_role(thing, draft, world)
        _check_fields(thing, draft, world)
        check_values(thing.data.get("set") or {}, ("set",), draft.name, None, thing, world)
        _check_whole(thing, draft, world)

    @classmethod
    def build(cls, thing: Thing, world: World) -> Model | None:
        data, entity = thing.data, thing.data["entity"]
        if entity not in world.entities:
            return None
        known = world.entities[entity].fields
        given = build_values(data.get("set") or {}, ("set",), entity, None, thing, world)
        if given is None:
            return None
        limit = data.get("limit") or {}
        return Model(
            name=thing.name,
            entity=entity,
            label=label(thing, data.get("label"), thing.name, world),
            role=data["as"],
            help=text(data.get("help"), world),
            fields=tuple(_field(f, world) for _, f in _parts(data, "fields") if f["field"] in known),
            given=given,
            query=tuple(
                (f.get("parameter") or f["field"], f["field"]) for _, f in _parts(data, "query") if f["field"] in known
            ),
            consent=_consent(data.get("consent"), thing, world),
            button=text(data.get("button"), world),
            thanks=text(data.get("thanks"), world),
            redirect=data.get("redirect"),
            origins=tuple(data.get("origins") or ()),
            per_address=limit.get("address", 20),
            in_all=limit.get("all", 1_000),
            seconds=limit.get("seconds", 3),
            enabled=data.get("enabled", True) is not False,
            origin=origin(thing),
        )


def _parts(data: dict[str, Any], key: str) -> list[tuple[Path, dict[str, Any]]]:
    return [((key, found["field"]), found) for found in data.get(key) or ()]


def _field(found: dict[str, Any], world: World) -> WebField:
    return WebField(
        field=found["field"],
        label=text(found.get("label"), world),
        help=text(found.get("help"), world),
        placeholder=text(found.get("placeholder"), world),
        required=found.get("required") is True,
    )


def _consent(given: dict[str, Any] | None, thing: Thing, world: World) -> Consent | None:
    if not given:
        return None
    return Consent(text=label(thing, given["text"], "consent", world), field=given.get("field"), link=given.get("link"))


# --- what makes no sense -------------------------------------------------------------------------------------------


def _roles(start: str, world: World) -> Iterator[Thing]:
    """The role and those it includes."""
    by_name = {t.name: t for t in world.of_kind("role")}
    waiting, seen = [start], set()
    while waiting:
        found = by_name.get(waiting.pop())
        if found is not None and found.name not in seen:
            seen.add(found.name)
            yield found
            waiting.extend(found.data.get("includes") or ())


def _check_role(thing: Thing, draft: EntityDraft, world: World) -> None:
    roles = list(_roles(thing.data["as"], world))
    if not roles:
        return
    if any(role.data.get("admin") is True for role in roles):
        world.report("webform.admin", thing, ("as",), role=thing.data["as"])
        return
    grants = [g for r in roles for g in [(r.data.get("grants") or {}).get(draft.name)] if g is not None]
    grants += [g for r in roles for g in [(r.data.get("grants") or {}).get("*")] if g is not None and not grants]
    if not any("all" in (g.get(key) or ()) for g in grants for key in ("create", "all")):
        world.report("webform.create", thing, ("as",), role=thing.data["as"], entity=draft.name)
    closed = [{*(g.get("hide") or ()), *(g.get("read_only") or ())} for g in grants]
    out_of_reach = closed[0].intersection(*closed[1:]) if closed else frozenset()
    for at, found in _written(thing):
        if found in out_of_reach:
            world.report("webform.closed", thing, at, name=found, role=thing.data["as"])


def _written(thing: Thing) -> Iterator[tuple[Path, str]]:
    """The fields the form writes, with where it says so."""
    for key in ("fields", "query"):
        for at, found in _parts(thing.data, key):
            yield (*at, "field"), found["field"]
    for found_name in thing.data.get("set") or {}:
        yield ("set", found_name), found_name
    consent = (thing.data.get("consent") or {}).get("field")
    if consent is not None:
        yield ("consent", "field"), consent


def _check_fields(thing: Thing, draft: EntityDraft, world: World) -> None:
    seen: set[str] = set()
    for at, found in _written(thing):
        if found in seen:
            world.report("webform.twice", thing, at, name=found)
        seen.add(found)
        member = draft.fields.get(found)
        if member is None or at[0] == "set":
            continue
        if at[0] == "consent":
            if member.type_name != "boolean":
                world.report("webform.consent", thing, at, name=found)
        elif not _fillable(member):
            world.report("webform.field", thing, at, name=found, known=", ".join(TYPES))
    for at, one_ in _parts(thing.data, "query"):
        if _RESERVED.match(one_.get("parameter") or one_["field"]):
            world.report("webform.parameter", thing, at, name=one_.get("parameter") or one_["field"])


def _fillable(member: FieldDraft) -> bool:
    closed = member.system or member.sensitive or member.spec.get("formula") or member.spec.get("readonly") is True
    return not closed and member.type_name in TYPES


def _check_whole(thing: Thing, draft: EntityDraft, world: World) -> None:
    if not thing.data.get("fields"):
        if not thing.partial:
            world.report("webform.empty", thing, ("fields",))
        return
    written = {found for _, found in _written(thing)}
    missing = [m.name for m in draft.fields.values() if needed(m) and m.name not in written]
    if missing and not thing.partial and not world.untrusted(draft.name):
        world.report("webform.missing", thing, ("fields",), entity=draft.name, fields=", ".join(missing))
