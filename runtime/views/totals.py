"""Totals of list columns over all rows of a list, not only the page shown."""

from __future__ import annotations

from collections.abc import Sequence

from rules.expression import Expression, parse
from rules.tree import Aggregate
from runtime.query.aggregate import Grouped, run_grouped
from runtime.views.binder import Binder
from runtime.views.lists import BoundList


def totals_of(binder: Binder, bound: BoundList, where: Sequence[Expression]) -> dict[str, str]:
    """The texts of the totals by column key; amounts are in the site's currency. Nothing for who may not report."""
    columns = {c.key: c for c in bound.columns if c.key in bound.totals}
    if not columns or not binder.can(bound.entity, "report"):
        return {}
    figures = {key: _figure(binder, bound.entity, bound.totals[key], key) for key in columns}
    wanted = {key: figure for key, figure in figures.items() if figure is not None}
    asked = Grouped(entity=bound.entity, figures=tuple(wanted.values()), where=tuple(where))
    found = run_grouped(binder.session, asked).figures
    coercion = binder.coercion()
    result = {}
    for key, value in zip(wanted, found[0] if found else ()):
        column = columns[key]
        if value is not None:
            counted = bound.totals[key] == "count"
            result[key] = f"{value:,}" if counted else column.type.to_text(value, column.field, coercion)
    return result


def _figure(binder: Binder, entity: str, aggregate: str, key: str) -> Aggregate | None:
    text = "count()" if aggregate == "count" else f"{aggregate}({key})"
    tree = parse(text, schema=binder.app, entity=entity, mode="measures").tree
    return tree if isinstance(tree, Aggregate) else None
