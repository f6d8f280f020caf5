"""duplicate: which records are likely the same, shown while typing, warned of or refused, merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any

from metadata.build.common import label, origin, text
from metadata.drafts import FieldDraft, Thing, World
from metadata.kinds.base import Kind, Reference, Wanted, register
from metadata.kinds.layout import condition
from metadata.kinds.shape import NAME, Prop, Shape, flag, name, named, number, one_of, parts, rule, texts
from metadata.models.duplicate import Among, Key, Match, Reveal
from metadata.models.duplicate import Duplicate as Model
from metadata.places import Path
from rules.likeness import WAYS

MOST_KEYS = 8
MOST_MATCHES = 24
_STORED = ("text", "integer", "decimal", "date", "datetime", "link")
_BY_TYPE = {"phone": "phone", "email": "email"}


class KeyShape(Shape):
    """A field and the way its values are compared."""

    short = "field"
    field = name(zh="字段，省略时与键同名", en="field; that of the key's own name where left out")
    by = one_of(
        *WAYS,
        zh="如何比较：公司名、电话数字、邮箱、只看文字、完全相同",
        en="company: without 公司, 有限公司, brackets, width; phone: its digits; words: letters and digits; exact",
        default="by the field's type",
    )
    points = number(1, 100, zh="分数", en="points where it is equal")
    part = number(
        2,
        20,
        zh="输入多少个字起，包含它的名称也会列出",
        en="while typing, from so many characters on, records that contain them are shown as well",
    )


class MatchShape(Shape):
    """Keys that must all be equal."""

    short = "all"
    all = Prop(
        schema={
            "if": {"type": "array"},
            "then": {"items": {"type": "string", "pattern": NAME}, "minItems": 1, "maxItems": MOST_KEYS},
            "else": {"type": "string", "pattern": NAME},
        },
        required=True,
        expand=lambda v: v if isinstance(v, list) else [v],
        zh="须同时相同的键",
        en="the key, or the keys that must all be equal",
    )
    action = one_of("warn", "refuse", zh="提示或拒绝", en="warned of, or refused; that of the rule where left out")


class RevealShape(Shape):
    """What is told of a record the person may not see."""

    short = "field"
    named_by = "field"
    field = name(required=True, zh="字段", en="field")
    masked = flag(zh="只显示第一个字", en="its first letter alone")


class OtherShape(Shape):
    """Records of another entity."""

    keys = named(KeyShape, required=True, zh="对应的键", en="its fields for the keys of the rule")
    where = rule(zh="哪些记录参与比较", en="which of them count")
    reveal = parts(RevealShape, zh="可透露的字段", en="what is told of a record the person may not see")


@register
class Duplicate(Kind):
    word = "duplicate"
    folder = "rules"
    declared = True
    called = {"zh": "查重", "en": "Duplicates"}
    about = {
        "zh": "哪些记录可能重复：公司名（忽略“公司”“有限公司”、括号、全角）、电话数字、邮箱；同时相同或按分数；"
        "录入时提示、保存时提示或拒绝，导入、接口同样有效，可跨实体，可合并。",
        "en": "Which records are likely the same: by company name (without its legal form, brackets and width), digits "
        "of a phone, e-mail; all of several or by points; shown while typing, warned of or refused on saving, by "
        "import and API as well, across entities; merged from the list of what was found.",
    }
    example = """
duplicate: visit
entity: visit
keys:
  subject: {by: words, points: 70}
  visited_on: {points: 30}
