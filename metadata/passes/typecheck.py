"""typecheck: every expression is parsed and typed; computed fields are ordered and told live from stored."""

from __future__ import annotations

import re
from dataclasses import replace

from metadata.drafts import EntityDraft, FieldDraft, Thing, World
from metadata.kinds.base import Wanted
from rules import expression as expressions
from rules.expression import Expression
from rules.typing import NOTHING

_WORD = re.compile(r"[a-z][a-z0-9_]*")


def run(world: World) -> None:
    for thing in world.things.values():
        for wanted in thing.kind.expressions(thing, world):
            _check(wanted, thing, world)


def _check(wanted: Wanted, thing: Thing, world: World) -> None:
    try:
        found, problems = _parsed(wanted, world)
    except ModuleNotFoundError:
        thing.expressions[wanted.path] = Expression(
            text=wanted.text, tree=None, type=wanted.expected or NOTHING, entity=wanted.entity
        )
        return
    if found is not None:
        thing.expressions[wanted.path] = found
    if problems and _consequence(wanted, world):
        return
    for problem in problems:
        place = thing.place(wanted.path, wanted.skip + problem.start)
        severity = getattr(problem, "severity", "error")
        code = f"expression.{problem.code}"
        world.report_at(code, place, severity=severity, hint=problem.hint, **problem.params)


def _parsed(wanted: Wanted, world: World) -> tuple[Expression | None, list[object]]:
    return expressions.check(  # type: ignore[return-value]
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
    if wanted.entity is None or world.untrusted(wanted.entity):
        return wanted.entity is not None
    words = set(_WORD.findall(wanted.text))
    for draft in world.entities.values():
        for name in words & draft.fields.keys():
            if world.untrusted(draft.fields[name].value_type.entity):
                return True
    return False


__all__ = ["EntityDraft", "FieldDraft", "replace", "run"]
