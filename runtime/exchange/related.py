"""Related records in the sheet of the records they belong to: customers with their contacts, say.

They are records of their own, saved after the one they belong to, each list in the order of its columns. One that is
there is found within that record: by the fields somebody names, else by a unique field, by fields that are unique
together, by its title (and its time, where it is something that happened), else by all its columns. Equal rows of a
record are one; of different ones with the same title the second is the second that is there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from metadata.fields import Rejection, field_type
from metadata.model import Entity
from runtime.exchange.batch import apply
from runtime.exchange.lookup import below
from runtime.exchange.rows import Planner, RowPlan, Task
from runtime.exchange.source import Row, text_of
from runtime.records.input import coercion

if TYPE_CHECKING:
    from runtime.site import Session

Owners = Mapping[RowPlan, RowPlan]  # the plan of the record that a related one belongs to


class Members:
    """Plans and saves one list of related records. `back` is their link; `mode` and `key` as the import has them."""

    def __init__(self, task: Task, name: str, back: str, mode: str, key: tuple[str, ...], *, dry_run: bool) -> None:
        self.name = name
        self.back = back
        self.mode = mode
        self.given = key
        self.planner = Planner(task, dry_run=dry_run)

    def renew(self, task: Task) -> None:
        """Goes on with the same file on a newer published version."""
        for derived in ("key", "indexes"):
            self.__dict__.pop(derived, None)
        self.planner.renew(task)

    @property
    def entity(self) -> Entity:
        return self.planner.task.entity

    @cached_property
    def indexes(self) -> tuple[int, ...]:
        return tuple(c.index for c in self.planner.task.columns if c.field)

    @cached_property
    def key(self) -> tuple[str, ...]:
        return self.given or own_key(self.entity, [c.field for c in self.planner.task.columns if c.field], self.back)

    def read(self, plan: RowPlan, group: Sequence[Row], width: int) -> None:
        """The related records that the rows of a record hold; equal ones are one."""
        found: dict[tuple[str, ...], RowPlan] = {}
        for number, cells in group:
            told = tuple(text_of(cells[i]) if i < len(cells) else "" for i in self.indexes)
            if any(told) and told not in found:
                found[told] = self.planner.read(number, cells[:width])
        plan.members[self.name] = list(found.values())

    def explain(self, session: Session, plans: Iterable[RowPlan]) -> None:
        """What is wrong with the related records of refused ones, as far as cells tell."""
        for plan in plans:
            members = plan.members.get(self.name, [])
            for member in members:
                for link in self._own_links:
                    member.values.pop(link, None)
            self.planner.link(session, members)
            self.planner.explain(session, members)
            self._tell(plan)

    def land(self, session: Session, batch: Sequence[RowPlan], *, singly: bool = False) -> None:
        """Creates and changes the related records of records that are there by now.

        What is refused refuses its record: the caller takes back what has landed of it. Raises `TurnedAway`.
        """
        ready = [plan for plan in batch if plan.action != "error"]
        owners = {member: plan for plan in ready for member in plan.members.get(self.name, ())}
        places: dict[tuple[Any, ...], list[int]] | None = None
        seen: dict[tuple[Any, ...], int] = {}
        for wave in self._waves(owners):
            self._link_within(session, wave, owners)
            self.planner.link(session, wave)
            keys = {member: self._key(session, member, owners[member], seen) for member in wave}
            if places is None:
                places = self._there(session, owners)
            for member, key in keys.items():
                self._decide(member, owners[member], places.get(key, []) if key is not None else [])
            self.planner.compare(session, [member for member in wave if member.action == "update"])
            for member in wave:
                if member.action == "create":
                    owner = owners[member].record_id
                    values = {name: value for name, value in member.values.items() if value is not None}
                    member.values = {**values, self.back: owner}
            self.planner.repeated(wave)
            self.planner.explain(session, [member for member in wave if member.action == "error"])
            apply(session, self.entity.name, wave, singly=singly)
            self._forget_names(session)
        for plan in ready:
            self._tell(plan)

    def would_create(self, batch: Sequence[RowPlan]) -> None:
        landed = (plan for plan in batch if plan.action != "error")
        self.planner.would_create([member for plan in landed for member in plan.members.get(self.name, ())])

    def _tell(self, plan: RowPlan) -> None:
        """Problems of related records are problems of the rows they came in."""
        for member in plan.members.get(self.name, ()):
            for problem in member.problems:
                inner = f"{self.name}.{problem.field}" if problem.field else self.name
                plan.take(member.number, replace(problem, field=inner))

    def _decide(self, member: RowPlan, owner: RowPlan, there: list[int]) -> None:
        if member.action == "error":
            return
        if there:
            member.record_id, member.action = there.pop(0), "skip" if self.mode == "add" else "update"
        elif self.mode == "update" or owner.record_id is None:
            member.action = "skip"

    # --- what is there ------------------------------------------------------------------------------------------

    def _key(
        self, session: Session, member: RowPlan, owner: RowPlan, seen: dict[tuple[Any, ...], int]
    ) -> tuple[Any, ...] | None:
        """What the record is found by within its owner; where somebody named the fields they must be told, and once."""
        context = coercion(session)
        found = []
        for name in self.key:
            spec = self.entity.fields[name]
            try:
                found.append(field_type(spec.type).coerce(member.values.get(name), spec, context))
            except Rejection as rejection:
                member.refuse(rejection.code, name, **rejection.params)
                return None
        key = (owner.record_id, *found)
        if not self.given:
            return key
        if any(value is None for value in found):
            member.refuse("import.empty_key", self.key[found.index(None)])
        elif seen.setdefault(key, member.number) != member.number:
            member.refuse("import.key_twice", self.key[0], row=seen[key])
        return None if member.action == "error" else key

    def _there(self, session: Session, owners: Owners) -> dict[tuple[Any, ...], list[int]]:
        """The related records of records that were there before, by owner and key."""
        known = {plan.record_id for plan in owners.values() if plan.action != "create" and plan.record_id is not None}
        first = self.entity.fields[self.key[0]] if self.key else None
        told: set[Any] = set()
        if first is not None and first.storage == "text" and self.planner.task.values.get(first.name) is None:
            told = {self._stored(session, member, first.name) for member in owners}
        found: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        if known:
            wanted = () if None in told else told
            for record_id, *key in below(session, self.entity, self.back, sorted(known), self.key, wanted):
                found[tuple(key)].append(record_id)
        return found

    def _stored(self, session: Session, member: RowPlan, name: str) -> Any:
        spec = self.entity.fields[name]
        try:
            return field_type(spec.type).coerce(member.values.get(name), spec, coercion(session))
        except Rejection:
            return None

    # --- links among the records themselves ---------------------------------------------------------------------

    @property
    def _own_links(self) -> list[str]:
        fields = (self.entity.fields[c.field] for c in self.planner.task.columns if c.field and c.key is None)
        return [f.name for f in fields if f.storage == "link" and f.to == self.entity.name]

    def _waves(self, owners: Owners) -> list[list[RowPlan]]:
        """The records in parts: one that names another above it comes after that. Without such links all at once."""
        names = [c.field for c in self.planner.task.columns if c.field]
        fields = [self.entity.fields[name] for name in names]
        links = [f.name for f in fields if f.storage == "link" and f.to == self.entity.name]
        texts = [f.name for f in fields if f.storage == "text"]
        levels: dict[Any, int] = {}
        waves: dict[int, list[RowPlan]] = defaultdict(list)
        for member, owner in owners.items():
            level = 0
            for text in (_text(member.values.get(name)) for name in links):
                if text:
                    level = max(level, levels.get((owner, text), levels.get(text, -1)) + 1)
            waves[level].append(member)
            if links:
                for text in filter(None, (_text(member.values.get(name)) for name in texts)):
                    levels[owner, text] = max(level, levels.get((owner, text), 0))
                    levels[text] = max(level, levels.get(text, 0))
        return [waves[level] for level in sorted(waves)]

    def _link_within(self, session: Session, wave: Sequence[RowPlan], owners: Owners) -> None:
        """A link to another of the list means first the one of the same record called so."""
        title = self.entity.fields[self.entity.title]
        if title.storage != "text" or not title.stored:
            return
        for link in self._own_links:
            naming = [m for m in wave if _text(m.values.get(link)) and owners[m].record_id is not None]
            if not naming:
                continue
            ids = sorted({owners[m].record_id or 0 for m in naming})
            texts = {_text(m.values[link]) for m in naming}
            found: dict[tuple[Any, Any], list[int]] = defaultdict(list)
            for record_id, owner, called in below(session, self.entity, self.back, ids, [title.name], texts):
                found[owner, called].append(record_id)
            for member in naming:
                there = found.get((owners[member].record_id, _text(member.values[link])), ())
                if len(there) == 1:
                    member.values[link] = there[0]

    def _forget_names(self, session: Session) -> None:
        """Titles that were looked up before these records were there."""
        cache = session.cache.get("resolved", {})
        for place in [place for place in cache if place[0] == self.entity.name]:
            del cache[place]


def own_key(entity: Entity, names: Sequence[str], back: str) -> tuple[str, ...]:
    """The fields among `names` by which a related record is known within the one it belongs to."""
    plain = [n for n in names if keyable(entity, n)]
    unique = [n for n in plain if entity.fields[n].unique]
    together = [tuple(n for n in group if n != back) for group in entity.unique if {*group} <= {*plain, back}]
    title = [entity.title] if entity.title in plain else []
    if title and entity.activity is not None and entity.activity.at in plain:
        title.append(entity.activity.at)
    return (unique[0],) if unique else next(filter(None, together), tuple(title or plain))


def keyable(entity: Entity, name: str) -> bool:
    """Whether a record may be found by the field."""
    field = entity.fields[name]
    return field.stored and field.storage not in ("json", "children", "choices", "links", "none")


def _text(value: Any) -> str | None:
    return value.strip() if isinstance(value, str) else None
