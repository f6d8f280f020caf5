"""is_uscc: the check digit of a Chinese unified social credit code (GB 32100-2015)."""

from __future__ import annotations

from rules.registry import Text, rule_function
from rules.typing import BOOLEAN

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LENGTH = 18


@rule_function(
    "is_uscc",
    args=[Text],
    returns=BOOLEAN,
    layer="core",
    help={
        "zh": "是否为校验位正确的统一社会信用代码",
        "en": "Whether it is a unified social credit code with the right check digit",
    },
)
def is_uscc(text: str) -> bool:
    if len(text) != LENGTH or set(text) - set(ALPHABET):
        return False
    total = sum(ALPHABET.index(char) * pow(3, place, 31) for place, char in enumerate(text[:-1]))
    return ALPHABET[(31 - total % 31) % 31] == text[-1]
