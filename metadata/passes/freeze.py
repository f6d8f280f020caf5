"""freeze: the drafts become one immutable Application."""

from __future__ import annotations

from typing import Any

from metadata.build.access import build_role
from metadata.build.entity import build_entity, build_options
from metadata.build.generated import generated_form, generated_list
from metadata.build.indexes import indexes_of, lists_by_entity, sorted_fields
from metadata.build.layout import build_form, build_list, build_menu, build_segment
from metadata.build.report import build_report
from metadata.drafts import World, title_of
from metadata.fingerprint import display_fingerprint, storage_fingerprint
from metadata.frozen import FrozenMap
from metadata.kinds.base import KINDS
from metadata.model import Application, Entity


def run(world: World) -> None:
    if not world.entities:
        return
    entities = _entities(world)
    world.application = Application(
        entities=FrozenMap(entities),
        options=FrozenMap({name: build_options(draft, world) for name, draft in world.options.items()}),
        forms=FrozenMap(_layouts(entities, "form", build_form, generated_form, world)),
        lists=FrozenMap(_layouts(entities, "list", build_list, generated_list, world)),
        menus=tuple(build_menu(t, world) for t in world.of_kind("menu")),
        segments=FrozenMap(_built("segment", build_segment, world)),
        roles=FrozenMap(_built("role", build_role, world)),
        reports=FrozenMap(_built("report", build_report, world)),
        declared=_declared(world),
        packages=tuple(layer.package for layer in world.layers if layer.package is not None),
        dependencies=tuple(world.dependencies),
        languages=world.languages,
        storage_fingerprint=storage_fingerprint(entities.values()),
        display_fingerprint=display_fingerprint([world.languages, *((t.key, t.data) for t in world.things.values())]),
    )


def _entities(world: World) -> dict[str, Entity]:
    lists = lists_by_entity(world)
    made: dict[str, Entity] = {}
    for name, draft in world.entities.items():
        own = lists.get(name, [])
        sorted_by = sorted_fields(draft, own, title_of(draft))
        made[name] = build_entity(draft, world, indexes_of(draft, own), sorted_by)
    return made


def _built(word: str, build: Any, world: World) -> dict[str, Any]:
    made = {thing.name: build(thing, world) for thing in world.of_kind(word)}
    return {name: model for name, model in made.items() if model is not None}


def _declared(world: World) -> FrozenMap[FrozenMap[Any]]:
    """The kinds that build their own model, by word and name; what lost its meaning to a problem is left out."""
    made = {
        word: _built(word, kind.build, world)
        for word, kind in KINDS.items()
        if kind.declared and any(thing.kind is kind for thing in world.things.values())
    }
    return FrozenMap({word: FrozenMap(found) for word, found in made.items()})


def _layouts(
    entities: dict[str, Entity], word: str, build: Any, generate: Any, world: World
) -> dict[str, tuple[Any, ...]]:
    """By entity. One without role and device is always among them: generated where none is declared."""
    made: dict[str, list[Any]] = {name: [] for name in entities}
    for thing in world.of_kind(word):
        layout = build(thing, world)
        if layout is not None:
            made[layout.entity].append(layout)
    for name, found in made.items():
        if not any(layout.for_role is None and layout.on is None for layout in found):
            found.insert(0, generate(entities[name]))
    return {name: tuple(found) for name, found in made.items()}
