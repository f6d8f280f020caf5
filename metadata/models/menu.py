"""The navigation, as compiled."""

from __future__ import annotations

from dataclasses import dataclass

from metadata.texts import Origin, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuItem:
    """Leads to an entity's list (`entity`, optionally `view`), a report, a page of its own, or holds further items."""

    name: str
    label: Text
    icon: str | None = None
    entity: str | None = None
    view: str | None = None
    report: str | None = None
    page: str | None = None
    items: tuple[MenuItem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    name: str
    items: tuple[MenuItem, ...]
    bottom: tuple[str, ...] = ()  # names of the items a phone has at the bottom of the screen
    for_role: str | None = None
    origin: Origin
