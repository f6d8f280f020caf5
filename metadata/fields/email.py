"""email: an e-mail address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from metadata.fields.base import Coercion, Rejection, register
from metadata.fields.reading import one_line, width_folded
from metadata.fields.text import TextLike
from metadata.model import Field

LONGEST = 254  # RFC 5321
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"(?!-)[^\W_](?:[\w-]{0,61}[^\W_])?"
_ADDRESS = re.compile(rf"(?P<local>{_LOCAL})@(?P<domain>{_LABEL}(?:\.{_LABEL})+)")


@register
class Email(TextLike):
    name = "email"
    label = {"zh": "邮箱", "en": "E-mail"}
    help = {"zh": "邮箱地址", "en": "An e-mail address"}
    widget = "email"
    own_max = LONGEST

    def coerce(self, raw: Any, field: Field, context: Coercion) -> str | None:
        """The address with its domain in lower case."""
        if raw is None:
            return None
        if not isinstance(raw, str):
            raise Rejection("value.not_text")
        text = one_line(raw)
        if text is None:
            return None
        text = width_folded(text).removeprefix("mailto:")
        found = _ADDRESS.fullmatch(text) if len(text) <= LONGEST else None
        if not found or len(found["local"]) > 64:
            raise Rejection("value.not_an_email", value=text)
        return f"{found['local']}@{found['domain'].lower()}"

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        return {"type": ["string", "null"], "format": "email", "maxLength": LONGEST}
