"""Writes the generated schemas."""

from metadata.schemas import write

write()
