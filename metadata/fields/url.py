"""url: the address of a web page, http or https only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from metadata.fields.base import Coercion, Rejection, register
from metadata.fields.reading import one_line
from metadata.fields.text import TextLike
from metadata.model import Field

LONGEST = 2000
_HOST = re.compile(r"(?:[^\W_](?:[\w-]*[^\W_])?)(?:\.[^\W_](?:[\w-]*[^\W_])?)*\.?")
_BARE = re.compile(r"[^\s:/?#@]+\.[^\s:/?#@]{2,}(?:[:/?#].*)?")
_UNSAFE = re.compile(r"[\s<>\"\\^`{|}]")


@register
class Url(TextLike):
    name = "url"
    label = {"zh": "网址", "en": "Web address"}
    help = {"zh": "http 或 https 网址", "en": "An http or https address"}
    widget = "url"
    own_max = LONGEST
    groupable = False

    def coerce(self, raw: Any, field: Field, context: Coercion) -> str | None:
        """The address; `https://` is put before a bare `www.example.com`."""
        if raw is None:
            return None
        if not isinstance(raw, str):
            raise Rejection("value.not_text")
        text = one_line(raw)
        if text is None:
            return None
        address = f"https://{text}" if _BARE.fullmatch(text[: LONGEST + 1]) else text
        if len(address) > LONGEST:
            raise Rejection("value.too_long", max=LONGEST)
        if not _sound(address):
            raise Rejection("value.not_a_url", value=text)
        return address

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        return {"type": ["string", "null"], "format": "uri", "maxLength": LONGEST}


def _sound(address: str) -> bool:
    """http(s), a host, no password in it, no character that could end the attribute it stands in."""
    if _UNSAFE.search(address):
        return False
    try:
        parts = urlsplit(address)
        port_fits = parts.port is None or parts.port > 0
        host = parts.hostname or ""
    except ValueError:
        return False
    named = bool(_HOST.fullmatch(host)) or ("[" in parts.netloc and ":" in host)
    return parts.scheme in ("http", "https") and named and port_fits and "@" not in parts.netloc
