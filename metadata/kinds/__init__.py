"""The kinds of document, one file each; importing this package makes them all known."""

from metadata.kinds import entity, options
from metadata.kinds.base import KINDS, Kind

KIND_MODULES = (entity, options)

__all__ = ["KINDS", "KIND_MODULES", "Kind"]
