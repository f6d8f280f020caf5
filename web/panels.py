"""Cards beside a record, one for each kind of rule that has something to show there, and dialogs of its actions.

A card is loaded by itself once the page is there, so that it costs the page nothing; a panel of a kind that the
application does not use on an entity is never asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from metadata.model import Application, Entity
from runtime.site import Session

# modules that register panels and dialogs; imported when the first record page is shown
MODULES: tuple[str, ...] = (
    "web.cards.ownership",
    "web.cards.approval",
    "web.cards.score",
    "web.cards.qualification",
    "web.cards.conversion",
    "web.cards.pricing",
    "web.cards.ledger",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """`data(session, entity, id)` fills `template`; None where there is nothing to show for this record.

    `label()` is the heading in the language of the request.
    """

    word: str
    label: Callable[[], str]
    applies: Callable[[Application, Entity], bool]
    template: str
    data: Callable[[Session, str, int], Mapping[str, Any] | None]


_PANELS: dict[str, Panel] = {}
_DIALOGS: dict[str, str] = {}


def register(panel: Panel) -> None:
    """Adds a panel, or puts another in the place of that of its word."""
    _PANELS[panel.word] = panel


def dialog(word: str, template: str) -> None:
    """The template of a kind's own dialog: it shows `detail` (see `runtime.actions`) around the asks of an action."""
    _DIALOGS[word] = template


def panels(session: Session, entity: Entity) -> tuple[Panel, ...]:
    """The panels that records of an entity have, kept per published version."""
    memo = session.tables.memo
    found: tuple[Panel, ...] | None = memo.get(("panels", entity.name))
    if found is None:
        found = memo["panels", entity.name] = tuple(
            panel for panel in _known().values() if panel.applies(session.app, entity)
        )
    return found


def panel(word: str) -> Panel | None:
    return _known().get(word)


def dialog_of(word: str) -> str:
    """The template of an action's dialog."""
    _known()
    return _DIALOGS.get(word, "records/action.html")


def _known() -> dict[str, Panel]:
    for module in MODULES:
        import_module(module)
    return _PANELS
