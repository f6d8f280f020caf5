"""Workflows that set each other off in a ring: found from what each of them writes and what sets each of them off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from metadata.drafts import Thing, World
from metadata.kinds.effects import target_of

Written = tuple[str, str, str | None, Any]  # (create or update, entity, field, plain value or None)


def check_loops(thing: Thing, world: World) -> None:
    """Reports the ring this workflow is in, at its first workflow by name; conditions may break one, so it warns then.

    A ring of workflows without any condition never ends by itself: that is an error.
    """
    ring = _ring(thing, world)
    if not ring or min(t.name for t in ring) != thing.name:
        return
    names = " → ".join([*(t.name for t in ring), thing.name])
    free = all(not t.data.get("when") and not any(s.get("when") for s in t.data.get("steps") or ()) for t in ring)
    related = [t.place(("steps",)) for t in ring if t is not thing]
    severity: Any = "error" if free else "warning"
    world.report("workflow.loop", thing, ("steps",), severity=severity, related=related, names=names)


def _ring(start: Thing, world: World) -> list[Thing]:
    """The shortest ring through `start`; empty where there is none."""
    paths: list[list[Thing]] = [[start]]
    seen: set[str] = set()
    while paths:
        path = paths.pop(0)
        for following in _set_off_by(path[-1], world):
            if following is start:
                return path
            if following.name not in seen:
                seen.add(following.name)
                paths.append([*path, following])
    return []


def _set_off_by(thing: Thing, world: World) -> Iterator[Thing]:
    written = list(_writes(thing, world))
    for other in sorted(world.of_kind("workflow"), key=lambda t: t.name):
        if other.data.get("enabled") is False or other.data.get("run") == "now":
            continue
        if any(_sets_off(w, trigger, other) for w in written for trigger in other.data.get("on") or ()):
            yield other


def _writes(thing: Thing, world: World) -> Iterator[Written]:
    entity = thing.data.get("entity")
    if thing.data.get("run") == "now":
        return
    for step in thing.data.get("steps") or ():
        target = target_of(step, entity, world)
        if target is None:
            continue
        if "create" in step:
            yield "create", target, None, None
        for key in ("set", "link"):
            for field, value in (step.get(key) or {}).items():
                yield "update", target, field, value if key == "set" else None
        if step.get("assign") is not None and target in world.entities:
            yield "update", target, world.entities[target].thing.data.get("owner"), None


def _sets_off(written: Written, trigger: Mapping[str, Any], other: Thing) -> bool:
    event, entity, field, value = written
    if other.data.get("entity") != entity:
        return False
    if event == "create":
        return trigger.get("event") == "create"
    if trigger.get("event") == "update":
        return True
    if field in (trigger.get("update") or ()):
        return True
    into = trigger.get("to") or ()
    plain = isinstance(value, str) and not value.startswith("=")
    return trigger.get("move") == field and (not into or not plain or value in into)
