"""Reports as part of the model."""

from __future__ import annotations

from typing import Any

from metadata.build.common import frozen, label, origin
from metadata.build.entity import SYSTEM_LABELS
from metadata.build.layout import columns
from metadata.drafts import Thing, World
from metadata.frozen import FrozenMap
from metadata.i18n import label_of
from metadata.kinds.report import parameter_types
from metadata.model import Group, Measure, Parameter, Report, Sort


def build_report(thing: Thing, world: World) -> Report | None:
    data, entity = thing.data, thing.data["from"]
    if entity not in world.entities or ("where" in data and ("where",) not in thing.expressions):
        return None
    return Report(
        name=thing.name,
        entity=entity,
        label=label(thing, data.get("label"), thing.name, world),
        where=thing.expression(("where",)),
        parameters=_parameters(thing, world),
        groups=tuple(g for g in (_group(given, thing, entity, world) for given in data.get("group") or ()) if g),
        measures=_measures(thing, world),
        columns=columns(data.get("columns"), entity, world),
        sort=_sorts(data),
        limit=data.get("limit", 1000),
        drill=data.get("drill"),
        chart=FrozenMap(dict(frozen(data.get("chart") or {}))),
        origin=origin(thing),
    )


def _parameters(thing: Thing, world: World) -> tuple[Parameter, ...]:
    types = parameter_types(thing, world)
    made: list[Parameter] = []
    for name, given in (thing.data.get("params") or {}).items():
        default = thing.expression(("params", name, "default")) or given.get("default")
        if name in types:
            made.append(
                Parameter(
                    name=name,
                    type=types[name],
                    field_type=given["type"],
                    label=label(thing, given.get("label"), name, world),
                    default=frozen(default),
                    optional=given.get("optional") is True,
                    options=given.get("options"),
                    to=given.get("to") or types[name].entity,
                )
            )
    return tuple(made)


def _group(given: dict[str, Any], thing: Thing, entity: str, world: World) -> Group | None:
    path = tuple(given["path"].split("."))
    found = world.field_at(entity, path)
    if found is None:
        return None
    title = given.get("label") or found.spec.get("label") or (SYSTEM_LABELS.get(path[-1]) if found.system else None)
    name = given["name"]
    return Group(name=name, path=path, label=label_of(title, path[-1], world.languages), bucket=given.get("bucket"))


def _measures(thing: Thing, world: World) -> tuple[Measure, ...]:
    made: list[Measure] = []
    for name, given in (thing.data.get("measures") or {}).items():
        expression = thing.expression(("measures", name, "value"))
        if expression is not None:
            made.append(
                Measure(
                    name=name,
                    label=label(thing, given.get("label"), name, world),
                    expression=expression,
                    format=given.get("format"),
                )
            )
    return tuple(made)


def _sorts(data: dict[str, Any]) -> tuple[Sort, ...]:
    """Groups and measures are one name each, dots included; columns of a list report are paths."""
    named = {g["name"] for g in data.get("group") or ()} | set(data.get("measures") or ())
    made: list[Sort] = []
    for found in data.get("sort") or ():
        name = found.removeprefix("-")
        path = (name,) if name in named else tuple(name.split("."))
        made.append(Sort(path=path, descending=found.startswith("-")))
    return tuple(made)
