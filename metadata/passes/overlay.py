"""overlay: the documents of all layers become things, each with the extensions of it merged in."""

from __future__ import annotations

from typing import Any

from metadata.drafts import Key, Shaped, Thing, World, suggestion
from metadata.fields.base import field_types
from metadata.merge import Finding, Merger, flatten, tree
from metadata.ordering import Layers
from metadata.passes.shape import find
from metadata.places import Path
from metadata.problems import Place
from metadata.source import VARIED

_KEEPS = {"entity": ("fields",), "options": ("choices",)}


def run(world: World) -> None:
    layers = Layers(world)
    declared = [s for s in world.shaped if not s.document.extend]
    extending = [s for s in world.shaped if s.document.extend]
    for shaped in declared:
        _declare(shaped, world)
    by_key: dict[Key, list[Shaped]] = {}
    for shaped in sorted(extending, key=lambda s: layers.rank(s.document.layer)):
        by_key.setdefault(_target(shaped, world), []).append(shaped)
    for key, found in by_key.items():
        thing = world.things.get(key)
        if thing is None:
            _nothing_there(found, world)
        else:
            _extend(thing, found, layers, world)


def _target(shaped: Shaped, world: World) -> Key:
    """What a document extends: the variant it names, or the only one there is of that name."""
    key = shaped.document.key
    variants = [k for k in world.things if k[:2] == key[:2]]
    return variants[0] if key not in variants and key[2:] == (None, None) and len(variants) == 1 else key


def _declare(shaped: Shaped, world: World) -> None:
    document = shaped.document
    earlier = world.things.get(document.key)
    if earlier is not None:
        place = document.places[(document.kind,)]
        code = "document.twice" if earlier.document.layer == document.layer else "document.redeclared"
        world.report_at(code, place, related=[earlier.place((document.kind,))], kind=document.kind, name=document.name)
        return
    world.things[document.key] = thing = Thing(
        kind=shaped.kind,
        name=document.name,
        key=document.key,
        data=shaped.data,
        document=document,
        partial=shaped.partial,
    )
    for path, name in shaped.twice:
        world.report("name.twice", thing, path, name=name)


def _nothing_there(extensions: list[Shaped], world: World) -> None:
    kind, name = extensions[0].document.key[:2]
    if world.is_broken(kind, name):
        return
    known = {t.name for t in world.of_kind(kind)}
    for shaped in extensions:
        place = shaped.document.places[("extend",)]
        world.report_at("extend.unknown", place, hint=suggestion(name, known), kind=kind, name=name)


def _extend(thing: Thing, extensions: list[Shaped], layers: Layers, world: World) -> None:
    root = tree(thing.data, thing.document, ())
    hidden: Any = False
    for shaped in extensions:
        document = shaped.document
        variant = ("for", "on") if document.kind in VARIED else ()
        data = {k: v for k, v in shaped.data.items() if k not in ("extend", "hide", *variant)}
        merger = Merger(document, layers.may_overrule, _KEEPS.get(thing.kind.word, ()))
        if thing.kind.word == "entity":
            _check_fields(thing, root, shaped, world)
        merger.merge(root, data)
        for finding in merger.findings:
            _report(finding, shaped, world)
        if thing.kind.word == "entity":
            world.hidden_fields |= {(thing.name, str(path[1])) for path in merger.hidden}
        hidden = shaped.data.get("hide") if shaped.data.get("hide") is not None else hidden
        thing.extended_by.append(document)
        thing.partial = thing.partial or shaped.partial
    thing.data, thing.sources = flatten(root)
    _validate(thing, world)
    if hidden is True:
        _hide(thing, world)


def _hide(thing: Thing, world: World) -> None:
    """An entity keeps its table and data; another thing goes, and what leads to it with it."""
    if thing.kind.word == "entity":
        thing.data["retired"] = True
    elif thing.key in world.things:
        del world.things[thing.key]
        world.hidden.add((thing.kind.word, thing.name))


def _report(finding: Finding, shaped: Shaped, world: World) -> None:
    place = shaped.document.places[finding.path]
    related = [finding.other.document.places[finding.other.path]] if finding.other else []
    params: dict[str, Any] = dict(finding.params)
    world.report_at(finding.code, place, severity=finding.severity, related=related, **params)  # type: ignore[arg-type]


def _check_fields(thing: Thing, root: Any, shaped: Shaped, world: World) -> None:
    """A field that is there keeps its type; one that is not needs one."""
    fields = shaped.data.get("fields")
    below = root.parts["fields"].parts if "fields" in root.parts else {}
    for name, given in list(fields.items()) if isinstance(fields, dict) else []:
        path: Path = ("fields", name)
        if not isinstance(given, dict) or given.get("hide") is True:
            continue
        if name not in below:
            if "type" not in given:
                place = shaped.document.places.key(path)
                world.report_at("extend.field_type", place, hint=suggestion(name, below), name=name)
                del shaped.data["fields"][name]
                thing.partial = True
            continue
        old = below[name].parts["type"]
        if given.get("type", old.value) != old.value:
            related = [old.document.places[old.path]]
            params: dict[str, Any] = {"name": name, "below": str(old.value), "above": str(given["type"])}
            world.report_at("extend.retype", shaped.document.places[(*path, "type")], related=related, **params)
            del given["type"]


class _ThingPlaces:
    """Places of a merged thing, as the shape pass asks for them."""

    def __init__(self, thing: Thing) -> None:
        self.thing = thing

    def __getitem__(self, path: Path) -> Place:
        return self.thing.place(path)

    def key(self, path: Path) -> Place:
        return self.thing.place(path, key=True)


def _validate(thing: Thing, world: World) -> None:
    """The whole must have a right shape again: an extension may have taken away what is needed."""
    found = list(find(_ThingPlaces(thing), thing.kind, thing.data, extend=False))
    world.problems.extend(problem for problem, _ in found)
    if not found:
        return
    thing.partial = True
    fields = thing.data.get("fields")
    if thing.kind.word == "entity" and isinstance(fields, dict):
        bad = {path[1] for _, paths in found for path in paths if path[:1] == ("fields",) and len(path) > 1}
        thing.data["fields"] = {k: v for k, v in fields.items() if k not in bad and v.get("type") in field_types()}
    if any(path[:1] != ("fields",) for _, paths in found for path in paths):
        world.broken.add((thing.kind.word, thing.name))
        del world.things[thing.key]
