"""What a widget is: how a kind of value looks on a page and how it is put in. One class and one template per file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from markupsafe import Markup, escape

from metadata.fields.base import Coercion
from runtime.views.binder import BoundField

Show = Callable[[Any, Any], str]  # (value, title of the linked record) -> safe HTML


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What a widget may use to write values. `address` leads to a record; `say` translates."""

    coercion: Coercion
    address: Callable[[str, int], str]
    say: Callable[..., str]
    can_open: Callable[[str], bool]
    compact: bool = False  # in a list: dates as figures


class Widget:
    """Base: text, escaped. `template` is the input; `css` the class of a cell; `wide` takes the whole row."""

    name: ClassVar[str] = "text"
    template: ClassVar[str] = "widgets/text.html"
    css: ClassVar[str] = ""
    input_type: ClassVar[str] = "text"
    input_mode: ClassVar[str] = ""
    autocomplete: ClassVar[str] = "off"

    def show(self, field: BoundField, kit: Kit) -> Show:
        """A function that writes one value of this field as safe HTML."""
        to_text, described, coercion = field.type.to_text, field.field, kit.coercion

        def plain(value: Any, _title: Any) -> str:
            return "" if value is None else escape(to_text(value, described, coercion))

        return plain


_WIDGETS: dict[str, Widget] = {}


def register(cls: type[Widget]) -> type[Widget]:
    """Class decorator: makes the widget known under its name."""
    _WIDGETS[cls.name] = cls()
    return cls


def widget(name: str) -> Widget:
    """The widget called `name`; an unknown one is shown and put in as text."""
    return _WIDGETS.get(name) or _WIDGETS["text"]


def widgets() -> dict[str, Widget]:
    return dict(_WIDGETS)


@lru_cache(maxsize=512)
def badge(label: str, tone: str) -> str:
    """A coloured tag; without a colour a quiet one."""
    return Markup('<span class="badge bg-{}-lt">{}</span>').format(tone or "secondary", label)


@lru_cache(maxsize=4096)
def avatar(name: str) -> str:
    """Initials on a ground that is always the same for the same name."""
    ground = sum(map(ord, name)) % 8
    return Markup('<span class="avatar avatar-xs av-{}" aria-hidden="true">{}</span>').format(ground, initials(name))


def initials(name: str) -> str:
    """The given name of a Chinese name, else the first letters of first and last word."""
    plain = name.strip()
    if not plain:
        return "?"
    if not plain[0].isascii():
        return plain[-2:] if len(plain) > 2 else plain
    words = plain.split()
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()
