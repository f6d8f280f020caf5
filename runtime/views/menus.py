"""The menu of a user: the declared one, without what they may not open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from metadata.model import Menu, MenuItem
from runtime.messages import say
from runtime.views.binder import Binder


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundItem:
    """Leads to a list (`entity`, perhaps `view`), a report or a page of its own, or holds items."""

    name: str
    label: str
    icon: str | None = None
    entity: str | None = None
    view: str | None = None
    report: str | None = None
    page: str | None = None
    items: tuple[BoundItem, ...] = ()

    @property
    def leaves(self) -> tuple[BoundItem, ...]:
        return self.items or (self,)


def bind_menu(binder: Binder) -> tuple[BoundItem, ...]:
    """The items of the menu for this user's roles; of every readable entity where none is declared."""
    return binder.keep("menu", bind=lambda: _bind(binder))


def _bind(binder: Binder) -> tuple[BoundItem, ...]:
    menu = _declared(binder)
    if menu is None:
        found = (_entity_item(binder, name) for name in binder.app.entities)
        return tuple(item for item in found if item is not None)
    items = tuple(item for item in (_item(binder, declared) for declared in menu.items) if item is not None)
    return items + _unplaced(binder, menu)


BOTTOM = 3  # places of the bar at the bottom of a phone, besides home and oneself


def bind_bottom(binder: Binder) -> tuple[BoundItem, ...]:
    """What a phone has at the bottom: the items that the menu names, else its first ones of different places."""
    return binder.keep("bottom", bind=lambda: _bind_bottom(binder))


def _bind_bottom(binder: Binder) -> tuple[BoundItem, ...]:
    menu = _declared(binder)
    leaves = [leaf for item in bind_menu(binder) for leaf in item.leaves]
    if menu is not None and menu.bottom:
        wanted = [next((leaf for leaf in leaves if leaf.name == name), None) for name in menu.bottom]
        return tuple(leaf for leaf in wanted if leaf is not None)[:BOTTOM]
    places: dict[tuple[str | None, ...], BoundItem] = {}
    for leaf in leaves:
        places.setdefault((leaf.entity, leaf.report, leaf.page), leaf)
    return tuple(places.values())[:BOTTOM]


def _unplaced(binder: Binder, menu: Menu) -> tuple[BoundItem, ...]:
    """A group of the entities that another layer added and no menu names: what was just published can be reached."""
    named = {leaf.entity for one in binder.app.menus for leaf in _declared_leaves(one.items)}
    others = (e for e in binder.app.entities.values() if e.origin.layer != menu.origin.layer and e.name not in named)
    items = tuple(item for item in (_entity_item(binder, e.name) for e in others) if item is not None)
    if not items:
        return ()
    return (BoundItem(name="more", label=say("menu.more", binder.language), icon="dots", items=items),)


def _declared_leaves(items: Iterable[MenuItem]) -> Iterator[MenuItem]:
    for item in items:
        yield item
        yield from _declared_leaves(item.items)


def _declared(binder: Binder) -> Menu | None:
    roles = binder.session.user.roles
    fitting = [m for m in binder.app.menus if m.for_role in (None, *roles)]
    return max(fitting, key=lambda m: m.for_role is not None, default=None)


def _entity_item(binder: Binder, name: str) -> BoundItem | None:
    entity = binder.app.entities[name]
    if entity.platform or entity.parent is not None or entity.retired or not binder.can(name, "read"):
        return None
    return BoundItem(name=name, label=entity.plural.of(binder.language), icon=entity.icon, entity=name)


def _item(binder: Binder, declared: MenuItem) -> BoundItem | None:
    if declared.items:
        items = tuple(i for i in (_item(binder, d) for d in declared.items) if i is not None)
        if not items:
            return None
    else:
        items = ()
        if declared.entity and (declared.entity not in binder.app.entities or not binder.can(declared.entity, "read")):
            return None
        if declared.report and not _may_report(binder, declared.report):
            return None
        if declared.page and not _has_page(binder, declared.page):
            return None
        if not (declared.entity or declared.report or declared.page):
            return None
    return BoundItem(
        name=declared.name,
        label=declared.label.of(binder.language),
        icon=declared.icon or _icon(binder, declared),
        entity=declared.entity,
        view=declared.view,
        report=declared.report,
        page=declared.page,
        items=items,
    )


# what a page of its own shows, and its icon: it is there where something of that kind is declared
PAGES: dict[str, tuple[tuple[str, ...], str]] = {
    "inbox": (("approval",), "checks"),
    "pools": (("pool",), "lifebuoy"),
    "runs": (("workflow", "reminder"), "activity"),
    "rules": ((), "gavel"),
    "samples": ((), "database"),
    "notifications": ((), "bell"),
    "today": ((), "sun"),
}
ADMIN_PAGES = frozenset({"runs", "rules", "samples"})


def _has_page(binder: Binder, page: str) -> bool:
    words, _ = PAGES[page]
    shown = not words or any(binder.app.of(word) for word in words)
    return shown and (page not in ADMIN_PAGES or binder.session.user.admin)


def _icon(binder: Binder, declared: MenuItem) -> str | None:
    if declared.entity:
        return binder.app.entities[declared.entity].icon
    if declared.report:
        return "chart-bar"
    return PAGES[declared.page][1] if declared.page else None


def _may_report(binder: Binder, name: str) -> bool:
    report = binder.app.reports.get(name)
    return report is not None and binder.can(report.entity, "read")
