"""Which names may be declared."""

from __future__ import annotations

import keyword
import re

from metadata.kinds.shape import NAME

_NAME = re.compile(NAME)
# Words of the expression language, and of the API's addresses for entities.
EXPRESSION_WORDS = frozenset({*keyword.kwlist, "user", "old", "params", "this"})
API_WORDS = frozenset({"me", "reports", "lists", "imports", "metadata", "openapi"})
SYSTEM_FIELDS = (
    "id", "created_at", "created_on", "created_by", "updated_at", "updated_by", "version", "deleted_at", "deleted_by",
)  # fmt: skip


def is_name(text: str) -> bool:
    return bool(_NAME.match(text)) and "__" not in text and not text.endswith("_")


def reserved(text: str, kind: str) -> bool:
    """Whether a name is taken by the language; fields may not be named as entities' addresses are only by chance."""
    if kind == "entity":
        return text in API_WORDS or (text in EXPRESSION_WORDS and text != "user")
    if kind == "field":
        return text in EXPRESSION_WORDS or text in SYSTEM_FIELDS
    return False
