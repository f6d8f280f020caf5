"""What is wrong with effects that are well-formed: no word or two, what is missing, what nobody can be told."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from metadata.drafts import FieldDraft, Thing, World, suggestion
from metadata.effect_functions import effect_functions
from metadata.kinds.effects import WORDS, target_of
from metadata.kinds.values import check_values, is_rule, parameter_texts
from metadata.kinds.who import check_who
from metadata.placeholders import paths_in
from metadata.places import Path
from rules.typing import Type

_BELONGS = {"on": ("set", "link", "assign"), "with": ("create", "function"), "unless": ("wait",)}
_ABOUT_RECORD = ("set", "link", "assign", "approval")
_INSIDE = ("localhost", "127.", "10.", "192.168.", "169.254.", "0.", "[::1]", "[fe80", "[fd", "[fc")


def check_effects(given: Any, at: Path, entity: str | None, thing: Thing, world: World, *, waits: bool = False) -> None:
    """Reports what is wrong with a list of effects of a rule on `entity`; `waits`: whether it may wait between them."""
    for item in given or ():
        _check(item, (*at, item["name"]), entity, thing, world, waits)


def _check(item: Mapping[str, Any], at: Path, entity: str | None, thing: Thing, world: World, waits: bool) -> None:
    words = [word for word in WORDS if item.get(word) is not None]
    if len(words) != 1:
        world.report("effect.one_word", thing, at, given=", ".join(words) or "–", known=", ".join(WORDS))
        return
    word = words[0]
    for key, of in _BELONGS.items():
        if item.get(key) is not None and word not in of:
            world.report("effect.belongs", thing, (*at, key), at_key=True, key=key, words=" / ".join(of))
    if word == "wait" and not waits:
        world.report("effect.wait", thing, (*at, "wait"))
    if entity is None and (word in _ABOUT_RECORD or item.get("on") is not None):
        world.report("effect.no_record", thing, (*at, word), word=word)
        return
    if item.get("on") is not None and entity is not None:
        found = world.field_at(entity, item["on"].split("."))
        if found is not None and found.value_type.kind != "record":
            world.report("path.not_a_link", thing, (*at, "on"), name=item["on"])
            return
    _CHECKS.get(word, _nothing)(item, at, entity, thing, world)


def _nothing(item: Mapping[str, Any], at: Path, entity: str | None, thing: Thing, world: World) -> None:
    """Its names and expressions say it all."""


def _set(item: Mapping[str, Any], at: Path, entity: str | None, thing: Thing, world: World) -> None:
    target = target_of(item, entity, world)
    word = "set" if "set" in item else "link"
    check_values(item[word], (*at, word), target, entity, thing, world)
    if word == "link":
        for name in item["link"]:
            found = world.field_at(target, [name]) if target else None
            if found is not None and found.value_type.kind not in ("collection", "multi_select"):
                world.report("effect.not_several", thing, (*at, "link", name), at_key=True, name=name)


def _create(item: Mapping[str, Any], at: Path, entity: str | None, thing: Thing, world: World) -> None:
    draft = world.entities.get(item["create"])
    if draft is None:
        return
    given = item.get("with") or {}
    check_values(given, (*at, "with"), draft.name, entity, thing, world)
    missing = [f.name for f in draft.fields.values() if needed(f) and given.get(f.name) is None]
    if missing and not world.untrusted(draft.name):
        world.report("effect.missing", thing, (*at, "create"), entity=draft.name, fields=", ".join(missing))


def needed(member: FieldDraft) -> bool:
    """Required, and nothing fills it where nobody is signed in."""
    if member.spec.get("required") is not True or member.retired or member.system or member.spec.get("formula"):
        return False
    default = member.spec.get("default")
    return default is None or (is_rule(default) and "user" in str(default).replace("=", " ").split("."))


def _assign(item: Mapping[str, Any], at: Path, entity: str | None, thing: Thing, world: World) -> None:
    check_who(item["assign"], (*at, "assign"), entity, thing, world)
    target = target_of(item, entity, world)
    draft = world.entities.get(target) if target else None
    if draft is not None and not draft.thing.data.get("owner"):
        world.report("effect.no_owner", thing, (*at, "assign"), entity=draft.name)


def _notify(item: Mapping[str, Any], at: Path, entity: str | None, thing: Thing, world: World) -> None:
    given = item["notify"]
    for index, who in enumerate(given.get("to") or ()):
        check_who(who, (*at, "notify", "to", index), entity, thing, world)
    _placeholders(given, (*at, "notify"), entity, thing, world)


def _message(item: Mapping[str, Any], at: Path, entity: str | None, thing: Thing, world: World) -> None:
    given = item["message"]
    for index, who in enumerate(given.get("to") or ()):
        check_who(who, (*at, "message", "to", index), entity, thing, world)
    if not given.get("to") and not given.get("address"):
        world.report("shape.required", thing, (*at, "message"), key="to / address")
    found = world.field_at(entity, given["address"].split(".")) if entity and given.get("address") else None
    if found is not None and found.value_type.kind != "text":
        world.report("effect.no_address", thing, (*at, "message", "address"), name=given["address"])
    _placeholders(given, (*at, "message"), entity, thing, world)
    if given.get("address"):
        for part in ("subject", "body"):
            for path in paths_in(given.get(part)):
                _no_secret(path, (*at, "message", part), entity, thing, world)


def _placeholders(given: Mapping[str, Any], at: Path, entity: str | None, thing: Thing, world: World) -> None:
    if entity is not None:
        return
    for part in ("subject", "body"):
        for path in paths_in(given.get(part)):
            world.report("effect.no_record", thing, (*at, part), word=f"{{{path}}}")


def _webhook(item: Mapping[str, Any], at: Path, entity: str | None, thing: Thing, world: World) -> None:
    given = item["webhook"]
    host = given["url"].partition("://")[2].lower()
    if host.startswith(_INSIDE) or "@" in host.partition("/")[0]:
        world.report("effect.private_url", thing, (*at, "webhook", "url"), severity="warning", url=given["url"][:80])
    for path in given.get("fields") or ():
        _no_secret(path, (*at, "webhook", "fields"), entity, thing, world)


def _no_secret(path: str, at: Path, entity: str | None, thing: Thing, world: World) -> None:
    """What goes to strangers holds nothing that is hidden from one's own people."""
    found = world.field_at(entity, path.split(".")) if entity else None
    if found is not None and found.sensitive:
        world.report("effect.sensitive", thing, at, name=path)


