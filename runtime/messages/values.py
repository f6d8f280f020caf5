"""Values that a field cannot take: the catalogue of the field types."""

from __future__ import annotations

from metadata.fields.messages import MESSAGES
from runtime.messages import register

register(MESSAGES)
