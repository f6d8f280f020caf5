"""Fields of a form as HTML: one fragment per field, kind of user and state of its rules, with gaps for the values.

A template per field and request costs more than everything else of a form; so each is rendered once for every way the
field can look, and then only filled.
"""

from __future__ import annotations

from typing import Any

from flask import render_template
from markupsafe import Markup

from runtime.views.binder import Binder
from runtime.views.forms import BoundForm, Input
from web.prepared import Prepared, mark
from web.widgets import widget

MOST = 64  # ways one field may look
_PLAIN = frozenset(
    f"widgets/{name}.html" for name in ("text", "number", "money", "percent", "textarea")
)  # show `raw` and nothing else of the value
_LOOKUP, _SELECT, _CHECKBOX = "widgets/lookup.html", "widgets/select.html", "widgets/checkbox.html"


def written_fields(binder: Binder, form: BoundForm, made: dict[str, Input], currency: str) -> dict[str, Markup]:
    """The HTML of every field of the form, by name."""
    fragments: dict[str, dict[Any, Prepared]] = binder.keep(
        "fragments", form.entity, bind=lambda: {name: {} for name in form.fields}
    )
    found = {}
    for tab in form.edited:
        for section in tab.sections:
            alone = len(section.items) == 1 and section.items[0].label == section.label
            for item in section.items:
                found[item.name] = _written(fragments[item.name], made[item.name], alone, currency)
    return found


def _written(fragments: dict[Any, Prepared], one: Input, alone: bool, currency: str) -> Markup:
    look = None if one.problems else _look(one)
    if look is None:
        return _rendered(one, alone, currency)
    shown = currency if one.field.widget == "money" else ""
    key = (look, one.visible, one.required, one.readonly, one.reason, alone, shown)
    prepared = fragments.get(key)
    if prepared is None:
        prepared = Prepared(_rendered(_marked(one), alone, currency))
        if len(fragments) < MOST:
            fragments[key] = prepared
    return prepared.fill({"raw": one.raw, "title": one.title, "text": one.text})


def _look(one: Input) -> Any:
    """What of the value decides how the field looks, not only what it says; None where the template has to see it."""
    if one.field.readonly:
        return "text"
    template, raw = widget(one.field.widget).template, one.raw
    if template in _PLAIN:
        return raw is not None
    if template == _LOOKUP:
        return None if raw is not None and not raw else (raw is not None, one.title is not None)
    if template == _SELECT:
        return (raw,) if raw is None or any(c.name == raw for c in one.field.choices) else None
    return raw in ("true", True) if template == _CHECKBOX else None


def _marked(one: Input) -> Input:
    """The field with marks for its values, where they are gaps."""
    plain = widget(one.field.widget).template not in (_SELECT, _CHECKBOX)
    return Input(
        field=one.field,
        name=one.name,
        raw=mark("raw") if plain and one.raw is not None else one.raw,
        title=None if one.title is None else mark("title"),
        text=mark("text"),
        visible=one.visible,
        required=one.required,
        readonly=one.readonly,
        reason=one.reason,
    )


def _rendered(one: Input, alone: bool, currency: str) -> Markup:
    return Markup(render_template("records/field.html", one=one, alone=alone, currency=currency))  # noqa: S704 - escaped by it
