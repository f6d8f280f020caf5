"""Scores between their documents and the model: parts become one typed expression, and what makes no sense is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from metadata.build.common import label, origin, text
from metadata.drafts import EntityDraft, FieldDraft, Thing, World
from metadata.models.score import Grade, Part, Score
from metadata.places import Path
from rules import composing as make
from rules.expression import Expression
from rules.registry import functions as registered
from rules.scoring import ZERO, Range, possible
from rules.tree import Compare, Conditional, Field, Logic, Node, Row
from rules.typing import BOOLEAN, TEXT, record

LOW, HIGH = Decimal(0), Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part as an expression of its points, with what it may come to."""

    name: str
    expression: Expression
    values: Range


def bounds(thing: Thing) -> tuple[Decimal, Decimal]:
    low, high = thing.data.get("range") or (LOW, HIGH)
    return Decimal(low), Decimal(high)


def grades_of(thing: Thing) -> dict[str, Decimal]:
    return {g["name"]: Decimal(g["from"]) for g in thing.data.get("grades") or () if "from" in g}


def grade_options(name: str) -> str:
    """The option set of a score's grades, under a name nobody can declare."""
    return f"score__{name}__grades"


def grade_choices(thing: Thing) -> dict[str, dict[str, Any]]:
    kept = ("label", "colour", "icon")
    return {g["name"]: {k: g[k] for k in kept if k in g} for g in thing.data.get("grades") or ()}


def score_named(world: World, name: Any) -> Thing | None:
    return next((t for t in world.of_kind("score") if t.name == name), None)


def holders(thing: Thing, world: World, type_name: str) -> list[FieldDraft]:
    """The fields of the score's entity that hold it (`score`) or its grade (`grade`)."""
    draft = world.entities.get(thing.data["entity"])
    found = draft.fields.values() if draft else ()
    return [f for f in found if f.type_name == type_name and f.spec.get("score") == thing.name and not f.retired]


# --- from parts to one expression


def compose(world: World) -> None:
    """Gives each field of type score and grade its formula; a field whose score could not be read is lost."""
    for draft in world.entities.values():
        for member in draft.fields.values():
            if member.type_name in ("score", "grade") and member.name not in draft.lost:
                thing = score_named(world, member.spec.get("score"))
                made = _formula(thing, draft, member, world) if thing is not None else None
                if made is None:
                    draft.lost.add(member.name)
                else:
                    draft.thing.expressions[(*member.path, "formula")] = made


def _formula(thing: Thing, draft: EntityDraft, member: FieldDraft, world: World) -> Expression | None:
    if thing.data["entity"] != draft.name:
        return None
    if member.type_name == "score":
        return composed(thing, world)
    held = holders(thing, world, "score")
    return _grading(thing, draft.name, held[0]) if held and held[0].name not in draft.lost else None


def composed(thing: Thing, world: World) -> Expression | None:
    """The whole score as one expression; None where a part could not be read."""
    found = pieces(thing, world)
    when = thing.expression(("when",))
    if found is None or (when is None and "when" in thing.data):
        return None
    low, high = bounds(thing)
    total = make.added([p.expression.tree for p in found])
    values = possible([p.values for p in found])
    if values.high is None or values.high > high:
        total = make.least(total, make.written(high))
    if values.low is None or values.low < low:
        total = make.greatest(total, make.written(low))
    words = [f"{p.name}: {p.expression.text}" for p in found]
    parts = [p.expression for p in found]
    if when is not None:
        total = make.either(when.tree, total, make.nothing())
        words.insert(0, f"when: {when.text}")
        parts.append(when)
    words.append(f"range: {low}…{high}")
    return make.expression(total, "\n".join(words), parts, entity=thing.data["entity"], uses_time=False)


def pieces(thing: Thing, world: World) -> list[Piece] | None:
    """The parts of a score; None where one could not be read or means nothing."""
    found = [_piece(part, thing, world) for part in thing.data.get("parts") or ()]
    whole = [p for p in found if p is not None]
    return whole if len(whole) == len(found) and found else None


def _piece(part: Mapping[str, Any], thing: Thing, world: World) -> Piece | None:
    at: Path = ("parts", part["name"])
    read: list[Expression] = []
    for path in _paths(part, at):
        expression = thing.expression(path)
        if expression is None or expression.uses_user:
            return None
        read.append(expression)
    made = _points(part, at, thing)
    if made is None:
        return None
    node, values, said = made
    conditions = _conditions(part, at, thing, world)
    if conditions is None:
        return None
    if conditions:
        both = tuple(c.tree for c in conditions)
        test = both[0] if len(both) == 1 else Logic(operator="and", operands=both, type=BOOLEAN)
        node, values = make.either(test, node, make.written(0)), _or_nothing(values)
        said += " if " + " and ".join(c.text for c in conditions)
        read += conditions
    decay = part.get("decay")
    if decay is not None:
        node, values, said = _faded(node, values, said, decay, thing.expressions[(*at, "decay", "since")], world)
    if "weight" in part:
        weight = Decimal(part["weight"])
        node, values, said = make.times(node, make.written(weight)), values.times(weight), f"({said}) * {weight}"
    if "cap" in part:
        cap = Decimal(part["cap"])
        if values.high is None or values.high > cap:
            node = make.least(node, make.written(cap))
        values, said = values.capped(cap), f"min({cap}, {said})"
    entity = thing.data["entity"]
    expression = make.expression(node, said, read, entity=entity, uses_time=decay is not None)
    return Piece(name=part["name"], expression=expression, values=values)


def _paths(part: Mapping[str, Any], at: Path) -> Iterator[Path]:
    """Where the part has expressions."""
    if isinstance(part.get("points"), str):
        yield (*at, "points")
    for key in ("when", "of"):
        if key in part:
            yield (*at, key)
    if part.get("decay") is not None:
        yield (*at, "decay", "since")


