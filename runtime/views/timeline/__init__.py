"""The timeline of a record: what happened to it and around it, one page at a time, as far as this reader may know."""

from runtime.views.timeline.entries import Entry
from runtime.views.timeline.legs import Asked, Leg, Scope, scope_of
from runtime.views.timeline.page import PAGE, Page, page, words

__all__ = ["PAGE", "Asked", "Entry", "Leg", "Page", "Scope", "page", "scope_of", "words"]