match: [[subject, visited_on]]
reveal: [subject]
"""
    entity = name(required=True, zh="实体", en="entity")
    label = texts(zh="名称", en="label")
    when = rule(zh="何时查重", en="compared while this holds of the record")
    keys = named(KeyShape, required=True, zh="比较的键", en="what is compared")
    match = parts(
        MatchShape,
        zh="满足任一项即为重复；一项可要求几个键同时相同",
        en="enough, each by itself: a key, or several that must all be equal; each key alone where nothing is said",
        list_item={"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MOST_KEYS},
        expand=lambda v: [{"all": i} if isinstance(i, list) else i for i in v] if isinstance(v, list) else v,
    )
    from_ = number(1, 1000, zh="总分达到多少即为重复", en="points that are enough together")
    where = rule(zh="哪些已有记录参与比较", en="which stored records count")
    with_ = named(OtherShape, zh="也与这些实体比较", en="other entities it is compared with")
    action = one_of("warn", "refuse", zh="提示或拒绝", en="warned of, or refused", default="warn")
    imports = one_of("refuse", "warn", zh="导入时", en="rows of an import that are warned of", default="refuse")
    reveal = parts(RevealShape, zh="可透露的字段", en="what is told of a record the person may not see")
    message = texts(zh="提示语", en="the sentence; a general one where left out")

    @classmethod
    def references(cls, thing: Thing, world: World) -> Iterable[Reference]:
        data = thing.data
        yield Reference(path=("entity",), to="entity", name=data["entity"])
        for at, entity, given in _among(data):
            if at:
                yield Reference(path=at, to="entity", name=entity)
            for key, spec in (given.get("keys") or {}).items():
                path = (*at, "keys", key, *(("field",) if "field" in spec else ()))
                yield Reference(path=path, to="field", name=spec.get("field", key), entity=entity)
            for item in given.get("reveal") or ():
                path = (*at, "reveal", item["field"])
                yield Reference(path=path, to="field", name=item["field"], entity=entity)

    @classmethod
    def expressions(cls, thing: Thing, world: World) -> Iterable[Wanted]:
        data = thing.data
        yield from condition(data, "when", (), data["entity"])
        for at, entity, given in _among(data):
            yield from condition(dict(given), "where", at, entity)

    @classmethod
    def check(cls, thing: Thing, world: World) -> None:
        data = thing.data
        keys = data["keys"]
        if len(keys) > MOST_KEYS:
            world.report("duplicate.too_many", thing, ("keys",), most=MOST_KEYS)
        for at, entity, given in _among(data):
            _check_keys(at, entity, given, keys, thing, world)
            _check_reveal(at, entity, given, thing, world)
        for index, item in enumerate(data.get("match") or ()):
            for key in item.get("all") or ():
                if key not in keys:
                    known = ", ".join(keys)
                    world.report("duplicate.key", thing, ("match", index), name=key, known=known)
        _check_points(data, thing, world)

    @classmethod
    def build(cls, thing: Thing, world: World) -> Model | None:
        data = thing.data
        if data["entity"] not in world.entities or len(data["keys"]) > MOST_KEYS:
            return None
        made = [_build_among(at, entity, given, thing, world) for at, entity, given in _among(data)]
        if made[0] is None or ("when" in data and thing.expression(("when",)) is None):
            return None
        return Model(
            name=thing.name,
            entity=data["entity"],
            label=label(thing, data.get("label"), thing.name, world),
            own=made[0],
            others=tuple(found for found in made[1:] if found is not None),
            matches=tuple(_matches(data))[:MOST_MATCHES],
            when=thing.expression(("when",)),
            imports=data.get("imports", "refuse"),
            message=text(data.get("message"), world),
            origin=origin(thing),
        )


def _among(data: Mapping[str, Any]) -> Iterable[tuple[Path, str, Mapping[str, Any]]]:
    """(place, entity, what is said) of the entity itself and of those it is compared with."""
    yield (), data["entity"], data
    for entity, given in (data.get("with") or {}).items():
        yield ("with", entity), entity, given


def _field(entity: str, found: Any, world: World) -> FieldDraft | None:
    draft = world.entities.get(entity)
    return draft.fields.get(found) if draft and isinstance(found, str) else None


def _check_keys(
    at: Path, entity: str, given: Mapping[str, Any], keys: Mapping[str, Any], thing: Thing, world: World
) -> None:
    for key, spec in (given.get("keys") or {}).items():
        path = (*at, "keys", key)
        if key not in keys:
            world.report("duplicate.key", thing, path, at_key=True, name=key, known=", ".join(keys))
        member = _field(entity, spec.get("field", key), world)
        if member is None or member.type is None:
            continue
        computed = member.live or member.system or member.type.storage not in (*_STORED, "boolean")
        if computed or member.type_name in ("secret", "boolean", "long_text", "rich_text"):
            world.report("duplicate.field", thing, path, name=member.name, type=member.type_name)
        own = _by(spec, member)
        stated = (keys.get(key) or {}).get("by")
        if at and stated is not None and "by" in spec and own != stated:
            world.report("duplicate.two_ways", thing, path, name=key, first=stated, second=own)


def _check_reveal(at: Path, entity: str, given: Mapping[str, Any], thing: Thing, world: World) -> None:
    for item in given.get("reveal") or ():
        member = _field(entity, item["field"], world)
        if member is not None and (member.sensitive or member.type_name == "secret"):
            world.report("duplicate.sensitive", thing, (*at, "reveal", item["field"]), name=member.name)


def _check_points(data: Mapping[str, Any], thing: Thing, world: World) -> None:
    points = {key: spec["points"] for key, spec in data["keys"].items() if "points" in spec}
    least = data.get("from")
    if least is not None and sum(points.values()) < least:
        world.report("duplicate.never", thing, ("from",), sum=sum(points.values()), least=least)
    if sum(1 for _ in _matches(data)) > MOST_MATCHES:
        world.report("duplicate.too_many", thing, ("from",), most=MOST_MATCHES)


def _matches(data: Mapping[str, Any]) -> Iterable[Match]:
    """What is enough: what is declared, the smallest sets of keys whose points are, else each key alone."""
    action = data.get("action", "warn")
    declared = data.get("match") or ()
    seen: set[tuple[str, ...]] = set()
    for item in declared:
        keys = tuple(k for k in data["keys"] if k in (item.get("all") or ()))
        if keys and keys not in seen:
            seen.add(keys)
            yield Match(keys=keys, action=item.get("action", action))
    least = data.get("from")
    if least is None:
        if not declared:
            yield from (Match(keys=(key,), action=action) for key in data["keys"])
        return
    points = {key: spec["points"] for key, spec in data["keys"].items() if "points" in spec}
    for size in range(1, len(points) + 1):
        for keys in combinations(points, size):
            if sum(points[k] for k in keys) >= least and not any(set(s) <= set(keys) for s in seen):
                seen.add(keys)
                yield Match(keys=keys, action=action)


def _by(spec: Mapping[str, Any], member: FieldDraft | None) -> str:
    return spec.get("by") or _BY_TYPE.get(member.type_name if member else "", "exact")


def _build_among(at: Path, entity: str, given: Mapping[str, Any], thing: Thing, world: World) -> Among | None:
    where = thing.expression((*at, "where"))
    if entity not in world.entities or ("where" in given and where is None):
        return None
    stated = thing.data["keys"]
    keys = []
    for key, spec in (given.get("keys") or {}).items():
        found = _field(entity, spec.get("field", key), world)
        if found is None or key not in stated:
            return None
        own = _field(thing.data["entity"], stated[key].get("field", key), world)
        keys.append(Key(name=key, field=found.name, by=_by(stated[key], own), part=spec.get("part")))
    reveal = tuple(
        Reveal(field=item["field"], masked=item.get("masked", False))
        for item in given.get("reveal") or ()
        if (member := _field(entity, item["field"], world)) is not None and not member.sensitive
    )
    return Among(entity=entity, keys=tuple(keys), where=where, reveal=reveal)
