"""Effects as part of the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from metadata.build.common import origin, text
from metadata.drafts import Thing, World
from metadata.kinds.effects import WORDS, target_of
from metadata.kinds.values import build_values
from metadata.kinds.who import build_who
from metadata.models.effects import (
    AddLinks,
    Assign,
    CallFunction,
    CallWebhook,
    Create,
    Effect,
    Notify,
    SendMessage,
    SetFields,
    StartApproval,
    Wait,
)
from metadata.models.who import Who
from metadata.places import Path
from rules.durations import parse_duration

Item = Mapping[str, Any]


def build_effects(given: Any, at: Path, entity: str | None, thing: Thing, world: World) -> tuple[Effect, ...]:
    """The effects in order; those that lost their meaning to a problem are left out."""
    made = (_build(item, (*at, item["name"]), entity, thing, world) for item in given or ())
    return tuple(effect for effect in made if effect is not None)


def _build(item: Item, at: Path, entity: str | None, thing: Thing, world: World) -> Effect | None:
    words = [word for word in WORDS if item.get(word) is not None]
    when = thing.expression((*at, "when"))
    if len(words) != 1 or ("when" in item and when is None):
        return None
    common = {"name": item["name"], "when": when, "origin": origin(thing, at)}
    return _BUILDERS[words[0]](item, at, entity, thing, world, common)


def _path(given: Any) -> tuple[str, ...]:
    return tuple(given.split(".")) if isinstance(given, str) else ()


def _people(given: Any, at: Path, thing: Thing) -> tuple[Who, ...]:
    found = (build_who(who, (*at, index), thing) for index, who in enumerate(given or ()))
    return tuple(who for who in found if who is not None)


def _set(item: Item, at: Path, entity: str | None, thing: Thing, world: World, common: Any) -> Effect | None:
    word = "set" if "set" in item else "link"
    target = target_of(item, entity, world)
    values = build_values(item[word], (*at, word), target, entity, thing, world)
    if values is None:
        return None
    kind = SetFields if word == "set" else AddLinks
    return kind(values=values, on=_path(item.get("on")), **common)


def _create(item: Item, at: Path, entity: str | None, thing: Thing, world: World, common: Any) -> Effect | None:
    values = build_values(item.get("with"), (*at, "with"), item["create"], entity, thing, world)
    if values is None or item["create"] not in world.entities:
        return None
    return Create(entity=item["create"], values=values, **common)


def _assign(item: Item, at: Path, entity: str | None, thing: Thing, world: World, common: Any) -> Effect | None:
    to = build_who(item["assign"], (*at, "assign"), thing)
    return None if to is None else Assign(to=to, on=_path(item.get("on")), **common)


def _notify(item: Item, at: Path, entity: str | None, thing: Thing, world: World, common: Any) -> Effect | None:
    given = item["notify"]
    to = _people(given.get("to"), (*at, "notify", "to"), thing)
    subject, body = text(given.get("subject"), world), text(given.get("body"), world)
    return Notify(to=to, subject=subject, body=body, **common) if to else None


def _message(item: Item, at: Path, entity: str | None, thing: Thing, world: World, common: Any) -> Effect | None:
    given = item["message"]
    to = _people(given.get("to"), (*at, "message", "to"), thing)
    subject, body = text(given.get("subject"), world), text(given.get("body"), world)
    address = _path(given.get("address"))
    if subject is None or not (to or address):
        return None
    return SendMessage(to=to, address=address, subject=subject, body=body, **common)


def _webhook(item: Item, at: Path, entity: str | None, thing: Thing, world: World, common: Any) -> Effect | None:
    given = item["webhook"]
    fields = tuple(_path(found) for found in given.get("fields") or ())
    return CallWebhook(url=given["url"], key=given.get("key") or thing.name, fields=fields, **common)


def _approval(item: Item, at: Path, entity: str | None, thing: Thing, world: World, common: Any) -> Effect | None:
    return StartApproval(approval=item["approval"], **common)


def _function(item: Item, at: Path, entity: str | None, thing: Thing, world: World, common: Any) -> Effect | None:
    values = build_values(item.get("with"), (*at, "with"), None, entity, thing, world, called=item["function"])
    return None if values is None else CallFunction(function=item["function"], values=values, **common)


def _wait(item: Item, at: Path, entity: str | None, thing: Thing, world: World, common: Any) -> Effect | None:
    duration = parse_duration(item["wait"])
    unless = thing.expression((*at, "unless"))
    if duration is None or ("unless" in item and unless is None):
        return None
    return Wait(duration=duration, unless=unless, **common)


_BUILDERS: dict[str, Callable[..., Effect | None]] = {
    "set": _set,
    "create": _create,
    "link": _set,
    "assign": _assign,
    "notify": _notify,
    "message": _message,
    "webhook": _webhook,
    "approval": _approval,
    "function": _function,
    "wait": _wait,
}
