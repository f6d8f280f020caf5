"""Where each part of a declared thing comes from: layer, file and line, leaf by leaf."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from metadata.compiler import Compiled
from metadata.drafts import Thing
from metadata.merge import is_named_list, item_name
from metadata.places import Path
from metadata.problems import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One value: its path in the merged declaration, who says it, and where."""

    path: Path
    value: Any
    layer: str
    place: Place


def explain(compiled: Compiled, kind: str, name: str, path: Path = ()) -> list[Leaf]:
    """The leaves of a thing below `path`, in declared order; empty where there is no such thing."""
    things = [t for t in compiled.things.values() if t.kind.word == kind and t.name == name]
    return [leaf for thing in things for leaf in _leaves(thing, thing.data, ()) if leaf.path[: len(path)] == path]


def layers_of(compiled: Compiled, kind: str, name: str) -> list[str]:
    """The layers that had a hand in a thing, the declaring one first."""
    found = [leaf.layer for leaf in explain(compiled, kind, name)]
    return list(dict.fromkeys(found))


def _leaves(thing: Thing, value: Any, path: Path) -> Iterator[Leaf]:
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from _leaves(thing, part, (*path, key))
    elif is_named_list(value):
        for item in value:
            yield from _leaves(thing, item, (*path, str(item_name(item))))
    else:
        document, inner = thing.source(path)
        yield Leaf(path=path, value=value, layer=document.layer, place=document.places[inner])
