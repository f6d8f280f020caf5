"""What is well-formed in a score and still makes no sense."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from metadata.drafts import FieldDraft, Thing, World, suggestion
from metadata.places import Path
from metadata.scoring import bounds, grades_of, holders, pieces, score_named
from rules.composing import too_heavy
from rules.scoring import overlapping, possible, unreachable

_WAYS = ("points", "bands", "choices")


def check_score(thing: Thing, world: World) -> None:
    low, high = bounds(thing)
    if low >= high:
        world.report("score.range", thing, ("range",), low=str(low), high=str(high))
    if not thing.data.get("parts") and not thing.partial:
        world.report("score.empty", thing, ("parts",))
    for part in thing.data.get("parts") or ():
        _part(part, ("parts", part["name"]), thing, world)
    _grades(thing, world)
    draft = world.entities.get(thing.data["entity"])
    if draft is not None and not holders(thing, world, "score") and not world.untrusted(draft.name):
        params: dict[str, Any] = {"name": thing.name, "entity": draft.name}
        world.report("score.no_field", thing, ("score",), severity="warning", **params)


def _part(part: Mapping[str, Any], at: Path, thing: Thing, world: World) -> None:
    ways = [way for way in _WAYS if way in part]
    if len(ways) != 1 and not thing.partial:
        world.report("score.how", thing, at, name=part["name"], given=", ".join(ways) or "–")
    looks = "bands" in part or "choices" in part
    if looks != ("of" in part) and not thing.partial:
        world.report("score.of", thing, (*at, "of") if "of" in part else at, name=part["name"])
    if "bands" in part:
        _bands(part, at, thing, world)
    if "choices" in part:
        _choices(part, at, thing, world)
    _segment(part, at, thing, world)
    for key in ("points", "when", "of"):
        expression = thing.expression((*at, key))
        if expression is not None and expression.uses_user:
            world.report("score.user", thing, (*at, key), name=part["name"])


def _bands(part: Mapping[str, Any], at: Path, thing: Thing, world: World) -> None:
    of = thing.expression((*at, "of"))
    if of is not None and not of.type.numeric:
        world.report("score.not_a_number", thing, (*at, "of"), type=of.type.kind)
    ranges = []
    for index, band in enumerate(part["bands"]):
        start, end = (Decimal(band[k]) if k in band else None for k in ("from", "to"))
        if start is None and end is None:
            world.report("score.band", thing, (*at, "bands", index), bounds="…")
        elif start is not None and end is not None and start >= end:
            world.report("score.band", thing, (*at, "bands", index), bounds=f"{start} – {end}")
        ranges.append((start, end))
    found = overlapping(ranges)
    if found is not None:
        first, second = found
        related = [thing.place((*at, "bands", first))]
        params: dict[str, Any] = {"first": _shown(ranges[first]), "second": _shown(ranges[second])}
        world.report("score.overlap", thing, (*at, "bands", second), related=related, **params)


def _shown(band: tuple[Decimal | None, Decimal | None]) -> str:
    start, end = ("…" if b is None else str(b) for b in band)
    return f"{start} – {end}"


def _choices(part: Mapping[str, Any], at: Path, thing: Thing, world: World) -> None:
    of = thing.expression((*at, "of"))
    if of is None:
        return
    if of.type.kind not in ("select", "text"):
        world.report("score.not_a_choice", thing, (*at, "of"), type=of.type.kind)
    options = of.type.options
    if of.type.kind != "select" or options is None or world.open_options(options):
        return
    known = world.choices(options)
    for name in part["choices"]:
        if name not in known:
            hint = suggestion(name, known)
            params: dict[str, Any] = {"name": name, "options": options, "known": ", ".join(known)}
            world.report("score.choice", thing, (*at, "choices", name), at_key=True, hint=hint, **params)


def _segment(part: Mapping[str, Any], at: Path, thing: Thing, world: World) -> None:
    segment = next((t for t in world.of_kind("segment") if t.name == part.get("segment")), None)
    if segment is None:
        return
    if segment.data["entity"] != thing.data["entity"]:
        params: dict[str, Any] = {"name": segment.name, "entity": thing.data["entity"]}
        world.report("score.segment", thing, (*at, "segment"), **params)
    where = segment.expression(("where",))
    if where is not None and where.uses_user:
        world.report("score.user", thing, (*at, "segment"), name=part["name"])


def _grades(thing: Thing, world: World) -> None:
    grades, seen = grades_of(thing), dict[Decimal, str]()
    low, high = bounds(thing)
    for name, least in grades.items():
        if least in seen:
            related = [thing.place(("grades", seen[least]))]
            world.report("score.same_grade", thing, ("grades", name), related=related, name=name, other=seen[least])
        seen.setdefault(least, name)
    found = pieces(thing, world)
    if found is None or not grades or len(seen) < len(grades) or low >= high:
        return
    for piece in found:
        if too_heavy(piece.expression.tree):
            world.report("score.too_complex", thing, ("parts", piece.name), name=piece.name)
    scale = max((f.value_type.scale for f in holders(thing, world, "score")), default=0)
    values = possible([p.values for p in found])
    for name in unreachable(grades, values, low, high, scale):
        world.report("score.unreachable", thing, ("grades", name), severity="warning", name=name)
    least = low if values.low is None else max(values.low, low)
    if min(grades.values()) > least:
        params: dict[str, Any] = {"least": str(least), "lowest": str(min(grades.values()))}
        world.report("score.ungraded", thing, ("grades",), severity="warning", **params)


def check_holder(draft: Any, member: FieldDraft, world: World) -> None:
    """A field of type score or grade and the score it names."""
    thing = score_named(world, member.spec.get("score"))
    if thing is None:
        return
    path = (*member.path, "score")
    if thing.data["entity"] != draft.name:
        params: dict[str, Any] = {"name": thing.name, "entity": thing.data["entity"]}
        world.report("score.other_entity", draft.thing, path, related=[thing.place(("entity",))], **params)
    elif member.type_name == "grade" and not holders(thing, world, "score"):
        world.report("grade.no_score", draft.thing, path, name=thing.name)
    elif len(holders(thing, world, member.type_name)) > 1:
        world.report("score.twice", draft.thing, path, name=thing.name)
