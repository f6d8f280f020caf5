"""What every template may use: texts, icons, addresses, the page's frame."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast
from urllib.parse import quote, urlencode

import orjson
from flask import Flask, g, get_flashed_messages, render_template, request, url_for
from markupsafe import Markup

from runtime.views.binder import Binder
from runtime.views.menus import BoundItem, bind_bottom, bind_menu
from web import state as request_state
from web.form_session import form_token
from web.i18n import LANGUAGES, _, plural
from web.mentioning import may_mention, rich
from web.prepared import Prepared, mark
from web.widgets import avatar, badge, widget


def prepare(app: Flask) -> None:
    """Sets up the template environment of the application."""
    environment = app.jinja_env
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.policies["json.dumps_function"] = lambda value, **_kw: orjson.dumps(value).decode()
    files = app.extensions[request_state.EXTENSION].files
    sprite = lru_cache(maxsize=1)(lambda: files.address("icons.svg"))

    @lru_cache(maxsize=1024)
    def icon(name: str | None, extra: str = "", fallback: str = "circle") -> Markup:
        shown = files.icon(name, fallback)
        return Markup('<svg class="icon {}" aria-hidden="true"><use href="{}#{}"/></svg>').format(
            extra, sprite(), shown
        )

    @app.context_processor
    def request_values() -> dict[str, str]:
        now = request_state.state()
        return {"language": now.language, "theme": now.theme}

    environment.globals.update(
        {
            "_": _,
            "plural": plural,
            "icon": icon,
            "asset": lru_cache(maxsize=16)(files.address),
            "avatar": avatar,
            "badge": badge,
            "widget": widget,
            "languages": LANGUAGES,
            "csrf": form_token,
            "client_texts": client_texts,
            "frame": frame,
            "toasts": toasts,
            "mark": mark,
            "here": lambda: request.path,
            "address_with": address_with,
            "list_address": list_address,
            "columns_address": columns_address,
            "view_address": view_address,
            "query_address": query_address,
            "record_address": record_address,
            "may_mention": may_mention,
            "rich": rich,
        }
    )


def list_address(entity: str, **query: Any) -> str:
    return url_for("lists.show", entity=entity, **query)


def columns_address() -> str:
    """The chooser of columns for the list at the present address."""
    return _beside("columns")


def view_address(what: str) -> str:
    """A deed on the views of the list at the present address."""
    return _beside(f"views/{what}")


def query_address() -> str:
    """The query builder for the list at the present address."""
    return _beside("query")


def _beside(what: str) -> str:
    query = request.query_string.decode("utf-8", "replace")
    return f"{request.path}/{what}{'?' + query if query else ''}"


def record_address(entity: str, record_id: int | str) -> str:
    return f"/e/{entity}/{record_id}"


def address_with(**changes: Any) -> str:
    """The present address with some parameters changed; None takes one away.

    A list has thirty such links: what stays of the address is encoded once a request, and no route is looked up.
    """
    path, parts = _address_now()
    kept = [text for name, text in parts if name not in changes]
    kept += [urlencode({name: str(value)}, safe=_PLAIN) for name, value in changes.items() if value is not None]
    return f"{path}?{'&'.join(kept)}" if kept else path


_PLAIN = "!$'()*,/:;?@"  # what need not be encoded in a query


def _address_now() -> tuple[str, list[tuple[str, str]]]:
    known: tuple[str, list[tuple[str, str]]] | None = g.get("address_now")
    if known is None:
        given = [(name, value) for name, values in request.args.lists() for value in values]
        parts = [(name, urlencode({name: value}, safe=_PLAIN)) for name, value in given]
        known = g.address_now = (quote(request.path, safe="/!$&'()*+,;=:@"), parts)
    return known


def client_texts() -> str:
    """Texts the scripts say."""
    return orjson.dumps(
        {
            "edit": _("Edit"),
            "not_editable": _("{name} cannot be edited here.", name="{name}"),
            "undo": _("Undo"),
            "close": _("Close"),
            "yes": _("Yes"),
            "cancel": _("Cancel"),
            "remove": _("Remove"),
            "chosen": _("{n} selected", n="{n}"),
            "failed": _("That did not work. Please try again."),
            "offline": _("The server cannot be reached. What you typed is still here."),
            "session_over": _("Your session has ended. What you typed is still here."),
            "signed_in_again": _("You are signed in again"),
            "sign_in": _("Sign in"),
            "sign_in_page": _("Sign-in page"),
            "login": _("Login"),
            "password": _("Password"),
            "draft_found": _("An unsaved draft of {when} is here.", when="{when}"),
            "draft_back": _("What you had typed on {when} is back.", when="{when}"),
            "draft_restore": _("Restore"),
            "draft_discard": _("Discard"),
            "copied": _("Copied"),
            "open": _("Open"),
            "combined": _("{n} lines were combined with others", n="{n}"),
        }
    ).decode()


class Frame:
    """The page around the content for somebody signed in: who, menu, language, theme."""

    def __init__(self) -> None:
        now = request_state.state()
        session = request_state.reading()
        self.user = session.user
        self.language = now.language
        self.theme = now.theme
        self.binder = binder = Binder(session)
        self.path = request.path
        self.menu: tuple[BoundItem, ...] = bind_menu(binder)
        self.admin = session.user.admin
        self.seen_as = request_state.state().seen_as is not None
        self.creatable = binder.keep("creatable", bind=lambda: self._creatable(binder))

    def _creatable(self, binder: Binder) -> list[dict[str, str | None]]:
        """Entities of the menu that this user may create records of."""
        names = dict.fromkeys(leaf.entity for item in self.menu for leaf in item.leaves if leaf.entity)
        entities = [binder.app.entities[name] for name in names if binder.can(name, "create")]
        return [{"name": e.name, "label": e.label.of(binder.language), "icon": e.icon} for e in entities]

    @property
    def bottom(self) -> tuple[BoundItem, ...]:
        """What a phone has at the bottom, besides home and one's own account."""
        return bind_bottom(self.binder)

    def around(self, **parts: str) -> Markup:
        """The whole page around `parts` (title, body_class, main, toasts): put together once per kind of user."""
        here = tuple(i for i, leaf in enumerate(self._leaves) if self.is_here(leaf))
        top = self.path if self.path in ("/", "/recycle-bin", "/profile") else ""
        seen = request_state.state().seen_as is not None
        shell = self.binder.keep("shell", self.theme, here, top, seen, bind=self._shell)
        filled: Markup = shell.fill(
            {
                "csrf": form_token(),
                "next": request.full_path.rstrip("?") if request.method == "GET" else "/",
                "name": self.user.name,
                "avatar": avatar(self.user.name),
                "login": self.user.login,
                "user": str(self.user.id),
                **parts,
            }
        )
        return filled

    def _shell(self) -> Prepared:
        return Prepared(render_template("shell.html", f=self))

    @property
    def _leaves(self) -> list[BoundItem]:
        return [leaf for item in self.menu for leaf in item.leaves]

    def is_here(self, item: BoundItem) -> bool:
        path = self.path
        if item.page:
            return path == f"/{item.page}" or path.startswith(f"/{item.page}/")
        if item.report:
            return path == f"/reports/{item.report}"
        same = path == f"/e/{item.entity}" or path.startswith(f"/e/{item.entity}/")
        return same and (not item.view or request.args.get("view") == item.view)


def framed(title: str, main: Markup) -> Markup:
    """The whole page around `main` for somebody signed in: what `base.html` makes, without a template."""
    return Frame().around(title=title, body_class="", main=main, toasts=toasts())


def toasts() -> Markup:
    """What was noted for this browser before the page it sees now, for the script that shows it."""
    return Markup("").join(
        _TOAST.format(
            note["message"],
            kind,
            Markup("").join(
                Markup(' data-{}="{}"').format(name, note[name]) for name in ("undo", "ask") if note.get(name)
            ),
        )
        for kind, note in cast("list[tuple[str, Any]]", get_flashed_messages(with_categories=True))
    )


_TOAST = Markup('<template data-toast="{}" data-kind="{}"{}></template>\n')


def frame() -> Frame | None:
    """None on a page for somebody who has not signed in, and on an error page whose session cannot be had."""
    if request_state.state().user_id is None:
        return None
    try:
        return Frame()
    except Exception:  # the frame must never hide the page's own message
        return None
