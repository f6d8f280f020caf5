"""People mentioned by "@": in the text of an activity that is written in its form, and in comments."""

from __future__ import annotations

import re

from flask import request
from markupsafe import Markup, escape

from runtime.activities.mention import tell_new, text_field
from runtime.digits import number_in
from runtime.site import Session
from runtime.views.binder import Binder, BoundField
from web.i18n import _
from web.notes import note
from web.state import reading

_MENTION = re.compile(r"(?<![A-Za-z0-9_.+@-])@[\w·]{1,40}")


def may_mention(field: BoundField) -> bool:
    """Whether "@" in this field of a form looks for people."""
    if field.mentions:
        return Binder(reading()).can("user", "read")
    return bool(field.entity) and text_field(reading().app, field.entity) == field.name


def mentioned() -> list[int]:
    """The people that were chosen in the form that was sent."""
    return [n for n in (number_in(v) for v in request.form.getlist("mention")) if n is not None]


def tell_mentioned(session: Session, entity: str, record_id: int, before: str) -> None:
    """Tells those whom the form names and its text mentions; says of whom it could not."""
    untold = tell_new(session, entity, record_id, mentioned(), before)
    if untold:
        names = ("、" if session.language == "zh" else ", ").join(untold)
        note(_("Not told, for they may not see this: {names}", names=names), "warning")


def rich(text: str) -> Markup:
    """A text with the people it mentions marked."""
    pieces, at = [], 0
    for found in _MENTION.finditer(text):
        pieces.append(escape(text[at : found.start()]))
        pieces.append(Markup('<span class="mention">{}</span>').format(found.group()))
        at = found.end()
    pieces.append(escape(text[at:]))
    return Markup("").join(pieces)
