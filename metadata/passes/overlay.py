"""overlay: the documents of all layers become things, each with the extensions of it merged in."""

from __future__ import annotations

from metadata.drafts import Shaped, Thing, World


def run(world: World) -> None:
    for shaped in world.shaped:
        if not shaped.document.extend:
            _declare(shaped, world)


def _declare(shaped: Shaped, world: World) -> None:
    document = shaped.document
    earlier = world.things.get(document.key)
    if earlier is not None:
        place = document.places[(document.kind,)]
        code = "document.twice" if earlier.document.layer == document.layer else "document.redeclared"
        world.report_at(code, place, related=[earlier.place((document.kind,))], kind=document.kind, name=document.name)
        return
    world.things[document.key] = Thing(
        kind=shaped.kind,
        name=document.name,
        key=document.key,
        data=shaped.data,
        document=document,
        partial=shaped.partial,
    )
