"""parse: every document finds its kind; what cannot be read is registered by name as broken."""

from __future__ import annotations

from metadata.drafts import World, suggestion
from metadata.kinds import KINDS
from metadata.kinds.later import LATER
from metadata.names import is_name, reserved
from metadata.ordering import in_order
from metadata.source import Document


def run(world: World) -> None:
    world.layers = in_order(world.layers, world)
    for layer in world.layers:
        world.problems.extend(layer.problems)
        for document in layer.documents:
            if document.broken:
                world.broken.add((document.kind, document.name))
            elif _readable(document, world):
                world.documents.append(document)
            else:
                world.broken.add((document.kind, document.name))


def _readable(document: Document, world: World) -> bool:
    place = document.places.key((next(iter(document.data)),))
    if document.kind in LATER:
        world.report_at("kind.later", place, kind=document.kind)
        return False
    if document.kind not in KINDS:
        hint = suggestion(document.kind, [*KINDS, "extend"])
        world.report_at("kind.unknown", place, hint=hint, kind=document.kind)
        return False
    value = document.places[("extend", document.kind) if document.extend else (document.kind,)]
    if not is_name(document.name):
        world.report_at("name.invalid", value, name=document.name[:60])
        return False
    platform_user = document.name == "user" and document.layer != "platform" and not document.extend
    if reserved(document.name, document.kind) or (platform_user and document.kind == "entity"):
        world.report_at("name.reserved", value, name=document.name)
        return False
    return True
