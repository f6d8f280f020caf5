"""check: what is well-formed and still makes no sense."""

from __future__ import annotations

from metadata.drafts import World


def run(world: World) -> None:
    for thing in world.things.values():
        thing.kind.check(thing, world)
