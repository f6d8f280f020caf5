"""The card of a record's scores: the number, the grade, what each part gave, and how it came to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metadata.model import Application, Entity
from runtime.decisions.scores import explain, scores_of
from runtime.site import Session
from web.i18n import _
from web.panels import Panel, register


def applies(app: Application, entity: Entity) -> bool:
    return bool(scores_of(app, entity.name))


def data(session: Session, entity: str, record_id: int) -> Mapping[str, Any] | None:
    """None where the person sees no score of the record, or none applies to it."""
    shown = [score for score in explain(session, entity, record_id)["scores"] if score["steps"]]
    if not shown:
        return None
    colours = {s.name: _colours(session, s.name) for s in scores_of(session.app, entity)}
    return {"scores": [{**score, "colour": colours[score["name"]].get(score["grade"])} for score in shown]}


def _colours(session: Session, score: str) -> dict[str | None, str | None]:
    """Colour by grade, as the grades declare them."""
    options = session.app.options.get(f"score__{score}__grades")
    return {choice.name: choice.colour for choice in options.choices} if options is not None else {}


register(Panel(word="score", label=lambda: str(_("Scores")), applies=applies, template="scores/card.html", data=data))
