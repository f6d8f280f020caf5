"""What a message is."""

from __future__ import annotations

from typing import NamedTuple


class Message(NamedTuple):
    """A sentence and what to do about it, in Chinese and English; `{params}` are filled by the problem."""

    zh: str
    en: str
    advice_zh: str
    advice_en: str
