"""shape: every document against the JSON Schema of its kind. Parts with problems are left out; the rest goes on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import jsonschema_rs

from metadata.drafts import Shaped, World, suggestion
from metadata.kinds import KINDS, Kind
from metadata.kinds.shape import NAME
from metadata.merge import twice
from metadata.notices import notices
from metadata.places import Path
from metadata.problems import Place, Problem
from metadata.source import Document

MOST_PROBLEMS = 50  # of one document; more would be the same mistake


@cache
def validator(word: str, extend: bool) -> tuple[jsonschema_rs.Draft202012Validator, dict[str, Any]]:
    """The compiled schema of a kind, and the schema itself. It refers to nothing outside itself."""
    schema = KINDS[word].schema(extend)
    return jsonschema_rs.Draft202012Validator(schema, registry=jsonschema_rs.Registry([])), schema


def run(world: World) -> None:
    for document in world.documents:
        shaped, problems = shape(document)
        world.problems.extend(problems)
        if shaped is None:
            world.broken.add((document.kind, document.name))
        else:
            world.shaped.append(shaped)


def shape(document: Document) -> tuple[Shaped | None, list[Problem]]:
    """The canonical data of a document and the problems of its shape; None where nothing of it can be used.

    A document of which there is nothing to say is looked at once: whoever publishes changes one of hundreds.
    """
    known: Shaped | None = document.kept.get("shaped")
    if known is not None:
        return known, []
    kind = KINDS[document.kind]
    found = list(find(document.places, kind, document.data, document.extend))
    data, whole = document.data, True
    if found:
        data, whole = _without([p for _, paths in found for p in paths], document.data, kind, document.extend)
    problems = [*(problem for problem, _ in found), *notices(document, kind)]
    if not whole or len(found) >= MOST_PROBLEMS:
        return None, problems
    canonical = kind.canonical(data)
    names = () if document.extend else tuple(twice(canonical))
    shaped = Shaped(document=document, kind=kind, data=canonical, partial=bool(found), twice=names)
    if not problems and not document.extend:  # extensions are changed where they contradict what they extend
        document.kept["shaped"] = shaped
    return shaped, problems


def find(places: Any, kind: type[Kind], data: Any, extend: bool) -> list[tuple[Problem, list[Path]]]:
    """Each problem with the paths of the parts it spoils. `places` answers the place of a path, `.key` of its key."""
    found = list(_find(places, kind, data, extend))
    cut = [paths[0] for problem, paths in found if problem.code == "shape.quote_expression"]
    return [(p, paths) for p, paths in found if p.code == "shape.quote_expression" or not _within(paths[0], cut)]


def _within(path: Path, cut: list[Path]) -> bool:
    """What is wrong beside or below a text cut in two is a consequence."""
    return any(path[: len(c) - 1] == c[:-1] for c in cut)


def _find(places: Any, kind: type[Kind], data: Any, extend: bool) -> Iterable[tuple[Problem, list[Path]]]:
    checker, schema = validator(kind.word, extend)
    if checker.is_valid(data) and not any(w in data for w in kind.later):
        return
    for word in kind.later:
        if word in data:
            place = places.key((word,))
            yield Problem(code="property.later", place=place, params={"key": word, "kind": kind.word}), [(word,)]
    seen: set[tuple[str, Path]] = set()
    for error in checker.iter_errors(data):
        path = tuple(error.instance_path)
        if len(seen) >= MOST_PROBLEMS:
            return
        for problem, spoiled in _phrased(error, path, places, schema, data):
            mark = (problem.code, spoiled)
            if mark not in seen:
                seen.add(mark)
                yield problem, [spoiled]


def _phrased(error: Any, path: Path, places: Any, schema: dict[str, Any], data: Any) -> Iterable[tuple[Problem, Path]]:
    word = error.kind.name
    phrase = _PHRASES.get(word)
    if word == "additionalProperties" or word == "unevaluatedProperties":
        for key in error.kind.unexpected[:MOST_PROBLEMS]:
            yield _unknown_key(key, path, places, schema, error, data), (*path, key)
    elif word == "required":
        key = error.kind.property
        yield Problem(code="shape.required", place=places[path], params={"key": key}), path
    elif word == "anyOf":
        yield _required_one(schema, error, places[path]), path
    elif word == "propertyNames":
        problem, spoiled = _bad_name(error, path, places, data)
        yield problem, spoiled
    elif phrase is not None:
        yield Problem(code=phrase[0], place=places[path], **phrase[1](error, _at(data, path))), path
    else:
        yield Problem(code="shape.wrong", place=places[path], params={"detail": error.message[:200]}), path


def _required_one(schema: dict[str, Any], error: Any, place: Place) -> Problem:
    """One of several keys must be given."""
    choices = _schema_at(schema, [*error.schema_path, ""]) or []
    keys = [key for choice in choices if isinstance(choice, dict) for key in choice.get("required", ())]
    return Problem(code="shape.required", place=place, params={"key": " / ".join(keys)})


def _bad_name(error: Any, path: Path, places: Any, data: Any) -> tuple[Problem, Path]:
    """A key that is no name (or no language): often the rest of a text that was cut at its comma."""
    holder = _at(data, path)
    said = _QUOTED.match(error.message)
    bad = said[1] if said and isinstance(holder, dict) and said[1] in holder else ""
    bad = bad or next((k for k in holder if not re.match(NAME, k)), "")
    place = places.key((*path, bad))
    if isinstance(holder, dict) and holder.get(bad) is None:
        return Problem(code="shape.quote_expression", place=place, params={"key": bad[:60]}), (*path, bad)
    return Problem(code="name.invalid", place=place, params={"name": bad[:60]}), (*path, bad)


_QUOTED = re.compile(r'"(.*)" does not match')


def _unknown_key(key: str, path: Path, places: Any, schema: dict[str, Any], error: Any, data: Any) -> Problem:
    place = places.key((*path, key))
    holder = _at(data, path)
    if isinstance(holder, dict) and _cut_expression(holder, key):
        return Problem(code="shape.quote_expression", place=place, params={"key": key[:60]})
    known = _properties(schema, list(error.schema_path))
    return Problem(
        code="shape.unknown_key",
        place=place,
        params={"key": key[:60], "known": ", ".join(sorted(known))},
        hint=suggestion(key, known),
    )


def _cut_expression(holder: dict[str, Any], key: str) -> bool:
    """An unquoted expression in a flow map is cut at its commas: one part has an open bracket, the next is a key."""
    if holder.get(key) is not None and re.match(NAME, key):
        return False
    return any(isinstance(v, str) and v.count("(") > v.count(")") for v in holder.values()) or "(" in key


def _properties(schema: dict[str, Any], path: list[Any]) -> list[str]:
    """The keys allowed where the keyword at the end of a schema path stands."""
    here = _schema_at(schema, path)
    if isinstance(here, dict) and "$ref" in here and "properties" not in here:
        here = schema["$defs"].get(str(here["$ref"]).rpartition("/")[2], {})
    properties = here.get("properties") if isinstance(here, dict) else None
    return list(properties or {})


def _schema_at(schema: dict[str, Any], path: list[Any]) -> Any:
    """The schema that holds the keyword at the end of a schema path."""
    here: Any = schema
    for part in path[:-1]:
        if part == "$ref" and isinstance(here, dict):
            here = schema["$defs"].get(str(here.get("$ref", "")).rpartition("/")[2], {})
        else:
            here = here[part] if isinstance(here, dict) and part in here else _item(here, part)
    return here


def _item(here: Any, part: Any) -> Any:
    return here[part] if isinstance(here, list) and isinstance(part, int) and part < len(here) else {}


def _at(data: Any, path: Path) -> Any:
    """The value at a path; the last one there is where the path names a key by its number."""
    for part in path:
        known = isinstance(data, dict) and part in data
        known = known or (isinstance(data, list) and isinstance(part, int) and part < len(data))
        if not known:
            return data
        data = data[part]
    return data


def _shown(value: Any) -> str:
    text = (
        value
        if isinstance(value, str)
        else {True: "true", False: "false"}.get(value)
        if isinstance(value, bool)
        else None
    )
    if text is None:
        text = (
            "null"
            if value is None
            else "{…}"
            if isinstance(value, dict)
            else "[…]"
            if isinstance(value, list)
            else str(value)
        )
    return text if len(text) <= 60 else text[:57] + "…"


def _type(error: Any, value: Any) -> dict[str, Any]:
    return {"params": {"expected": "/".join(error.kind.types), "given": _shown(value)}}


def _enum(error: Any, value: Any) -> dict[str, Any]:
    known = [str(o) for o in error.kind.options]
    hint = suggestion(value, known) if isinstance(value, str) else None
    return {"params": {"given": _shown(value), "known": ", ".join(known)}, "hint": hint}


def _limit(error: Any, value: Any) -> dict[str, Any]:
    return {"params": {"given": _shown(value), "limit": str(error.kind.value)}}


def _given(error: Any, value: Any) -> dict[str, Any]:
    return {"params": {"given": _shown(value)}}


_PHRASES: dict[str, tuple[str, Any]] = {
    "type": ("shape.type", _type),
    "enum": ("shape.one_of", _enum),
    "const": ("shape.one_of", lambda e, v: {"params": {"given": _shown(v), "known": str(e.kind.value)}}),
    "pattern": ("shape.pattern", _given),
    "minimum": ("shape.too_small", _limit),
    "maximum": ("shape.too_large", _limit),
    "minLength": ("shape.empty", _given),
    "maxLength": ("shape.too_long", _limit),
    "minItems": ("shape.empty", _given),
    "maxItems": ("shape.too_many", _limit),
    "maxProperties": ("shape.too_many", _limit),
    "minProperties": ("shape.empty", _given),
    "uniqueItems": ("shape.twice", _given),
}


def _without(paths: list[Path], data: dict[str, Any], kind: type[Kind], extend: bool) -> tuple[dict[str, Any], bool]:
    """The data less the named parts that the paths lie in, and whether what remains can be used."""
    props = kind.props()
    cut: dict[str, set[str | int] | None] = {}
    for path in paths:
        if not path:
            return data, False
        top = str(path[0])
        whole = len(path) == 1 or not isinstance(data.get(top), dict | list) or props.get(top) is None
        if whole or props[top].container == "one":
            cut[top] = None
        elif cut.get(top, ()) is not None:
            parts = cut.setdefault(top, set())
            assert parts is not None
            parts.add(path[1])
    result: dict[str, Any] = {}
    for key, value in data.items():
        parts = cut.get(key, set())
        if parts is None:
            continue
        if isinstance(value, dict):
            result[key] = {k: v for k, v in value.items() if k not in parts}
        elif isinstance(value, list) and parts:
            result[key] = [v for i, v in enumerate(value) if i not in parts]
        else:
            result[key] = value
    given = {kind.current(key, result) for key in result}
    missing = any(p.required and k not in given for k, p in props.items()) and not extend
    return result, not missing and ("extend" if extend else kind.word) in result
