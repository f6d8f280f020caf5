"""grade: the grade of a record's score, one of those the `score` document names."""

from __future__ import annotations

from typing import Any

from metadata.fields.base import Coercion, Rejection, register
from metadata.fields.select import Select
from metadata.model import Field


@register
class Grade(Select):
    """Kept like a select; its choices are the grades of the score, best first."""

    name = "grade"
    label = {"zh": "等级", "en": "Grade"}
    help = {"zh": "评分所在的等级", "en": "The grade that a score falls into"}
    writable = False
    kept = True
    properties = {
        "score": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,40}$", "description": "The `score` document"},
    }
    required_properties = ("score",)

    def coerce(self, raw: Any, field: Field, context: Coercion) -> Any:
        raise Rejection("value.computed")
