"""`octavo verify`: computed values compared with what they are computed from, the audit with its seals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from metadata.model import Field
from runtime.ledgers import checking
from runtime.query.expressions import assigned
from runtime.records import rollups
from runtime.records.input import fitted
from runtime.records.plan import EntityPlan, plan_of
from runtime.schema.tables import column_name
from runtime.security import audit
from runtime.security.access import sql_context
from runtime.site import Session, Site

SAMPLE = 20
BATCH = 500


def verify(site: Site, *, repair: bool = False) -> dict[str, Any]:
    """`{"drift": [{entity, field, count, sample}], "ledgers": […], "audit": [{kind, row}], "checked": fields}`.

    Ledgers are told as in `runtime.ledgers.checking`; they are never repaired by themselves.
    """
    with site.session(write=repair) as session:
        drift = []
        checked = 0
        for plan, field in _computed(session):
            checked += 1
            ids = _drifted(session, plan, field)
            if ids:
                drift.append({"entity": plan.name, "field": field.name, "count": len(ids), "sample": ids[:SAMPLE]})
            if ids and repair:
                for start in range(0, len(ids), BATCH):
                    rollups.recompute(session, plan.name, field, ids[start : start + BATCH])
        ledgers = checking.verify(session)
        touched = [{"kind": t.kind, "row": t.row} for t in audit.verify(session)]
    return {"checked": checked, "drift": drift, "ledgers": ledgers, "audit": touched}


def _computed(session: Session) -> Iterator[tuple[EntityPlan, Field]]:
    for entity in session.app.entities.values():
        if entity.retired:
            continue
        plan = plan_of(session, entity.name)
        for field in plan.formulas:
            if field.column is not None:
                yield plan, field


def _drifted(session: Session, plan: EntityPlan, field: Field) -> list[int]:
    """Ids of living records whose stored value is not what the formula gives now."""
    assert field.formula is not None
    table = plan.table
    stored = table.c[column_name(field)]
    wanted = assigned(field.formula, field.value_type, table, sql_context(session))
    differs = sa.or_(stored.is_(None) & wanted.is_not(None), stored.is_not(None) & wanted.is_(None), stored != wanted)
    living = (table.c.deleted_at.is_(None), differs)
    if field.type != "money":
        return list(session.connection.scalars(sa.select(table.c.id).where(*living).order_by(table.c.id)))
    currency = plan.entity.currency  # amounts are stored in the decimals of their currency, which SQL does not know
    code = table.c[column_name(plan.fields[currency])] if currency else sa.null()
    found = session.connection.execute(sa.select(table.c.id, stored, wanted, code).where(*living).order_by(table.c.id))
    return [i for i, kept, value, code in found if fitted(session, field, value, code) != kept]


_WORDS = {
    "fine": {"zh": "{checked} 个汇总字段与审计均无偏差。", "en": "{checked} computed fields and the audit are right."},
    "drift": {
        "zh": "{entity}.{field}：{count} 条记录与重新计算的结果不同，如 {sample}",
        "en": "{entity}.{field}: {count} records differ from what is computed anew, such as {sample}",
    },
    "ledger": {
        "zh": "台账 {entity}（{kind}）：{count} 个维度的余额与分录之和不符，如 {sample}",
        "en": "Ledger {entity} ({kind}): {count} keys do not stand at the sum of their entries, such as {sample}",
    },
    "audit": {"zh": "审计第 {row} 行：{kind}", "en": "Row {row} of the audit: {kind}"},
}


def lines(result: dict[str, Any], language: str) -> list[str]:
    """The result for a terminal."""
    if not result["drift"] and not result["ledgers"] and not result["audit"]:
        return [_WORDS["fine"][language].format(**result)]
    drifted = [_WORDS["drift"][language].format(**{**d, "sample": d["sample"][:5]}) for d in result["drift"]]
    for one in result["ledgers"]:
        drifted.append(_WORDS["ledger"][language].format(**{**one, "sample": one["sample"][0]}))
    return drifted + [_WORDS["audit"][language].format(**t) for t in result["audit"]]
