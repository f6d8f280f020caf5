"""check: what is well-formed and still makes no sense."""

from __future__ import annotations

from metadata.checks import check_options, check_required, check_roles, check_translations, check_unused, check_variants
from metadata.drafts import World
from metadata.secrecy import check_secrets


def run(world: World) -> None:
    for thing in world.things.values():
        thing.kind.check(thing, world)
    check_secrets(world)
    check_variants(world)
    check_translations(world)
    check_unused(world)
    check_required(world)
    check_options(world)
    check_roles(world)
