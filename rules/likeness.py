"""What of a value counts when two records are compared: company names without their legal form, digits of a phone.

Each way turns a value into a key; equal keys mean alike. Nothing (None) is alike to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from rules.folding import fold

LONGEST = 120  # characters of a key; longer ones are compared by their beginning
_LEAST_DIGITS = 5
_NEITHER = re.compile(r"[\W_]+")
_FORMS_ZH = re.compile(r"股份有限公司|有限[责責]任公司|有限公司|股份公司$|公司$")
_FORMS_EN = frozenset(
    {"co", "company", "corp", "corporation", "gmbh", "ag", "inc", "incorporated", "limited", "llc", "llp", "ltd"}
    | {"plc", "pte", "pty", "sa", "sarl", "the"}
)


def exact(value: object) -> str | None:
    """The value as text, whatever its case and width."""
    return _key(fold(str(value)).strip()) if value is not None else None


def words(value: object) -> str | None:
    """Letters and digits alone: no spaces, brackets, dots or dashes."""
    return _key(_NEITHER.sub("", fold(str(value)))) if value is not None else None


def company(value: object) -> str | None:
    """`宁波（中国）零件制造有限公司` → `宁波中国零件制造`; `Ningbo Parts Co., Ltd.` → `ningboparts`.

    A name that is nothing but a legal form stays whole.
    """
    if value is None:
        return None
    parts = [p for p in _NEITHER.split(fold(str(value))) if p]
    named = "".join(p for p in parts if p not in _FORMS_EN)
    return _key(_FORMS_ZH.sub("", named)) or _key("".join(parts))


def phone(value: object) -> str | None:
    """The digits without the country's code of China and the zero before an area's."""
    if value is None:
        return None
    digits = "".join(c for c in fold(str(value)) if c in "0123456789").lstrip("0")
    if digits.startswith("86") and len(digits) > 11:
        digits = digits[2:].lstrip("0")
    return digits[:LONGEST] if len(digits) >= _LEAST_DIGITS else None


def email(value: object) -> str | None:
    """The address without its case."""
    return exact(value)


def _key(text: str) -> str | None:
    return text[:LONGEST] or None


WAYS: Mapping[str, Callable[[object], str | None]] = {
    "exact": exact,
    "words": words,
    "company": company,
    "phone": phone,
    "email": email,
}


def similar(way: str, value: object) -> str | None:
    """The key of a value by the way of that name. KeyError for a way there is not."""
    return WAYS[way](value)
