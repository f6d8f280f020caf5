"""The kinds of document, one file each; importing this package makes them all known."""

from metadata.kinds import (
    approval,
    assignment,
    conversion,
    duplicate,
    entity,
    form,
    list,
    menu,
    numbering,
    options,
    package,
    pool,
    pricing,
    qualification,
    reminder,
    report,
    role,
    score,
    segment,
    web_form,
    workflow,
)
from metadata.kinds.base import KINDS, Kind

KIND_MODULES = (
    entity,
    options,
    form,
    list,
    segment,
    report,
    menu,
    role,
    numbering,
    package,
    assignment,
    pool,
    score,
    approval,
    workflow,
    reminder,
    qualification,
    conversion,
    pricing,
    duplicate,
    web_form,
)

__all__ = ["KINDS", "KIND_MODULES", "Kind"]
