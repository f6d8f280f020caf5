"""The command palette: go anywhere, create anything, act on the record at hand, find a record; by name or pinyin."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from flask import Blueprint, Response, make_response, render_template, request

from runtime import actions
from runtime.errors import Answer
from runtime.query.pinyin import initials
from runtime.query.search import search
from runtime.views.binder import Binder
from runtime.views.lookups import second_lines
from runtime.views.menus import BoundItem, bind_menu
from web.device import device
from web.i18n import LANGUAGES, _
from web.state import reading, state

blueprint = Blueprint("palette", __name__)
MOST_OF_A_GROUP = 8
MOST_RECORDS = 8
_RECORD = re.compile(r"/e/([a-z][a-z0-9_]{0,40})/([1-9][0-9]{0,15})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Leads to `address`, or posts there what `values` hold; `again` words find it besides its label."""

    label: str
    icon: str
    address: str
    post: bool = False
    values: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    quick: str = ""  # the address of a dialog that does it in place, where scripts run
    again: str = ""


@blueprint.get("/palette")
def show() -> Response:
    """What fits `q`, in groups; `at` is the address of the page it was opened on."""
    binder = Binder(reading(), device())
    text = request.args.get("q", "").strip()[:100]
    at = request.args.get("at", "")[:300]
    groups = [
        (_("This record"), list(_fitting(_on_record(binder, at), text))),
        (_("Go to"), list(_fitting(_places(binder), text))),
        (_("New"), list(_fitting(_new(binder), text))),
        (_("Preferences"), list(_fitting(_preferences(binder, at), text))),
    ]
    found = [(label, commands[:MOST_OF_A_GROUP]) for label, commands in groups if commands]
    found += _records(binder, text)
    return make_response(render_template("partials/palette_results.html", groups=found, q=text))


def _fitting(commands: Iterable[Command], text: str) -> Iterator[Command]:
    wanted = text.casefold()
    for command in commands:
        said = f"{command.label} {command.again}".casefold()
        if all(part in said or part in initials(command.label) for part in wanted.split()):
            yield command


def _on_record(binder: Binder, at: str) -> Iterator[Command]:
    place = _RECORD.match(at)
    if place is None or place[1] not in binder.app.entities:
        return
    base = f"/e/{place[1]}/{place[2]}"
    try:
        offers = actions.offers(binder.session, place[1], int(place[2]))
        actions.visible(binder.session, place[1], int(place[2]))
    except Answer:
        return
    for offer in offers:
        if offer.open:
            ask = bool(offer.asks or offer.detail or offer.confirm)
            address = offer.page or f"{base}/actions/{offer.name}"
            yield Command(label=offer.label, icon=offer.icon, address=address, post=not ask and not offer.page)
    if binder.can(place[1], "edit"):
        yield Command(label=_("Edit"), icon="edit", address=f"{base}/edit", again="edit", hint="E")
    if binder.can(place[1], "create"):
        yield Command(label=_("Copy"), icon="copy", address=f"{base}/copy", again="copy duplicate")


def _places(binder: Binder) -> Iterator[Command]:
    yield Command(label=_("Home"), icon="home", address="/", again="home")
    for item in bind_menu(binder):
        for leaf in item.leaves:
            yield Command(
                label=leaf.label,
                icon=leaf.icon or "folder",
                address=_address(leaf),
                hint=item.label if item.items else "",
                again=f"{leaf.entity or ''} {leaf.report or ''} {leaf.page or ''}".replace("_", " "),
            )
    yield Command(label=_("Recycle bin"), icon="trash", address="/recycle-bin", again="recycle bin trash")
    yield Command(label=_("My account"), icon="user-circle", address="/profile", again="account profile password")


def _address(item: BoundItem) -> str:
    if item.page:
        return f"/{item.page}"
    if item.report:
        return f"/reports/{item.report}"
    return f"/e/{item.entity}" + (f"?view={item.view}" if item.view else "")


def _new(binder: Binder) -> Iterator[Command]:
    for entity in binder.app.entities.values():
        if entity.parent is None and not entity.platform and not entity.retired and binder.can(entity.name, "create"):
            label = _("New {name}", name=entity.label.of(binder.language))
            again = f"new {entity.name.replace('_', ' ')}"
            yield Command(
                label=label,
                icon=entity.icon or "plus",
                address=f"/e/{entity.name}/new",
                again=again,
                quick=f"/e/{entity.name}/quick",
            )


def _preferences(binder: Binder, at: str) -> Iterator[Command]:
    now = state()
    for code, name in LANGUAGES.items():
        if code != now.language:
            values = (("language", code), ("next", at or "/"))
            yield Command(
                label=name, icon="language", address="/preferences", post=True, values=values, again="language 语言"
            )
    if binder.session.user.admin and now.seen_as is None:
        yield Command(label=_("See as somebody else"), icon="eye", address="/view-as", again="view as 身份")
    themes = {"light": _("Appearance: light"), "dark": _("Appearance: dark"), "auto": _("Appearance: as the system")}
    for theme, label in themes.items():
        if theme != now.theme:
            values = (("theme", theme), ("next", at or "/"))
            sign = {"light": "sun", "dark": "moon", "auto": "device-desktop"}[theme]
            yield Command(
                label=label, icon=sign, address="/preferences", post=True, values=values, again=f"theme {theme} 外观"
            )


def _records(binder: Binder, text: str) -> list[tuple[str, list[Command]]]:
    if not text:
        return []
    session = binder.session
    hits = sorted(search(session, text, limit=MOST_RECORDS), key=lambda hit: hit.entity)
    found = []
    for name, group in groupby(hits, key=lambda hit: hit.entity):
        entity = session.app.entities[name]
        several = list(group)
        second = second_lines(binder, name, [h.id for h in several])
        icon = entity.icon or "folder"
        commands = [Command(label=h.title, icon=icon, address=f"/e/{name}/{h.id}", hint=second[h.id]) for h in several]
        found.append((entity.plural.of(session.language), commands))
    return found
