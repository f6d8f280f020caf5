"""What a set of roles may do: the union of their grants, computed once per application version and set of roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from metadata.model import Application, Entity, Field, Grant, Role, Scope
from rules.expression import Expression

OPERATIONS = ("read", "create", "edit", "delete", "export", "import", "assign", "share", "report")
# Who may sign in may see who works here and which currencies there are: titles of owners, units and amounts need it.
DIRECTORY = frozenset({"user", "unit", "team", "currency", "rate", "calendar_day"})
# A line is part of its parent: what one may do with it follows from what one may do with the parent.
LINE_OPERATION = {"create": "edit", "delete": "edit", "assign": "edit"}


@dataclass(frozen=True, slots=True)
class RowScope:
    """A union of named scopes and expressions; `everything` when one of them is `all`."""

    named: frozenset[str]
    expressions: tuple[Expression, ...]

    @property
    def everything(self) -> bool:
        return "all" in self.named


EVERYTHING = RowScope(frozenset({"all"}), ())


@dataclass(frozen=True, slots=True)
class EntityRights:
    operations: Mapping[str, RowScope]
    hidden: frozenset[str]
    read_only: frozenset[str]


NO_RIGHTS = EntityRights({}, frozenset(), frozenset())


class Rights:
    """The rights of one set of roles over every entity of one application."""

    def __init__(self, app: Application, roles: Iterable[str]) -> None:
        self._app = app
        self.roles = _closure(app, roles)
        self._entities = {name: self._of_entity(entity) for name, entity in app.entities.items()}
        self._launder()

    def of(self, entity: str) -> EntityRights:
        return self._entities.get(entity, NO_RIGHTS)

    @property
    def admin(self) -> bool:
        return any(role.admin for role in self.roles)

    def _of_entity(self, entity: Entity) -> EntityRights:
        grants = [g for role in self.roles if (g := _grant(role, entity)) is not None]
        all_rows = any(_unlimited(role, entity) for role in self.roles)
        operations: dict[str, RowScope] = {}
        for operation in OPERATIONS:
            scope = EVERYTHING if all_rows else _union(g.operations.get(operation) for g in grants)
            if scope is not None:
                operations[operation] = scope
        for operation in _closed(entity):
            operations.pop(operation, None)
        if entity.name in DIRECTORY and self.roles:
            operations.setdefault("read", EVERYTHING)
        if entity.parent is not None:
            parent = self._app.entities[entity.parent[0]]
            return self._of_line(entity, grants, all_rows, parent)
        if entity.name in DIRECTORY and not grants:  # everybody sees who is who, but nothing sensitive
            hidden = frozenset(f.name for f in entity.fields.values() if f.sensitive and not all_rows)
        else:
            hidden = frozenset(f.name for f in entity.fields.values() if not all_rows and _hidden(f, grants))
        read_only = frozenset() if all_rows else _common(g.read_only for g in grants)
        return EntityRights(operations, hidden, read_only)

    def _of_line(self, entity: Entity, grants: list[Grant], all_rows: bool, parent: Entity) -> EntityRights:
        above = self._of_entity(parent)
        operations = {
            op: above.operations[LINE_OPERATION.get(op, op)]
            for op in OPERATIONS
            if LINE_OPERATION.get(op, op) in above.operations
        }
        # A role that reads the parent and says nothing of the lines shows all of them but what is sensitive.
        silent = any(
            _grant(role, parent) is not None and entity.name not in role.grants and not _unlimited(role, parent)
            for role in self.roles
        )
        named = [g for role in self.roles if (g := role.grants.get(entity.name)) is not None]
        hidden = frozenset(
            f.name
            for f in entity.fields.values()
            if not all_rows and (_hidden(f, grants) if grants else f.sensitive) and not (silent and not f.sensitive)
        )
        read_only = frozenset() if all_rows or silent else _common(g.read_only for g in named)
        return EntityRights(operations, hidden, read_only)

    def _launder(self) -> None:
        """A computed field that reads a hidden one is hidden as well, over any number of steps."""
        hidden = {(e, f) for e, rights in self._entities.items() for f in rights.hidden}
        if not hidden:
            return
        computed = list(_computed(self._app))
        grew = True
        while grew:
            grew = False
            for pair, reads in computed:
                if pair not in hidden and not hidden.isdisjoint(reads):
                    hidden.add(pair)
                    grew = True
        for name, rights in self._entities.items():
            fields = frozenset(f for e, f in hidden if e == name)
            if fields != rights.hidden:
                self._entities[name] = EntityRights(rights.operations, fields, rights.read_only)


def _closed(entity: Entity) -> tuple[str, ...]:
    """What nobody may do: entries of a ledger are only added, balances are written with them alone."""
    if entity.balances_of is not None:
        return tuple(operation for operation in OPERATIONS if operation not in ("read", "export", "report"))
    return ("edit", "delete", "assign", "share") if entity.ledger is not None else ()


def _closure(app: Application, names: Iterable[str]) -> tuple[Role, ...]:
    found: dict[str, Role] = {}
    waiting = sorted(names)
    while waiting:
        name = waiting.pop()
        role = app.roles.get(name)
        if role is not None and name not in found:
            found[name] = role
            waiting.extend(role.includes)
    return tuple(found.values())


def _grant(role: Role, entity: Entity) -> Grant | None:
    """The grant that speaks of `entity`; `*` never reaches the platform's own entities (users, roles, units)."""
    named = role.grants.get(entity.name)
    return named if named is not None or entity.platform else role.grants.get("*")


def _unlimited(role: Role, entity: Entity) -> bool:
    """An administrator may do everything where the role does not say otherwise."""
    return role.admin and _grant(role, entity) is None and (entity.platform or role.grants.get("*") is None)


def _union(scopes: Iterable[Scope | None]) -> RowScope | None:
    named: set[str] = set()
    expressions: list[Expression] = []
    for scope in scopes:
        if scope is not None:
            named |= scope.named
            expressions.extend(scope.expressions)
    return RowScope(frozenset(named), tuple(expressions)) if named or expressions else None


def _hidden(field: Field, grants: list[Grant]) -> bool:
    return all(field.name in g.hide or (field.sensitive and field.name not in g.show) for g in grants)


def _common(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    every = list(sets)
    return frozenset.intersection(*every) if every else frozenset()


def _computed(app: Application) -> Iterable[tuple[tuple[str, str], frozenset[tuple[str, str]]]]:
    for entity in app.entities.values():
        for field in entity.fields.values():
            if field.formula is not None and field.settings.get("sensitive") is not False:
                yield (entity.name, field.name), field.formula.reads
            elif field.type == "lookup":
                yield (entity.name, field.name), frozenset(path_reads(app, entity.name, field.of))


def path_reads(app: Application, entity: str, path: Iterable[str]) -> Iterable[tuple[str, str]]:
    """The (entity, field) pairs a dotted path passes."""
    here: str | None = entity
    for name in path:
        field = app.entities[here].fields.get(name) if here is not None else None
        if here is None or field is None:
            return
        yield here, name
        here = field.to or field.value_type.entity
