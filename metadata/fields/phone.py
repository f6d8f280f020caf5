"""phone: a telephone number, kept in one spelling so that equal numbers are equal texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from metadata.fields.base import Coercion, Rejection, register
from metadata.fields.reading import as_text, one_line, width_folded
from metadata.fields.text import TextLike
from metadata.model import Field

LONGEST = 40
_CN_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_CN_SHORT = re.compile(r"1[0-2][0-9]{3}|9[56][0-9]{3,4}")  # carriers, public services, banks: 10086, 12345, 95588
_NOISE = re.compile(r"[\s()\-.·/]+")
_EXTENSION = re.compile(r"(.*?)\s*(?:转|分机|ext\.?|x|#|,)\s*[:.]?\s*([0-9]{1,7})", re.IGNORECASE)
_KEPT_EXTENSION = re.compile(r"(0[0-9]{2,3}-[0-9]{7,8})-([0-9]{1,7})")
_WRITTEN = re.compile(r"\+?[0-9()\s\-.·/]{3,30}")


@register
class Phone(TextLike):
    name = "phone"
    label = {"zh": "电话", "en": "Phone"}
    help = {
        "zh": "手机或座机;国内号码存为 13912345678、0755-12345678,国外号码带国家代码",
        "en": "Mobile or landline; numbers of the site's country in national form, others with their country code",
    }
    widget = "phone"
    own_max = LONGEST
    properties = {
        "country": {
            "type": "string",
            "pattern": "^[A-Z]{2}$",
            "description": "Country of numbers written without a country code; CN where none is given",
        }
    }

    def coerce(self, raw: Any, field: Field, context: Coercion) -> str | None:
        if raw is None:
            return None
        text = one_line(as_text(raw))
        if text is None:
            return None
        country = str(field.settings.get("country", "CN"))
        if country == "CN" and _CN_MOBILE.fullmatch(text):
            return text
        number = _normalised(width_folded(text), country) if len(text) <= LONGEST else None
        if number is None:
            raise Rejection("value.not_a_phone", value=text)
        return number

    def to_text(self, value: Any, field: Field, context: Coercion) -> str:
        """Mobile numbers in groups as people read them: `139 1234 5678`."""
        if value is None:
            return ""
        if _CN_MOBILE.fullmatch(value):
            return f"{value[:3]} {value[3:7]} {value[7:]}"
        return str(value)

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        return {"type": ["string", "null"], "maxLength": LONGEST}


@lru_cache(maxsize=4096)
def _normalised(text: str, country: str) -> str | None:
    """The one spelling of a number, with its extension after a hyphen; None for what is no number."""
    text = re.sub(r"^\(?(?:00|\+)\)?\s*86\)?[\s-]*(?=1[3-9])", "", text) if country == "CN" else text
    bare = _NOISE.sub("", text)
    if country == "CN" and (_CN_MOBILE.fullmatch(bare) or _CN_SHORT.fullmatch(bare)):
        return bare
    with_extension = _EXTENSION.fullmatch(text) or _KEPT_EXTENSION.fullmatch(text)
    main, extension = with_extension.groups() if with_extension else (text, "")
    number = _parsed(main, country) if _WRITTEN.fullmatch(main.strip()) else None
    return f"{number}-{extension}" if number and extension else number


def _parsed(text: str, country: str) -> str | None:
    # Late: the tables of numbers cost 10 ms and some megabytes, and most numbers take the fast way above.
    import phonenumbers

    if text.startswith("00"):
        text = "+" + text[2:]
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    if phonenumbers.region_code_for_number(number) != country:
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    national = str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL))
    return _national(national, country)


def _national(text: str, country: str) -> str:
    if country != "CN":
        return _NOISE.sub("", text)
    area, _, rest = text.partition(" ")
    local = _NOISE.sub("", rest)
    return f"{area}-{local}" if area.startswith("0") and local else _NOISE.sub("", text)
