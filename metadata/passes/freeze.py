"""freeze: the drafts become one immutable Application."""

from __future__ import annotations

from metadata.build.entity import build_entity, build_options
from metadata.build.generated import generated_form, generated_list
from metadata.drafts import World
from metadata.frozen import FrozenMap
from metadata.model import Application


def run(world: World) -> None:
    if not world.entities:
        return
    options = {name: build_options(draft, world) for name, draft in world.options.items()}
    entities = {name: build_entity(draft, world, (), set()) for name, draft in world.entities.items()}
    forms = {name: (generated_form(entity),) for name, entity in entities.items()}
    lists = {name: (generated_list(entity),) for name, entity in entities.items()}
    world.application = Application(
        entities=FrozenMap(entities),
        options=FrozenMap(options),
        forms=FrozenMap(forms),
        lists=FrozenMap(lists),
        menus=(),
        segments=FrozenMap(),
        roles=FrozenMap(),
        reports=FrozenMap(),
        packages=tuple(layer.package for layer in world.layers if layer.package is not None),
        dependencies=tuple(world.dependencies),
        languages=world.languages,
    )
