"""typecheck: every expression is parsed and typed; what depends on time or user is told from what can be stored."""

from __future__ import annotations

import re
from typing import Any

from metadata.computed import classify
from metadata.drafts import Thing, World
from metadata.kinds.base import Wanted
from metadata.scoring import compose
from rules import expression as expressions
from rules.errors import ExpressionProblem
from rules.expression import Expression

_WORD = re.compile(r"[a-z][a-z0-9_]*")


def run(world: World) -> None:
    for thing in world.things.values():
        for wanted in thing.kind.expressions(thing, world):
            if world.had_enough(thing):
                break
            _check(wanted, thing, world)
    compose(world)
    classify(world)


def _check(wanted: Wanted, thing: Thing, world: World) -> None:
    if wanted.entity is not None and wanted.entity not in world.entities:
        return
    found, problems = _parsed(wanted, world)
    if found is not None:
        thing.expressions[wanted.path] = found
    if problems and _consequence(wanted, world):
        return
    world.reported[id(thing.document)] = world.reported.get(id(thing.document), 0) + len(problems)
    for problem in problems:
        params: dict[str, Any] = dict(problem.params)
        world.report_at(
            f"expression.{problem.code}",
            thing.place(wanted.path, wanted.skip + problem.start),
            severity=problem.severity,
            hint=problem.hint,
            **params,
        )


def _parsed(wanted: Wanted, world: World) -> tuple[Expression | None, list[ExpressionProblem]]:
    return expressions.check(
        wanted.text,
        schema=world,
        entity=wanted.entity,
        expected=wanted.expected,
        parameters=wanted.parameters or {},
        allow_old=wanted.allow_old,
        functions=world.functions,
        mode="plain" if wanted.measures is None else "measures",
        measures=wanted.measures or {},
        outer=wanted.outer,
    )


def _consequence(wanted: Wanted, world: World) -> bool:
    """Whether an entity that the text may reach lost parts, so that the problem may be a consequence of that."""
    if world.untrusted(wanted.entity) or world.untrusted(wanted.outer):
        return True
    if not world.broken and not any(d.lost or d.thing.partial for d in world.entities.values()):
        return False
    words = set(_WORD.findall(wanted.text))
    for draft in world.entities.values():
        if words & draft.lost:
            return True
        if any(world.untrusted(draft.fields[name].value_type.entity) for name in words & draft.fields.keys()):
            return True
    return False
