"""Which records a change reaches: the paths a stored formula reads along, walked backwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Application, Field
from rules import tree
from rules.expression import Expression
from runtime.records.plan import plan_of
from runtime.records.values import CHUNK
from runtime.schema.tables import column_name

if TYPE_CHECKING:
    from runtime.site import Session

MEMBERSHIP = "*"  # reading a collection reads who belongs to it


@dataclass(frozen=True, slots=True)
class Step:
    """From a record of `entity` over its field to other records: a link, or the members of a collection."""

    entity: str
    field: str


@dataclass(frozen=True, slots=True)
class Read:
    """A formula reads `entity.field` of what its record reaches over `steps`; `own` when that is its family."""

    steps: tuple[Step, ...]
    entity: str
    field: str
    own: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A record that was written. `before`/`after` are None where it was not there; `known` when both are at hand."""

    entity: str
    record: int
    fields: frozenset[str]
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    known: bool = False

    @property
    def came_or_went(self) -> bool:
        return self.known and (self.before is None) != (self.after is None)


def reads_of(app: Application, entity: str, expression: Expression) -> tuple[Read, ...]:
    """Every read of the formula of a field of `entity`."""
    walker = _Walker(app, entity)
    walker.walk(expression.tree, ((),))
    return tuple(dict.fromkeys(walker.reads))


class _Walker:
    def __init__(self, app: Application, entity: str) -> None:
        self.app = app
        self.entity = entity
        self.reads: list[Read] = []

    def walk(self, node: tree.Node, rows: tuple[tuple[Step, ...], ...]) -> list[tuple[Step, ...]]:
        """Notes what the node reads; answers the paths to the records it may stand for."""
        if isinstance(node, tree.Row):
            return [rows[node.level]] if node.level < len(rows) else []
        if isinstance(node, tree.Field):
            paths = self.walk(node.base, rows)
            return [end for path in paths for end in self._field(path, node.entity, node.name)]
        if isinstance(node, tree.Aggregate) and node.collection is not None:
            return self._aggregate(node, rows)
        if isinstance(node, tree.User | tree.Old):
            return []
        return [path for child in node.children() for path in self.walk(child, rows)]

    def _field(self, path: tuple[Step, ...], entity: str, name: str) -> Iterator[tuple[Step, ...]]:
        field = self.app.entities[entity].fields.get(name)
        if field is None:
            return
        self._note(path, entity, name)
        if field.type == "lookup":
            here, at = path, entity
            for step in field.of:
                target = self.app.entities[at].fields.get(step)
                if target is None:
                    return
                self._note(here, at, step)
                if target.to is None:
                    return
                here, at = (*here, Step(at, step)), target.to
            yield here
        elif field.storage == "link":
            yield (*path, Step(entity, name))
        elif field.storage in ("children", "links") or field.type == "related":
            end = (*path, Step(entity, name))
            member = field.entity or field.to or ""
            self._note(end, member, MEMBERSHIP)
            if field.by:
                self._note(end, member, field.by)
            yield end

    def _aggregate(self, node: tree.Aggregate, rows: tuple[tuple[Step, ...], ...]) -> list[tuple[Step, ...]]:
        found: list[tuple[Step, ...]] = []
        assert node.collection is not None
        for members in self.walk(node.collection, rows):
            inner = (members, *rows)
            for part in (node.where, node.by):
                if part is not None:
                    self.walk(part, inner)
            if node.value is not None:
                found += self.walk(node.value, inner)
        return found

    def _note(self, path: tuple[Step, ...], entity: str, field: str) -> None:
        own = all(self._inside(step) for step in path)
        self.reads.append(Read(path, entity, field, own))

    def _inside(self, step: Step) -> bool:
        """Whether the step stays between a record and its lines."""
        found = self.app.entities[step.entity]
        field = found.fields[step.field]
        return field.storage == "children" or (found.parent is not None and found.parent[1] == step.field)


def reached(session: Session, read: Read, changes: Iterable[Change]) -> set[int]:
    """Ids of the records whose formula reads one of the changes along `read`."""
    relevant = [c for c in changes if _concerns(read, c)]
    if not relevant:
        return set()
    if not read.steps:
        return {c.record for c in relevant}
    steps = list(read.steps)
    last = session.app.entities[steps[-1].entity].fields[steps[-1].field]
    if last.by is not None:
        ids = _owners(session, last, read.entity, relevant)
        steps.pop()
    else:
        ids = {c.record for c in relevant}
    for step in reversed(steps):
        ids = _back(session, step, ids)
        if not ids:
            break
    return ids


def _concerns(read: Read, change: Change) -> bool:
    if change.entity != read.entity:
        return False
    if read.field == MEMBERSHIP:
        return change.came_or_went
    return not change.came_or_went and read.field in change.fields


def _owners(session: Session, field: Field, member: str, changes: list[Change]) -> set[int]:
    """Owners of changed members: the ones before and after, where they moved."""
    found: set[int] = set()
    unknown: set[int] = set()
    back = field.by or ""
    for change in changes:
        if not change.known:
            unknown.add(change.record)
            continue
        for image in (change.before, change.after):
            if image is not None and image.get(back) is not None:
                found.add(image[back])
    if unknown:
        plan = plan_of(session, member)
        column = plan.table.c[column_name(plan.fields[back])]
        found |= _ids(session, sa.select(column).distinct(), plan.table.c.id, unknown)
    return found - {None}


def _back(session: Session, step: Step, ids: set[int]) -> set[int]:
    plan = plan_of(session, step.entity)
    field = plan.fields[step.field]
    if field.storage == "link":
        return _ids(session, sa.select(plan.table.c.id), plan.table.c[column_name(field)], ids)
    if field.storage == "links":
        join = session.tables.pairs(plan.name, field.name)
        return _ids(session, sa.select(join.c.record_id).distinct(), join.c.value, ids)
    member = plan_of(session, field.entity or field.to or "")
    back = member.table.c[column_name(member.fields[field.by or ""])]
    return _ids(session, sa.select(back).distinct(), member.table.c.id, ids) - {None}


def _ids(session: Session, wanted: sa.Select[Any], among: sa.ColumnElement[Any], ids: set[int]) -> set[int]:
    found: set[int] = set()
    ordered = sorted(ids)
    for start in range(0, len(ordered), CHUNK):
        found.update(session.connection.scalars(wanted.where(among.in_(ordered[start : start + CHUNK]))))
    return found
