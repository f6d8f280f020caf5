"""Widgets, one file each; importing this package registers them."""

from web.widgets import (  # noqa: F401 - registration by import
    checkbox,
    checkboxes,
    color,
    currency,
    date,
    datetime,
    email,
    file,
    image,
    json,
    lines,
    lookup,
    lookup_many,
    lookup_value,
    money,
    number,
    percent,
    phone,
    progress,
    rating,
    related,
    rich_text,
    secret,
    select,
    text,
    textarea,
    time,
    url,
    user,
)
from web.widgets.base import Kit, Widget, avatar, badge, widget, widgets

__all__ = ["Kit", "Widget", "avatar", "badge", "widget", "widgets"]
