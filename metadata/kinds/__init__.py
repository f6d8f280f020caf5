"""The kinds of document, one file each; importing this package makes them all known."""

from metadata.kinds import entity, form, list, menu, numbering, options, package, report, role, segment
from metadata.kinds.base import KINDS, Kind

KIND_MODULES = (entity, options, form, list, segment, report, menu, role, numbering, package)

__all__ = ["KINDS", "KIND_MODULES", "Kind"]
