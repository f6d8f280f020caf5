"""`ledger:` of an entity: what may be written there, the entity of its balances, and what makes no sense."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from metadata.drafts import EntityDraft, FieldDraft, Thing, World
from metadata.frozen import FrozenMap
from metadata.i18n import LANGUAGES
from metadata.kinds.base import Reference
from metadata.kinds.shape import NAME, Prop, Shape, name, names, one
from metadata.models.ledger import Ledger, Lots, Reversal

_NUMBERS = ("integer", "decimal", "money", "percent")
_VALUES = {
    "type": "object",
    "propertyNames": {"pattern": NAME},
    "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
}
_COPIED = ("type", "to", "options", "label", "scale", "max")


def values(*, zh: str, en: str) -> Prop:
    """Field names with plain values."""
    return Prop(schema=_VALUES, zh=zh, en=en)


class LotsShape(Shape):
    """Entries above zero are lots, used up oldest first."""

    short = "left"
    left = name(required=True, zh="批次余量字段", en="the field that holds what is left of a lot")
    expires = name(zh="到期日字段", en="the date field with the last day a lot may be used on")
    expired = values(zh="到期分录的取值", en="values of the entries that take expired lots away")


class ReversalShape(Shape):
    """How an entry is taken back: by another one."""

    short = "field"
    field = name(required=True, zh="指向被冲销分录的链接", en="the link to the entry that is taken back")
    set = values(zh="冲销分录的取值", en="values of such an entry")


class LedgerShape(Shape):
    """Entries that are only added, and their balances."""

    of = Prop(
        schema={"type": "array", "items": {"type": "string", "pattern": NAME}, "minItems": 1, "maxItems": 8},
        required=True,
        zh="维度字段",
        en="the fields that make the key of a balance",
    )
    balance = name(required=True, zh="带符号的数量字段", en="the signed field that is summed up")
    never_below = Prop(schema={"type": "number"}, zh="余额下限", en="no balance falls below this")
    into = name(zh="余额实体", en="the entity of the balances; made by itself where it is not declared")
    once = names(zh="幂等键字段", en="fields that no two entries share: a source is booked once")
    lots = one(LotsShape, zh="批次", en="entries above zero are lots, used up oldest first")
    reversal = one(ReversalShape, zh="冲销", en="entries are taken back by entries")


def ledger_references(thing: Thing) -> Iterable[Reference]:
    given = thing.data.get("ledger")
    if not isinstance(given, dict):
        return
    entity = thing.name

    def named(path: tuple[str | int, ...], found: Any) -> Iterable[Reference]:
        if isinstance(found, str):
            yield Reference(path=("ledger", *path), to="field", name=found, entity=entity)

    for key in ("of", "once"):
        for index, found in enumerate(given.get(key) or ()):
            yield from named((key, index), found)
    yield from named(("balance",), given.get("balance"))
    lots, reversal = given.get("lots") or {}, given.get("reversal") or {}
    for key in ("left", "expires"):
        yield from named(("lots", key), lots.get(key))
    yield from named(("reversal", "field"), reversal.get("field"))
    for path, found in ((("lots", "expired"), lots.get("expired")), (("reversal", "set"), reversal.get("set"))):
        for key in found or ():
            yield from named((*path, key), key)


def balances_name(entity: str, given: dict[str, Any]) -> str:
    return str(given.get("into") or f"{entity}_balance")


def declare_balances(world: World) -> None:
    """The entities of balances that nobody has declared: the key and the sum, as the entries have them."""
    for thing in world.of_kind("entity"):
        given = thing.data.get("ledger")
        if not isinstance(given, dict):
            continue
        target = balances_name(thing.name, given)
        if any(t.name == target for t in world.of_kind("entity")) or world.is_broken("entity", target):
            continue
        fields = thing.data.get("fields") or {}
        wanted = [*given["of"], given["balance"]]
        copied = {n: _copied(fields[n]) for n in wanted if isinstance(fields.get(n), dict)}
        if given["balance"] in copied:
            copied[given["balance"]]["default"] = 0
        data = {
            "entity": target,
            "label": _balance_label(thing),
            "icon": "scale",
            "title": given["of"][0],
            "fields": copied,
            "unique": [list(given["of"])],
        }
        key = ("entity", target, None, None)
        made = Thing(kind=thing.kind, name=target, key=key, data=data, document=thing.document, partial=thing.partial)
        made.sources[()] = (thing.document, ("ledger",))
        world.things[key] = made


def _copied(spec: dict[str, Any]) -> dict[str, Any]:
    return {**{k: spec[k] for k in _COPIED if k in spec}, "required": True}


def _balance_label(thing: Thing) -> dict[str, str]:
    given = thing.data.get("label")
    texts = given if isinstance(given, dict) else dict.fromkeys(LANGUAGES, str(given or thing.name))
    word = {"zh": "{}余额", "en": "{} balance"}
    return {language: word.get(language, "{}").format(text) for language, text in texts.items()}


# --- what makes no sense ---------------------------------------------------------------------------------------------


def check_ledger(draft: EntityDraft, world: World) -> None:
    given = draft.thing.data.get("ledger")
    if not isinstance(given, dict) or draft.lost or draft.thing.partial:
        return
    if draft.parent is not None:
        world.report("ledger.lines", draft.thing, ("ledger",), name=draft.name)
    _key(draft, given, world)
    member = draft.fields.get(given["balance"])
    if member is not None and not (_own_column(member) and member.value_type.kind in _NUMBERS[:3]):
        world.report("ledger.balance", draft.thing, ("ledger", "balance"), name=member.name, type=member.type_name)
    for member in draft.fields.values():
        if (
            not member.system
            and member.value_type.kind == "record"
            and member.spec.get("on_delete", "refuse") != "refuse"
        ):
            world.report("ledger.link", draft.thing, (*member.path, "on_delete"), name=member.name)
    _lots(draft, given.get("lots"), world)
    _reversal(draft, given.get("reversal"), world)
    _balances(draft, given, world)


def _own_column(member: FieldDraft) -> bool:
    stored = member.type is not None and member.type.storage not in ("none", "children", "choices", "links", "any_link")
    return stored and "formula" not in member.spec and not member.system


def _key(draft: EntityDraft, given: dict[str, Any], world: World) -> None:
    for key in ("of", "once"):
        for index, found in enumerate(given.get(key) or ()):
            member = draft.fields.get(found)
            if member is None:
                continue
            if not _own_column(member) or (key == "of" and member.spec.get("required") is not True):
                world.report(
                    "ledger.dimension" if key == "of" else "ledger.once",
                    draft.thing,
                    ("ledger", key, index),
                    name=found,
                )


def _lots(draft: EntityDraft, given: dict[str, Any] | None, world: World) -> None:
    if not given:
        return
    left, expires = draft.fields.get(given["left"]), draft.fields.get(given.get("expires", ""))
    amount = draft.fields.get(draft.thing.data["ledger"]["balance"])
    if left is not None and (
        not _own_column(left)
        or left.spec.get("readonly") is not True
        or (amount is not None and left.value_type.kind != amount.value_type.kind)
    ):
        world.report("ledger.left", draft.thing, ("ledger", "lots", "left"), name=left.name)
    if expires is not None and expires.value_type.kind != "date":
        world.report("ledger.expires", draft.thing, ("ledger", "lots", "expires"), name=expires.name)


def _reversal(draft: EntityDraft, given: dict[str, Any] | None, world: World) -> None:
    member = draft.fields.get(given["field"]) if given else None
    if member is None:
        return
    to_itself = (member.value_type.kind, member.value_type.entity) == ("record", draft.name)
    if not to_itself or member.spec.get("unique") is not True:
        world.report("ledger.reversal", draft.thing, ("ledger", "reversal", "field"), name=member.name)


def _balances(draft: EntityDraft, given: dict[str, Any], world: World) -> None:
    """A declared entity of balances has the fields of the key and of the sum, and holds a key once."""
    target = world.entities.get(balances_name(draft.name, given))
    if target is None or target.lost or target.thing.partial:
        return
    at = ("ledger", "into") if "into" in given else ("ledger",)
    if target is draft or target.thing.data.get("ledger"):
        world.report("ledger.into", draft.thing, at, name=target.name, field=given["balance"])
        return
    for found in (*given["of"], given["balance"]):
        mine, theirs = draft.fields.get(found), target.fields.get(found)
        if mine is not None and (theirs is None or theirs.value_type != mine.value_type or not _own_column(theirs)):
            world.report("ledger.into", draft.thing, at, name=target.name, field=found)
            return
    if [sorted(g) for g in target.thing.data.get("unique") or ()].count(sorted(given["of"])) == 0:
        single = target.fields.get(given["of"][0])
        if len(given["of"]) > 1 or single is None or single.spec.get("unique") is not True:
            world.report("ledger.into_unique", draft.thing, at, name=target.name, fields=", ".join(given["of"]))


# --- the model -------------------------------------------------------------------------------------------------------


def build_ledger(draft: EntityDraft, world: World) -> Ledger | None:
    given = draft.thing.data.get("ledger")
    if not isinstance(given, dict):
        return None
    into = balances_name(draft.name, given)
    named = [*given["of"], given["balance"]]
    if into not in world.entities or not all(n in draft.fields for n in named):
        return None
    lots, reversal, bound = given.get("lots"), given.get("reversal"), given.get("never_below")
    return Ledger(
        of=tuple(given["of"]),
        balance=given["balance"],
        into=into,
        never_below=None if bound is None else Decimal(str(bound)),
        once=tuple(given.get("once") or ()),
        lots=Lots(left=lots["left"], expires=lots.get("expires"), expired=FrozenMap(lots.get("expired") or {}))
        if lots
        else None,
        reversal=Reversal(field=reversal["field"], values=FrozenMap(reversal.get("set") or {})) if reversal else None,
    )


def ledger_of_balances(draft: EntityDraft, world: World) -> str | None:
    """The ledger whose balances the entity holds."""
    for other in world.entities.values():
        given = other.thing.data.get("ledger")
        if isinstance(given, dict) and balances_name(other.name, given) == draft.name and other is not draft:
            return other.name
    return None
