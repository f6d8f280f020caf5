"""The rule at work on a field, as a sentence: its effect, and its text with the fields named as people know them."""

from __future__ import annotations

import re

from runtime.records.form import Reason
from runtime.views.binder import Binder
from web.i18n import _

_PIECES = re.compile(r"('[^']*'|\"[^\"]*\")|(?<![\w.])([a-z][a-z0-9_]*)(?![\w(])|(\.[a-z]+\(|\()|(\))")


def why_text(binder: Binder, entity: str, reason: Reason | None) -> str:
    """ "" where no rule is at work."""
    if reason is None:
        return ""
    rule = readable(binder, entity, reason.rule) if reason.rule else _("a rule over fields you may not see")
    if reason.effect == "hidden":
        return _("Hidden, for this does not hold: {rule}", rule=rule)
    if reason.effect == "locked":
        return _("Locked, for this holds: {rule}", rule=rule)
    return _("Required, for this holds: {rule}", rule=rule)


def readable(binder: Binder, entity: str, text: str) -> str:
    """An expression with the labels of the entity's own fields in the place of their names.

    Inside a collection (`orders.sum(…)`) names are those of its members and stay as they are.
    """
    fields = binder.app.entities[entity].fields
    around: list[bool] = []  # for each open bracket, whether it is that of a collection

    def told(found: re.Match[str]) -> str:
        if found.group(3):
            around.append(found.group(3).startswith("."))
        elif found.group(4) and around:
            around.pop()
        name = found.group(2) if not any(around) else None
        known = fields.get(name) if name else None
        return found.group() if known is None else known.label.of(binder.language)

    return _PIECES.sub(told, text)