def _points(part: Mapping[str, Any], at: Path, thing: Thing) -> tuple[Node, Range, str] | None:
    """The points before conditions, fading, weight and cap; never nothing."""
    if len([key for key in ("points", "bands", "choices") if key in part]) != 1:
        return None
    points = part.get("points")
    if isinstance(points, str):
        expression = thing.expressions[(*at, "points")]
        return make.or_zero(make.plain_number(expression.tree)), Range(), expression.text
    if points is not None:
        return make.written(Decimal(points)), Range.of([Decimal(points)]), str(points)
    value = thing.expression((*at, "of"))
    if value is None:
        return None
    bands = part.get("bands")
    return _banded(value, bands) if bands else _chosen(value, part.get("choices") or {})


def _banded(value: Expression, bands: list[Mapping[str, Any]]) -> tuple[Node, Range, str] | None:
    if not value.type.numeric:
        return None
    number, node, words = make.plain_number(value.tree), make.written(0), []
    made: Node = node
    for band in reversed(bands):
        tests = [make.at_least(number, make.written(Decimal(band["from"])))] if "from" in band else []
        tests += [make.below(number, make.written(Decimal(band["to"])))] if "to" in band else []
        test: Node = Logic(operator="and", operands=tuple(tests), type=BOOLEAN) if len(tests) > 1 else tests[0]
        made = make.either(test, make.written(Decimal(band["points"])), made)
    for band in bands:
        words.append(f"[{band.get('from', '…')}, {band.get('to', '…')}) {band['points']}")
    given = Range.of([ZERO, *(Decimal(b["points"]) for b in bands)])
    return made, given, f"{value.text}: {'; '.join(words)}"


def _chosen(value: Expression, choices: Mapping[str, Any]) -> tuple[Node, Range, str] | None:
    if value.type.kind not in ("select", "text"):
        return None
    made: Node = make.written(0)
    for name, points in reversed(list(choices.items())):
        made = make.either(make.same(value.tree, make.word(name)), make.written(Decimal(points)), made)
    words = "; ".join(f"{name} {points}" for name, points in choices.items())
    return made, Range.of([ZERO, *(Decimal(p) for p in choices.values())]), f"{value.text}: {words}"


def _conditions(part: Mapping[str, Any], at: Path, thing: Thing, world: World) -> list[Expression] | None:
    found = [thing.expressions[(*at, "when")]] if "when" in part else []
    if "segment" in part:
        segment = next((t for t in world.of_kind("segment") if t.name == part["segment"]), None)
        where = segment.expression(("where",)) if segment is not None else None
        if where is None or segment is None or segment.data["entity"] != thing.data["entity"] or where.uses_user:
            return None
        found.append(where)
    return found


def _or_nothing(values: Range) -> Range:
    if values.values is not None:
        return Range.of([ZERO, *values.values])
    return values.faded()


def _faded(
    node: Node, values: Range, said: str, decay: Mapping[str, Any], since: Expression, world: World
) -> tuple[Node, Range, str]:
    """points × the days left ÷ all days; a date to come counts as today, none gives nothing."""
    days = int(decay.get("days", 365))
    age = make.age_in_days(since.tree, world.functions or registered())
    left = make.minus(make.written(days), age)
    within = make.greatest(make.least(left, make.written(days)), make.written(0))
    share = make.over(make.times(node, make.or_zero(within)), make.written(days))
    return share, values.faded(), f"({said}) fading over {days} days from {since.text}"


def _grading(thing: Thing, entity: str, held: FieldDraft) -> Expression:
    """The name of the highest grade whose threshold the stored score reaches."""
    score = Field(base=Row(type=record(entity)), entity=entity, name=held.name, type=held.value_type)
    made: Node = make.nothing()
    steps = sorted(grades_of(thing).items(), key=lambda g: g[1])
    for name, least in steps:
        test = Compare(operator=">=", left=score, right=make.written(least), type=BOOLEAN)
        made = Conditional(test=test, then=make.word(name), otherwise=made, type=TEXT)
    said = "; ".join(f"{name} {least}" for name, least in reversed(steps))
    reads = frozenset({(entity, held.name)})
    return Expression(text=f"{held.name}: {said}", tree=made, type=TEXT, entity=entity, reads=reads)


# --- the model


def build_score(thing: Thing, world: World) -> Score | None:
    data, found = thing.data, pieces(thing, world)
    if (
        found is None
        or data["entity"] not in world.entities
        or ("when" in data and thing.expression(("when",)) is None)
    ):
        return None
    lost = world.entities[data["entity"]].lost
    fields = {kind: [f.name for f in holders(thing, world, kind) if f.name not in lost] for kind in ("score", "grade")}
    low, high = bounds(thing)
    declared = {p["name"]: p for p in data["parts"]}
    return Score(
        name=thing.name,
        entity=data["entity"],
        label=label(thing, data.get("label"), thing.name, world),
        help=text(data.get("help"), world),
        parts=tuple(
            Part(
                name=p.name,
                label=label(thing, declared[p.name].get("label"), p.name, world),
                help=text(declared[p.name].get("help"), world),
                given=p.expression,
                said=p.expression.text,
                most=p.values.high,
            )
            for p in found
        ),
        low=low,
        high=high,
        grades=tuple(
            Grade(name=g["name"], label=label(thing, g.get("label"), g["name"], world), least=Decimal(g["from"]))
            for g in data.get("grades") or ()
        ),
        when=thing.expression(("when",)),
        history=data.get("history") is True,
        field=next(iter(fields["score"]), None),
        grade_field=next(iter(fields["grade"]), None),
        origin=origin(thing),
    )
