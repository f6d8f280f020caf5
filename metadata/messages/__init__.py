"""What every problem of metadata says, in Chinese and English, and what to do about it.

Problems of expressions (`expression.…`) have their sentences in `rules.messages`.
"""

from __future__ import annotations

from metadata.messages import (
    acting,
    approving,
    assigning,
    booking,
    deciding,
    duplicating,
    happening,
    meaning,
    qualifying,
    reading,
    scoring,
    visiting,
    whole,
)
from metadata.messages.base import Message

MESSAGES: dict[str, Message] = {
    **reading.MESSAGES,
    **meaning.MESSAGES,
    **whole.MESSAGES,
    **deciding.MESSAGES,
    **booking.MESSAGES,
    **acting.MESSAGES,
    **scoring.MESSAGES,
    **qualifying.MESSAGES,
    **assigning.MESSAGES,
    **approving.MESSAGES,
    **happening.MESSAGES,
    **duplicating.MESSAGES,
    **visiting.MESSAGES,
}

__all__ = ["MESSAGES", "Message"]
