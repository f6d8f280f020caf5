"""The pages, one blueprint to a file; each is imported when it is first asked for."""

from __future__ import annotations

from flask import Blueprint

from web import late

PAGES = (
    "home",
    "lists",
    "record",
    "records",
    "actions",
    "related",
    "lookups",
    "search",
    "bin",
    "reports",
    "importing",
    "imports",
    "exporting",
    "uploads",
    "views",
    "pools",
    "bulk",
    "cells",
    "duplicates",
    "quick",
    "inbox",
    "notices",
    "runs",
    "rules",
    "samples",
    "palette",
    "queries",
    "decisions",
    "timeline",
    "documents",
    "whys",
)


def blueprints() -> list[Blueprint]:
    """The blueprints of all pages, made anew for an application."""
    return [late.blueprint(f"web.pages.{name}") for name in PAGES]
