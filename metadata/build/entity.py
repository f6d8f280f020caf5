"""Entity drafts → `model.Entity` with system fields and physical names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from metadata.build.common import frozen, label, origin, text
from metadata.drafts import EntityDraft, FieldDraft, OptionsDraft, World, title_of
from metadata.fields import field_types
from metadata.fields.base import Coercion, Rejection
from metadata.frozen import FrozenMap
from metadata.i18n import humanise, text_of
from metadata.kinds.activity import build_activity, build_next_action, build_timeline
from metadata.kinds.fields import FieldShape
from metadata.kinds.ledger import build_ledger, ledger_of_balances
from metadata.kinds.revisions import build_revisions
from metadata.model import Check, Choice, Entity, Field, Numbering, Options, Origin, Storage, Text

SYSTEM_LABELS: dict[str, dict[str, str]] = {
    "id": {"zh": "ID", "en": "ID"},
    "created_at": {"zh": "创建时间", "en": "Created at"},
    "created_on": {"zh": "创建日期", "en": "Created on"},
    "created_by": {"zh": "创建人", "en": "Created by"},
    "updated_at": {"zh": "修改时间", "en": "Updated at"},
    "updated_by": {"zh": "修改人", "en": "Updated by"},
    "version": {"zh": "版本", "en": "Version"},
    "deleted_at": {"zh": "删除时间", "en": "Deleted at"},
    "deleted_by": {"zh": "删除人", "en": "Deleted by"},
    "position": {"zh": "行号", "en": "Position"},
}
_MAPPED = {
    *FieldShape.props(), "type", "max", "min", "scale", "digits", "pattern", "to", "on_delete", "where", "options",
    "entity", "by", "through", "of",
}  # fmt: skip
_START = datetime(2000, 1, 1, tzinfo=UTC)


def build_options(draft: OptionsDraft, world: World) -> Options:
    inline = draft.path != ("choices",)
    data = {} if inline else draft.thing.data
    choices = [
        Choice(
            name=name,
            label=label(draft.thing, given.get("label"), name, world),
            colour=given.get("colour"),
            icon=given.get("icon"),
            order=order,
            was=tuple(given.get("was") or ()),
            retired=given.get("retired") is True,
            properties=FrozenMap(given["properties"]),
        )
        for order, (name, given) in enumerate(draft.choices.items())
    ]
    return Options(
        name=draft.name,
        label=label(draft.thing, data.get("label"), draft.name.replace("__", "_"), world),
        choices=tuple(choices),
        open=data.get("open") is True,
        property_types=FrozenMap({**world.choice_properties(draft.name)}),
        origin=origin(draft.thing, draft.path if inline else ()),
    )


def build_entity(draft: EntityDraft, world: World, indexes: tuple[tuple[str, ...], ...], sorted_by: set[str]) -> Entity:
    thing, data = draft.thing, draft.thing.data
    fields = {
        f.name: build_field(draft, f, world, sorted_by) for f in draft.fields.values() if f.name not in draft.lost
    }
    named = label(thing, data.get("label"), draft.name, world)
    return Entity(
        name=draft.name,
        label=named,
        plural=text(data.get("plural"), world) or named,
        table=world.physical.get(draft.name, draft.name),
        title=_present(title_of(draft), fields) or "id",
        fields=FrozenMap(fields),
        help=text(data.get("help"), world),
        icon=data.get("icon"),
        platform=thing.document.layer == "platform",
        number=_numbering(draft, world),
        owner=_present(data.get("owner"), fields),
        unit=_present(data.get("unit"), fields),
        tree=_present(data.get("tree"), fields),
        currency=_present(data.get("currency"), fields),
        ledger=(ledger := build_ledger(draft, world)),
        balances_of=ledger_of_balances(draft, world),
        revisions=build_revisions(draft),
        activity=build_activity(draft),
        timeline=build_timeline(draft),
        next_action=build_next_action(draft),
        files=data.get("files") is True,
        parent=draft.parent,
        parent_field=draft.parent_field,
        second_line=tuple(p for p in data.get("second_line") or () if p in draft.fields),
        search=tuple(p for p in data.get("search") or () if world.field_at(draft.name, p.split("."))),
        unique=_uniques([*(data.get("unique") or ()), *([ledger.once] if ledger and ledger.once else ())], fields),
        checks=tuple(c for c in (_check(draft, given, world) for given in data.get("checks") or ()) if c),
        history=data.get("history") is True,
        retired=data.get("retired") is True,
        was=tuple(data.get("was") or ()),
        indexes=indexes,
        origin=origin(thing),
    )


def _present(name: Any, fields: dict[str, Field]) -> str | None:
    return name if isinstance(name, str) and name in fields else None


def _uniques(given: list[Any], fields: dict[str, Field]) -> tuple[tuple[str, ...], ...]:
    return tuple(dict.fromkeys(tuple(group) for group in given if all(name in fields for name in group)))


def _numbering(draft: EntityDraft, world: World) -> Numbering | None:
    given = draft.thing.data.get("number")
    if not given or given.get("field", "") not in draft.fields:
        return None
    shared = next((t for t in world.of_kind("numbering") if t.name == given.get("numbering")), None)
    settings = {**(shared.data if shared else {}), **given}
    if not settings.get("pattern"):
        return None
    return Numbering(
        name=shared.name if shared else draft.name,
        pattern=settings["pattern"],
        field=given["field"],
        gapless=settings.get("gapless") is True,
        start=settings.get("start", 1),
        check=settings.get("check"),
        skip=tuple(settings.get("skip") or ()),
        reserved=tuple(settings.get("reserved") or ()),
        granted_by=tuple(settings.get("granted_by") or ()),
        origin=origin(draft.thing, ("number",)),
    )


def _check(draft: EntityDraft, given: dict[str, Any], world: World) -> Check | None:
    path = ("checks", given["name"])
    must = draft.thing.expression((*path, "must"))
    when = draft.thing.expression((*path, "when"))
    if must is None or (when is None and "when" in given):
        return None
    shown = given.get("fields")
    if shown is None:
        own = {name for entity, name in must.reads if entity == draft.name}
        shown = [n for n in draft.fields if n in own]
    message = text(given.get("message"), world)
    if message is None:
        name = humanise(given["name"])
        message = text_of({"zh": f"不满足：{name}", "en": f"Not met: {name}"}, world.languages)
    assert message is not None
    return Check(
        name=given["name"], must=must, when=when, message=message, fields=tuple(shown), origin=origin(draft.thing, path)
    )


# --- fields


def build_field(draft: EntityDraft, member: FieldDraft, world: World, sorted_by: set[str]) -> Field:
    if member.system:
        return _system_field(draft, member, world)
    spec, thing, path = member.spec, draft.thing, member.path
    formula = thing.expression((*path, "formula"))
    computed, storage = _computed(member, formula is not None)
    made = Field(
        name=member.name,
        type=member.type_name,
        label=label(thing, spec.get("label"), member.name, world),
        storage=storage,
        value_type=member.value_type,
        column=_column(draft, member, storage, world),
        help=text(spec.get("help"), world),
        placeholder=text(spec.get("placeholder"), world),
        required=spec.get("required") is True,
        unique=spec.get("unique") is True,
        readonly=spec.get("readonly") is True,
        default=thing.expression((*path, "default")),
        formula=formula,
        computed=computed,  # type: ignore[arg-type]
        keep=spec.get("keep"),
        index=spec.get("index") is True,
        sensitive=member.sensitive,
        audit=spec.get("audit", True),
        tracked=spec.get("tracked") is True,
        translated=spec.get("translated") is True,
        copy=spec.get("copy", True),
        retired=member.retired,
        was=tuple(spec.get("was") or ()),
        sort_key=_sort_key(member, sorted_by),
        max=_bound(member, spec.get("max")),
        min=_bound(member, spec.get("min")),
        scale=member.value_type.scale,
        digits=member.value_type.digits,
        pattern=spec.get("pattern"),
        to=_target(member),
        on_delete=spec.get("on_delete", "refuse"),
        where=thing.expression((*path, "where")),
        options=spec.get("options"),
        entity=spec.get("entity"),
        by=spec.get("by"),
        through=spec.get("through"),
        of=tuple(spec["of"].split(".")) if isinstance(spec.get("of"), str) else (),
        settings=frozen({k: v for k, v in spec.items() if k not in _MAPPED or (k == "sensitive" and v is False)}),
        origin=origin(thing, path),
        visible_when=thing.expression((*path, "visible_when")),
        required_when=thing.expression((*path, "required_when")),
        readonly_when=thing.expression((*path, "readonly_when")),
    )
    return _with_default(draft, member, made, world)


def _computed(member: FieldDraft, has_formula: bool) -> tuple[str, Storage]:
    assert member.type is not None
    if member.type_name == "lookup":
        return "live", "none"
    if not has_formula:
        return "no", member.type.storage
    if member.live and member.spec.get("keep") is None:
        return "live", "none"
    return "stored", member.type.storage


def _column(draft: EntityDraft, member: FieldDraft, storage: Storage, world: World) -> str | None:
    if storage in ("none", "children", "choices", "links"):
        return None
    return world.physical.get(f"{draft.name}.{member.name}", member.name)


def _sort_key(member: FieldDraft, sorted_by: set[str]) -> bool:
    declared = member.spec.get("sort_key")
    if declared is not None:
        return declared is True
    return member.type_name == "text" and member.name in sorted_by and member.spec.get("formula") is None


def _target(member: FieldDraft) -> str | None:
    to = member.spec.get("to")
    if isinstance(to, str):
        return to
    known = field_types().get(member.type_name)
    return known.target if known else None


def _bound(member: FieldDraft, given: Any) -> Any:
    if given is None or member.value_type.kind not in ("decimal", "money", "percent"):
        return given
    try:
        return Decimal(str(given))
    except ArithmeticError:
        return None


def _with_default(draft: EntityDraft, member: FieldDraft, made: Field, world: World) -> Field:
    given = member.spec.get("default")
    if given is None or (isinstance(given, str) and given.startswith("=")):
        return made
    assert member.type is not None
    try:
        value = member.type.coerce(given, made, constants(world))
    except Rejection as rejection:
        params: dict[str, Any] = {**rejection.params, "field": member.name, "reason": rejection.code}
        world.report("default.refused", draft.thing, (*member.path, "default"), **params)
        return made
    return replace(made, default=value)


def constants(world: World) -> Coercion:
    """What reading plain data of documents may know."""
    return Coercion(
        language="en",
        zone=ZoneInfo("UTC"),
        currency="CNY",
        today=_START.date(),
        now=_START,
        choices=lambda options: {name: name for name in world.choices(options)},
    )


def _system_field(draft: EntityDraft, member: FieldDraft, world: World) -> Field:
    link = member.value_type.kind == "record"
    storage: Storage = "link" if link else member.type.storage if member.type else "integer"
    return Field(
        name=member.name,
        type=member.type_name,
        label=Text(values=FrozenMap(SYSTEM_LABELS[member.name])),
        storage=storage,
        value_type=member.value_type,
        column=member.name,
        system=True,
        readonly=True,
        copy=False,
        audit=False,
        digits=member.value_type.digits,
        to=member.value_type.entity,
        origin=Origin(layer="platform", file=draft.thing.document.file, line=1),
    )
