"""Checks over everything at once: translations, fields nobody sees, operations nobody may do, layouts at odds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from metadata.drafts import EntityDraft, Thing, World, entity_of
from metadata.i18n import LANGUAGES, is_language
from metadata.places import Path

_TEXTS = {"label", "help", "placeholder", "plural", "message", "description"}
_FIGURES = ("integer", "decimal", "money", "percent", "duration")


def check_translations(world: World) -> None:
    """Every text that is given per language is given in each language of the application."""
    wanted = [language for language in world.languages if language in LANGUAGES]
    for thing in world.things.values():
        for path, given in _texts(thing.data, ()):
            for language in wanted:
                if language not in given:
                    world.report("text.missing_language", thing, path, severity="warning", language=language)


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    if isinstance(value, dict):
        if path and path[-2:-1] in (("choices",), ("options",)) and ("zh" in value or "en" in value):
            yield path, value
        for key, part in value.items():
            if key in _TEXTS and isinstance(part, dict) and path[-1:] != ("fields",) and all(map(is_language, part)):
                yield (*path, key), part
            elif isinstance(part, dict | list):
                yield from _texts(part, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict):
                yield from _texts(item, (*path, str(item.get("name", item.get("field", index)))))


def check_unused(world: World) -> None:
    """Fields of entities with a form of their own that no form shows and nothing reads."""
    with_form = {entity_of(t) for t in world.of_kind("form") if t.key[2:] == (None, None)}
    used = set(world.used)
    for thing in world.things.values():
        for expression in thing.expressions.values():
            used |= expression.reads
    for name in with_form & world.entities.keys():
        draft = world.entities[name]
        if draft.thing.document.layer == "platform" or world.untrusted(name):
            continue
        for member in draft.fields.values():
            if not member.system and not member.retired and (name, member.name) not in used:
                params: dict[str, Any] = {"name": member.name, "entity": name}
                world.report("field.unused", draft.thing, member.path, at_key=True, severity="warning", **params)


def check_required(world: World) -> None:
    """Required fields that the form for everyone leaves out, and that nothing fills."""
    for thing in world.of_kind("form"):
        draft = world.entities.get(entity_of(thing))
        if thing.key[2:] != (None, None) or draft is None or thing.partial or world.untrusted(draft.name):
            continue
        shown = set(_fields_of(thing))
        number = (draft.thing.data.get("number") or {}).get("field")
        for member in draft.fields.values():
            filled = {"default", "formula"} & member.spec.keys() or member.name == number or member.retired
            if member.spec.get("required") is True and not filled and member.name not in shown:
                world.report("form.required", thing, ("tabs",), at_key=True, severity="warning", name=member.name)


def _fields_of(thing: Thing) -> Iterator[str]:
    for tab in thing.data.get("tabs") or ():
        for section in tab.get("sections") or ():
            yield from (item["field"] for item in section.get("fields") or ())


def check_options(world: World) -> None:
    """Option sets that no field and no parameter takes."""
    used = {f.spec.get("options") for d in world.entities.values() for f in d.fields.values()}
    used |= {p.get("options") for t in world.of_kind("report") for p in (t.data.get("params") or {}).values()}
    if any(world.untrusted(name) for name in world.entities):
        return
    for thing in world.of_kind("options"):
        if thing.name not in used and thing.document.layer != "platform" and not thing.data.get("retired"):
            world.report("options.unused", thing, ("options",), severity="warning", name=thing.name)


_EXPECTED = ("read", "create", "edit")


def check_roles(world: World) -> None:
    """Operations that no role grants to anybody."""
    roles = list(world.of_kind("role"))
    if not roles or any(r.partial for r in roles) or world.broken & {("role", r.name) for r in roles}:
        return
    for draft in world.entities.values():
        if draft.thing.document.layer == "platform" or draft.parent is not None or draft.thing.data.get("retired"):
            continue
        for operation in _EXPECTED:
            if not any(_grants(role, draft, operation) for role in roles):
                params: dict[str, Any] = {"operation": operation, "entity": draft.name}
                world.report("role.nobody", draft.thing, ("entity",), severity="warning", **params)


def _grants(role: Thing, draft: EntityDraft, operation: str) -> bool:
    grants = role.data.get("grants") or {}
    given = grants.get(draft.name, grants.get("*")) or {}
    return bool(given.get(operation, given.get("all")))


def check_variants(world: World) -> None:
    """Two layouts of one kind for the same entity, role and device: nobody could say which one counts."""
    seen: dict[tuple[str, str, str | None, str | None], Thing] = {}
    for thing in world.things.values():
        if thing.kind.word not in ("form", "list"):
            continue
        key = (thing.kind.word, entity_of(thing), thing.key[2], thing.key[3])
        first = seen.setdefault(key, thing)
        if first is not thing:
            related = [first.place((first.kind.word,))]
            params: dict[str, Any] = {"kind": thing.kind.word, "name": entity_of(thing)}
            world.report("document.twice", thing, (thing.kind.word,), related=related, **params)


def check_form(thing: Thing, world: World) -> None:
    entity = entity_of(thing)
    for found in thing.data.get("touch") or ():
        member = world.field_at(entity, found.split("."))
        if member is not None and member.type_name not in ("phone", "email"):
            world.report("form.touch", thing, ("touch", found), name=found, type=member.type_name)
    for tab in thing.data.get("tabs") or ():
        path: Path = ("tabs", tab["name"])
        if not tab.get("sections") and "related" not in tab:
            world.report("layout.nothing", thing, path, severity="warning", name=tab["name"])
        member = world.field_at(entity, [tab["related"]]) if "related" in tab else None
        if member is not None and member.value_type.kind != "collection":
            world.report("layout.related", thing, (*path, "related"), name=tab["related"])
        elif member is not None:
            check_totals(tab.get("columns"), (*path, "columns"), member.value_type.entity, thing, world)


def check_list(thing: Thing, world: World) -> None:
    entity = entity_of(thing)
    check_totals(thing.data.get("columns"), ("columns",), entity, thing, world)
    for view in thing.data.get("views") or ():
        check_totals(view.get("columns"), ("views", view["name"], "columns"), entity, thing, world)


def check_totals(columns: Any, path: Path, entity: str | None, thing: Thing, world: World) -> None:
    for column in columns or ():
        total = column.get("total")
        member = world.field_at(entity, column["field"].split(".")) if entity and total not in (None, "count") else None
        if member is None or member.value_type.kind in _FIGURES:
            continue
        if total in ("min", "max") and member.value_type.kind in ("date", "datetime", "time"):
            continue
        inner = (*path, column["field"], "total")
        world.report("layout.total", thing, inner, name=column["field"], total=str(total))
