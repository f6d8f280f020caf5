"""Why: a value with the operands of its formula, and access with the scopes that let one in or kept one out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import sqlalchemy as sa

from metadata.fields import field_type
from metadata.model import Entity, Field, Role
from rules.evaluate import evaluate
from rules.expression import Expression
from rules.trace import Trace
from runtime import records
from runtime.errors import NotFound
from runtime.records.input import coercion, fitted
from runtime.records.plan import EntityPlan, plan_of
from runtime.records.values import CHUNK, Loader, Stored
from runtime.security import audit
from runtime.security.access import Access
from runtime.security.rights import LINE_OPERATION, OPERATIONS
from runtime.site import Session

WORDS = {
    "formula": {"zh": "由公式计算", "en": "Computed by a formula"},
    "lookup": {"zh": "取自关联记录", "en": "Shown through a link"},
    "given": {"zh": "由人填写或由程序写入", "en": "Given by a person or a program"},
    "numbering": {"zh": "由编号规则给出", "en": "Given by the numbering"},
    "system": {"zh": "由系统维护", "en": "Kept by the platform"},
    "masked": {"zh": "在公海中遮蔽，领取后可见", "en": "Masked in the pool; shown once the record is taken"},
}


Explainer = Callable[[Session, str, int], dict[str, Any]]
# modules that register what explains decisions of a kind; imported when the first is asked for
MODULES: tuple[str, ...] = (
    "runtime.decisions.acting_whys",
    "runtime.decisions.scores",
    "runtime.ledgers.explaining",
    "runtime.decisions.whys",
    "runtime.decisions.qualification_rule",
    "runtime.conversions.explaining",
    "runtime.decisions.approval_view",
    "runtime.pricing.explaining",
    "runtime.decisions.version_view",
    "runtime.number_whys",
)
_EXPLAINERS: dict[str, Explainer] = {}


def explainer(word: str) -> Callable[[Explainer], Explainer]:
    """Registers what explains the decisions of a kind on one record.

    It answers plain JSON data: `decision` (the word), `summary` (a sentence), `steps` (maps of label, result, why).
    It is called for a person who may see the record, and tells only what that person may know.
    """

    def register(found: Explainer) -> Explainer:
        known = _EXPLAINERS.get(word)
        if known is not None and known.__qualname__ != found.__qualname__:
            raise ValueError(f"decisions of {word!r} are explained twice")
        _EXPLAINERS[word] = found
        return found

    return register


def explainers() -> dict[str, Explainer]:
    """By word of the kind."""
    for module in MODULES:
        import_module(module)
    return _EXPLAINERS


def decision(session: Session, word: str, entity: str, record_id: int) -> dict[str, Any]:
    """Why a rule of a kind decided as it did on a record. Raises `NotFound` for a record one may not see."""
    found = explainers().get(word)
    if found is None or entity not in session.app.entities:
        raise NotFound()
    records.read(session, entity, record_id, ["id"])
    return found(session, entity, record_id)


def why(session: Session, entity: str, record_id: int, what: str) -> dict[str, Any]:
    """The one answer of page, API and command line; `what` is `access`, a kind of rule that decides, or a field.

    Plain JSON data. Raises `NotFound` for what is not there or not to be seen.
    """
    described = session.app.entities.get(entity)
    if described is None:
        raise NotFound()
    if what == "access":
        return access(session, entity, record_id)
    if what in explainers() and (what not in described.fields or session.app.rules_of(entity, what)):
        plain: dict[str, Any] = audit.plain(decision(session, what, entity, record_id))
        return plain
    if what not in described.fields or not Access(session).visible(entity, what):
        raise NotFound()
    return value(session, entity, record_id, what)


def value(session: Session, entity: str, record_id: int, name: str) -> dict[str, Any]:
    """Why `name` of a record is what it is. The caller has seen to it that the user may see the field.

    A formula is traced with its operands only where the user may see all it reads, fields and records. Raises
    `NotFound`.
    """
    records.read(session, entity, record_id, ["id"])  # answers for what is not there or not visible
    described = session.app.entities[entity]
    field = described.fields[name]
    stored = _stored(session, entity, record_id)
    found: dict[str, Any] = {"field": name, "label": field.label.of(session.language), "kind": _kind(described, field)}
    if name in Access(session).masks.hidden_in(entity, stored.row):
        found["kind"] = "masked"
    found["why"] = WORDS[found["kind"]]["zh" if session.language == "zh" else "en"]
    if found["kind"] == "masked":
        return found
    if found["kind"] == "numbering":
        found["numbering"] = decision(session, "numbering", entity, record_id)
    elif field.formula is not None:
        found |= _of_formula(session, field, field.formula, stored)
    elif field.of:
        found["path"] = ".".join(field.of)
    elif field.default is not None and isinstance(field.default, Expression):
        found["default"] = field.default.text
    return found


def is_number(entity: Entity, name: str) -> bool:
    """Whether a numbering fills the field."""
    return entity.number is not None and entity.number.field == name


def _kind(entity: Entity, field: Field) -> str:
    if is_number(entity, field.name):
        return "numbering"
    if field.formula is not None:
        return "formula"
    return "lookup" if field.type == "lookup" else "system" if field.system else "given"


def _of_formula(session: Session, field: Field, formula: Expression, stored: Stored) -> dict[str, Any]:
    access = Access(session)
    found: dict[str, Any] = {"formula": formula.text, "live": field.computed == "live"}
    whole = result = evaluate(formula, stored, stored.loader.environment)
    currency = stored.row.get(stored.plan.entity.currency or "")
    if field.storage == "decimal":  # a formula may come to a whole number where its field keeps a decimal
        result = fitted(session, field, result, currency)
    context = coercion(session, currency)
    found["value"] = None if result is None else field_type(field.type).to_json(result, field, context)
    found["text"] = field_type(field.type).to_text(result, field, context)
    composed = field.type in ("score", "grade")  # their text is no expression: `decision` says what each part gave
    if not composed and all(access.visible(e, n) for e, n in formula.reads):
        trace = Trace()
        own = _stored(session, stored.plan.name, stored.row["id"], guarded=True)
        if evaluate(formula, own, own.loader.environment, trace=trace) == whole:
            found["steps"] = trace.as_data()
    return found


def evaluate_text(session: Session, entity: str, record_id: int, text: str) -> dict[str, Any]:
    """One expression, written by the user, on one record: value, type and steps. Raises `BadQuery`, `NotFound`."""
    from rules.errors import ExpressionError
    from rules.expression import parse
    from rules.messages import phrase
    from runtime.errors import BadQuery

    records.read(session, entity, record_id, ["id"])
    access = Access(session)
    try:
        expression = parse(text, schema=session.app, entity=entity, visible=access.visible)
    except ExpressionError as error:
        raise BadQuery(detail=phrase(error.problems[0], session.language)) from None
    trace = Trace()
    stored = _stored(session, entity, record_id, guarded=True)
    result = evaluate(expression, stored, stored.loader.environment, trace=trace)
    return {"value": _plain(result), "type": expression.type.kind, "steps": trace.as_data()}


def access(session: Session, entity: str, record_id: int) -> dict[str, Any]:
    """For each operation whether the user may do it with this record, and by which scope of which role."""
    records.read(session, entity, record_id, ["id"])
    rights = Access(session)
    described = session.app.entities[entity]
    stored = _stored(session, entity, record_id)
    listed = [_of_operation(rights, described, stored, operation) for operation in OPERATIONS]
    hidden = sorted(n for n in rights.hidden(entity) if n in described.fields)
    return {
        "user": session.user.login,
        "superuser": rights.superuser,
        "operations": listed,
        "hidden_count": len(hidden),
    }


def _of_operation(rights: Access, entity: Entity, stored: Stored, operation: str) -> dict[str, Any]:
    environment = stored.loader.environment
    holder: Any = stored
    described, wanted = entity, operation
    if entity.parent is not None:
        holder, described = stored.get(entity.parent[1]), rights.app.entities[entity.parent[0]]
        wanted = LINE_OPERATION.get(operation, operation)
    allowed = holder is not None and rights.allows(described.name, wanted, holder, environment)
    roles = [] if rights.superuser else [_of_role(rights, r, described, wanted, holder) for r in rights.roles]
    return {"operation": operation, "allowed": allowed, "roles": [r for r in roles if r["scopes"]]}


def _of_role(rights: Access, role: Role, entity: Entity, operation: str, holder: Any) -> dict[str, Any]:
    grant = role.grants.get(entity.name) or (None if entity.platform else role.grants.get("*"))
    scopes: list[dict[str, Any]] = []
    if grant is None and role.admin and "*" not in role.grants:
        scopes.append({"scope": "all", "holds": True})
    scope = grant.operations.get(operation) if grant else None
    if scope is not None and holder is not None:
        scopes += [{"scope": n, "holds": rights.holds(n, entity, operation, holder)} for n in sorted(scope.named)]
        environment = holder.loader.environment
        scopes += [
            {"scope": f"={e.text}", "holds": evaluate(e, holder, environment) is True} for e in scope.expressions
        ]
    return {"role": role.name, "scopes": scopes}


class _Guarded(Loader):
    """Loads what the user may read; any other record is as if it were not there."""

    def _load(self, entity: str, ids: Sequence[int]) -> None:
        super()._load(entity, ids)
        seen = self._seen(entity, [i for i in ids if self._rows[entity, i] is not None])
        self._rows.update(((entity, i), None) for i in ids if i not in seen)
        masks = Access(self.session).masks
        if masks.of(entity):
            for i in seen:
                self._rows[entity, i] = masks.clear(entity, self._rows[entity, i] or {})

    def _load_members(self, plan: EntityPlan, field: Field, ids: Sequence[int]) -> None:
        super()._load_members(plan, field, ids)
        seen = self._seen(field.entity or field.to or "", self._ids(plan, field, ids))
        for i in ids:
            members = self._members[plan.name, field.name, i]
            target = field.entity or field.to or ""
            masks = Access(self.session).masks
            self._members[plan.name, field.name, i] = [
                Stored(self, m.plan, masks.clear(target, m.row)) for m in members if m.row["id"] in seen
            ]

    def _ids(self, plan: EntityPlan, field: Field, owners: Sequence[int]) -> list[int]:
        return [m.row["id"] for i in owners for m in self._members[plan.name, field.name, i]]

    def _seen(self, entity: str, ids: Sequence[int]) -> set[int]:
        table = plan_of(self.session, entity).table
        rows = Access(self.session).predicate(entity, "read", table)
        if rows is None:
            return set(ids)
        found: set[int] = set()
        for start in range(0, len(ids), CHUNK):
            part = sa.select(table.c.id).where(table.c.id.in_(ids[start : start + CHUNK]), rows)
            found.update(self.session.connection.scalars(part))
        return found


def guarded(session: Session, entity: str, record_id: int) -> Stored:
    """A record as the person may know it: what is hidden on the way, or masked, is as if it were empty."""
    return _stored(session, entity, record_id, guarded=True)


def _stored(session: Session, entity: str, record_id: int, *, guarded: bool = False) -> Stored:
    found = (_Guarded(session) if guarded else Loader(session)).record(entity, record_id)
    assert found is not None, plan_of(session, entity).name  # it was read just now
    return found


def _plain(result: Any) -> Any:
    if hasattr(result, "record_id"):
        return str(result.record_id)
    if isinstance(result, list | tuple):
        return [_plain(r) for r in result]
    if result is None or isinstance(result, bool | int | str):
        return result
    return result.isoformat() if hasattr(result, "isoformat") else f"{result:f}"
