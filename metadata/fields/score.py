"""score: the number a `score` document gives a record, kept up to date by the platform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metadata.fields.base import Coercion, Rejection, register
from metadata.fields.decimal import Exact
from metadata.model import Field
from rules.typing import Type, decimal

DIGITS = 14


@register
class Score(Exact):
    """Stored like a decimal; its value comes from the parts of the score."""

    name = "score"
    label = {"zh": "评分", "en": "Score"}
    help = {"zh": "由评分规则计算并保存的数", "en": "A number that a score rule works out and keeps right"}
    writable = False
    kept = True
    properties = {
        "score": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,40}$", "description": "The `score` document"},
        "scale": {"type": "integer", "minimum": 0, "maximum": 4, "description": "Decimals kept; none where left out"},
    }
    required_properties = ("score",)

    def value_type(self, spec: Mapping[str, Any]) -> Type:
        return decimal(spec.get("scale", 0), DIGITS)

    def coerce(self, raw: Any, field: Field, context: Coercion) -> Any:
        raise Rejection("value.computed")