def _function(item: Mapping[str, Any], at: Path, entity: str | None, thing: Thing, world: World) -> None:
    known = effect_functions()
    found = known.get(item["function"])
    if found is None:
        hint = suggestion(item["function"], known)
        world.report("effect.unknown_function", thing, (*at, "function"), hint=hint, name=item["function"])
        return
    given = item.get("with") or {}
    for name in given:
        if name not in found.takes:
            hint = suggestion(name, found.takes)
            params: dict[str, Any] = {"name": name, "function": found.name, "known": ", ".join(found.takes)}
            world.report("effect.parameter", thing, (*at, "with", name), at_key=True, hint=hint, **params)
        elif not is_rule(given[name]) and given[name] is not None and not _fits(given[name], found.takes[name]):
            wanted = found.takes[name].kind
            world.report("effect.parameter_type", thing, (*at, "with", name), name=name, wanted=wanted)
    for name, path in parameter_texts(given, found.name):
        if entity is None:
            world.report("effect.no_record", thing, (*at, "with", name), word=f"{{{path}}}")
        elif found.outside:
            _no_secret(path, (*at, "with", name), entity, thing, world)


def _fits(value: Any, wanted: Type) -> bool:
    """Whether plain data can be the value of a parameter; other types than these take what they are given."""
    if wanted.kind == "text":
        return isinstance(value, str | Mapping)
    if wanted.kind == "boolean":
        return isinstance(value, bool)
    if wanted.kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if wanted.kind == "decimal":
        return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return True


_CHECKS = {
    "set": _set,
    "link": _set,
    "create": _create,
    "assign": _assign,
    "notify": _notify,
    "message": _message,
    "webhook": _webhook,
    "function": _function,
}
