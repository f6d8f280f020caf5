"""The dialog of conversions: it shows what would be made before it is."""

from __future__ import annotations

from web.panels import dialog

dialog("conversion", "conversions/action.html")
