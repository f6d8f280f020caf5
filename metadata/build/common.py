"""What the builders share: texts, origins, paths, plain values."""

from __future__ import annotations

from typing import Any

from metadata.drafts import Thing, World
from metadata.frozen import FrozenMap
from metadata.i18n import label_of, text_of
from metadata.model import Origin, Text
from metadata.places import Path


def label(thing: Thing, given: Any, name: str, world: World) -> Text:
    return label_of(given, name, world.languages)


def text(given: Any, world: World) -> Text | None:
    return text_of(given, world.languages)


def origin(thing: Thing, path: Path = ()) -> Origin:
    """Who declared the part at `path`: the layer and line of the document it came from."""
    document, inner = thing.source(path)
    place = document.places.key(inner) if inner else document.places[()]
    return Origin(layer=document.layer, file=document.file, line=place.line)


def frozen(value: Any) -> Any:
    """Plain data as immutable data."""
    if isinstance(value, dict):
        return FrozenMap({str(k): frozen(v) for k, v in value.items()})
    if isinstance(value, list):
        return tuple(frozen(v) for v in value)
    return value
