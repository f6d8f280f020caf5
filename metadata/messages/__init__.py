"""What every problem of metadata says, in Chinese and English, and what to do about it.

Problems of expressions (`expression.…`) have their sentences in `rules.messages`.
"""

from __future__ import annotations

from metadata.messages import meaning, reading, whole
from metadata.messages.base import Message

MESSAGES: dict[str, Message] = {**reading.MESSAGES, **meaning.MESSAGES, **whole.MESSAGES}

__all__ = ["MESSAGES", "Message"]
