"""What makes no sense in an entity though every name is there."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from metadata.drafts import EntityDraft, FieldDraft, Thing, World
from metadata.fields.text import pattern as matcher
from metadata.kinds.ledger import check_ledger
from metadata.number_pattern import check_pattern, check_settings
from metadata.places import Path
from metadata.scoring_checks import check_holder

_NOT_COMPUTED = ("required", "unique", "default", "tracked", "required_when", "readonly_when")


def check_entity(thing: Thing, world: World) -> None:
    draft = world.entities.get(thing.name)
    if draft is None or draft.thing is not thing:
        return
    _roles_of_fields(draft, world)
    _number(draft, world)
    check_ledger(draft, world)
    _checks(draft, world)
    for member in draft.fields.values():
        if not member.system and member.name not in draft.lost:
            _field(draft, member, world)
    if not any(not f.system for f in draft.fields.values()) and not (draft.lost or thing.partial):
        world.report("entity.empty", thing, ("entity",), name=thing.name)


def _roles_of_fields(draft: EntityDraft, world: World) -> None:
    """Owner, unit, tree, currency, title name fields of the right kind."""
    data: dict[str, Any] = draft.thing.data
    wanted = {"owner": "user", "unit": "unit", "tree": draft.name}
    for key, entity in wanted.items():
        member = draft.fields.get(str(data.get(key)))
        if member is not None and (member.value_type.kind, member.value_type.entity) != ("record", entity):
            world.report("entity.role_field", draft.thing, (key,), key=key, name=member.name, entity=entity)
    currency = draft.fields.get(str(data.get("currency")))
    if currency is not None and currency.type_name not in ("currency", "text", "lookup"):
        world.report("entity.currency", draft.thing, ("currency",), name=currency.name)
    title = draft.fields.get(str(data.get("title")))
    if title is not None and title.value_type.kind in ("collection", "json", "multi_select"):
        world.report("entity.title", draft.thing, ("title",), name=title.name, type=title.type_name)


def _number(draft: EntityDraft, world: World) -> None:
    number = draft.thing.data.get("number")
    if not number:
        return
    if "pattern" in number:
        check_pattern(number["pattern"], draft.thing, ("number", "pattern"), world)
        check_settings(number, draft.thing, ("number",), world)
    elif "numbering" not in number:
        world.report("shape.required", draft.thing, ("number",), key="pattern")
    member = draft.fields.get(number.get("field", ""))
    if "field" not in number:
        world.report("shape.required", draft.thing, ("number",), key="field")
    elif member is not None and member.value_type.kind != "text":
        world.report("number.field", draft.thing, ("number", "field"), name=member.name, type=member.type_name)


def _checks(draft: EntityDraft, world: World) -> None:
    for index, group in enumerate(draft.thing.data.get("unique") or ()):
        for inner, name in enumerate(group):
            member = draft.fields.get(name)
            if member is not None and not _has_column(member):
                path = ("unique", index, inner)
                world.report("field.no_column", draft.thing, path, name=name, type=member.type_name)


def _has_column(member: FieldDraft) -> bool:
    if member.type is None or member.type_name == "lookup" or member.live:
        return False
    return member.type.storage not in ("none", "children", "choices", "links")


def _field(draft: EntityDraft, member: FieldDraft, world: World) -> None:
    spec, thing, path = member.spec, draft.thing, member.path
    if "formula" in spec or member.type_name in ("score", "grade"):
        _computed(member, thing, world)
    if "score" in spec:
        check_holder(draft, member, world)
    if spec.get("keep") and "formula" not in spec and not (member.type and member.type.kept):
        world.report("field.keep", thing, (*path, "keep"), name=member.name)
    if (spec.get("unique") or spec.get("index")) and not _has_column(member):
        key = "unique" if spec.get("unique") else "index"
        world.report("field.no_column", thing, (*path, key), name=member.name, type=member.type_name)
    if spec.get("tracked") and member.value_type.kind != "select":
        world.report("field.tracked", thing, (*path, "tracked"), name=member.name, type=member.type_name)
    if isinstance(spec.get("pattern"), str):
        _pattern(spec["pattern"], thing, (*path, "pattern"), world)
    _bounds(member, thing, world)
    _was(draft, member, world)
    if isinstance(spec.get("through"), str):
        _through(draft, member, world)
    _sensitive_default(member, thing, world)


def _computed(member: FieldDraft, thing: Thing, world: World) -> None:
    for key in _NOT_COMPUTED:
        if member.spec.get(key) not in (None, False):
            world.report("field.computed", thing, (*member.path, key), at_key=True, name=member.name, property=key)


def _pattern(given: str, thing: Thing, path: Path, world: World) -> None:
    try:
        matcher(given)
    except ValueError:
        world.report("field.pattern", thing, path, pattern=given[:60])


def _bounds(member: FieldDraft, thing: Thing, world: World) -> None:
    read: dict[str, Any] = {}
    for key in ("min", "max"):
        given = member.spec.get(key)
        if given is None:
            continue
        try:
            read[key] = _bound(given, member.value_type.kind)
        except (ArithmeticError, ValueError):
            world.report("field.bound", thing, (*member.path, key), value=str(given)[:60], type=member.type_name)
    if len(read) == 2 and read["min"] > read["max"]:
        shown: dict[str, Any] = {key: str(member.spec[key]) for key in read}
        world.report("field.bounds", thing, (*member.path, "min"), **shown)


def _was(draft: EntityDraft, member: FieldDraft, world: World) -> None:
    """An earlier name may not be a present one, nor be claimed twice."""
    for old in member.spec.get("was") or ():
        others = [f for f in draft.fields.values() if f is not member and (f.name == old or old in _earlier(f))]
        if others or old == member.name:
            related = [draft.thing.place(f.path, key=True) for f in others if f.path]
            world.report("name.was", draft.thing, (*member.path, "was"), related=related, name=old)


def _earlier(member: FieldDraft) -> list[str]:
    return member.spec.get("was") or []


def _through(draft: EntityDraft, member: FieldDraft, world: World) -> None:
    """The pairs need a link to either side, and are written by themselves."""
    for key in ("required", "default", "required_when", "readonly_when"):
        if member.spec.get(key) not in (None, False):
            world.report("field.through", draft.thing, (*member.path, key), at_key=True, name=member.name, property=key)
    pair = world.entities.get(member.spec["through"])
    if pair is None or world.untrusted(pair.name):
        return
    targets = [f.value_type.entity for f in pair.fields.values() if not f.system and f.value_type.kind == "record"]
    sides = [draft.name, member.spec.get("to")]
    for side in dict.fromkeys(sides):
        if targets.count(side) < sides.count(side):
            params: dict[str, Any] = {"entity": pair.name, "target": str(side)}
            world.report("related.none", draft.thing, (*member.path, "through"), **params)


def _bound(given: Any, kind: str) -> Any:
    """The bound as a value that compares. Raises ValueError or ArithmeticError for one that is none."""
    if isinstance(given, str) and kind in ("date", "datetime", "time"):
        readers: dict[str, Any] = {"date": date, "datetime": datetime, "time": time}
        return readers[kind].fromisoformat(given)
    number = Decimal(str(given))
    if not number.is_finite():
        raise ValueError(given)
    return number


def _sensitive_default(member: FieldDraft, thing: Thing, world: World) -> None:
    if member.spec.get("sensitive") is not False:
        return
    expression = thing.expression((*member.path, "formula"))
    for entity, name in sorted(expression.reads) if expression else ():
        draft = world.entities.get(entity)
        if draft and name in draft.fields and draft.fields[name].sensitive:
            path = (*member.path, "sensitive")
            world.report("field.unmasked", thing, path, severity="warning", name=member.name, source=f"{entity}.{name}")
            return
