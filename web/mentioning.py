"""People mentioned in the text of an activity that is written in its form."""

from __future__ import annotations

from flask import request

from runtime.activities.mention import tell_new, text_field
from runtime.digits import number_in
from runtime.site import Session
from runtime.views.binder import BoundField
from web.i18n import _
from web.notes import note
from web.state import reading


def may_mention(field: BoundField) -> bool:
    """Whether "@" in this field of a form looks for people."""
    return bool(field.entity) and text_field(reading().app, field.entity) == field.name


def tell_mentioned(session: Session, entity: str, record_id: int, before: str) -> None:
    """Tells those whom the form names and its text mentions; says of whom it could not."""
    people = [n for n in (number_in(v) for v in request.form.getlist("mention")) if n is not None]
    untold = tell_new(session, entity, record_id, people, before)
    if untold:
        names = ("、" if session.language == "zh" else ", ").join(untold)
        note(_("Not told, for they may not see this: {names}", names=names), "warning")
