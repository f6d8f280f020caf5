"""`revisions:` of an entity: from when a record is in force, and which approval a change to it takes."""

from __future__ import annotations

from collections.abc import Iterable

from metadata.drafts import EntityDraft, Thing, World
from metadata.kinds.base import Reference, Wanted
from metadata.kinds.shape import Shape, name, names, rule
from metadata.models.revisions import Revisions
from rules.typing import BOOLEAN


class RevisionsShape(Shape):
    """A record in force changes by revisions."""

    when = rule(required=True, zh="何时算生效", en="when a record is in force")
    approval = name(zh="变更须经的审批（start: revision）", en="the approval a change takes (start: revision)")
    number = name(zh="存放版本号的整数字段", en="the integer field that holds the number of the version in force")
    free = names(zh="生效后仍可直接改的字段", en="fields that may still be changed directly")


def revisions_references(thing: Thing) -> Iterable[Reference]:
    given = thing.data.get("revisions") or {}
    if isinstance(given.get("approval"), str):
        yield Reference(path=("revisions", "approval"), to="approval", name=given["approval"])
    if isinstance(given.get("number"), str):
        yield Reference(path=("revisions", "number"), to="field", name=given["number"], entity=thing.name)
    for index, found in enumerate(given.get("free") or ()):
        yield Reference(path=("revisions", "free", index), to="field", name=found, entity=thing.name)


def revisions_expressions(thing: Thing) -> Iterable[Wanted]:
    given = thing.data.get("revisions") or {}
    if isinstance(given.get("when"), str):
        yield Wanted(path=("revisions", "when"), text=given["when"], entity=thing.name, expected=BOOLEAN)


def check_revisions(thing: Thing, world: World) -> None:
    """The number is an integer nobody writes; the approval is one of changes to this entity; lines have none."""
    given = thing.data.get("revisions")
    draft = world.entities.get(thing.name)
    if not given or draft is None:
        return
    if draft.parent is not None:
        world.report("revisions.of_lines", thing, ("revisions",), at_key=True, entity=draft.parent[0])
    number = draft.fields.get(given.get("number") or "")
    if number is not None and (number.type_name != "integer" or number.spec.get("readonly") is not True):
        world.report("revisions.number", thing, ("revisions", "number"), name=number.name)
    approval = next((t for t in world.of_kind("approval") if t.name == given.get("approval")), None)
    if approval is not None:
        entity = approval.data.get("entity", approval.name)
        start = approval.data.get("start") or {}
        if entity != thing.name or start.get("on") != "revision":
            world.report("revisions.approval", thing, ("revisions", "approval"), name=approval.name, entity=thing.name)


def build_revisions(draft: EntityDraft) -> Revisions | None:
    """None where none is declared, or its condition could not be read."""
    given = draft.thing.data.get("revisions")
    when = draft.thing.expression(("revisions", "when"))
    if not given or when is None:
        return None
    return Revisions(
        when=when,
        approval=given.get("approval"),
        number=given.get("number") if given.get("number") in draft.fields else None,
        free=frozenset(given.get("free") or ()),
    )
