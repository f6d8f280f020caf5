"""From a figure over what belongs to a record to those records: the expression that finds them in their own list."""

from __future__ import annotations

from rules.expression import Expression
from rules.tree import Aggregate, Field, Row
from runtime.views.binder import Binder, BoundField

FIGURES = ("integer", "decimal", "percent", "money", "duration")


def behind(binder: Binder, column: BoundField) -> tuple[str, str] | None:
    """(entity of the members, expression with `{}` for the record's id) of a figure over one collection.

    A count or a sum with a condition leads to the members it counts, any other formula to all of the collection.
    None where the field is no such figure, or where this user may not open the list of the members.
    """
    formula = column.field.formula
    if formula is None or "." in column.key or column.field.value_type.kind not in FIGURES:
        return None
    if len(formula.collections) != 1:
        return None
    ((owner, name),) = formula.collections
    members = binder.app.entities[owner].fields[name]
    child = members.entity or ""
    described = binder.app.entities.get(child)
    if owner != column.entity or described is None or described.parent is not None or not members.by or members.through:
        return None
    if not binder.can(child, "read") or not binder.visible(child, members.by):
        return None
    condition = _condition(binder, formula)
    return child, f"{members.by}.id == {{}}" + (f" and ({condition})" if condition else "")


def _condition(binder: Binder, formula: Expression) -> str:
    """The condition of a formula that is one count or sum, as text; "" where it reads more than the members show."""
    tree = formula.tree
    if not isinstance(tree, Aggregate) or tree.where is None:
        return ""
    for node in tree.where.walk():
        if isinstance(node, Row) and node.level > 0:
            return ""  # goes by the record that has the members: their own list knows none
        if isinstance(node, Field) and not binder.visible(node.entity, node.name):
            return ""
    text = formula.text[tree.where.start : tree.where.end]
    return "" if "{" in text else text
