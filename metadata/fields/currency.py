"""currency: the code of a currency (ISO 4217), such as CNY."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from metadata.fields.base import Coercion, Rejection, register
from metadata.fields.reading import one_line, width_folded
from metadata.fields.text import TextLike
from metadata.model import Field

_CODE = re.compile(r"[A-Z]{3}")
_WORDS = {
    "人民币": "CNY",
    "RMB": "CNY",
    "美元": "USD",
    "欧元": "EUR",
    "港元": "HKD",
    "港币": "HKD",
    "日元": "JPY",
    "英镑": "GBP",
}


@register
class Currency(TextLike):
    name = "currency"
    label = {"zh": "币种", "en": "Currency"}
    help = {"zh": "三位币种代码,例如 CNY", "en": "A three-letter currency code such as CNY"}
    widget = "currency"
    own_max = 3
    searchable = False
    operators = ("==", "!=", "in", "not in", "is None", "is not None")

    def coerce(self, raw: Any, field: Field, context: Coercion) -> str | None:
        if raw is None:
            return None
        if not isinstance(raw, str):
            raise Rejection("value.not_text")
        text = one_line(raw)
        if text is None:
            return None
        code = width_folded(text[:20]).upper()
        code = _WORDS.get(code, code)
        if not _CODE.fullmatch(code) or len(text) > 20:
            raise Rejection("value.not_a_currency", value=text)
        return code

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        return {"type": ["string", "null"], "pattern": "^[A-Z]{3}$"}
